"""One call's ICE agent (RFC 8445): checks over the call's own two sockets, in values only.

We show one base per component, so that a pair is nothing but an address of theirs. Every check is
a transaction of its own: what is lost is asked again. We are controlled, for we only answer offers
with ICE; towards a lite agent, and after a role conflict, we control and choose the first pair
that works (regular nomination). What is chosen is asked every few seconds from then on, which
keeps the NAT open and is their proof of consent (RFC 7675).
"""

from applet.address import Address
from applet.nat import binding
from applet.nat.binding import Binding, read_binding, write_binding, xor_mapped
from applet.randomness import Randomness
from applet.value import NamedTuple

LIMIT = 5.0
"""Seconds of checks; then the call goes on by the plain addresses."""
PACE = 0.05
AGAIN = 0.4
KEEP_ALIVE = 5.0
"""Seconds between two checks, between two of one pair, and between two once it is chosen."""
_MOST_PAIRS = 64
_MOST_TRANSACTIONS = 256
_OUR_PRIORITY = (110 << 24) + (65_535 << 8) + 255
_ROLES = {True: binding.CONTROLLING, False: binding.CONTROLLED}


class Target(NamedTuple):
    """A candidate of theirs."""

    component: int
    address: Address
    priority: int


class IceSetup(NamedTuple):
    """`local` and `remote` are (ufrag, pwd); `lite`: they only answer."""

    local: tuple[str, str]
    remote: tuple[str, str]
    targets: tuple[Target, ...]
    lite: bool = False


class _Pair:
    __slots__ = ("at", "nominated", "target", "works")

    def __init__(self, target: Target, at: float) -> None:
        self.target = target
        self.at = at
        self.works = False
        self.nominated = False


class _Asked(NamedTuple):
    """A check of ours on its way, and the role in which it was sent."""

    pair: _Pair
    nominates: bool
    controlling: bool


class IceAgent:
    """`before`: what an agent before a restart had chosen; it goes on until there is better."""

    def __init__(
        self,
        setup: IceSetup,
        random: Randomness,
        now: float,
        before: dict[int, Address] | None = None,
    ) -> None:
        self.setup = setup
        self.chosen = dict(before or {})
        self._random = random
        self._controlling = setup.lite
        self._tie_breaker = random.getrandbits(64)
        self._until = now + LIMIT
        self._pace_at = now
        self._pairs: dict[tuple[int, Address], _Pair] = {}
        self._selected: dict[int, _Pair] = {}
        self._asked: dict[bytes, _Asked] = {}
        self._outgoing: list[tuple[int, bytes, Address]] = []
        self.add(setup.targets, now)

    def add(self, targets: tuple[Target, ...], now: float) -> None:
        """More candidates of theirs, the best are asked first."""
        for target in sorted(targets, key=lambda target: -target.priority):
            self._pair(target, now)

    # --- what comes

    def receive(self, component: int, data: bytes, source: Address, now: float) -> bool:
        """Whether a datagram was for this agent, and not media."""
        message = read_binding(data)
        if message is None:
            return False
        if message.kind == binding.REQUEST:
            return self._requested(component, message, source, now)
        asked = self._asked.get(message.transaction)
        if asked is None:
            return False
        if source == asked.pair.target.address and message.is_by(self.setup.remote[1]):
            del self._asked[message.transaction]
            self._answered(asked, message, now)
        return True

    def _requested(self, component: int, message: Binding, source: Address, now: float) -> bool:
        setup = self.setup
        said = message.attributes.get(binding.USERNAME, b"")
        if said != f"{setup.local[0]}:{setup.remote[0]}".encode():
            return False
        if not message.is_by(setup.local[1]):
            return True
        if self._in_conflict(message):
            refusal = ((binding.ERROR_CODE, binding.ROLE_CONFLICT),)
            self._reply(component, binding.ERROR, message.transaction, refusal, source)
            return True
        seen = ((binding.XOR_MAPPED, xor_mapped(source, message.transaction)),)
        self._reply(component, binding.SUCCESS, message.transaction, seen, source)
        priority = int.from_bytes(message.attributes.get(binding.PRIORITY, b"")[:4], "big")
        pair = self._pair(Target(component, source, priority), now)
        if pair is None:
            return True
        if binding.USE_CANDIDATE in message.attributes and not self._controlling:
            pair.nominated = True
        if pair.works:
            self._judge(pair, now)
        else:
            pair.at = now  # a triggered check (RFC 8445 section 7.3.1.4)
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
        if asked.nominates:
            pair.nominated = True
        elif self._controlling and pair.target.component not in self._selected:
            pair.at = now
        self._judge(pair, now)

    def _judge(self, pair: _Pair, now: float) -> None:
        """Of what is nominated and works the best is chosen (RFC 8445 section 8.1.1)."""
        component, address, priority = pair.target
        best = self._selected.get(component)
        if not pair.nominated or (best is not None and best.target.priority >= priority):
            return
        self._selected[component] = pair
        self.chosen[component] = address
        pair.at = now + KEEP_ALIVE

    # --- what goes

    def handle_timers(self, now: float) -> None:
        if now < self._pace_at:
            return
        self._pace_at = now + PACE
        due = [pair for pair in self._pairs.values() if pair.at <= now and self._wants(pair, now)]
        if due:
            self._check(min(due, key=lambda pair: (pair.at, -pair.target.priority)), now)

    def _wants(self, pair: _Pair, now: float) -> bool:
        selected = self._selected.get(pair.target.component)
        return pair is selected if selected is not None else now < self._until

    def _check(self, pair: _Pair, now: float) -> None:
        component, address, _ = pair.target
        (ours, _), (theirs, password) = self.setup.local, self.setup.remote
        pair.at = now + (KEEP_ALIVE if pair.nominated and pair.works else AGAIN)
        transaction = self._random.getrandbits(96).to_bytes(12, "big")
        nominates = self._controlling and pair.works
        attributes = [
            (binding.USERNAME, f"{theirs}:{ours}".encode()),
            (binding.PRIORITY, (_OUR_PRIORITY + 1 - component).to_bytes(4, "big")),
            (_ROLES[self._controlling], self._tie_breaker.to_bytes(8, "big")),
        ]
        if nominates:
            attributes.append((binding.USE_CANDIDATE, b""))
        while len(self._asked) >= _MOST_TRANSACTIONS:
            del self._asked[next(iter(self._asked))]
        self._asked[transaction] = _Asked(pair, nominates, self._controlling)
        data = write_binding(binding.REQUEST, transaction, tuple(attributes), password)
        self._outgoing.append((component, data, address))

    def _reply(
        self,
        component: int,
        kind: int,
        transaction: bytes,
        attributes: binding.Attributes,
        to: Address,
    ) -> None:
        data = write_binding(kind, transaction, attributes, self.setup.local[1])
        self._outgoing.append((component, data, to))

    def datagrams_to_send(self) -> list[tuple[int, bytes, Address]]:
        """(component, data, destination)."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def _pair(self, target: Target, now: float) -> _Pair | None:
        """Known, or new if there is room."""
        key = (target.component, target.address)
        if key not in self._pairs and len(self._pairs) < _MOST_PAIRS:
            self._pairs[key] = _Pair(target, now)
        return self._pairs.get(key)
