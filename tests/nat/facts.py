"""Networks as facts: what the probes bring of well-known kinds of routers."""

from applet.address import Address
from applet.nat.alg import Answered
from applet.nat.knowledge import (
    Asked,
    Fact,
    Knowledge,
    Mapper,
    MapperSeen,
    RelaySeen,
    RelayServer,
    SipSeen,
    StunSeen,
)
from applet.nat.strategy import DIRECT, OpenedWay

SERVER = "5.5.4.10"
LOCAL = Address("192.168.1.2", 5060)
OUTSIDE = Address("5.5.1.2", 5060)
STUN = (Address("5.5.3.10", 3478), Address("5.5.3.11", 3478))
UDP_RELAY = RelayServer(Address("5.5.3.10", 3478), "udp", "u", "p")
TLS_RELAY = RelayServer(Address("5.5.3.10", 443), "tls", "u", "p")
RELAYS = (RelaySeen(UDP_RELAY, ""), RelaySeen(TLS_RELAY, ""))
UPNP = MapperSeen(Mapper.UPNP, OUTSIDE.host)
NOTHING = Knowledge(SERVER, LOCAL)


def answer(seen: Address | None, *, via: Address = LOCAL) -> Answered:
    """An answer whose Via came back as `via`, to a request that came from `seen`."""
    received, rport = (None, None) if seen is None else seen
    return Answered(LOCAL, via, received, rport)


def sip(seen: Address | None, transport: str = "udp", port: int = 5060) -> SipSeen:
    return SipSeen(transport, port, answer(seen))


def stun(*mapped: Address | None) -> tuple[StunSeen, ...]:
    return tuple(StunSeen(server, seen) for server, seen in zip(STUN, mapped, strict=False))


def as_bound(host: str, port: int = 20000, rtcp_port: int = 20001) -> OpenedWay:
    """A call's sound by nothing but its own sockets."""
    return OpenedWay(DIRECT, Address(host, port), Address(host, rtcp_port))


ALL_ASKED = Asked(2, 1, 2, 1)


def known(*facts: Fact, asked: Asked = ALL_ASKED) -> Knowledge:
    knowledge = NOTHING._replace(asked=asked)
    for fact in facts:
        knowledge = knowledge.having(fact)
    return knowledge


OPEN = known(*stun(LOCAL, LOCAL), sip(LOCAL))
CONE = known(*stun(OUTSIDE, OUTSIDE), sip(OUTSIDE))
SYMMETRIC = known(
    *stun(OUTSIDE._replace(port=31001), OUTSIDE._replace(port=31002)),
    sip(OUTSIDE._replace(port=31003)),
)
ALG = known(*stun(OUTSIDE, OUTSIDE), sip(LOCAL))
HALF_ALG = known(
    *stun(OUTSIDE, OUTSIDE),
    SipSeen("udp", 5060, answer(OUTSIDE, via=Address(OUTSIDE.host, 5060))),
)
NO_UDP = known(
    *stun(None, None), SipSeen("udp", 5060, None), sip(OUTSIDE._replace(port=40000), "tls", 443)
)
