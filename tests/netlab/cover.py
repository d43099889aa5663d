"""The cells that every run of the tests makes: each pair of values at least once."""

from itertools import combinations

from tests.netlab.cell import ALL_CELLS, Alg, Cell, Firewall, Mapper, Nat, Server

Pair = tuple[tuple[int, object], tuple[int, object]]

# What the product promises where others fail. The rest of the cover is chosen around these.
REQUIRED = (
    # symmetric NAT and a strict server: by relay only
    Cell(Nat.SYMMETRIC, Alg.NONE, Mapper.NONE, Server.STRICT, Firewall.OPEN),
    Cell(Nat.SYMMETRIC, Alg.HALF, Mapper.PCP, Server.STRICT, Firewall.INBOUND),
    Cell(Nat.DOUBLE, Alg.NONE, Mapper.UPNP, Server.STRICT, Firewall.INBOUND),
    # STUN addresses through an ALG that translates them once more
    Cell(Nat.PORT, Alg.ANY_HOST, Mapper.NONE, Server.STRICT, Firewall.INBOUND),
    Cell(Nat.SYMMETRIC, Alg.ANY_HOST, Mapper.UPNP, Server.STRICT, Firewall.OPEN),
    Cell(Nat.DOUBLE, Alg.ANY_HOST, Mapper.NONE, Server.STRICT, Firewall.OPEN),
    # UDP blocked
    Cell(Nat.PORT, Alg.NONE, Mapper.NONE, Server.STRICT, Firewall.NO_UDP),
    Cell(Nat.DOUBLE, Alg.SAME_HOST, Mapper.PCP, Server.LATCHING, Firewall.NO_UDP),
    # only TCP 443
    Cell(Nat.PORT, Alg.SAME_HOST, Mapper.UPNP, Server.STRICT, Firewall.ONLY_443),
    Cell(Nat.DOUBLE, Alg.HALF, Mapper.NONE, Server.LATCHING, Firewall.ONLY_443),
    # the usual home, with and without port mappings
    Cell(Nat.PORT, Alg.NONE, Mapper.NONE, Server.STRICT, Firewall.INBOUND),
    Cell(Nat.SYMMETRIC, Alg.NONE, Mapper.UPNP, Server.STRICT, Firewall.INBOUND),
    Cell(Nat.DOUBLE, Alg.SAME_HOST, Mapper.NONE, Server.STRICT, Firewall.OPEN),
)


def pairs(cell: Cell) -> frozenset[Pair]:
    """Every two values that meet in `cell`, with the places they stand at."""
    return frozenset(combinations(enumerate(cell), 2))


def pairwise_cover() -> tuple[Cell, ...]:
    """`REQUIRED`, then again and again the first cell that brings the most new pairs."""
    chosen = list(REQUIRED)
    missing = frozenset().union(*map(pairs, ALL_CELLS)).difference(*map(pairs, chosen))
    while missing:
        best = max(ALL_CELLS, key=lambda cell: len(pairs(cell) & missing))
        chosen.append(best)
        missing -= pairs(best)
    return tuple(chosen)
