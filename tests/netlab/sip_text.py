"""As much of SIP and SDP as the reference peers need, independent of the product."""

import re
from typing import NamedTuple

Place = tuple[str, int]
_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
}
_URI = re.compile(r"(sips?):(?:[^@>;\s]*@)?([\d.]+)(?::(\d+))?([^>\s]*)")


class Message(NamedTuple):
    """A request or a response; names of headers are in lower case and in full."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def first(self, name: str) -> str:
        """Empty if there is none."""
        return next(iter(self.values(name)), "")

    @property
    def method(self) -> str:
        """Of a response: of its request."""
        return self.first("cseq").partition(" ")[2]

    @property
    def status(self) -> int:
        """0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0


class Sdp(NamedTuple):
    """Where the other side wants its sound, and which way it is to flow."""

    place: Place
    direction: str


def parse(data: bytes) -> Message:
    """Raises ValueError if it is no SIP, or shorter than its Content-Length says."""
    head, blank, body = data.decode("latin-1").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    if not blank or "SIP/2.0" not in start:
        raise ValueError("no SIP")
    pairs = [line.partition(":")[::2] for line in lines]
    headers = tuple((_full(name), value.strip()) for name, value in pairs)
    message = Message(start, headers, body)
    if int(message.first("content-length") or len(body)) > len(body):
        raise ValueError("it is shorter than it says")
    return message


def _full(name: str) -> str:
    lower = name.strip().lower()
    return _COMPACT.get(lower, lower)


def framed(stream: bytes) -> tuple[list[bytes], bytes]:
    """The whole messages at the beginning of a TCP stream, and the rest (RFC 3261 18.3)."""
    whole: list[bytes] = []
    while True:
        stream = stream.lstrip(b"\r\n")  # keep-alives
        head, blank, body = stream.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d+)", head)
        wanted = int(length[1]) if length else 0
        if not blank or len(body) < wanted:
            return whole, stream
        size = len(head) + 4 + wanted
        whole.append(stream[:size])
        stream = stream[size:]


def print_message(start: str, headers: list[str], body: str = "") -> bytes:
    kind = ["Content-Type: application/sdp"] if body else []
    lines = [start, *headers, *kind, f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode("latin-1")


def parse_sdp(body: str) -> Sdp | None:
    """None if the body describes no sound."""
    media = re.search(r"(?m)^m=audio (\d+)", body)
    if media is None:
        return None
    own = re.search(r"(?m)^c=IN IP4 ([\d.]+)", body[media.start() :])
    host = own or re.search(r"(?m)^c=IN IP4 ([\d.]+)", body)
    direction = re.search(r"(?m)^a=(sendrecv|sendonly|recvonly|inactive)", body)
    place = (host[1] if host else "0.0.0.0", int(media[1]))
    return Sdp(place, direction[1] if direction else "sendrecv")


def print_sdp(place: Place, version: int, direction: str = "sendrecv") -> str:
    host, port = place
    lines = [
        "v=0", f"o=desk 1 {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
        f"m=audio {port} RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000", f"a={direction}", "",
    ]  # fmt: skip
    return "\r\n".join(lines)


def uri_of(header: str) -> str:
    """The URI inside a Contact, From or To."""
    inner = re.search(r"<([^>]+)>", header)
    return inner[1] if inner else header.partition(";")[0]


def place_of(uri: str) -> tuple[Place, str]:
    """Where a SIP URI leads to, and by which transport. Raises ValueError."""
    found = _URI.search(uri)
    if found is None:
        raise ValueError(f"{uri} has no IPv4 address")
    scheme, host, port, rest = found.groups()
    named = re.search(r"(?i);transport=(\w+)", rest)
    transport = named[1].lower() if named else "tls" if scheme == "sips" else "udp"
    return (host, int(port or (5061 if transport == "tls" else 5060))), transport
