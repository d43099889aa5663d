"""Keeping a way open between two requests (RFC 5626 section 4.4).

Over a connection a ping (two line breaks) goes out now and then. Who has answered one with a pong
and then does not answer another is dead: the connection is closed, and whoever needs it hears of
it and makes a new one. Not everybody answers pings, so the first one is only a question. Over UDP
the same two line breaks keep the binding of a NAT; nothing comes back.
"""

from __future__ import annotations

from typing import Protocol

from applet.randomness import Randomness
from applet.sip.hop import End, Hop
from applet.sip.timers import Timers
from applet.sip.transport import TransportLayer

CONNECTION_INTERVAL = 120.0
DATAGRAM_INTERVAL = 29.0
"""Seconds from ping to ping at most; each is drawn from the upper fifth, as section 4.4.1 wants."""
FIRST_PING = 5.0
"""Seconds until the first ping over a connection, which shows whether they answer pings."""


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
        first = FIRST_PING if hop.transport.reliable else self._interval(hop)
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

    def ping(self, way: _Way, now: float) -> None:
        """It is time."""
        self._transport.ping(way.hop, now)
        self._timers.set(way, "ping", now + self._interval(way.hop))

    def _interval(self, hop: Hop) -> float:
        longest = CONNECTION_INTERVAL if hop.transport.reliable else DATAGRAM_INTERVAL
        return longest * (0.8 + 0.2 * self._random.random())

    def _forget(self, way: _Way) -> None:
        self._timers.cancel(way, "ping")
        del self._ways[way.hop.end]
        self._transport.called_over.discard(way.hop.end)


class _Way:
    __slots__ = ("_keeper", "hop", "users")

    def __init__(self, keeper: KeepAlive, hop: Hop, user: FlowUser) -> None:
        self._keeper = keeper
        self.hop = hop
        self.users = [user]

    def handle_timer(self, name: str, now: float) -> None:
        self._keeper.ping(self, now)
