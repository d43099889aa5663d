"""A peer that says whatever a property test draws: answers, requests and repetitions that are
nearly right, in any order and from the right or the wrong place."""

from contextlib import suppress
from typing import NamedTuple

from hypothesis import strategies as st

from applet.address import Address
from applet.sip.grammar import MessageError
from applet.sip.message import METHODS, Request, Response, check_request
from applet.sip.parser import parse
from tests.support.street import SIP_PORT, Street

HOST, STRANGER = "10.0.0.2", "10.0.0.66"
_AUDIO = (
    "v=0\r\no=- 1 {version} IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP {formats}\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
)


def _audio(
    direction: str = "sendrecv",
    host: str = HOST,
    port: int = 30_000,
    formats: str = "0 101",
    version: int = 1,
) -> bytes:
    text = _AUDIO.format(
        direction=direction, host=host, port=port, formats=formats, version=version
    )
    return text.encode()


BODIES = {
    "": b"",
    "audio": _audio(),
    "inactive": _audio("inactive", version=2),
    "sendonly": _audio("sendonly", version=3),
    "no address": _audio(host="0.0.0.0", version=4),
    "moved": _audio(host="10.0.0.3", port=30_002, formats="8 0 101", version=5),
    "port 0": _audio(port=0, version=6),
    "unknown codec": _audio(formats="99"),
    "no media": b"v=0\r\no=- 1 7 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n",
    "no origin": b"v=0\r\ns=-\r\n",
    "noise": b"\xff\x00 no description",
}
HEADERS: tuple[tuple[str, ...], ...] = (
    (),
    ("Require: 100rel", "RSeq: 1"),
    ("Require: 100rel", "RSeq: 2"),
    ("RAck: 1 1 INVITE",),
    ("Require: x-unknown",),
    ("Supported: 100rel, timer, replaces, norefersub",),
    ("Session-Expires: 90;refresher=uac", "Min-SE: 90"),
    ("Session-Expires: 4294967295;refresher=uas", "Require: timer"),
    ("Min-SE: 3600",),
    ("Retry-After: 1",),
    ("Retry-After: 99999999999",),
    ("Refer-To: <sip:third@10.0.0.3>",),
    ("Refer-To: <sip:third@10.0.0.2?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>", "Refer-Sub: false"),
    ("Replaces: a;to-tag=b;from-tag=c",),
    ("Event: refer", "Subscription-State: active;expires=60"),
    ("Event: message-summary", "Subscription-State: terminated;reason=timeout"),
    ("Event: dialog", "Expires: 0"),
    ("Event: message-summary", "Expires: 3600"),
    ("Record-Route: <sip:10.0.0.2;lr>",),
    ("Record-Route: <sip:nowhere.invalid>",),
    ("Contact: <sip:elsewhere@10.0.0.3>",),
    ("Contact: *",),
    ('WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"',),
    ('Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-256, stale=true',),
    ("Reason: Q.850;cause=16", 'Warning: 399 x "y"'),
    ("Alert-Info: <http://x>;info=alert-autoanswer", "Call-Info: <sip:x>;answer-after=0"),
    ("Content-Encoding: gzip",),
    ("Content-Disposition: session;handling=optional",),
    ("Expires: 1",),
    ("Max-Forwards: 0",),
)
TYPES = ("application/sdp", "message/sipfrag", "application/dtmf-relay", "text/plain", "x/y")
STATUSES = (
    *(100, 101, 180, 181, 182, 183, 199, 200, 202, 300, 302, 305, 380, 400, 401, 403, 404, 405),
    *(407, 408, 415, 420, 421, 422, 423, 480, 481, 482, 484, 486, 487, 488, 489, 491, 494, 500),
    *(501, 503, 504, 513, 600, 603, 606, 699),
)


class Answer(NamedTuple):
    """A response to one of the phone's requests, the newest first; `tag` of three."""

    request: int
    status: int
    tag: int
    body: str
    headers: tuple[str, ...]


class Ask(NamedTuple):
    """A request; in one of the dialogs, or with `dialog` None outside them all."""

    method: str
    dialog: int | None
    cseq: int
    body: str
    kind: str
    headers: tuple[str, ...]
    stranger: bool


class Repeat(NamedTuple):
    """Something that was on the wire before, once more; `cut` bytes of it are left out."""

    message: int
    cut: int
    stranger: bool


bodies = st.sampled_from(list(BODIES))
headers = st.sampled_from(HEADERS)
answers = st.builds(
    Answer, st.integers(0, 3), st.sampled_from(STATUSES), st.integers(0, 2), bodies, headers
)
requests = st.builds(
    Ask,
    st.sampled_from(("INVITE", "ACK", "BYE", *sorted(METHODS), "FOO")),
    st.none() | st.integers(0, 3),
    st.sampled_from((0, 1, 1, 1, 2, 1000, 2**31)),
    bodies,
    st.sampled_from(TYPES),
    headers,
    st.booleans(),
)
repetitions = st.builds(Repeat, st.integers(0, 20), st.sampled_from((0, 0, 1, 40)), st.booleans())


CHALLENGE = ('WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256',)
TRANSFER = ("Refer-To: <sip:third@10.0.0.3>", "Referred-By: <sip:jester@10.0.0.2>")
likely = st.sampled_from(
    (
        Answer(0, 180, 0, "", ()),
        Answer(0, 183, 0, "audio", ("Require: 100rel", "RSeq: 1")),
        Answer(0, 200, 0, "audio", ()),
        Answer(0, 200, 0, "inactive", ()),
        Answer(0, 200, 0, "", ()),
        Answer(0, 401, 0, "", CHALLENGE),
        Answer(0, 491, 0, "", ()),
        Answer(0, 500, 0, "", ("Retry-After: 1",)),
        Ask("INVITE", None, 1, "audio", "application/sdp", (), stranger=False),
        Ask("INVITE", None, 1, "", "", ("Supported: 100rel, timer",), stranger=False),
        Ask("INVITE", 0, 1, "inactive", "application/sdp", (), stranger=False),
        Ask("INVITE", 0, 1, "", "", (), stranger=False),
        Ask("UPDATE", 0, 1, "sendonly", "application/sdp", (), stranger=False),
        Ask("ACK", 0, 0, "", "", (), stranger=False),
        Ask("ACK", 0, 0, "audio", "application/sdp", (), stranger=False),
        Ask("CANCEL", None, 0, "", "", (), stranger=False),
        Ask("PRACK", 0, 1, "", "", ("RAck: 1 1 INVITE",), stranger=False),
        Ask("REFER", 0, 1, "", "", TRANSFER, stranger=False),
        Ask("BYE", 0, 1, "", "", (), stranger=False),
    )
)
"""What a peer in its right mind would say: so that the stories come far."""


class Jester:
    """Lives at `HOST` and speaks from `STRANGER` too. A dialog is a Call-ID with two tags."""

    def __init__(self, street: Street, phone: Address) -> None:
        self.street = street
        self.phone = phone
        self.asked: list[Request] = []
        self.dialogs: list[tuple[str, str, str]] = []
        self._cseq = 1
        self._calls = 0
        street.residents[HOST] = self

    # --- the street's side

    def receive(self, data: bytes, source: Address, target: Address, now: float) -> None:
        if target.port != SIP_PORT or not data.strip():  # nothing but line breaks: a keep-alive
            return
        if data.startswith(b"SIP/"):
            with suppress(MessageError):  # an answer repeats what was broken in the request
                self._learn(parse(data))
            return
        request = parse(data)
        assert isinstance(request, Request)
        check_request(request)
        self.asked.append(request)

    def next_timer(self) -> float | None:
        return None

    def handle_timers(self, now: float) -> None: ...

    def _learn(self, response: Request | Response) -> None:
        dialog = (response.call_id, response.from_.tag or "", response.to.tag or "")
        if dialog not in self.dialogs:
            self.dialogs.append(dialog)

    # --- what it says

    def say(self, what: Answer | Ask | Repeat) -> None:
        match what:
            case Answer():
                self._answer(what)
            case Ask():
                self._ask(what)
            case Repeat():
                self._repeat(what)

    def _answer(self, what: Answer) -> None:
        if not self.asked:
            return
        request = self.asked[-1 - what.request % len(self.asked)]
        tag = "" if what.status == 100 else f"jester{what.tag}"
        if request.method == "INVITE" and tag:
            dialog = (request.call_id, tag, request.from_.tag or "")
            if dialog not in self.dialogs:
                self.dialogs.append(dialog)
        lines = [(name, value) for name, _, value in (h.partition(": ") for h in what.headers)]
        if not any(name == "Contact" for name, _ in lines):
            lines.append(("Contact", f"<sip:jester{what.tag}@{HOST}>"))
        if what.body:
            lines.append(("Content-Type", "application/sdp"))
        reply = request.reply(what.status, to_tag=tag, headers=lines, body=BODIES[what.body])
        self._send(reply.encode(), stranger=False)

    def _ask(self, what: Ask) -> None:
        self._cseq += 1
        if what.dialog is not None and self.dialogs:
            call_id, ours, theirs = self.dialogs[-1 - what.dialog % len(self.dialogs)]
        else:
            self._calls += 1
            call_id, ours, theirs = f"jest{self._calls}", "me", ""
        number = max(0, self._cseq + what.cseq - 1)
        lines = [
            f"{what.method} sip:you@{self.phone} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST};branch=z9hG4bKjest{self._cseq}",
            f"From: <sip:jester@{HOST}>;tag={ours}",
            f"To: <sip:you@{self.phone}>" + (f";tag={theirs}" if theirs else ""),
            f"Call-ID: {call_id}",
            f"CSeq: {number} {what.method}",
            *what.headers,
        ]
        if not any(line.startswith("Contact") for line in what.headers):
            lines.append(f"Contact: <sip:jester@{HOST}>")
        if what.body:
            lines.append(f"Content-Type: {what.kind}")
        body = BODIES[what.body]
        lines.append(f"Content-Length: {len(body)}")
        self._send("".join(f"{line}\r\n" for line in [*lines, ""]).encode() + body, what.stranger)

    def _repeat(self, what: Repeat) -> None:
        sip = [data for _, data, _, target in self.street.sent if target.port == SIP_PORT]
        if not sip:
            return
        data = sip[-1 - what.message % len(sip)]
        at = len(data) // 2
        self._send(data[:at] + data[at + what.cut :], what.stranger)

    def _send(self, data: bytes, stranger: bool) -> None:
        source = Address(STRANGER if stranger else HOST, SIP_PORT)
        self.street.send(data, source, self.phone)
