"""A limit that lets a short burst through and spaces out what goes on and on."""

from __future__ import annotations

from math import inf

_ROUNDING = 1e-6


class TokenBucket:
    """`size` may be taken at once; each comes back `each` seconds after it was taken, one after
    the other."""

    __slots__ = ("_each", "_full_at", "_size")

    def __init__(self, size: int, each: float) -> None:
        self._size = size
        self._each = each
        self._full_at = -inf

    def take(self, now: float) -> bool:
        """Whether there is one left; then it is taken."""
        if now < self.next() - _ROUNDING:
            return False
        self._full_at = max(self._full_at, now) + self._each
        return True

    def next(self) -> float:
        """When one may be taken; long ago, if there are some."""
        return self._full_at - (self._size - 1) * self._each
