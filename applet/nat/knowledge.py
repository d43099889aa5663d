"""What is known of the network between us and the server: facts in, one frozen value out.

The probes (`threads.probes`, and the OPTIONS that `phone.network` sends) each bring a fact when
they have one. Nothing here decides: that is `nat.strategy`.
"""

from __future__ import annotations

from applet.address import Address
from applet.enums import Enum
from applet.nat.alg import UNJUDGED, Alg, Answered, Verdict, judge
from applet.nat.hosts import is_near, is_public
from applet.value import NamedTuple

_ORDER = {"udp": 0, "tcp": 1, "tls": 2}


class Mapping(Enum):
    """What our router does to a socket's address (RFC 4787 section 4.1)."""

    UNKNOWN = "unknown"
    NONE = "none"  # the world sees our own address
    INDEPENDENT = "endpoint-independent"
    DEPENDENT = "symmetric"  # another port for each destination


class Mapper(Enum):
    """Who makes port mappings on the local router."""

    UPNP = "upnp"
    PCP = "pcp"
    NAT_PMP = "nat-pmp"


class RelayServer(NamedTuple):
    """One way to a TURN server (RFC 8656); `transport` is `udp`, `tcp` or `tls`."""

    address: Address
    transport: str
    user: str
    password: str


class StunSeen(NamedTuple):
    """What a STUN server sees of our SIP socket; `mapped` None: it did not answer in time."""

    server: Address
    mapped: Address | None


class MapperSeen(NamedTuple):
    """A router that makes mappings, with its outer address; `mapper` None: there is none."""

    mapper: Mapper | None
    external: str


class RelaySeen(NamedTuple):
    """An allocation that was tried; `problem` is empty if it worked, else one plain sentence.
    `refused`: the server wants another name or password."""

    server: RelayServer
    problem: str
    refused: bool = False


class Fetched(NamedTuple):
    """What came of asking the web server `host` for short-lived passwords; `problem` as above."""

    host: str
    servers: tuple[RelayServer, ...]
    problem: str = ""


class SipSeen(NamedTuple):
    """An OPTIONS to the SIP server over `transport` (`udp`, `tcp`, `tls`) and its port, and what
    came back of it; `answer` None: nothing in time."""

    transport: str
    port: int
    answer: Answered | None

    @property
    def seen(self) -> Address | None:
        """Where the server saw it come from."""
        return None if self.answer is None else self.answer.seen


Fact = StunSeen | MapperSeen | RelaySeen | Fetched | SipSeen


class Asked(NamedTuple):
    """How many facts of each kind will come."""

    stun: int = 0
    mapper: int = 0
    relays: int = 0
    sip: int = 0


class Knowledge(NamedTuple):
    """`local`: our address on the way to the server; `server`: the server's IP, or its name;
    `usual`: the transport that its URI, the account and DNS want."""

    server: str = ""
    local: Address = Address("", 0)
    asked: Asked = Asked()
    stun: tuple[StunSeen, ...] = ()
    mapper: MapperSeen | None = None
    relays: tuple[RelaySeen, ...] = ()
    sip: tuple[SipSeen, ...] = ()
    usual: str = "udp"
    fetched: Fetched | None = None

    def having(self, fact: Fact) -> Knowledge:
        """With one fact more; a newer one of the same source replaces the older."""
        match fact:
            case StunSeen():
                rest = tuple(seen for seen in self.stun if seen.server != fact.server)
                return self._replace(stun=(*rest, fact))
            case MapperSeen():
                return self._replace(mapper=fact)
            case RelaySeen():
                known = self._relays_without({fact.server[:2]})
                return self._replace(relays=(*known, fact))
            case Fetched():
                return self._having_fetched(fact)
            case _:  # SipSeen
                others = tuple(s for s in self.sip if s[:2] != fact[:2])
                return self._replace(sip=(*others, fact))

    def _relays_without(self, ways: set[tuple[Address, str]]) -> tuple[RelaySeen, ...]:
        """A relay is known by its address and transport: its password may be another one soon."""
        return tuple(seen for seen in self.relays if seen.server[:2] not in ways)

    def _having_fetched(self, fact: Fetched) -> Knowledge:
        """What an earlier list named and this one does not is gone; without a list it stays."""
        before = () if self.fetched is None else self.fetched.servers
        if fact.problem:
            return self._replace(fetched=fact._replace(servers=before))
        gone = {server[:2] for server in before} - {server[:2] for server in fact.servers}
        return self._replace(fetched=fact, relays=self._relays_without(gone))

    # --- what follows from the facts

    @property
    def ready(self) -> bool:
        """Enough to choose a way: the rest, if something is still asked, cannot change it much.
        UPnP takes seconds to say that it is not there, so nobody waits for it."""
        return (
            len(self.stun) >= self.asked.stun
            and (self._answers_well or len(self.sip) >= self.asked.sip)
            and (
                self.relay is not None
                or self._relays_are_in
                or self.mapping in (Mapping.NONE, Mapping.INDEPENDENT)
            )
        )

    @property
    def _answers_well(self) -> bool:
        """The server answers, on a way that no ALG spoils."""
        found = self.signalling
        return found is not None and self.alg_over(found).alg is not Alg.BROKEN

    @property
    def _relays_are_in(self) -> bool:
        failed = self.fetched is not None and bool(self.fetched.problem)
        return len(self.relays) + failed >= self.asked.relays

    @property
    def complete(self) -> bool:
        """Everything that was asked has been answered, or its time is over."""
        return (
            self.ready
            and self._relays_are_in
            and (self.mapper is not None or not self.asked.mapper)
        )

    @property
    def mapped(self) -> Address | None:
        """What the first STUN server that answered sees of our SIP socket."""
        return next((seen.mapped for seen in self.stun if seen.mapped is not None), None)

    @property
    def mapping(self) -> Mapping:
        """RFC 5780 section 4.3 with the servers there are: two STUN servers at different
        addresses, or one and the SIP server itself (where no ALG meddles)."""
        views = {seen.server.host: seen.mapped for seen in self.stun if seen.mapped is not None}
        udp = self.over("udp")
        if udp is not None and udp.seen is not None and self.alg_over(udp).alg is not Alg.WORKS:
            views.setdefault(self.server, udp.seen)
        if not views:
            return Mapping.UNKNOWN
        seen = set(views.values())
        if seen == {self.local}:
            return Mapping.NONE
        if len(seen) > 1:
            return Mapping.DEPENDENT
        return Mapping.INDEPENDENT if len(views) > 1 else Mapping.UNKNOWN

    @property
    def signalling(self) -> SipSeen | None:
        """The way on which the server answers: UDP before TCP before TLS. What a broken ALG
        spoils comes last, and then TLS, which it cannot read, comes first."""
        answered = [seen for seen in self.sip if seen.answer is not None]
        spoilt = [seen for seen in answered if self.alg_over(seen).alg is Alg.BROKEN]
        rank = {"tls": 0, "tcp": 1, "udp": 2} if spoilt else _ORDER
        return min(answered, key=lambda seen: (seen in spoilt, rank[seen.transport]), default=None)

    def over(self, transport: str) -> SipSeen | None:
        """What came of asking the SIP server over `transport`."""
        return next((seen for seen in self.sip if seen.transport == transport), None)

    def alg_over(self, seen: SipSeen) -> Verdict:
        """What its answer says of a SIP ALG. Nothing in between can read TLS."""
        if seen.answer is None or seen.transport == "tls":
            return UNJUDGED
        return judge(seen.answer, self.local.host, self.mapped)

    @property
    def alg(self) -> Verdict:
        """The verdict on the way that calls take."""
        return UNJUDGED if self.signalling is None else self.alg_over(self.signalling)

    @property
    def udp_blocked(self) -> bool:
        """Nobody who was asked over UDP has answered, and somebody was asked."""
        asked = [seen.mapped is not None for seen in self.stun]
        asked += [seen.answer is not None for seen in self.sip if seen.transport == "udp"]
        asked += [not seen.problem for seen in self.relays if seen.server.transport == "udp"]
        return bool(asked) and not any(asked)

    @property
    def relay(self) -> RelayServer | None:
        """The quickest way to a TURN server that works."""
        return next(iter(self.working_relays), None)

    @property
    def working_relays(self) -> tuple[RelayServer, ...]:
        """All ways to TURN servers that work, the quickest first."""
        working = [seen.server for seen in self.relays if not seen.problem]
        return tuple(sorted(working, key=lambda server: _ORDER[server.transport]))

    @property
    def usable_mapper(self) -> Mapper | None:
        """One whose outer address is the one that the world sees: with a second router behind it
        (an empty, private or other outer address) a mapping would lead nowhere."""
        found = self.mapper
        if found is None or found.mapper is None or not is_public(found.external):
            return None
        mapped = self.mapped
        return found.mapper if mapped is None or mapped.host == found.external else None

    @property
    def server_is_near(self) -> bool:
        """On this machine, in the local network or behind the VPN: no NAT in between."""
        return is_near(self.server)
