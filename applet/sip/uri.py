"""SIP, SIPS and other URIs (RFC 3261 section 19.1)."""

from __future__ import annotations

from functools import lru_cache

from applet.hints import TYPE_CHECKING
from applet.pattern import pattern
from applet.sip.grammar import (
    HOST,
    MessageError,
    Params,
    print_host,
    print_params,
    read_literal,
    read_port,
    unescaped,
)
from applet.value import NamedTuple

if TYPE_CHECKING:
    import re

    from applet.hints import TypeAlias

_PARAM = r'[^\s;?<>"=,]++(?:=[^\s;?<>",]*+)?'
_SIP_URI = r'([sS][iI][pP][sS]?):(?:([^\s<>"@:]++)(?::([^\s<>"@]*+))?@)?'
_SIP_URI += rf'({HOST})(?::([0-9]{{1,5}}))?((?:;{_PARAM})*)(?:\?([^\s<>"]*+))?'
_sip_uri = pattern(_SIP_URI)
_other = pattern(r'([A-Za-z][A-Za-z0-9+\-.]*+):([^\s<>"]++)')
_escape = pattern(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()")

# These parameters make two URIs differ when only one of them has it (RFC 3261 section 19.1.4).
_DISTINGUISHING = ("user", "ttl", "method", "maddr", "transport")


class SipUri(NamedTuple):
    """A `sip:` or `sips:` URI. Its texts stand as on the wire, with their %HH escapes."""

    scheme: str  # "sip" or "sips"
    user: str  # "" for none
    password: str | None
    host: str  # a name or an IP literal, IPv6 without brackets
    port: int | None = None
    params: Params = ()
    headers: str = ""  # what follows the question mark

    @classmethod
    def of(cls, user: str, host: str, port: int | None = None, **params: str | None) -> SipUri:
        """A `sip:` URI made by ourselves; `user` is escaped where it must be."""
        return cls("sip", escaped_user(user), None, host, port, tuple(params.items()))

    @property
    def user_unescaped(self) -> str:
        return unescaped(self.user)

    def param(self, name: str) -> str | None:
        """The unescaped value of the parameter `name` (lower case); None if it has no value."""
        for found, value in self.params:
            if unescaped(found).lower() == name:
                return None if value is None else unescaped(value)
        return None

    def has_param(self, name: str) -> bool:
        """Whether the parameter `name` (lower case) is there, with or without a value."""
        return any(unescaped(found).lower() == name for found, _ in self.params)

    def address_only(self) -> SipUri:
        """This URI as a Request-URI may be: no headers, no method (RFC 3261 section 19.1.1)."""
        if not self.params and not self.headers:
            return self
        kept = tuple(p for p in self.params if unescaped(p[0]).lower() != "method")
        return self._replace(params=kept, headers="")

    def matches(self, other: object) -> bool:
        """Whether both name the same resource by the rules of RFC 3261 section 19.1.4."""
        if not isinstance(other, SipUri) or self._identity() != other._identity():
            return False
        ours, theirs = _comparable(self.params), _comparable(other.params)
        if any(ours.get(name) != theirs.get(name) for name in _DISTINGUISHING):
            return False
        return all(theirs.get(name, value) == value for name, value in ours.items())

    def _identity(self) -> tuple[object, ...]:
        """What must be equal in any case. The order of the headers does not count."""
        return (
            self.scheme,
            _normal(self.user),
            None if self.password is None else _normal(self.password),
            self.host.lower(),
            self.port,
            sorted(_comparable_header(text) for text in self.headers.split("&")),
        )

    def __str__(self) -> str:
        userinfo = self.user if self.password is None else f"{self.user}:{self.password}"
        return (
            f"{self.scheme}:{userinfo}{'@' if userinfo else ''}{print_host(self.host, self.port)}"
            f"{print_params(self.params)}{'?' if self.headers else ''}{self.headers}"
        )


class OtherUri(NamedTuple):
    """A URI of another scheme (`tel:`, `mailto:`, or one that nobody knows), not looked into."""

    scheme: str  # lower case
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


Uri: TypeAlias = SipUri | OtherUri


def is_secure(uri: Uri) -> bool:
    """A sips: URI: whatever goes there goes over TLS (RFC 3261 section 26.2.2)."""
    return uri.scheme == "sips"


def secured(uri: Uri) -> Uri:
    """The next hop of a request to a sips: URI (section 8.1.2): a sip: one is taken as sips:."""
    return uri._replace(scheme="sips") if isinstance(uri, SipUri) else uri


def parse_uri(text: str) -> Uri:
    """Read a URI without brackets around it. Raises MessageError (400)."""
    found = _sip_uri.fullmatch(text)
    if found is None:
        return _other_uri(text)
    scheme, user, password, host, port, params, headers = found.groups()
    return SipUri._make(  # _make: half the time of the constructor, and every message needs it
        (
            scheme.lower(),
            user or "",
            password,
            read_literal(host) if host[0] == "[" else host,
            read_port(port) if port else None,
            _read_params(params) if params else (),
            headers or "",
        )
    )


def _other_uri(text: str) -> OtherUri:
    found = _other.fullmatch(text)
    if found is None or found[1].lower() in ("sip", "sips"):
        raise MessageError("a URI cannot be read")
    return OtherUri(found[1].lower(), found[2])


@lru_cache(maxsize=64)
def escaped_user(user: str) -> str:
    """`user` with every character escaped that may not stand in a user part."""
    return escaped(user, "&=+$,;?/")


def escaped(text: str, also: str = "") -> str:
    """`text` with every character escaped but the unreserved ones and those of `also`: fit for
    the value of a header in a URI."""
    return "".join(
        chr(octet) if chr(octet) in _UNRESERVED or chr(octet) in also else f"%{octet:02X}"
        for octet in text.encode("utf-8", "replace")
    )


def _read_params(text: str) -> Params:
    pairs = (param.partition("=") for param in text[1:].split(";"))
    return tuple([(name, value if equals else None) for name, equals, value in pairs])


def _normal(text: str) -> str:
    """Escapes of unreserved characters resolved: only those mean the same as the character."""
    return _escape.sub(_normal_escape, text) if "%" in text else text


def _normal_escape(found: re.Match[str]) -> str:
    character = chr(int(found[0][1:], 16))
    return character if character in _UNRESERVED else found[0].upper()


def _comparable(params: Params) -> dict[str, str | None]:
    return {
        unescaped(name).lower(): None if value is None else _normal(value).lower()
        for name, value in params
    }


def _comparable_header(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return unescaped(name).lower(), unescaped(value)
