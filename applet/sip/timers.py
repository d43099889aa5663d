"""Every deadline of an endpoint in one place (RFC 3261 table 4 has the base values).

An owner keeps at most one deadline per name. `due` hands out what has come due, in order of
time; equal times come in the order in which they were set.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from applet.hints import Protocol

T1 = 0.5
"""Round-trip estimate: the first retransmission, in seconds."""
T2 = 4.0
"""The longest retransmission interval for non-INVITE requests and INVITE responses."""
T4 = 5.0
"""The longest time that a message stays in the network."""


class TimerOwner(Protocol):
    def handle_timer(self, name: str, now: float) -> None:
        """`now` is the deadline that was asked for, however late the clock was read, so that a
        late wake-up does not shift the retransmissions that follow."""


class Timers:
    """A heap of deadlines in which a cancelled entry stays until it reaches the top.

    The entry does not hold its owner, so that an ended call is not kept for its longest timer.
    """

    __slots__ = ("_count", "_heap", "_live")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, tuple[int, str]]] = []
        self._live: dict[tuple[int, str], tuple[int, TimerOwner]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._live)

    def set(self, owner: TimerOwner, name: str, at: float) -> None:
        """Set or move one deadline."""
        self._count += 1
        key = id(owner), name
        self._live[key] = self._count, owner
        heappush(self._heap, (at, self._count, key))
        if len(self._heap) > 2 * len(self._live) + 32:
            self._heap = [entry for entry in self._heap if self._is_live(entry)]
            heapify(self._heap)

    def cancel(self, owner: TimerOwner, name: str) -> None:
        """Forget one deadline; it need not be set."""
        self._live.pop((id(owner), name), None)

    def is_set(self, owner: TimerOwner, name: str) -> bool:
        return (id(owner), name) in self._live

    def next(self) -> float | None:
        """The earliest deadline."""
        while self._heap and not self._is_live(self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def fire(self, now: float) -> None:
        """Call every owner whose deadline is not after `now`; they may set new ones."""
        while (at := self.next()) is not None and at <= now:
            _, _, key = heappop(self._heap)
            _, owner = self._live.pop(key)
            owner.handle_timer(key[1], at)

    def _is_live(self, entry: tuple[float, int, tuple[int, str]]) -> bool:
        _, count, key = entry
        return key in self._live and self._live[key][0] == count
