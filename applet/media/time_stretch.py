"""Sound made shorter or longer without a change of pitch, by overlapping and adding.

In silence any length can be left out or said twice. In speech only whole periods can: `find_period`
tells where the sound is so alike that the seam is not heard (the idea of WSOLA). PCM is 16-bit
mono; lengths are in samples.
"""

from __future__ import annotations

import audioop
from array import array

_OVERLAP_MS = 8
_SHORTEST_MS = 2


class TimeStretch:
    """`sample_rate` in Hz."""

    __slots__ = ("_shortest", "overlap")

    def __init__(self, sample_rate: int) -> None:
        self.overlap = _OVERLAP_MS * sample_rate // 1000
        """`pcm` must have this much more than what is left out."""
        self._shortest = _SHORTEST_MS * sample_rate // 1000

    def find_period(self, pcm: bytes, most: int, likeness: float) -> int | None:
        """After how many samples (up to `most`) `pcm` repeats its beginning best; None if nowhere
        with `likeness` (1: the same, 0: nothing in common)."""
        size = 2 * self.overlap
        start = pcm[:size]
        best = likeness * audioop.rms(start, 2)
        period = None
        for lag in range(self._shortest, min(most, len(pcm) // 2 - self.overlap) + 1):
            later = pcm[2 * lag : 2 * lag + size]
            level = audioop.rms(later, 2)
            alike = audioop.findfactor(start, later) * level if level else 0.0
            if alike > best:
                best, period = alike, lag
        return period

    def leave_out(self, pcm: bytes, samples: int) -> bytes:
        """`pcm` without so much at its beginning."""
        return self._join(pcm, pcm[2 * samples :])

    def repeat(self, before: bytes, pcm: bytes, samples: int) -> bytes:
        """`pcm`, ahead of it once more so much of the end of `before`, which is already played."""
        return self._join(pcm, before[-2 * samples :] + pcm)

    def _join(self, leaving: bytes, coming: bytes) -> bytes:
        """From the one to the other within the overlap."""
        count = self.overlap
        pairs = zip(array("h", leaving[: 2 * count]), array("h", coming[: 2 * count]), strict=True)
        mixed = [old + (new - old) * i // count for i, (old, new) in enumerate(pairs)]
        return array("h", mixed).tobytes() + coming[2 * count :]
