"""A scripted SIP peer on the street: it sends exactly what a test says, and keeps what it gets."""

from applet.address import Address
from applet.sip.message import Request, Response
from applet.sip.parser import parse
from tests.support.street import SIP_PORT, Street

RTP_PORT = 30000


class Pbx:
    """Lives at `host`. It `answers` BYE, CANCEL and PRACK and acknowledges refusals by itself;
    everything else is what the test says."""

    def __init__(self, street: Street, host: str) -> None:
        self.street = street
        self.host = host
        self.sip = Address(host, SIP_PORT)
        self.got: list[tuple[float, Request | Response]] = []
        self.rtp: list[tuple[float, bytes]] = []
        self.phone = Address("", 0)
        self.answers: tuple[str, ...] = ("BYE", "CANCEL", "PRACK")
        street.residents[host] = self

    # --- the street's side

    def receive(self, data: bytes, source: Address, target: Address, now: float) -> None:
        if target.port == RTP_PORT:
            self.rtp.append((now, data))
        elif target.port == SIP_PORT and data.strip():
            self.phone = source
            message = parse(data)
            self.got.append((now, message))
            if isinstance(message, Request) and message.method in self.answers:
                self.answer(message, 200)
            elif isinstance(message, Response) and message.status >= 300:
                self._acknowledge(message)

    def next_timer(self) -> float | None:
        return None

    def handle_timers(self, now: float) -> None: ...

    # --- what a test asks

    def requests(self, method: str) -> list[Request]:
        return [m for _, m in self.got if isinstance(m, Request) and m.method == method]

    def responses(self, status: int, method: str = "INVITE") -> list[Response]:
        return [
            message
            for _, message in self.got
            if isinstance(message, Response)
            and message.status == status
            and message.cseq.method == method
        ]

    def times(self, method: str) -> list[float]:
        """When each request with this method came."""
        return [round(at, 3) for at, m in self.got if isinstance(m, Request) and m.method == method]

    def wait_for(self, method: str, count: int = 1, limit: float = 5.0) -> Request:
        assert self.street.run_until(lambda: len(self.requests(method)) >= count, limit), method
        return self.requests(method)[-1]

    # --- what a test says

    def sdp(self, *lines: str, port: int = RTP_PORT, host: str = "") -> bytes:
        """One audio stream PCMU with telephone events; `lines` are added to the media."""
        text = [
            "v=0", f"o=- 1 {len(self.got) + 1} IN IP4 {self.host}", "s=-",
            f"c=IN IP4 {host or self.host}", "t=0 0", f"m=audio {port} RTP/AVP 0 101",
            "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", *lines,
        ]  # fmt: skip
        return "".join(f"{line}\r\n" for line in text).encode()

    def answer(
        self,
        request: Request,
        status: int,
        body: bytes = b"",
        *,
        tag: str = "pbx",
        headers: tuple[str, ...] = (),
        contact: str | None = None,
    ) -> None:
        """A response to `request`, with what RFC 3261 section 8.2.6 copies. `contact` empty: no
        Contact."""
        lines = [f"SIP/2.0 {status} Because"]
        lines += [f"Via: {value}" for value in request.values("Via")]
        lines += [f"Record-Route: {value}" for value in request.values("Record-Route")]
        lines.append(f"From: {request.header('From')}")
        to = request.header("To") or ""
        lines.append(f"To: {to}" if ";tag=" in to or status == 100 else f"To: {to};tag={tag}")
        lines.append(f"Call-ID: {request.call_id}")
        lines.append(f"CSeq: {request.header('CSeq')}")
        if contact != "":
            lines.append(f"Contact: {contact or f'<sip:{tag}@{self.sip}>'}")
        lines += headers
        self._send(lines, body)

    def ask(
        self,
        method: str,
        invite: Request,
        cseq: int,
        body: bytes = b"",
        *,
        tag: str = "pbx",
        headers: tuple[str, ...] = (),
        branch: str = "",
    ) -> None:
        """A request inside the dialog that our 2xx with `tag` to `invite` made."""
        branch = branch or f"z9hG4bKpbx{method}{cseq}"
        lines = [
            f"{method} {invite.contacts[0].uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.sip};branch={branch}",
            "Max-Forwards: 70",
            f"From: {invite.header('To')};tag={tag}",
            f"To: {invite.header('From')}",
            f"Call-ID: {invite.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{tag}@{self.sip}>",
            *headers,
        ]
        self._send(lines, body)

    def invite(
        self,
        phone: Address,
        body: bytes = b"",
        *,
        cseq: int = 1,
        tag: str = "p1",
        headers: tuple[str, ...] = (),
    ) -> None:
        """A call to the phone."""
        lines = [
            f"INVITE sip:you@{phone} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.sip};branch=z9hG4bKin{tag}{cseq}",
            "Max-Forwards: 70",
            f'From: "Alice" <sip:alice@{self.host}>;tag={tag}',
            f"To: <sip:you@{phone}>",
            f"Call-ID: in-{tag}@{self.host}",
            f"CSeq: {cseq} INVITE",
            f"Contact: <sip:alice@{self.sip}>",
            *headers,
        ]
        self.phone = phone
        self._send(lines, body)

    def follow_up(
        self,
        method: str,
        response: Response,
        cseq: int,
        body: bytes = b"",
        branch: str = "",
        headers: tuple[str, ...] = (),
    ) -> None:
        """A request inside the dialog that the phone's 2xx to our `invite` made."""
        branch = branch or f"z9hG4bKout{method}{cseq}"
        lines = [
            f"{method} {response.contacts[0].uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.sip};branch={branch}",
            "Max-Forwards: 70",
            f"From: {response.header('From')}",
            f"To: {response.header('To')}",
            f"Call-ID: {response.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:alice@{self.sip}>",
            *headers,
        ]
        self._send(lines, body)

    def cancel(self, tag: str = "p1", headers: tuple[str, ...] = ()) -> None:
        """Take back our `invite`."""
        lines = [
            f"CANCEL sip:you@{self.phone} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.sip};branch=z9hG4bKin{tag}1",
            "Max-Forwards: 70",
            f'From: "Alice" <sip:alice@{self.host}>;tag={tag}',
            f"To: <sip:you@{self.phone}>",
            f"Call-ID: in-{tag}@{self.host}",
            "CSeq: 1 CANCEL",
            *headers,
        ]
        self._send(lines, b"")

    def _acknowledge(self, refusal: Response) -> None:
        """ACK to a final response of 300-699, hop by hop."""
        if refusal.cseq.method != "INVITE":
            return
        lines = [f"ACK sip:you@{self.phone} SIP/2.0", f"Via: {refusal.header('Via')}"]
        lines += [f"{name}: {refusal.header(name)}" for name in ("From", "To", "Call-ID")]
        lines.append(f"CSeq: {refusal.cseq.number} ACK")
        self._send(lines, b"")

    def _send(self, lines: list[str], body: bytes) -> None:
        if body:
            lines = [*lines, "Content-Type: application/sdp"]
        text = "".join(f"{line}\r\n" for line in [*lines, f"Content-Length: {len(body)}", ""])
        self.street.send(text.encode() + body, self.sip, self.phone)
