"""What must happen in each cell, reasoned from the topology alone.

Nothing here comes from a run or from the product's code. A call needs a way for its signalling and
one for its sound; `RULES` says in words and as a condition when a way for the sound works. The
cell is two-way if at least one pair works, and a phone may use any pair that does. All 576 results
are written out in tests/data/nat_matrix_expected.txt, which a test keeps equal to this.
"""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from tests.netlab.cell import Alg, Cell, Firewall, Mapper, Nat, Server


class Signalling(Enum):
    """How SIP reaches the far end: UDP and TCP on 5060, TLS on 5061 and on 443."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class Way(Enum):
    """How the sound gets through, named by whose address the phone gives for it."""

    DIRECT = "direct"
    LATCHED = "latched"
    ALG = "alg"
    MAPPED = "mapped"
    STUN = "stun"
    RELAY = "relay"


class Rule(NamedTuple):
    """`way` carries sound both ways in the cells of which `holds` is true."""

    way: Way
    because: str
    holds: Callable[[Cell, Signalling], bool]


class Expected(NamedTuple):
    """`pairs` are those that work; none of them means no path."""

    pairs: tuple[tuple[Signalling, Way], ...]
    reason: str

    @property
    def two_way(self) -> bool:
        return bool(self.pairs)


def carries(cell: Cell, signalling: Signalling) -> bool:
    """Whether SIP of this kind reaches the far end. NATs and ALGs let all of it through."""
    if signalling is Signalling.UDP:
        return cell.passes_udp
    if signalling is Signalling.TCP:
        return cell.firewall is not Firewall.ONLY_443
    return True  # the far end speaks TLS on 443 too


def meddled(cell: Cell, signalling: Signalling) -> bool:
    """The kernel's ALG reads this signalling and translates the addresses in it. TLS it cannot
    read, and where no address is translated it has nothing to do."""
    return cell.kernel_alg and cell.nat is not Nat.NONE and signalling is not Signalling.TLS


def confused(cell: Cell, signalling: Signalling) -> bool:
    """With `sip_direct_media` 0 the ALG takes every address in an SDP for an inner one: it writes
    its own in place of a mapped or relayed one, and sends the sound that comes there to the
    replaced address, back outside. A far end that latches is not misled by what an SDP says."""
    return cell.alg is Alg.ANY_HOST and cell.server is Server.STRICT and meddled(cell, signalling)


RULES = (
    Rule(
        Way.DIRECT,
        "the client's own address is a public one, and its own packets open the firewall",
        lambda cell, _: cell.passes_udp and cell.nat is Nat.NONE,
    ),
    Rule(
        Way.LATCHED,
        "the far end sends to where our packets come from, whatever the SDP says",
        lambda cell, _: cell.passes_udp and cell.server is Server.LATCHING,
    ),
    Rule(
        Way.ALG,
        "the ALG puts the router's address into the SDP and opens the ports; behind a second NAT "
        "its address would be a private one too",
        lambda cell, signalling: (
            cell.passes_udp and meddled(cell, signalling) and cell.nat is not Nat.DOUBLE
        ),
    ),
    Rule(
        Way.MAPPED,
        "the port mapping is valid for every sender; behind a second NAT it leads nowhere, and "
        "without a NAT there is nothing to map",
        lambda cell, signalling: (
            cell.passes_udp
            and cell.mapper is not Mapper.NONE
            and cell.nat not in (Nat.NONE, Nat.DOUBLE)
            and not confused(cell, signalling)
        ),
    ),
    Rule(
        Way.STUN,
        "the mapping is the same for every destination, and our own packets open its filter",
        lambda cell, signalling: (
            cell.passes_udp
            and cell.nat in (Nat.FULL, Nat.ADDRESS, Nat.PORT)
            and not confused(cell, signalling)
        ),
    ),
    Rule(
        Way.RELAY,
        "the relay is reached by UDP, TCP or TLS on 443, from the inside, and has a public address",
        lambda cell, signalling: not confused(cell, signalling),
    ),
)


def expected(cell: Cell) -> Expected:
    pairs = tuple(
        (signalling, rule.way)
        for signalling in Signalling
        if carries(cell, signalling)
        for rule in RULES
        if rule.holds(cell, signalling)
    )
    ways = {way for _, way in pairs}
    reasons = [rule.because for rule in RULES if rule.way in ways]
    return Expected(pairs, "; ".join(reasons) or "nothing that the far end hears gets out")


def row(cell: Cell) -> str:
    """One line of the table: the cell, its result, and the ways by signalling."""
    wanted = expected(cell)
    ways = " ".join(
        f"{signalling.value}:{','.join(way.value for by, way in wanted.pairs if by is signalling)}"
        for signalling in Signalling
        if any(by is signalling for by, _ in wanted.pairs)
    )
    return f"{cell.name:45} {'two-way' if wanted.two_way else 'no path':8} {ways}"
