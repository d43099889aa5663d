"""Session descriptions as values: RFC 8866, with `a=rtcp` of RFC 3605.

Parsing is strict about what a call hangs on (`v=`, `o=`, `c=`, `m=`) and passes over everything
else it does not know. The text of a peer never gets into the lines we print except as words of
the first line of a medium that we refuse.
"""

from __future__ import annotations

from functools import lru_cache

from applet.enums import Enum
from applet.pattern import pattern
from applet.value import NamedTuple

MAX_BYTES = 65_535
"""A longer description is refused unread."""
MAX_MEDIA = 64
"""More media than this are refused: each costs a line in the answer."""
_MAX_WORD = 64
ALWAYS = "0 0"


class SdpError(ValueError):
    """A description that cannot be used; the text says what is wrong with it."""


class Direction(Enum):
    """Who sends, seen from the side that says it (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    def reversed(self) -> Direction:
        """The same, seen from the other side."""
        return direction_of(sends=self.receives, receives=self.sends)

    def __and__(self, other: Direction) -> Direction:
        """What both allow."""
        return direction_of(
            sends=self.sends and other.sends, receives=self.receives and other.receives
        )


def direction_of(*, sends: bool, receives: bool) -> Direction:
    if sends:
        return Direction.SENDRECV if receives else Direction.SENDONLY
    return Direction.RECVONLY if receives else Direction.INACTIVE


_DIRECTIONS = {direction.value: direction for direction in Direction}

_attribute_lines = pattern(r"\na=([^\n]*+)")
_octet = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_is_time = pattern(r"[0-9]{1,20} [0-9]{1,20}")
_is_ipv4 = pattern(rf"(?:{_octet}\.){{3}}{_octet}")


class Codec(NamedTuple):
    """One RTP payload format as `rtpmap` and `fmtp` describe it; `clock_rate` in Hz."""

    name: str
    payload_type: int
    clock_rate: int = 8000
    channels: int = 1
    fmtp: str = ""

    def same_format(self, other: Codec) -> bool:
        """Whether both name the same encoding, whatever its payload type."""
        return (
            self.name.upper() == other.name.upper()
            and self.clock_rate == other.clock_rate
            and self.channels == other.channels
        )


STATIC_CODECS = {
    codec.payload_type: codec
    for codec in (
        Codec("PCMU", 0),
        Codec("GSM", 3),
        Codec("G723", 4),
        Codec("PCMA", 8),
        Codec("G722", 9),
        Codec("L16", 10, 44_100, 2),
        Codec("L16", 11, 44_100),
        Codec("CN", 13),
        Codec("G728", 15),
        Codec("G729", 18),
    )
}
"""The payload types that need no rtpmap (RFC 3551 table 4), as far as telephones use them."""


class Attribute(NamedTuple):
    """`a=name` (value None) or `a=name:value`."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        return f"a={self.name}" if self.value is None else f"a={self.name}:{self.value}"


class Origin(NamedTuple):
    """The `o=` line; `address` is an IP literal or a name, and only for people."""

    username: str
    session_id: str
    version: str
    address: str

    def __str__(self) -> str:
        return f"o={self.username} {self.session_id} {self.version} {_network(self.address)}"


class Media(NamedTuple):
    """One `m=` line with what belongs to it.

    `connection` is the media's own `c=` address, else the session's, else None.
    """

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    connection: str | None = None
    attributes: tuple[Attribute, ...] = ()

    def value(self, name: str) -> str | None:
        """The value of the first attribute of that name that has one."""
        for attribute in self.attributes:
            if attribute.name == name and attribute.value is not None:
                return attribute.value
        return None

    def number(self, name: str) -> int | None:
        """The value of an attribute that is a number of at most nine digits."""
        value = self.value(name)
        return None if value is None else whole_number(value, 999_999_999)

    @property
    def direction(self) -> Direction | None:
        """Said at the medium itself, else None."""
        return _direction(self.attributes)

    def codecs(self, known: tuple[Codec, ...] = ()) -> tuple[Codec, ...]:
        """The payload formats in the order of preference.

        A number without rtpmap is looked up in `known`, then in the static types of RFC 3551;
        one that stays unknown, or is no payload type, is left out.
        """
        mapped = {codec.payload_type: codec for codec in known}
        parameters: dict[int, str] = {}
        for name, value in self.attributes:
            if value is None:
                continue
            if name == "rtpmap":
                codec = _rtpmap(value)
                if codec is not None:
                    mapped[codec.payload_type] = codec
            elif name == "fmtp":
                number, _, text = value.partition(" ")
                payload_type = whole_number(number, 127)
                if payload_type is not None:
                    parameters[payload_type] = text.strip()
        found: dict[int, Codec] = {}
        for number in self.formats:
            payload_type = whole_number(number, 127)
            if payload_type is None or payload_type in found:
                continue
            codec = mapped.get(payload_type) or STATIC_CODECS.get(payload_type)
            if codec is not None:
                found[payload_type] = codec._replace(fmtp=parameters.get(payload_type, codec.fmtp))
        return tuple(found.values())


class SessionDescription(NamedTuple):
    """`connection` is the session's `c=` address; `time` is what `t=` says; lines we have no use
    for are not kept."""

    origin: Origin
    connection: str | None
    attributes: tuple[Attribute, ...]
    media: tuple[Media, ...]
    time: str = ALWAYS

    def direction(self, media: Media) -> Direction:
        """Of one of its media: said there, or for the whole session, or `sendrecv`."""
        return media.direction or _direction(self.attributes) or Direction.SENDRECV

    def encode(self) -> bytes:
        lines = ["v=0", str(self.origin), "s=-"]
        if self.connection is not None:
            lines.append(f"c={_network(self.connection)}")
        lines.append(f"t={self.time}")
        lines.extend(map(str, self.attributes))
        for media in self.media:
            lines.append(f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}")
            if media.connection is not None and media.connection != self.connection:
                lines.append(f"c={_network(media.connection)}")
            lines.extend(map(str, media.attributes))
        lines.append("")
        return "\r\n".join(lines).encode()


def parse_sdp(body: bytes) -> SessionDescription:
    """Raises SdpError. Lines may end in CRLF or LF; what is not UTF-8 is replaced."""
    if len(body) > MAX_BYTES:
        raise SdpError(f"a description of {len(body)} bytes is too long")
    text = body.decode("utf-8", "replace").replace("\r", "")
    session, *sections = text.split("\nm=")
    if session.partition("\n")[0].rstrip() != "v=0":
        raise SdpError("the description does not begin with v=0")
    if len(sections) > MAX_MEDIA:
        raise SdpError(f"{len(sections)} media are more than {MAX_MEDIA}")
    origin = _first(session, "\no=")
    if origin is None:
        raise SdpError("the o= line is missing")
    connection = _connection(session)
    media = tuple([_media(section, connection) for section in sections])
    time = _first(session, "\nt=")
    return SessionDescription(
        _origin(origin),
        connection,
        _attributes(session),
        media,
        time if time is not None and _is_time.fullmatch(time) else ALWAYS,
    )


def _first(section: str, kind: str) -> str | None:
    """What the first line of a kind ("\\no=") says."""
    start = section.find(kind) + len(kind)
    if start < len(kind):
        return None
    end = section.find("\n", start)
    return section[start:end] if end >= 0 else section[start:]


def _attributes(section: str) -> tuple[Attribute, ...]:
    read = _read_again if len(section) <= _USUAL_LENGTH else _attribute
    return tuple(map(read, _attribute_lines.findall(section)))


def _attribute(line: str) -> Attribute:
    name, colon, value = line.partition(":")
    return Attribute(name.strip(), value.strip() if colon else None)


_USUAL_LENGTH = 2000
# The same few lines (`rtpmap:0 PCMU/8000`) stand in nearly every description: the newest are kept.
_read_again = lru_cache(maxsize=256)(_attribute)


def _origin(value: str) -> Origin:
    words = value.split()
    if len(words) != 6:
        raise SdpError(f"the o= line has {len(words)} words in place of 6")
    return Origin(words[0], words[1], words[2], words[5])


def _connection(section: str) -> str | None:
    """The address alone; its family is read off the address, not off a label that may lie."""
    value = _first(section, "\nc=")
    if value is None:
        return None
    words = value.split()
    if len(words) != 3 or words[0].upper() != "IN":
        raise SdpError("the c= line is not `IN`, a family and an address")
    address = words[2].partition("/")[0]
    if not is_ip_literal(address):
        raise SdpError("the c= line names no IP address")
    return as_sockets_write(address)


def _media(section: str, session_connection: str | None) -> Media:
    """`section` begins behind its `m=`."""
    words = section.partition("\n")[0].split()
    if len(words) < 4:
        raise SdpError(f"an m= line has {len(words)} words, at least 4 are needed")
    port = whole_number(words[1].partition("/")[0], 65_535)
    if port is None:
        raise SdpError("the port of an m= line is no number from 0 to 65535")
    if max(len(words[0]), len(words[2]), len(words[3])) > _MAX_WORD:
        raise SdpError(f"a word of an m= line is longer than {_MAX_WORD} characters")
    return Media(
        words[0],
        port,
        words[2],
        tuple(words[3:]),
        _connection(section) or session_connection,
        _attributes(section),
    )


def _rtpmap(value: str) -> Codec | None:
    """None if it is no rtpmap: the number then counts as not mapped."""
    number, _, encoding = value.partition(" ")
    words = encoding.strip().split("/")
    payload_type = whole_number(number, 127)
    clock_rate = whole_number(words[1], 999_999_999) if len(words) in (2, 3) else None
    channels = whole_number(words[2], 255) if len(words) == 3 else 1
    if payload_type is None or not clock_rate or not channels or not words[0]:
        return None
    return Codec(words[0], payload_type, clock_rate, channels)


def _direction(attributes: tuple[Attribute, ...]) -> Direction | None:
    for name, value in attributes:
        if value is None and name in _DIRECTIONS:
            return _DIRECTIONS[name]
    return None


def _network(address: str) -> str:
    return f"IN {'IP6' if ':' in address else 'IP4'} {address}"


def whole_number(text: str, maximum: int) -> int | None:
    """`text` as a decimal number from 0 to `maximum`, or None if it is not one."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    number = int(text)
    return number if number <= maximum else None


def is_ip_literal(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address as they are written (no name, zone or brackets).

    A name must not reach a media socket: sending to it would wait for DNS.
    """
    if ":" not in text:
        return _is_ipv4.fullmatch(text) is not None
    head, double_colon, tail = text.partition("::")
    groups = head.split(":") if head else []
    if double_colon:
        groups += tail.split(":") if tail else []
    size = 8
    if "." in text.rpartition(":")[2]:
        if not _is_ipv4.fullmatch(groups.pop()):
            return False
        size = 6
    if len(groups) >= size if double_colon else len(groups) != size:
        return False
    return all(len(group) <= 4 and group.isascii() and _is_hex(group) for group in groups)


def _is_hex(text: str) -> bool:
    return bool(text) and not text.strip("0123456789abcdefABCDEF")


def as_sockets_write(address: str) -> str:
    """`2001:DB8::01` is `2001:db8::1` where something comes from there (RFC 5952)."""
    if ":" not in address:
        return address
    from ipaddress import IPv6Address  # 3 ms that a call by IPv4 does not need

    parsed = IPv6Address(address)
    mapped = parsed.ipv4_mapped  # Python 3.13 and the sockets write its dots, 3.11 does not
    return str(parsed) if mapped is None else f"::ffff:{mapped}"


def is_unspecified(address: str) -> bool:
    """0.0.0.0 and `::`: the old way to say "send me nothing" (RFC 3264 section 8.4)."""
    return not address.strip("0:.")
