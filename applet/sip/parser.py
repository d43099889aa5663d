"""Bytes to messages: datagrams and streams (RFC 3261 sections 7.3, 7.5 and 18.3)."""

from __future__ import annotations

from applet.enums import Enum
from applet.hints import TYPE_CHECKING
from applet.pattern import pattern
from applet.sip.grammar import TOKEN, MessageError, is_token, number
from applet.sip.headers import check_name, spelled_as_usual
from applet.sip.message import Request, Response, salvaged
from applet.sip.uri import OtherUri, Uri, parse_uri

if TYPE_CHECKING:
    from applet.hints import TypeAlias

MAX_MESSAGE = 65_535  # bytes of a datagram, and of a body on a stream (RFC 3261 section 18.1.1)
MAX_HEAD = 65_536  # bytes of start line and headers on a stream
MAX_HEADERS = 500

_request_line = pattern(rf"({TOKEN}) (\S++) [sS][iI][pP]/([0-9]++\.[0-9]++)")
_status_line = pattern(r"[sS][iI][pP]/2\.0 ([1-6][0-9][0-9])(?: (.*))?")
_fold = pattern(r"[ \t]*+\r\n[ \t]++")


class KeepAlive(Enum):
    """What stands between messages on a stream (RFC 5626 section 4.4.1)."""

    PING = b"\r\n\r\n"
    PONG = b"\r\n"


Received: TypeAlias = Request | Response | KeepAlive | MessageError


class _Head:
    """Start line and headers of one message, with the first fault that was found in them."""

    __slots__ = ("fault", "headers", "lengths", "start")

    def __init__(self, data: bytes | bytearray) -> None:
        self.fault: MessageError | None = None
        self.headers: list[tuple[str, str]] = []
        self.lengths: list[str] = []
        text = _decode(data)
        if "\r\n " in text or "\r\n\t" in text:
            text = _fold.sub(" ", text)
        lines = text.split("\r\n")
        if not text.count("\r") == text.count("\n") == len(lines) - 1:
            self.fault = MessageError("a line break that is not CRLF")
            lines = [line.replace("\r", " ").replace("\n", " ") for line in lines]
        if len(lines) > MAX_HEADERS:
            self.fault = MessageError("too many headers")
            del lines[MAX_HEADERS:]
        self.start = lines[0]
        self._read_headers(lines[1:])

    def _read_headers(self, lines: list[str]) -> None:
        add, usual = self.headers.append, spelled_as_usual  # the innermost loop of all parsing
        for line in lines:
            name, colon, value = line.partition(":")
            known = usual(name)
            if known is None or not colon:
                known = self._odd_name(name, colon)
            if known == "Content-Length":
                self.lengths.append(value.strip(" \t"))
            elif known:
                add((known, value.strip(" \t")))

    def _odd_name(self, name: str, colon: str) -> str:
        """The name of a header written unusually, "" after noting what is wrong with it."""
        try:
            if not colon:
                raise MessageError("a header without a colon")
            return check_name(name)
        except MessageError as error:
            self.fault = self.fault or error
            return ""

    def content_length(self) -> int | None:
        """The length of the body, None if it is not told. Raises MessageError."""
        if not self.lengths:
            return None
        if len(self.lengths) > 1:
            raise MessageError("Content-Length is there twice")
        return number(self.lengths[0], 2**32 - 1, "Content-Length")

    def message(self, body: bytes) -> Request | Response:
        """Raises MessageError, without `partial`."""
        if self.fault is not None:
            raise self.fault
        if self.start[:4].upper() == "SIP/":
            return self._response(body)
        found = _request_line.fullmatch(self.start)
        if found is None:
            raise MessageError("the first line cannot be read")
        method, uri, version = found.groups()
        if version != "2.0":
            raise MessageError("the version is not SIP/2.0", 505)
        return Request(method, parse_uri(uri), self.headers, body)

    def _response(self, body: bytes) -> Response:
        found = _status_line.fullmatch(self.start)
        if found is None:
            raise MessageError("the status line cannot be read")
        return Response(int(found[1]), found[2] or "", self.headers, body)

    def partial(self) -> Request | None:
        """What can be answered of a broken request."""
        method, _, rest = self.start.partition(" ")
        if not is_token(method):  # also a status line: "SIP/2.0" is no token
            return None
        uri: Uri
        try:
            uri = parse_uri(rest.strip().partition(" ")[0])
        except MessageError:
            uri = OtherUri("", "")
        return salvaged(Request(method, uri, self.headers))


def _decode(data: bytes | bytearray) -> str:
    """UTF-8, as it must be; else Latin-1, in which every byte means something."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def parse(data: bytes) -> Request | Response:
    """Read the message in one datagram; bytes after its body are ignored (section 18.3).

    Raises MessageError, with `partial` if it can be answered. A datagram of nothing but line
    breaks is a keep-alive for the caller to swallow; here it is an error without `partial`.
    """
    start = 0
    while data.startswith(b"\r\n", start):
        start += 2
    end = data.find(b"\r\n\r\n", start)
    head = _Head(data[start:] if end < 0 else data[start:end])
    try:
        if end < 0:
            raise MessageError("the headers have no end")
        if len(data) > MAX_MESSAGE:
            raise MessageError("the message is too large", 513)
        length = head.content_length()
        body = data[end + 4 :] if length is None else data[end + 4 : end + 4 + length]
        if length is not None and len(body) < length:
            raise MessageError("Content-Length is larger than the message")
        return head.message(body)
    except MessageError as error:
        error.partial = head.partial()
        raise


class StreamParser:
    """Cuts a stream (TCP, TLS) into messages by their Content-Length.

    After an error in the framing the stream cannot be read on: `broken` is true, and whatever is
    fed is dropped. A message that is bad in itself leaves the stream whole.
    """

    __slots__ = ("_buffer", "_head", "_length", "_pong_expected", "_searched", "broken")

    def __init__(self) -> None:
        self.broken = False
        self._buffer = bytearray()
        self._searched = 0  # how far the buffer was searched for the end of the headers
        self._head: _Head | None = None  # read already, waiting for its body
        self._length = 0
        self._pong_expected = False

    def expect_pong(self) -> None:
        """We sent a ping: take the next CRLF for its pong and not for half a ping."""
        self._pong_expected = True

    def feed(self, data: bytes) -> list[Received]:
        """Take what came; return what is complete by now, errors among it, in order."""
        received: list[Received] = []
        if not self.broken:
            self._buffer += data
            while (item := self._next()) is not None:
                # A flood of pings in one piece asks for one pong, not for thousands.
                if item is not KeepAlive.PING or received[-1:] != [KeepAlive.PING]:
                    received.append(item)
        return received

    def _next(self) -> Received | None:
        if self.broken:
            return None
        try:
            if self._head is None:
                keep_alive = self._keep_alive()
                if keep_alive is not None:
                    return keep_alive
                self._read_head()
            return None if self._head is None else self._read_body(self._head)
        except MessageError as error:
            self.broken = True
            self._buffer.clear()
            return error

    def _keep_alive(self) -> KeepAlive | None:
        """Remove line breaks before the next message; some of them mean something."""
        while self._buffer.startswith(b"\r\n"):
            if self._pong_expected:
                self._pong_expected = False
                del self._buffer[:2]
                return KeepAlive.PONG
            if self._buffer.startswith(b"\r\n\r\n"):
                del self._buffer[:4]
                return KeepAlive.PING
            if len(self._buffer) == 2 or self._buffer == b"\r\n\r":
                break  # perhaps half a ping
            del self._buffer[:2]
        return None

    def _read_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n", self._searched)
        if end > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD):
            raise MessageError("the headers have no end", 513)
        if end < 0:
            self._searched = max(0, len(self._buffer) - 3)
            return
        self._searched = 0
        head = _Head(self._buffer[:end])
        del self._buffer[: end + 4]
        try:
            length = head.content_length()
            if length is None:
                raise MessageError("Content-Length is missing on a stream")
            if length > MAX_MESSAGE:
                raise MessageError("the message is too large", 513)
        except MessageError as error:
            error.partial = head.partial()
            raise
        self._head, self._length = head, length

    def _read_body(self, head: _Head) -> Request | Response | MessageError | None:
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._head = None
        try:
            return head.message(body)
        except MessageError as error:
            error.partial = head.partial()
            return error
