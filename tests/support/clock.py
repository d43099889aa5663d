"""Virtual time: nothing sleeps, the clock jumps from one thing that happens to the next."""

import heapq
from collections.abc import Callable
from typing import Protocol


class Timed(Protocol):
    """Something with deadlines of its own: an endpoint."""

    def next_timer(self) -> float | None: ...

    def handle_timers(self, now: float) -> None: ...


class Clock:
    """`now` in seconds, from 0. What happens at the same time happens in the order in which it
    was planned, and before the deadlines of those who joined."""

    def __init__(self) -> None:
        self.now = 0.0
        self._plan: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._timed: list[Timed] = []

    def at(self, when: float, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._plan, (when, self._count, action))

    def join(self, timed: Timed) -> None:
        self._timed.append(timed)

    def run(self, seconds: float) -> None:
        self.run_until(self.now + seconds)

    def run_until(self, end: float) -> None:
        """Let happen everything that is due up to `end`."""
        while (due := self._next()) is not None and due <= end:
            self.now = max(self.now, due)
            while self._plan and self._plan[0][0] <= self.now:
                heapq.heappop(self._plan)[2]()
            for timed in self._timed:
                at = timed.next_timer()
                if at is not None and at <= self.now:
                    timed.handle_timers(self.now)
        self.now = max(self.now, end)

    def run_out(self, limit: float = 1000.0) -> None:
        """Run until nothing is planned any more."""
        end = self.now + limit
        while (due := self._next()) is not None:
            assert due <= end, f"still busy after {limit} s"
            self.run_until(due)

    def _next(self) -> float | None:
        times = [timed.next_timer() for timed in self._timed]
        times.append(self._plan[0][0] if self._plan else None)
        return min((time for time in times if time is not None), default=None)
