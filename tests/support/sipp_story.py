"""A call as SIPp is to play it, told in Python: each step becomes a part of its XML scenario.

story = called().receives("INVITE").replies(180).replies(200, sdp=sdp()).is_hung_up()

`called()` waits for our INVITE, `calls()` sends one. Every `receives` may check headers and body by
a regular expression; SIPp fails the call when one does not match.
"""

from pathlib import Path
from xml.sax.saxutils import quoteattr

_REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 302: "Moved"}
_TAG = "theirs"
_US = "sip:support@[remote_ip]:[remote_port]"
ALLOW = "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"


def sdp(*lines: str, port: int = 20_000, host: str = "127.0.0.1", version: int = 1) -> str:
    """PCMU with telephone events; `lines` belong to the audio."""
    return "\n".join(
        [
            "v=0", f"o=sipp 1 {version} IN IP4 127.0.0.1", "s=-", f"c=IN IP4 {host}", "t=0 0",
            f"m=audio {port} RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000", *lines,
        ]
    )  # fmt: skip


class Story:
    """`caller`: SIPp has called; else it was called."""

    def __init__(self, caller: bool) -> None:
        self._caller = caller
        self._parts: list[str] = []
        self._apart: list[str] = []
        self._names: set[str] = set()
        self._sequence = 0
        self._invite_sequence = 0
        self._invites = 0
        self._last = "INVITE"

    # --- what comes

    def receives(
        self,
        what: str | int,
        *,
        body: str = "",
        save: str = "",
        optional: bool = False,
        within_ms: int = 8000,
        **headers: str,
    ) -> "Story":
        """A request or a status. `headers`: name (`_` for `-`) and what its value must look like;
        `save` keeps the value of the header with this name, without dashes, for `[$name]`."""
        actions = [_ereg("body", body, self._name("body"))] if body else []
        for header, pattern in headers.items():
            name = header.replace("_", "-")
            actions.append(_ereg("hdr", pattern, self._name(header), f"{name}:"))
        if save:
            name = save.replace("-", "")
            self._names.add(name)
            actions.append(_ereg("hdr", ".*", name, f"{save}:"))
        if what == "INVITE":
            actions += self._identity()
        if what == "SUBSCRIBE":
            self._names.add("target")
            actions.append(_ereg("hdr", "sip:[^>]*", "target", "Contact:"))
        if isinstance(what, str):
            self._last = what
        self._receive(what, actions, optional, within_ms)
        return self

    def _receive(self, what: str | int, actions: list[str], optional: bool, limit: int) -> None:
        kind = "request" if isinstance(what, str) else "response"
        rest = ' optional="true"' if optional else f' timeout="{limit}"'
        inside = f"<action>{''.join(actions)}</action>" if actions else ""
        self._parts.append(f'<recv {kind}="{what}"{rest}>{inside}</recv>')

    def _identity(self) -> list[str]:
        """What an answer to this INVITE needs, also when something else has come after it."""
        self._invites += 1
        kept = [(f"{name}{self._invites}", f"{name}:") for name in ("Via", "From", "To", "CSeq")]
        actions = [_ereg("hdr", ".*", name, header) for name, header in kept]
        self._names |= {"target", *(name for name, _ in kept)}
        return [*actions, _ereg("hdr", "sip:[^>]*", "target", "Contact:")]

    def _name(self, hint: str) -> str:
        name = f"{hint}{len(self._names)}".replace("_", "")
        self._names.add(name)
        return name

    # --- what goes

    def replies(
        self,
        status: int,
        *headers: str,
        sdp: str = "",
        tag: str = "",
        to: str = "",
        acknowledged: bool = True,
    ) -> "Story":
        """To the request that came last, or to the last `to`. `tag` is To's where the request had
        none. After a final answer to an INVITE the ACK is awaited, unless not `acknowledged`."""
        lines = [f"SIP/2.0 {status} {_REASONS.get(status, 'Because')}"]
        invite = (to or self._last) == "INVITE"
        if invite:
            number = self._invites
            first = number == 1 and not self._caller
            tagged = f";tag={tag or _TAG}" if first or tag else ""
            lines += [f"Via:[$Via{number}]", f"From:[$From{number}]", f"To:[$To{number}]{tagged}"]
            lines += ["Call-ID: [call_id]", f"CSeq:[$CSeq{number}]"]
        else:
            lines += [f"[last_{name}:]" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        self._send(lines, headers, sdp, repeat=invite and 200 <= status < 300)
        if invite and status >= 200 and acknowledged:
            self._receive("ACK", [], False, 8000)
        return self

    def refuses(self, body: str, status: int) -> "Story":
        """The INVITE that came last, if its body looks like this; the story is for all others."""
        self._names.add("refused")
        found = _ereg("body", body, "refused").replace("true", "false")
        self._parts[-1] = self._parts[-1].replace("</action>", f"{found}</action>")
        self._parts.append('<nop next="1" test="refused" />')
        apart = Story(self._caller)
        apart._invites = self._invites
        self._apart = ['<nop next="2" />', '<label id="1" />', *apart.replies(status)._parts]
        self._apart.append('<label id="2" />')
        return self

    def asks(
        self, method: str, *headers: str, sdp: str = "", tag: str = "", outside: bool = False
    ) -> "Story":
        """A request inside the call, or `outside` of it; ACK repeats the number of the last
        INVITE. `tag` is SIPp's own, where it has several as the called side."""
        if method != "ACK":
            self._sequence += 1
        if method == "INVITE":
            self._invite_sequence = self._sequence
        number = self._invite_sequence if method == "ACK" else self._sequence
        target = _US if self._caller else "[$target]"
        lines = [
            f"{method} {target} SIP/2.0",
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport",
        ]
        if self._caller:
            lines.append(f"From: <sip:sipp@[local_ip]:[local_port]>;tag={_TAG}")
            lines.append(f"To: <{_US}>" + ("" if outside else "[peer_tag_param]"))
        else:
            lines += [f"From:[$To1];tag={tag or _TAG}", "To:[$From1]"]
        lines += ["Call-ID: [call_id]", f"CSeq: {number} {method}", "Max-Forwards: 70"]
        self._send(lines, headers, sdp, repeat=method != "ACK")
        return self

    def notifies(self, *headers: str, body: str) -> "Story":
        """A NOTIFY to the SUBSCRIBE whose From was saved; SIPp's tag is `box`."""
        self._sequence += 1
        lines = [
            "NOTIFY [$target] SIP/2.0",
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport",
            "From: <sip:box@[local_ip]:[local_port]>;tag=box",
            "To:[$From]",
            "Call-ID: [call_id]",
            f"CSeq: {self._sequence} NOTIFY",
            "Max-Forwards: 70",
        ]
        self._send(lines, headers, body, repeat=True)
        return self

    def waits(self, milliseconds: int) -> "Story":
        self._parts.append(f'<pause milliseconds="{milliseconds}" />')
        return self

    def is_hung_up(self) -> "Story":
        return self.receives("BYE", within_ms=15_000).replies(200)

    def hangs_up(self) -> "Story":
        return self.asks("BYE").receives(200)

    def _send(self, lines: list[str], headers: tuple[str, ...], sdp: str, repeat: bool) -> None:
        lines = [*lines, *headers]
        if not any(header.startswith("Contact:") for header in headers):
            lines.append("Contact: <sip:sipp@[local_ip]:[local_port]>")
        if sdp and not any(header.startswith("Content-Type:") for header in headers):
            lines.append("Content-Type: application/sdp")
        text = "\n".join([*lines, "Content-Length: [len]", "", sdp, ""])
        again = ' retrans="500"' if repeat else ""
        self._parts.append(f"<send{again}><![CDATA[\n\n{text}\n]]></send>")

    # --- for SIPp

    def write(self, folder: Path, name: str) -> Path:
        """The scenario as a file."""
        used = ",".join(sorted(self._names))
        refer = f'<Reference variables="{used}" />' if used else ""
        parts = "\n".join([*self._parts, *self._apart, refer])
        file = folder / f"{name}.xml"
        file.write_text(f'<?xml version="1.0"?>\n<scenario name="{name}">\n{parts}\n</scenario>\n')
        return file


def _ereg(where: str, pattern: str, name: str, header: str = "") -> str:
    place = f" header={quoteattr(header)}" if header else ""
    return (
        f"<ereg regexp={quoteattr(pattern)} search_in={quoteattr(where)}{place} "
        f'check_it="true" assign_to={quoteattr(name)} />'
    )


def called() -> Story:
    """SIPp is called: the story begins with what it `receives`."""
    return Story(caller=False)


def calls(*headers: str, sdp: str = "") -> Story:
    """SIPp calls."""
    return Story(caller=True).asks("INVITE", *headers, sdp=sdp)
