"""ICE over the sockets and the relay of one call: joins `nat.ice` and `threads.media_call`.

Once checks have chosen an address of theirs, media goes there and comes alone from where they have
proved to be, and the session takes it for the address of their description: it knows nothing of
ICE. Until then, and where no check succeeds, the description's address and the rule for sources
count as without ICE. Where they do not consent any more nothing goes.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.nat.ice import Base, IceAgent, IceSetup, Route

if TYPE_CHECKING:
    from applet.address import Address
    from applet.randomness import Randomness


class IcePath:
    """Belongs to the media thread. Components as in RFC 8445: 1 for RTP, 2 for RTCP."""

    __slots__ = ("_agent", "_lost", "_plain", "_random", "_told")

    def __init__(self, random: Randomness) -> None:
        self._random = random
        self._agent: IceAgent | None = None
        self._plain: dict[int, Address | None] = {}
        self._told: Route | None = None
        self._lost = False

    def follow(self, setup: IceSetup | None, plain: dict[int, Address | None], now: float) -> None:
        """Offer/answer is complete. `plain`: where their description wants RTP and RTCP."""
        self._plain = plain
        agent = self._agent
        if setup is None:
            self._agent = self._told = None
        elif agent is not None and agent.setup[:2] == setup[:2]:
            agent.add(setup.targets, now)
        else:
            self._agent = IceAgent(setup, self._random, now, agent)

    def receive(
        self, component: int, data: bytes, source: Address, now: float, base: Base = Base.SOCKET
    ) -> bool:
        """Whether a datagram is one of ICE's."""
        return self._agent is not None and self._agent.receive(component, data, source, now, base)

    @property
    def consented_at(self) -> float | None:
        """When they last did for RTP."""
        return None if self._agent is None else self._agent.consented_at

    def inward(self, component: int, source: Address, base: Base = Base.SOCKET) -> Address | None:
        """Where media from `source` counts as coming from; None: it is a stranger's."""
        agent = self._agent
        if agent is None:
            return source
        route, plain = Route(base, source), self._plain.get(component) or source
        if agent.is_settled(component):
            return plain if agent.knows(component, route) else None
        return plain if route == agent.chosen.get(component) else source

    def outward(self, component: int) -> Route | None:
        """The way that was chosen; None: the plain one."""
        return None if self._agent is None else self._agent.chosen.get(component)

    def may_send(self, component: int) -> bool:
        """Whether they consent to the way that was chosen."""
        return self._agent is None or component not in self._agent.lost

    def serve(self, now: float) -> list[tuple[int, bytes, Route]]:
        """What is to be sent now: (component, data, the way there)."""
        if self._agent is None:
            return []
        self._agent.handle_timers(now)
        return self._agent.datagrams_to_send()

    def take_found(self) -> Route | None:
        """The way that was chosen for RTP, once for each."""
        chosen = None if self._agent is None else self._agent.chosen.get(1)
        if chosen == self._told:
            return None
        self._told = chosen
        return chosen

    def take_lost(self) -> bool:
        """Whether they do not consent any more to what RTP has; told once."""
        before, self._lost = self._lost, not self.may_send(1)
        return self._lost and not before
