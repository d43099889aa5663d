"""Servers that did not answer wait at the end of the queue (RFC 3263 section 4.3)."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from applet.sip.hop import End, Hop

DEFAULT = 60.0
LONGEST = 1800.0
"""Seconds: for a server that is silent or cannot be reached, and for any Retry-After."""
MOST = 64


class PenaltyBox:
    """A dead server is tried last, not never: it may be the only one, and all may be dead."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: dict[End, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def add(self, hop: Hop, now: float, seconds: float = DEFAULT) -> None:
        self._until.pop(hop.end, None)
        if len(self._until) >= MOST:
            del self._until[next(iter(self._until))]
        self._until[hop.end] = now + min(seconds, LONGEST)

    def forgive(self, hop: Hop) -> None:
        """It answers again."""
        self._until.pop(hop.end, None)

    def clear(self) -> None:
        self._until.clear()

    def ordered(self, hops: Iterable[Hop], now: float) -> list[Hop]:
        """The living first, each group in the order that DNS gave."""
        self._until = {end: until for end, until in self._until.items() if until > now}
        return sorted(hops, key=lambda hop: hop.end in self._until)
