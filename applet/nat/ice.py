"""One call's ICE agent (RFC 8445): checks over the call's own two sockets, and over its relay if
there is one, in values only.

All that the sockets are known by (host, mapped, server reflexive) leaves by the same base, so that
a pair is a base of ours and an address of theirs. Every check is a transaction of its own: what is
lost is asked again. We are controlled, for we only answer offers with ICE; towards a lite agent,
and after a role conflict, we control and choose the first pair that works (regular nomination).
What is chosen is asked every few seconds from then on, which keeps the NAT open and shows that
they consent (RFC 7675); without it nothing is sent there any more.
"""

from __future__ import annotations

from applet.enums import Enum
from applet.hints import TYPE_CHECKING
from applet.nat import binding
from applet.nat.binding import Binding, read_binding, write_binding, xor_mapped
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address
    from applet.randomness import Randomness

LIMIT = 5.0
"""Seconds that a pair is checked since we know of it, or since they have last asked by it; and how
long what was chosen before a restart goes on unconfirmed. Then the plain addresses count."""
PACE = 0.05
AGAIN = 0.4
KEEP_ALIVE = 5.0
"""Seconds between two checks, between two of one pair, and between two once it is chosen: these
are a fifth more or less, so that nothing beats in step (RFC 7675 section 5.1)."""
CONSENT = 30.0
"""Seconds that an answer is good for."""
_MOST_PAIRS = 100
_MOST_TRANSACTIONS = 256
_ROLES = {True: binding.CONTROLLING, False: binding.CONTROLLED}


class Base(Enum):
    """What a datagram leaves by."""

    SOCKET = "socket"
    RELAY = "relay"


_OURS = {Base.SOCKET: (126 << 24) + (65_535 << 8) + 255, Base.RELAY: (65_535 << 8) + 255}
"""The priority of each base's own candidate for component 1 (RFC 8445 section 5.1.2.1)."""
_REFLEXIVE = {
    Base.SOCKET: (110 << 24) + (65_535 << 8) + 255,
    Base.RELAY: (110 << 24) + (65_534 << 8) + 255,
}
"""What a check says of itself: the priority it would have as a peer reflexive candidate."""


class Route(NamedTuple):
    """From `base` to an address of theirs."""

    base: Base
    address: Address


class Target(NamedTuple):
    """A candidate of theirs, as a base of ours reaches it."""

    component: int
    address: Address
    priority: int
    base: Base = Base.SOCKET

    @property
    def route(self) -> Route:
        return Route(self.base, self.address)


class IceSetup(NamedTuple):
    """`local` and `remote` are (ufrag, pwd); `lite`: they only answer; `relayed`: where our relay
    receives RTP, if there is one."""

    local: tuple[str, str]
    remote: tuple[str, str]
    targets: tuple[Target, ...]
    lite: bool = False
    relayed: Address | None = None


class _Pair:
    """`at`: when it is checked next, but not after `until`; `asked`: they have checked it;
    `works`: they have answered."""

    __slots__ = ("asked", "at", "nominated", "target", "until", "works")

    def __init__(self, target: Target, now: float) -> None:
        self.target = target
        self.at = now
        self.until = now + LIMIT
        self.asked = False
        self.works = False
        self.nominated = False

    def hurry(self, now: float) -> None:
        """Check it at once, and again until there is an answer."""
        self.at = now
        self.until = now + LIMIT


class _Asked(NamedTuple):
    """A check of ours on its way, and the role in which it was sent."""

    pair: _Pair
    nominates: bool
    controlling: bool


class IceAgent:
    """`before`: the agent before a restart. What it has chosen goes on until there is better, for
    `LIMIT` at most and not by a relay that is gone, and who controls stays the same (RFC 8445
    sections 6.1.1 and 9). `lost`: the components for which they do not consent any more.
    `consented_at`: when they did for sound."""

    def __init__(
        self, setup: IceSetup, random: Randomness, now: float, before: IceAgent | None = None
    ) -> None:
        self.setup = setup
        self.chosen: dict[int, Route] = {}
        self.lost: set[int] = set()
        self.consented_at: float | None = None
        self._random = random
        self._controlling = setup.lite
        if before is not None:
            self._controlling = setup.lite or before._controlling
            relay_stays = setup.relayed == before.setup.relayed
            self.chosen = {
                component: route
                for component, route in before.chosen.items()
                if component not in before.lost and (route.base is Base.SOCKET or relay_stays)
            }
        self._consents = dict.fromkeys(self.chosen, now)
        self._tie_breaker = random.getrandbits(64)
        self._inherits_until = now + LIMIT
        self._pace_at = now
        self._pairs: dict[tuple[int, Route], _Pair] = {}
        self._selected: dict[int, _Pair] = {}
        self._asked: dict[bytes, _Asked] = {}
        self._outgoing: list[tuple[int, bytes, Route]] = []
        self.add(setup.targets, now)

    def add(self, targets: tuple[Target, ...], now: float) -> None:
        """More candidates of theirs."""
        for target in sorted(targets, key=self._rank, reverse=True):
            self._pair(target, now)

    # --- what comes

    def receive(
        self, component: int, data: bytes, source: Address, now: float, base: Base = Base.SOCKET
    ) -> bool:
        """Whether a datagram was for this agent, and not media."""
        message = read_binding(data)
        if message is None:
            return False
        route = Route(base, source)
        if message.kind == binding.REQUEST:
            return self._requested(component, message, route, now)
        asked = self._asked.get(message.transaction)
        if asked is None:
            return False
        if route == asked.pair.target.route and message.is_by(self.setup.remote[1]):
            del self._asked[message.transaction]
            self._answered(asked, message, now)
        return True

    def _requested(self, component: int, message: Binding, route: Route, now: float) -> bool:
        setup = self.setup
        said = message.attributes.get(binding.USERNAME, b"")
        if said != f"{setup.local[0]}:{setup.remote[0]}".encode():
            return False
        if not message.is_by(setup.local[1]):
            return True
        if self._in_conflict(message):
            refusal = ((binding.ERROR_CODE, binding.ROLE_CONFLICT),)
            self._reply(component, binding.ERROR, message.transaction, refusal, route)
            return True
        seen = ((binding.XOR_MAPPED, xor_mapped(route.address, message.transaction)),)
        self._reply(component, binding.SUCCESS, message.transaction, seen, route)
        priority = int.from_bytes(message.attributes.get(binding.PRIORITY, b"")[:4], "big")
        pair = self._pair(Target(component, route.address, priority, route.base), now)
        if pair is None:
            return True
        pair.asked = True
        if binding.USE_CANDIDATE in message.attributes and not self._controlling:
            pair.nominated = True
        if pair.works:
            self._judge(pair, now)
        else:
            pair.hurry(now)  # a triggered check (RFC 8445 section 7.3.1.4)
        return True

    def _in_conflict(self, message: Binding) -> bool:
        """Both want the same role: who has the larger number stays (RFC 8445 section 7.3.1.1).
        True: they have to change theirs."""
        theirs = message.attributes.get(_ROLES[self._controlling])
        if theirs is None:
            return False
        larger = self._tie_breaker >= int.from_bytes(theirs, "big")
        if larger == self._controlling:
            return True
        self._controlling = not self._controlling
        return False

    def _answered(self, asked: _Asked, message: Binding, now: float) -> None:
        pair = asked.pair
        if message.kind == binding.ERROR:
            if message.attributes.get(binding.ERROR_CODE, b"")[2:4] == b"\x04\x57":
                self._controlling = not asked.controlling
                pair.at = now
            return
        pair.works = True
        component = pair.target.component
        if asked.nominates:
            pair.nominated = True
        elif self._controlling and component not in self._selected:
            pair.hurry(now)
        if pair is self._selected.get(component):
            self._consent(component, now)
        self._judge(pair, now)

    def _judge(self, pair: _Pair, now: float) -> None:
        """Of what is nominated and works the best is chosen (RFC 8445 section 8.1.1)."""
        component = pair.target.component
        best = self._selected.get(component)
        if not pair.nominated or (
            best is not None and self._rank(best.target) >= self._rank(pair.target)
        ):
            return
        self._selected[component] = pair
        self.chosen[component] = pair.target.route
        pair.at = self._next_keep_alive(now)
        self.lost.discard(component)
        self._consent(component, now)

    def _consent(self, component: int, now: float) -> None:
        self._consents[component] = now
        if component == 1:
            self.consented_at = now

    def _rank(self, target: Target) -> int:
        """The priority of its pair (RFC 8445 section 6.1.2.3)."""
        ours = _OURS[target.base] + 1 - target.component
        pair = (ours, target.priority) if self._controlling else (target.priority, ours)
        return (min(pair) << 32) + 2 * max(pair) + (pair[0] > pair[1])

    # --- what counts

    def is_settled(self, component: int) -> bool:
        """Whether its checks have chosen a pair, and they consent to it."""
        return component in self._selected and component not in self.lost

    def knows(self, component: int, route: Route) -> bool:
        """Whether this is them: a check came from there, or worked. They may have chosen that one
        (RFC 8445 section 12.2)."""
        pair = self._pairs.get((component, route))
        return pair is not None and (pair.asked or pair.works)

    # --- what goes

    def handle_timers(self, now: float) -> None:
        if now < self._pace_at:
            return
        self._pace_at = now + PACE
        if now >= self._inherits_until:
            for component in self.chosen.keys() - self._selected.keys():
                del self.chosen[component], self._consents[component]
        self.lost.update(c for c, heard in self._consents.items() if now - heard >= CONSENT)
        due = [pair for pair in self._pairs.values() if pair.at <= now and self._wants(pair, now)]
        if due:
            self._check(min(due, key=lambda pair: (pair.at, -self._rank(pair.target))), now)

    def _wants(self, pair: _Pair, now: float) -> bool:
        component = pair.target.component
        selected = self._selected.get(component)
        if pair is selected:
            return component not in self.lost
        if now >= pair.until:
            return False
        # Who nominates every pair (RFC 5245) uses the best of them.
        return selected is None or (
            pair.nominated
            and not pair.works
            and self._rank(pair.target) > self._rank(selected.target)
        )

    def _check(self, pair: _Pair, now: float) -> None:
        component = pair.target.component
        (ours, _), (theirs, password) = self.setup.local, self.setup.remote
        settled = pair is self._selected.get(component)
        pair.at = self._next_keep_alive(now) if settled else now + AGAIN
        transaction = self._random.getrandbits(96).to_bytes(12, "big")
        nominates = self._controlling and pair.works
        priority = _REFLEXIVE[pair.target.base] + 1 - component
        attributes = [
            (binding.USERNAME, f"{theirs}:{ours}".encode()),
            (binding.PRIORITY, priority.to_bytes(4, "big")),
            (_ROLES[self._controlling], self._tie_breaker.to_bytes(8, "big")),
        ]
        if nominates:
            attributes.append((binding.USE_CANDIDATE, b""))
        while len(self._asked) >= _MOST_TRANSACTIONS:
            del self._asked[next(iter(self._asked))]
        self._asked[transaction] = _Asked(pair, nominates, self._controlling)
        data = write_binding(binding.REQUEST, transaction, tuple(attributes), password)
        self._outgoing.append((component, data, pair.target.route))

    def _next_keep_alive(self, now: float) -> float:
        return now + KEEP_ALIVE * (0.8 + 0.4 * self._random.random())

    def _reply(
        self,
        component: int,
        kind: int,
        transaction: bytes,
        attributes: binding.Attributes,
        route: Route,
    ) -> None:
        data = write_binding(kind, transaction, attributes, self.setup.local[1])
        self._outgoing.append((component, data, route))

    def datagrams_to_send(self) -> list[tuple[int, bytes, Route]]:
        """(component, data, the way there)."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def _pair(self, target: Target, now: float) -> _Pair | None:
        """Known, or new if there is room."""
        key = (target.component, target.route)
        if key not in self._pairs and len(self._pairs) < _MOST_PAIRS:
            self._pairs[key] = _Pair(target, now)
        return self._pairs.get(key)
