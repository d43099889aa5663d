"""Our side of ICE for one call, from the ways that its sound has."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.nat.ice import Base, IceSetup, Target
from applet.nat.strategy import Kind, OpenedWay
from applet.randomness import Randomness, token
from applet.sdp.ice import AgreedIce, Candidate, IceSide, Place

if TYPE_CHECKING:
    from applet.address import Address


def offers_ice(offer: bytes | None) -> bool:
    """Whether it is worth opening every way there is; the description is judged later."""
    return offer is not None and b"a=ice-ufrag:" in offer


def ice_side(random: Randomness, opened: OpenedWay) -> IceSide:
    return IceSide(lambda: token(random, 128), ice_places(opened))


def ice_places(opened: OpenedWay) -> tuple[Place, ...]:
    """All where we can be reached, each address once."""
    places: dict[Address, Place] = {}
    for way, rtp, rtcp, related, *_ in (opened, *opened.others):
        kind = "host" if way.as_bound else "relay" if way.kind is Kind.RELAY else "srflx"
        places.setdefault(rtp, Place(kind, rtp, rtcp, related))
    return tuple(places.values())


def ice_setup(agreed: AgreedIce | None, rtcp_mux: bool) -> IceSetup | None:
    """For the checks: what each base of ours can reach."""
    if agreed is None:
        return None
    ours, theirs = agreed
    bases = dict.fromkeys((_base(one), _is_ipv6(one)) for one in ours.candidates)
    targets = tuple(
        Target(candidate.component, candidate.address, candidate.priority, base)
        for candidate in theirs.candidates
        for base, ipv6 in bases
        if _is_ipv6(candidate) == ipv6 and (candidate.component == 1 or not rtcp_mux)
    )
    relayed = next((one.address for one in ours.candidates if one.kind == "relay"), None)
    return IceSetup(ours.credentials, theirs.credentials, targets, theirs.lite, relayed)


def _base(candidate: Candidate) -> Base:
    return Base.RELAY if candidate.kind == "relay" else Base.SOCKET


def _is_ipv6(candidate: Candidate) -> bool:
    return ":" in candidate.address.host
