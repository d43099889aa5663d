"""From what is known of the network to the ways that the sound of a call may take.

A pure function over a table: each row has a way, when it may be used, and the proof in words. The
rows that hold, in their order, are the plan: the first carries the call, the others are what
`phone.rescue` tries next. Two rules stand behind the order. A STUN address on a symmetric NAT is
a lie (the port towards the peer is another one). STUN together with an ALG is one rewriting too
many: nf_nat_sip with `sip_direct_media=0` then cuts our ears off (see the tests' lab).
"""

from __future__ import annotations

from collections.abc import Callable

from applet.enums import Enum
from applet.hints import TYPE_CHECKING
from applet.nat.alg import Alg
from applet.nat.knowledge import Knowledge, Mapper, Mapping, RelayServer, SipSeen
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address


class Kind(Enum):
    """A way for the sound; the value is the word of the headless protocol."""

    DIRECT = "direct"  # our own address: no NAT, or nothing better is known
    ALG = "alg"  # our own address: the router's ALG puts the right one in its place
    MAPPED = "mapped"  # a port mapping made for the call (told as upnp, pcp or nat-pmp)
    STUN = "stun"  # what a STUN server sees of the RTP socket itself
    RPORT = "rport"  # our own address, and the server answers where our sound comes from
    RELAY = "turn"  # a TURN server's address


class Way(NamedTuple):
    """One way with what it needs: a STUN server's IP, the router's mapper, or a relay."""

    kind: Kind
    stun: Address | None = None
    mapper: Mapper | None = None
    relay: RelayServer | None = None

    @property
    def name(self) -> str:
        return self.mapper.value if self.mapper is not None else self.kind.value

    @property
    def as_bound(self) -> bool:
        """Nothing has to be opened: we show the address of the socket itself."""
        return self.kind in (Kind.DIRECT, Kind.ALG, Kind.RPORT)


DIRECT = Way(Kind.DIRECT)


class OpenedWay(NamedTuple):
    """Where the other side finds us. `related`: what `way` leads to, our sockets' own addresses or
    what the relay sees of them, if these are others. `others`: by which ways it finds us too, for
    ICE. `late`: another one was taken meanwhile, and this one is better."""

    way: Way
    rtp: Address
    rtcp: Address
    related: tuple[Address, Address] | None = None
    others: tuple[OpenedWay, ...] = ()
    late: bool = False


class Plan(NamedTuple):
    """`ways` for the sound, the best first, never empty. SIP goes over `transport` (`udp`, `tcp`,
    `tls`; empty: as configured) to `port` (0: as configured). `proof` in words."""

    ways: tuple[Way, ...]
    transport: str
    port: int
    proof: str


NO_NAT = Plan((DIRECT,), "", 0, "")
"""Nothing is in between."""

_Make = Callable[[Knowledge], tuple[Way, ...]]


class _Row(NamedTuple):
    when: Callable[[Knowledge], bool]
    ways: _Make
    proof: Callable[[Knowledge], str]


def _direct(k: Knowledge) -> tuple[Way, ...]:
    return (DIRECT,)


def _stun(k: Knowledge) -> tuple[Way, ...]:
    server = next(seen.server for seen in k.stun if seen.mapped is not None)
    return (Way(Kind.STUN, stun=server),)


def _relays(k: Knowledge) -> tuple[Way, ...]:
    return tuple(Way(Kind.RELAY, relay=server) for server in k.working_relays)


def _alg_works(k: Knowledge) -> bool:
    return k.alg.alg is Alg.WORKS


# fmt: off
TABLE: tuple[_Row, ...] = (
    _Row(lambda k: k.server_is_near,
         _direct,
         lambda k: f"{k.server} is in our own network."),
    _Row(_alg_works,
         lambda k: (Way(Kind.ALG),),
         lambda k: f"{k.alg.proof}, so we send private addresses and let it work."),
    _Row(lambda k: k.mapping is Mapping.NONE,
         _direct,
         lambda k: f"The world sees this phone at its own address {k.local}."),
    _Row(lambda k: k.usable_mapper is not None and not k.udp_blocked,
         lambda k: (Way(Kind.MAPPED, mapper=k.usable_mapper),),
         lambda k: f"Your router opens ports when we ask it ({_mapper(k)})."),
    _Row(lambda k: k.mapping is Mapping.INDEPENDENT and not _alg_works(k),
         _stun,
         lambda k: f"All servers see this phone at {k.mapped}."),
    _Row(lambda k: k.mapping is Mapping.UNKNOWN and k.mapped is not None and k.relay is None
         and not _alg_works(k),
         _stun,
         lambda k: f"A STUN server sees this phone at {k.mapped}."),
    _Row(lambda k: k.relay is not None,
         _relays,
         lambda k: f"{_why_relay(k)}, so the sound goes through a relay "
                   f"({k.relay.transport.upper() if k.relay else ''})."),
    _Row(lambda k: k.mapping is Mapping.DEPENDENT and not _alg_works(k),
         lambda k: (Way(Kind.RPORT),),
         lambda k: "Your router gives each server another port (symmetric NAT) and there is no "
                   "relay, so we count on the server to answer where our sound comes from."),
    _Row(lambda k: True,
         _direct,
         lambda k: _nothing_better(k)),
)
# fmt: on

_OF_MODE = {
    "stun": (Kind.DIRECT, Kind.STUN, Kind.RPORT),
    "upnp": (Kind.DIRECT, Kind.MAPPED),
    "turn": (Kind.RELAY,),
}


def plan(known: Knowledge, mode: str = "auto") -> Plan:
    """The ways of the table that hold. `mode` is that of the command line: `auto`, or `none`,
    `stun`, `upnp` or `turn` to leave the others out."""
    ways: list[Way] = []
    proof = ""
    for row in () if mode == "none" else TABLE:
        for way in row.ways(known) if row.when(known) else ():
            if way not in ways and way.kind in _OF_MODE.get(mode, tuple(Kind)):
                proof = proof or row.proof(known)
                ways.append(way)
    if not ways:
        ways, proof = [DIRECT], _nothing_better(known) if mode != "none" else "As configured."
    signalling = known.signalling
    if signalling is None:
        return Plan(tuple(ways), "", 0, proof)
    transport, port = signalling.transport, signalling.port
    if transport != known.usual:
        proof = f"{_why_not_usual(known)} {proof}"
    return Plan(tuple(ways), transport, port, proof)


def why(known: Knowledge, way: Way, mode: str = "auto") -> str:
    """The proof for one way of the plan, of those that were wanted more with what became of
    them."""
    wanted = plan(known, mode)
    if way == wanted.ways[0]:
        return wanted.proof
    failed = dict.fromkeys(each.name.upper() for each in wanted.ways[: _place(way, wanted.ways)])
    rows = (row for row in TABLE if row.when(known) and way in row.ways(known))
    proof = next((row.proof(known) for row in rows), "")
    tried = f"No way could be opened in time by {' or '.join(failed)}." if failed else ""
    return " ".join(filter(None, (tried, proof if way.kind is not Kind.DIRECT else "")))


def _place(way: Way, ways: tuple[Way, ...]) -> int:
    return ways.index(way) if way in ways else 0


def contact(k: Knowledge, answer: SipSeen | None) -> Address | None:
    """What Via and Contact show on the way of `answer` instead of our own address (None: our own).
    The server's own view is right for every NAT; a STUN server's only for one that maps
    independently of the destination, and for UDP. Behind an ALG our own address is right."""
    if k.server_is_near or k.mapping is Mapping.NONE:
        return None
    if answer is not None:
        if k.alg_over(answer).alg is Alg.WORKS:
            return None
        if answer.seen is not None or answer.transport != "udp":
            return answer.seen
    return None if k.mapping is Mapping.DEPENDENT or _alg_works(k) else k.mapped


def _mapper(k: Knowledge) -> str:
    names = {Mapper.UPNP: "UPnP", Mapper.PCP: "PCP", Mapper.NAT_PMP: "NAT-PMP"}
    return names[k.usable_mapper] if k.usable_mapper is not None else ""


def _why_relay(k: Knowledge) -> str:
    if k.udp_blocked:
        return "Nothing comes back over UDP"
    if k.mapping is Mapping.DEPENDENT:
        return "Your router gives each server another port (symmetric NAT)"
    return "It is not certain what your router does"


def _why_not_usual(k: Knowledge) -> str:
    signalling, usual = k.signalling, k.over(k.usual)
    assert signalling is not None  # the caller has looked
    name = signalling.transport.upper()
    if usual is not None and k.alg_over(usual).alg is Alg.BROKEN:
        return f"{k.alg_over(usual).proof}, so we call over {name}."
    return (
        f"The server does not answer over {k.usual.upper()}, "
        f"but over {name} on port {signalling.port}."
    )


def _nothing_better(k: Knowledge) -> str:
    if k.udp_blocked:
        return "Nothing comes back over UDP, and no relay can be reached."
    if k.asked.stun and k.mapped is None and len(k.stun) >= k.asked.stun:
        return "No STUN server answered."
    return "Nothing is known of a router in between."
