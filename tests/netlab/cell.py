"""The five things that vary in the matrix; a cell is one choice of each."""

from enum import Enum
from itertools import product
from typing import NamedTuple


class Nat(Enum):
    """What the client's router does to addresses, in the words of RFC 3489 section 5."""

    NONE = "none"
    FULL = "full"
    ADDRESS = "address"
    PORT = "port"
    SYMMETRIC = "symmetric"
    DOUBLE = "double"
    """Symmetric behind symmetric: the home router behind a carrier's."""


class Alg(Enum):
    """Who meddles with SIP on its way through the home router."""

    NONE = "no-alg"
    SAME_HOST = "alg-direct"
    """The kernel's, `sip_direct_media` 1: sound is let in from the host that signals."""
    ANY_HOST = "alg-any"
    """The kernel's, `sip_direct_media` 0: sound is let in, and translated, for any host."""
    HALF = "alg-half"
    """A broken one in user space: it rewrites Via and Contact of UDP, and nothing else."""


class Mapper(Enum):
    """By which protocol the home router makes port mappings."""

    NONE = "no-map"
    UPNP = "upnp"
    PCP = "pcp"


class Server(Enum):
    """Where the far end sends its sound and its requests."""

    STRICT = "strict"
    """Sound only to the address in the SDP, requests only to the Contact."""
    LATCHING = "latching"
    """Both to where ours really come from."""


class Firewall(Enum):
    """What the home router lets through."""

    OPEN = "open"
    INBOUND = "inbound"
    """Nothing comes in that was not asked for, but what a port mapping lets in."""
    NO_UDP = "no-udp"
    ONLY_443 = "only-443"


class Cell(NamedTuple):
    """One home and one far end."""

    nat: Nat
    alg: Alg
    mapper: Mapper
    server: Server
    firewall: Firewall

    @property
    def name(self) -> str:
        return "/".join(value.value for value in self)

    @property
    def kernel_alg(self) -> bool:
        return self.alg in (Alg.SAME_HOST, Alg.ANY_HOST)

    @property
    def passes_udp(self) -> bool:
        return self.firewall in (Firewall.OPEN, Firewall.INBOUND)


ALL_CELLS = tuple(Cell(*values) for values in product(Nat, Alg, Mapper, Server, Firewall))


def cell_named(name: str) -> Cell:
    """The cell of this name. Raises ValueError."""
    nat, alg, mapper, server, firewall = name.split("/")
    return Cell(Nat(nat), Alg(alg), Mapper(mapper), Server(server), Firewall(firewall))
