"""ICE as the answerer of RFC 8839: what they offer, what we answer, and what our own descriptions
say from then on. Nothing of it stands in a first offer of ours."""

from __future__ import annotations

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.sdp.description import (
    Attribute,
    Media,
    SessionDescription,
    as_sockets_write,
    is_ip_literal,
    is_unspecified,
    whole_number,
)
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_CANDIDATES = 32
"""More of theirs than this are not tried."""
_KINDS = ("host", "srflx", "prflx", "relay")
_PREFERENCE = {"host": 126, "srflx": 100, "relay": 0}
_COMPONENTS = (1, 2)
_ICE_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


class Candidate(NamedTuple):
    """`component`: 1 for RTP, 2 for RTCP; `kind`: one of host, srflx, prflx and relay; `related`:
    whose mapped or relayed address it is (RFC 8839 section 5.1)."""

    foundation: str
    component: int
    priority: int
    address: Address
    kind: str
    related: Address | None = None

    def __str__(self) -> str:
        host, port = self.address
        line = f"{self.foundation} {self.component} UDP {self.priority} {host} {port}"
        if self.kind == "host":
            return f"{line} typ host"
        behind = self.related or Address("::" if ":" in host else "0.0.0.0", 9)
        return f"{line} typ {self.kind} raddr {behind.host} rport {behind.port}"


class Ice(NamedTuple):
    """One side's half; `lite`: it only answers checks (RFC 8445 section 2.5)."""

    ufrag: str
    pwd: str
    candidates: tuple[Candidate, ...]
    lite: bool = False

    @property
    def credentials(self) -> tuple[str, str]:
        return self.ufrag, self.pwd


class AgreedIce(NamedTuple):
    """Both halves: checks may begin."""

    local: Ice
    remote: Ice


class Place(NamedTuple):
    """Where we receive RTP and RTCP as a candidate of `kind`; `related`: as in `Candidate`."""

    kind: str
    rtp: Address
    rtcp: Address
    related: tuple[Address, Address] | None = None


class IceSide:
    """One call's side. `token` makes random text of ICE characters, at least 22 of them. Of
    `places` the first is the one in the description's own lines."""

    def __init__(self, token: Callable[[], str], places: tuple[Place, ...]) -> None:
        self._token = token
        self._places = places
        self._local: Ice | None = None
        self._remote: Ice | None = None
        self._mismatch = False
        self._settled: tuple[tuple[Place, ...], Ice | None] = (places, None)

    def moved(self, places: tuple[Place, ...]) -> None:
        """Other addresses, or the same ones that carry nothing any more, need other credentials:
        an ICE restart (RFC 8445 section 9)."""
        self._places = places
        if self._local is not None:
            self._local = self._new()

    def stayed(self) -> None:
        """They did not want that, however often we moved: what was agreed last counts."""
        self._places, before = self._settled
        if self._local is not None:
            self._local = before

    def offered(self, description: SessionDescription, media: Media) -> AgreedIce | None:
        """Their offer. The same credentials as before keep what runs."""
        before, self._remote = self._remote, read_ice(description, media)
        self._mismatch = self._remote is not None and not _has_default(self._remote, media)
        if self._remote is None or self._mismatch:
            self._local = self._remote = None
        elif self._local is None or before is None or _differ(before, self._remote):
            self._local = self._new()
        return self._agree()

    def answered(self, description: SessionDescription, media: Media) -> AgreedIce | None:
        """Their answer to an offer of ours; without ICE it ends."""
        self._remote = None if self._local is None else read_ice(description, media)
        if self._remote is None:
            self._local = None
        return self._agree()

    def attributes(self, rtcp_mux: bool = False, answering: bool = True) -> tuple[Attribute, ...]:
        """For our `m=` section. With `rtcp_mux` there is nothing but component 1 (RFC 8839 section
        4.2.1.1); of a mismatch an answer alone speaks (section 5.3)."""
        ours = self._local
        if ours is None:
            return (Attribute("ice-mismatch"),) if self._mismatch and answering else ()
        return (
            Attribute("ice-ufrag", ours.ufrag),
            Attribute("ice-pwd", ours.pwd),
            Attribute("ice-options", "ice2"),
            *(
                Attribute("candidate", str(candidate))
                for candidate in ours.candidates
                if candidate.component == 1 or not rtcp_mux
            ),
        )

    def _agree(self) -> AgreedIce | None:
        self._settled = (self._places, self._local)
        if self._local is None or self._remote is None:
            return None
        return AgreedIce(self._local, self._remote)

    def _new(self) -> Ice:
        candidates = [
            Candidate(
                str(number),
                component,
                priority(place.kind, component),
                _without_zone(address),
                place.kind,
                None if place.related is None else _without_zone(place.related[component - 1]),
            )
            for number, place in enumerate(self._places, 1)
            for component, address in zip(_COMPONENTS, place[1:3], strict=True)
        ]
        return Ice(self._token()[:8], self._token(), tuple(candidates))


def read_ice(description: SessionDescription, media: Media) -> Ice | None:
    """None if they offer none that we could use; bad candidates are passed over."""
    ufrag = _said(description, media, "ice-ufrag")
    pwd = _said(description, media, "ice-pwd")
    candidates: list[Candidate] = []
    for name, value in media.attributes:
        if name == "candidate" and value is not None and len(candidates) < MOST_CANDIDATES:
            candidate = read_candidate(value)
            if candidate is not None:
                candidates.append(candidate)
    usable = _is_ice(ufrag, 4) and _is_ice(pwd, 22) and bool(candidates)
    lite = any(attribute.name == "ice-lite" for attribute in description.attributes)
    return Ice(ufrag, pwd, tuple(candidates), lite) if usable else None


def read_candidate(value: str) -> Candidate | None:
    """The value of one `a=candidate` line; None if it is none, or no UDP to an IP address."""
    words = value.split()
    if len(words) < 8 or words[2].upper() != "UDP" or words[6] != "typ":
        return None
    component = whole_number(words[1], 256)
    rank = whole_number(words[3], 2**31 - 1)
    port = whole_number(words[5], 65_535)
    if component not in _COMPONENTS or rank is None or not port or words[7] not in _KINDS:
        return None
    if not _is_ice(words[0], 1, 32) or not is_ip_literal(words[4]) or is_unspecified(words[4]):
        return None
    host = as_sockets_write(words[4])
    return Candidate(words[0], component, rank, Address(host, port), words[7])


def priority(kind: str, component: int) -> int:
    """RFC 8445 section 5.1.2.1, of one address of each kind."""
    return (_PREFERENCE[kind] << 24) + (65_535 << 8) + 256 - component


def _said(description: SessionDescription, media: Media, name: str) -> str:
    """At the medium, else for the whole session."""
    for attribute in (*media.attributes, *description.attributes):
        if attribute.name == name and attribute.value:
            return attribute.value
    return ""


def _is_ice(text: str, least: int, most: int = 256) -> bool:
    return least <= len(text) <= most and _ICE_CHARACTERS.issuperset(text)


def _has_default(ice: Ice, media: Media) -> bool:
    """RFC 8839 section 4.2.5: something on the way has changed their address, but not their
    candidates. On hold the old way, they show no address at all."""
    host = media.connection or ""
    if is_unspecified(host):
        return True
    return any(candidate.address == (host, media.port) for candidate in ice.candidates)


def _differ(one: Ice, other: Ice) -> bool:
    return one.credentials != other.credentials


def _without_zone(address: Address) -> Address:
    """A zone means something to us alone."""
    return address._replace(host=address.host.partition("%")[0])
