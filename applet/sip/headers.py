"""Header values with a structure: Via, From, To, Contact, Route, CSeq (RFC 3261 section 20).

Each is a value that parses and prints; the names of headers and which of them are lists stand
here too (sections 7.3 and 20).
"""

from __future__ import annotations

import re
from functools import lru_cache

from applet.pattern import pattern
from applet.sip.grammar import (
    HOST,
    MAX_CSEQ,
    MAX_PORT,
    PARAMS,
    QUOTED,
    TOKEN,
    MessageError,
    Params,
    clamped,
    find_param,
    has_param,
    is_token,
    number,
    print_host,
    print_params,
    quoted,
    read_literal,
    read_params,
    read_port,
    unquoted,
    with_param,
)
from applet.sip.uri import OtherUri, Uri, parse_uri
from applet.value import NamedTuple

_COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact",
    "k": "Supported", "l": "Content-Length", "m": "Contact", "o": "Event", "r": "Refer-To",
    "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires",
}  # fmt: skip

# Headers whose values may stand in one line with commas between them (RFC 3261 section 7.3.1).
LISTS = frozenset(
    (
        "Accept", "Accept-Contact", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow",
        "Allow-Events", "Call-Info", "Contact", "Content-Encoding", "Content-Language",
        "Error-Info", "History-Info", "In-Reply-To", "P-Asserted-Identity", "Path",
        "Proxy-Require", "Reason", "Record-Route", "Reject-Contact", "Require", "Route",
        "Service-Route", "Supported", "Unsupported", "Via", "Warning",
    )
)  # fmt: skip

_NAMES = (
    *LISTS, *_COMPACT.values(),
    "Authentication-Info", "Authorization", "CSeq", "Content-Disposition", "Date", "Expires",
    "MIME-Version", "Max-Forwards", "Min-Expires", "Min-SE", "Organization",
    "P-Preferred-Identity", "Priority", "Privacy", "Proxy-Authenticate", "Proxy-Authorization",
    "RAck", "RSeq", "Replaces", "Reply-To", "Retry-After", "SIP-ETag", "SIP-If-Match", "Server",
    "Subscription-State", "Timestamp", "User-Agent", "WWW-Authenticate",
)  # fmt: skip

_CANONICAL = {name: name for name in _NAMES}
_CANONICAL.update({name.lower(): name for name in _NAMES})
_CANONICAL.update(_COMPACT)


def known_name(name: str) -> str | None:
    """The long, usual spelling of a header's name, None for a header that is not in the list."""
    return _CANONICAL.get(name) or _CANONICAL.get(name.lower())


def canonical_name(name: str) -> str:
    """The long, usual spelling of a header's name; an unknown name stays as it is."""
    return known_name(name) or name


_VIA = rf"{TOKEN}[ \t]*+/[ \t]*+{TOKEN}[ \t]*+/[ \t]*+({TOKEN})[ \t]++"
_VIA += rf"({HOST})(?:[ \t]*+:[ \t]*+([0-9]{{1,5}}))?({PARAMS})"
_via = pattern(_VIA, re.DOTALL)
_name_addr = pattern(
    rf'(?:(?:({QUOTED})|([^"<>,;]*+))[ \t]*+<([^\s<>"]++)>|([^\s<>;,?"]++))'
    rf"({PARAMS})",
    re.DOTALL,
)
_cseq = pattern(rf"(\S++)[ \t]++({TOKEN})")
_tag = pattern(rf";[ \t]*+tag[ \t]*+=[ \t]*+({TOKEN})", re.IGNORECASE)


class Via(NamedTuple):
    """One hop's Via (RFC 3261 section 20.42, RFC 3581)."""

    transport: str  # upper case: "UDP", "TCP", "TLS"
    host: str  # sent-by; IPv6 without brackets
    port: int | None
    params: Params = ()

    @classmethod
    def parse(cls, text: str) -> Via:
        """Raises MessageError. The protocol version is not looked at."""
        found = _via.fullmatch(text)
        if found is None:
            raise MessageError("Via cannot be read")
        transport, host, port, params = found.groups()
        return cls._make(  # _make: half the time of the constructor, and every message needs it
            (
                transport.upper(),
                read_literal(host) if host[0] == "[" else host,
                read_port(port) if port else None,
                read_params(params),
            )
        )

    @property
    def branch(self) -> str:
        """The transaction's identifier; "" in RFC 2543's times."""
        return find_param(self.params, "branch") or ""

    @property
    def received(self) -> str | None:
        """The address it came from, IPv6 without brackets."""
        value = find_param(self.params, "received")
        return None if value is None else value.strip("[]")

    @property
    def rport(self) -> int | None:
        """The port it came from, once the server has filled it in; None also for nonsense."""
        port = clamped(find_param(self.params, "rport") or "", MAX_PORT + 1)
        return None if port is None or port > MAX_PORT else port

    def param(self, name: str) -> str | None:
        return find_param(self.params, name)

    def has_param(self, name: str) -> bool:
        """Also true for a parameter without a value: `has_param("rport")` is RFC 3581's wish."""
        return has_param(self.params, name)

    def with_param(self, name: str, value: str | None) -> Via:
        return self._replace(params=with_param(self.params, name, value))

    def __str__(self) -> str:
        sent_by = print_host(self.host, self.port)
        return f"SIP/2.0/{self.transport} {sent_by}{print_params(self.params)}"


def readable_via(text: str) -> str | None:
    """The longest beginning of a broken Via that can be read, None if not even its host can."""
    found = _via.match(text)
    if found is None:
        return None
    return text[: found.end(2)] if int(found[3] or 0) > MAX_PORT else found[0]


class NameAddr(NamedTuple):
    """Display name, URI and header parameters: From, To, Contact, Route, Record-Route."""

    display: str  # without quotes and escapes; "" for none
    uri: Uri
    params: Params = ()

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Raises MessageError. Without `<>` all parameters belong to the header (section 20.10)."""
        return _read_again(text) if len(text) <= _REMEMBERED_LENGTH else _read_name_addr(text)

    @property
    def tag(self) -> str | None:
        return find_param(self.params, "tag")

    def with_tag(self, tag: str) -> NameAddr:
        return self._replace(params=with_param(self.params, "tag", tag))

    def param(self, name: str) -> str | None:
        return find_param(self.params, name)

    def has_param(self, name: str) -> bool:
        return has_param(self.params, name)

    def __str__(self) -> str:
        if self == ANY_CONTACT:
            return "*"
        display = quoted(self.display) + " " if self.display else ""
        return f"{display}<{self.uri}>{print_params(self.params)}"


def _read_name_addr(text: str) -> NameAddr:
    found = _name_addr.fullmatch(text)
    if found is None:
        raise MessageError("an address cannot be read")
    quoted_name, plain_name, uri, bare, params = found.groups()
    display = unquoted(quoted_name) if quoted_name else (plain_name or "").rstrip()
    return NameAddr._make((display, parse_uri(uri or bare), read_params(params)))


_REMEMBERED_LENGTH = 200
# Every message of a dialog repeats its From, To, Contact and routes: the newest few are remembered.
_read_again = lru_cache(maxsize=256)(_read_name_addr)

ANY_CONTACT = NameAddr("", OtherUri("", "*"))  # `Contact: *`, RFC 3261 section 10.2.2


def parse_contact(text: str) -> NameAddr:
    """One value of Contact, which may be `*`. Raises MessageError."""
    return ANY_CONTACT if text == "*" else NameAddr.parse(text)


def tag_in(text: str) -> str | None:
    """The tag of a From or To that may be broken."""
    found = _tag.search(text)
    return found[1] if found else None


class CSeq(NamedTuple):
    """The number and the method of a request (RFC 3261 section 20.16)."""

    number: int  # 0 to 2**32 - 1
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Raises MessageError."""
        digits, _, method = text.partition(" ")
        if not method.isalpha():  # as good as every one is
            found = _cseq.fullmatch(text)
            if found is None:
                raise MessageError("CSeq cannot be read")
            digits, method = found[1], found[2]
        if not is_token(method):
            raise MessageError("CSeq names no method")
        return cls(number(digits, MAX_CSEQ, "CSeq"), method)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


spelled_as_usual = _CANONICAL.get  # the quick way to `canonical_name` for a parser


def check_name(name: str) -> str:
    """A header's name as it stood on the wire -> its usual spelling. Raises MessageError."""
    stripped = name.rstrip(" \t")
    canonical = canonical_name(stripped)
    if not is_token(stripped):
        raise MessageError("a header has no name")
    return canonical
