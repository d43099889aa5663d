"""Requests and responses (RFC 3261 section 7), and what a message must have (section 8.1.1).

A message keeps its headers as text, in their order; the typed views (`top_via`, `from_`,
`cseq`...) are read when they are first asked for, and raise MessageError where the text is
broken. So a message is checked once, by `check_request` or `check_response`; behind that the
views of the mandatory headers can be used without fear. Treat a message as immutable: the methods
that change something return a new one.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING, Any, Self
from applet.sip.grammar import MAX_SECONDS, LocalProtocolError, MessageError, clamped, split_list
from applet.sip.headers import (
    LISTS,
    CSeq,
    NameAddr,
    Via,
    canonical_name,
    known_name,
    parse_contact,
    readable_via,
    tag_in,
)
from applet.sip.multipart import type_of
from applet.sip.reasons import reason_phrase
from applet.sip.uri import SipUri, Uri

# The methods that are defined (RFC 3261, 3262, 3311, 3428, 3515, 3903, 6086, 6665): only for
# them a CSeq with another method is the message's fault and not our ignorance.
METHODS = frozenset(
    (
        "ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK",
        "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE",
    )
)  # fmt: skip

_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")
_SINGLE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type")
_CONTACT_MATTERS = frozenset(("INVITE", "NOTIFY", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"))


if TYPE_CHECKING:
    from collections.abc import Iterable
    from functools import cached_property as view
else:

    class view:  # noqa: N801  (used like property)
        """A typed look at the headers: read at the first use, from then on a plain attribute."""

        def __init__(self, read):
            self.read = read
            self.name = read.__name__
            self.__doc__ = read.__doc__

        def __get__(self, message, owner):
            if message is None:
                return self
            value = message.__dict__[self.name] = self.read(message)
            return value


class Message:
    """What requests and responses share.

    `headers` are pairs of name and value, the names in their long spelling (`canonical_name`),
    without Content-Length: that is framing, read by the parser and printed by `encode`.
    """

    def __init__(self, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        self.headers = list(headers)
        self.body = body

    def start_line(self) -> str:
        raise LocalProtocolError("a message is a Request or a Response")

    def replaced(self, **changes: Any) -> Self:
        """A new message with some of the constructor's arguments changed."""
        return type(self)(**{**self._arguments(), **changes})

    def header(self, name: str) -> str | None:
        """The value of the first line of the header `name`, None if it is missing."""
        known = known_name(name)
        if known is not None:
            return self._first.get(known)
        lines = self.lines(name)
        return lines[0] if lines else None

    def lines(self, name: str) -> list[str]:
        """The values of all lines of the header `name`, not split at commas."""
        known = known_name(name)
        if known is not None:
            return [value for found, value in self.headers if found == known]
        lower = name.lower()
        return [value for found, value in self.headers if found.lower() == lower]

    def values(self, name: str) -> list[str]:
        """All values of the header `name`, split at commas if it is one whose values may be."""
        canonical = canonical_name(name)
        return self._list(canonical) if canonical in LISTS else self.lines(name)

    def with_header(self, name: str, value: str) -> Self:
        """`name` once, with `value`: where it first stood, else at the end."""
        lower = canonical_name(name).lower()
        names = [found.lower() for found, _ in self.headers]
        at = names.index(lower) if lower in names else len(names)
        rest = [pair for pair in self.headers[at:] if pair[0].lower() != lower]
        return self.replaced(headers=[*self.headers[:at], (canonical_name(name), value), *rest])

    def prepended(self, name: str, value: str) -> Self:
        """One more line `name`, before all others."""
        return self.replaced(headers=[(canonical_name(name), value), *self.headers])

    def without(self, name: str) -> Self:
        lower = canonical_name(name).lower()
        return self.replaced(headers=[pair for pair in self.headers if pair[0].lower() != lower])

    def encode(self) -> bytes:
        """The message for the wire. Raises LocalProtocolError if a line break is in a header."""
        lines = [self.start_line(), *[f"{name}: {value}" for name, value in self.headers]]
        head = "\r\n".join(lines)
        if not head.count("\n") == head.count("\r") == len(lines) - 1:
            raise LocalProtocolError("a line break in a header")
        return (
            f"{head}\r\nContent-Length: {len(self.body)}\r\n\r\n".encode("utf-8", "replace")
            + self.body
        )

    __bytes__ = encode

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Message)
            and type(self) is type(other)
            and self._arguments() == other._arguments()
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{self.start_line()}>"

    def _arguments(self) -> dict[str, Any]:
        return {"headers": self.headers, "body": self.body}

    @view
    def _first(self) -> dict[str, str]:
        return dict(reversed(self.headers))

    def _required(self, name: str) -> str:
        value = self._first.get(name)
        if value is None:
            raise MessageError(f"{name} is missing")
        return value

    def _list(self, name: str) -> list[str]:
        return [v for n, line in self.headers if n == name for v in split_list(line)]

    @view
    def vias(self) -> tuple[Via, ...]:
        return tuple([Via.parse(value) for value in self._list("Via")])

    @view
    def top_via(self) -> Via:
        values = split_list(self._required("Via"))
        return Via.parse(values[0] if values else "")

    @view
    def from_(self) -> NameAddr:
        return NameAddr.parse(self._required("From"))

    @view
    def to(self) -> NameAddr:
        return NameAddr.parse(self._required("To"))

    @view
    def call_id(self) -> str:
        value = self._required("Call-ID")
        if not value or " " in value or "\t" in value:
            raise MessageError("Call-ID cannot be read")
        return value

    @view
    def cseq(self) -> CSeq:
        return CSeq.parse(self._required("CSeq"))

    @view
    def contacts(self) -> tuple[NameAddr, ...]:
        """All Contacts; `Contact: *` is the value ANY_CONTACT."""
        return tuple([parse_contact(value) for value in self._list("Contact")])

    @view
    def routes(self) -> tuple[NameAddr, ...]:
        return tuple([NameAddr.parse(value) for value in self._list("Route")])

    @view
    def record_routes(self) -> tuple[NameAddr, ...]:
        return tuple([NameAddr.parse(value) for value in self._list("Record-Route")])

    @view
    def require(self) -> tuple[str, ...]:
        """The option tags as they were written, to be sent back in Unsupported."""
        return tuple(self._list("Require"))

    @view
    def supported(self) -> tuple[str, ...]:
        return tuple([value.lower() for value in self._list("Supported")])

    @view
    def content_type(self) -> str:
        """Type and subtype in lower case ("application/sdp"), without parameters; "" if none."""
        return type_of(self.header("Content-Type") or "")

    @view
    def max_forwards(self) -> int | None:
        """0 to 255. None if it is missing or unreadable: an endpoint forwards nothing."""
        return clamped(self.header("Max-Forwards") or "", 255)

    @view
    def expires(self) -> int | None:
        """Seconds; None if missing or unreadable, at most 2**32 - 1 (RFC 3261 section 20.19)."""
        return clamped(self.header("Expires") or "", MAX_SECONDS)

    @view
    def retry_after(self) -> int | None:
        """Seconds; a comment or parameters behind the number are left out (section 20.33)."""
        value = (self.header("Retry-After") or "").partition(";")[0].partition("(")[0]
        return clamped(value, MAX_SECONDS)


class Request(Message):
    """A request: `Request("OPTIONS", uri, [("Via", "..."), ...])`."""

    def __init__(
        self,
        method: str,
        uri: Uri,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        self.method = method
        self.uri = uri
        self.headers = list(headers)
        self.body = body

    def start_line(self) -> str:
        return f"{self.method} {self.uri} SIP/2.0"

    def _arguments(self) -> dict[str, Any]:
        return {"method": self.method, "uri": self.uri, **super()._arguments()}

    def reply(
        self,
        status: int,
        reason: str = "",
        *,
        to_tag: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """The response to this request (RFC 3261 section 8.2.6.2).

        Via, From, To, Call-ID and CSeq are copied as they stand, so it works for a request that
        cannot be read in full, too. `to_tag` is added unless To has a tag already. A 100 also
        copies Timestamp (section 8.2.6.1).
        """
        names = (*_COPIED, "Timestamp") if status == 100 else _COPIED
        copied = [pair for pair in self.headers if pair[0] in names]
        if to_tag and not self._to_tag():
            copied = [(n, f"{v};tag={to_tag}" if n == "To" else v) for n, v in copied]
        phrase = reason or reason_phrase(status)
        return Response(status, phrase, [*copied, *headers], body)

    def _to_tag(self) -> str | None:
        try:
            return self.to.tag
        except MessageError:
            return tag_in(self.header("To") or "")


class Response(Message):
    """A response: `Response(180, "Ringing", [("Via", "..."), ...])`."""

    def __init__(
        self,
        status: int,
        reason: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        self.status = status
        self.reason = reason
        self.headers = list(headers)
        self.body = body

    def start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"

    def _arguments(self) -> dict[str, Any]:
        return {"status": self.status, "reason": self.reason, **super()._arguments()}


def salvaged(request: Request) -> Request | None:
    """`request` with a top Via that can be read, so that it can be answered; None if it cannot.

    Of a broken Via its readable beginning stays: sent-by, and the parameters before the fault.
    """
    first = request.header("Via")
    if first is None:
        return None
    values = split_list(first)
    via = readable_via(values[0] if values else "")
    if via is None:
        return None
    at = next(i for i, (name, _) in enumerate(request.headers) if name == "Via")
    headers = list(request.headers)
    headers[at] = ("Via", ", ".join([via, *values[1:]]))
    return request.replaced(headers=headers)


def allows(message: Message, method: str) -> bool:
    """Whether Allow names `method`; without the header nobody knows, and the answer is no."""
    return method in (value.upper() for value in message.values("Allow"))


def check_request(request: Request) -> None:
    """Refuse a request in which something is missing, doubled or unreadable that matters to us.

    Raises MessageError (400) with `partial` set. Other headers are not looked at: a broken Date
    is no reason to refuse a call.
    """
    try:
        _check_mandatory(request)
        if request.cseq.method != request.method and request.method in METHODS:
            raise MessageError("CSeq names another method")
        if isinstance(request.uri, SipUri) and request.uri.headers:
            raise MessageError("headers in the Request-URI")
        _check_contact(request, request.method)
    except MessageError as error:
        error.partial = salvaged(request)
        raise


def check_response(response: Response) -> None:
    """As `check_request`, for a response. Raises MessageError: it is to be dropped."""
    _check_mandatory(response)
    if len(response.values("Via")) != 1:
        raise MessageError("a response with a second Via is not for us")  # section 8.1.3.3
    if response.status < 300:
        _check_contact(response, response.cseq.method)


def _check_mandatory(message: Message) -> None:
    names = [name for name, _ in message.headers]
    for name in _SINGLE:
        if names.count(name) > 1:
            raise MessageError(f"{name} is there twice")
    # Reading them is the check: a view raises what is wrong.
    _ = (message.top_via, message.call_id, message.cseq, message.from_, message.to)


def _check_contact(message: Message, method: str) -> None:
    """Contact and Record-Route matter where they make or move a dialog, or a binding."""
    if method in _CONTACT_MATTERS:
        _ = (message.contacts, message.record_routes)
