"""ICE over the two sockets of one call: joins `nat.ice` and `threads.media_call`.

Once checks have chosen an address of theirs, media goes there and comes from there alone, and the
session takes it for the address of their description: it knows nothing of ICE. Until then, and
where no check succeeds, the description's address and the rule for sources count as without ICE.
"""

from applet.address import Address
from applet.nat.ice import IceAgent, IceSetup
from applet.randomness import Randomness


class IcePath:
    """Belongs to the media thread. Components as in RFC 8445: 1 for RTP, 2 for RTCP."""

    __slots__ = ("_agent", "_plain", "_random", "_told")

    def __init__(self, random: Randomness) -> None:
        self._random = random
        self._agent: IceAgent | None = None
        self._plain: dict[int, Address | None] = {}
        self._told: Address | None = None

    def follow(self, setup: IceSetup | None, plain: dict[int, Address | None], now: float) -> None:
        """Offer/answer is complete. `plain`: where their description wants RTP and RTCP."""
        self._plain = plain
        agent = self._agent
        if setup is None:
            self._agent = self._told = None
        elif agent is not None and agent.setup[:2] == setup[:2]:
            agent.add(setup.targets, now)
        else:
            before = None if agent is None else agent.chosen
            self._agent = IceAgent(setup, self._random, now, before)

    def receive(self, component: int, data: bytes, source: Address, now: float) -> bool:
        """Whether a datagram is one of ICE's."""
        return self._agent is not None and self._agent.receive(component, data, source, now)

    def inward(self, component: int, source: Address) -> Address | None:
        """Where media from `source` counts as coming from; None: it is a stranger's."""
        chosen = None if self._agent is None else self._agent.chosen.get(component)
        if chosen is None:
            return source
        return (self._plain.get(component) or source) if source == chosen else None

    def outward(self, component: int, to: Address) -> Address:
        return to if self._agent is None else self._agent.chosen.get(component, to)

    def serve(self, now: float) -> list[tuple[int, bytes, Address]]:
        """What is to be sent now: (component, data, destination)."""
        if self._agent is None:
            return []
        self._agent.handle_timers(now)
        return self._agent.datagrams_to_send()

    def take_found(self) -> Address | None:
        """The address that was chosen for RTP, once for each."""
        chosen = None if self._agent is None else self._agent.chosen.get(1)
        if chosen == self._told:
            return None
        self._told = chosen
        return chosen
