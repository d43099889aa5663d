"""Our side of ICE for one call, from the way that its sound has."""

from applet.address import Address
from applet.nat.ice import IceSetup, Target
from applet.nat.strategy import Kind, Way
from applet.randomness import Randomness, token
from applet.sdp.ice import AgreedIce, IceSide, Place


def ice_side(
    random: Randomness,
    way: Way,
    shown: tuple[Address, Address],
    bound: tuple[Address, Address] | None,
) -> IceSide:
    """`shown`: the addresses of RTP and RTCP in our description, which come first; `bound`: those
    of the sockets themselves, if they are others and can be reached too."""
    kind = "host" if way.as_bound else "relay" if way.kind is Kind.RELAY else "srflx"
    places = [Place(kind, *shown)]
    if bound is not None and bound != shown:
        places.append(Place("host", *bound))
    return IceSide(lambda: token(random, 128), tuple(places))


def ice_setup(agreed: AgreedIce | None) -> IceSetup | None:
    """For the checks: what can be reached from sockets of our family."""
    if agreed is None:
        return None
    ours, theirs = agreed
    ipv6 = ":" in ours.candidates[0].address.host
    targets = tuple(
        Target(candidate.component, candidate.address, candidate.priority)
        for candidate in theirs.candidates
        if (":" in candidate.address.host) == ipv6
    )
    return IceSetup(ours.credentials, theirs.credentials, targets, theirs.lite)
