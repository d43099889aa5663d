"""A limit on calls that nobody asked for: scanners must not ring the phone all day."""

from __future__ import annotations

from collections import deque

_WINDOW = 60.0
_REMEMBERED = 1000


class Strangers:
    """At most `per_minute` INVITEs from one IP address in any minute; 0 lets all in.

    Only the newest 1,000 INVITEs are remembered, so that a flood costs no memory.
    """

    __slots__ = ("_per_minute", "_seen")

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._seen: deque[tuple[float, str]] = deque(maxlen=_REMEMBERED)

    def admit(self, source: str, now: float) -> bool:
        if self._per_minute == 0:
            return True
        while self._seen and self._seen[0][0] <= now - _WINDOW:
            self._seen.popleft()
        self._seen.append((now, source))
        return sum(seen == source for _, seen in self._seen) <= self._per_minute
