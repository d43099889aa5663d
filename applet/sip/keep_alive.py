"""Keeping a way open between two requests (RFC 5626 section 4.4, RFC 6223).

Over a connection a ping (two line breaks) goes out now and then. Who has answered one with a pong
and then does not answer another is dead: the connection is closed, and whoever needs it hears of
it and makes a new one. Not everybody answers pings, so the first one is only a question. Over UDP
the same two line breaks keep the binding of a NAT; nothing comes back. Only a server that has
agreed to it (`keep` in our Via) is asked by STUN instead: that shows when it is dead, and when the
NAT has given us another address.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING, Protocol
from applet.sip.grammar import MAX_SECONDS, clamped
from applet.sip.hop import End, Hop, Transport
from applet.sip.stun_ping import IDENTIFIER_BITS, binding_request, identifier_of, mapped_address

if TYPE_CHECKING:
    from applet.address import Address
    from applet.randomness import Randomness
    from applet.sip.headers import Via
    from applet.sip.timers import Timers
    from applet.sip.transport import TransportLayer

CONNECTION_INTERVAL = 120.0
DATAGRAM_INTERVAL = 29.0
"""Seconds from ping to ping at most, if the server recommends nothing else; each is drawn from
the upper fifth, as section 4.4.1 wants."""
FIRST_PING = 5.0
"""Seconds until the first ping over a connection, which shows whether they answer pings."""
SHORTEST_INTERVAL = 10.0
"""Seconds, whatever a server recommends."""
STUN_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds after each copy of a STUN question; after the last the server counts as dead."""


class FlowUser(Protocol):
    """Who needs a way to stay open."""

    def on_flow_lost(self, now: float) -> None:
        """It is gone, and not kept any more."""


class KeepAlive:
    """Each user keeps one way at a time; one way may have several users."""

    __slots__ = ("_of", "_random", "_timers", "_transport", "_ways")

    def __init__(self, transport: TransportLayer, timers: Timers, random: Randomness) -> None:
        self._transport = transport
        self._timers = timers
        self._random = random
        self._ways: dict[End, _Way] = {}
        self._of: dict[FlowUser, End] = {}

    def __len__(self) -> int:
        return len(self._ways)

    def keep(self, user: FlowUser, hop: Hop, now: float, *, called_over: bool = False) -> None:
        """Keep the way to `hop` open for `user`, in place of the one it had. `called_over`: new
        calls come over this connection, too."""
        if called_over:
            self._transport.called_over.add(hop.end)
        if self._of.get(user) == hop.end:
            return
        self.release(user)
        self._of[user] = hop.end
        if hop.end in self._ways:
            self._ways[hop.end].users.append(user)
            return
        way = _Way(self, hop._replace(flow=None), user)
        self._ways[hop.end] = way
        first = FIRST_PING if hop.transport.reliable else self._interval(way)
        self._timers.set(way, "ping", now + first)

    def release(self, user: FlowUser) -> None:
        """It is not needed any more; it need not be kept."""
        end = self._of.pop(user, None)
        if end is None:
            return
        way = self._ways[end]
        way.users.remove(user)
        if not way.users:
            self._forget(way)

    def lost(self, hop: Hop, now: float) -> None:
        """The connection is closed, or nothing can be sent there."""
        way = self._ways.get(hop.end)
        if way is None:
            return
        self._forget(way)
        for user in way.users:
            del self._of[user]
        for user in way.users:
            user.on_flow_lost(now)

    def learn(self, via: Via, hop: Hop) -> None:
        """RFC 6223 section 4.3: whether they agree to keep-alives, and how often they want one."""
        seconds = clamped(via.param("keep") or "", MAX_SECONDS)
        way = self._ways.get(hop.end)
        if way is not None and seconds is not None:
            way.agreed = True
            way.recommended = float(seconds)

    def ping(self, way: _Way, now: float) -> None:
        """It is time."""
        self._timers.set(way, "ping", now + self._interval(way))
        if way.agreed and not way.hop.transport.reliable:
            way.identifier = self._random.getrandbits(IDENTIFIER_BITS).to_bytes(12, "big")
            way.asked = 0
            self.ask(way, now)
        else:
            self._transport.ping(way.hop, now)

    def ask(self, way: _Way, now: float) -> None:
        """Send a STUN question, again while it is not answered."""
        if way.asked == len(STUN_WAITS):
            self.lost(way.hop, now)
            return
        self._transport.send_quietly(way.hop, binding_request(way.identifier))
        self._timers.set(way, "answer", now + STUN_WAITS[way.asked])
        way.asked += 1

    def receive_stun(self, data: bytes, source: Address, now: float) -> None:
        """An answer, perhaps: anybody can send something that looks like one."""
        way = self._ways.get((Transport.UDP, source, ""))
        if way is None or identifier_of(data) != way.identifier:
            return
        self._timers.cancel(way, "answer")
        way.identifier = b""
        mapped = mapped_address(data)
        if mapped is not None and way.mapped not in (None, mapped):
            self.lost(way.hop, now)
        else:
            way.mapped = mapped or way.mapped

    def _interval(self, way: _Way) -> float:
        usual = CONNECTION_INTERVAL if way.hop.transport.reliable else DATAGRAM_INTERVAL
        longest = max(way.recommended, SHORTEST_INTERVAL) if way.recommended else usual
        return longest * (0.8 + 0.2 * self._random.random())

    def _forget(self, way: _Way) -> None:
        for name in ("ping", "answer"):
            self._timers.cancel(way, name)
        del self._ways[way.hop.end]
        self._transport.called_over.discard(way.hop.end)


class _Way:
    """`agreed`: they want keep-alives, every `recommended` seconds if that is not 0. `identifier`
    is that of the STUN question that is open, `mapped` our address by the last answer."""

    __slots__ = (
        "_keeper",
        "agreed",
        "asked",
        "hop",
        "identifier",
        "mapped",
        "recommended",
        "users",
    )

    def __init__(self, keeper: KeepAlive, hop: Hop, user: FlowUser) -> None:
        self._keeper = keeper
        self.hop = hop
        self.users = [user]
        self.agreed = False
        self.recommended = 0.0
        self.identifier = b""
        self.asked = 0
        self.mapped: bytes | None = None

    def handle_timer(self, name: str, now: float) -> None:
        if name == "ping":
            self._keeper.ping(self, now)
        else:
            self._keeper.ask(self, now)
