"""Sound made shorter or longer without a change of pitch: whole periods are left out or said twice.

Two places that are alike are overlapped and added (the idea of WSOLA). Speech offers such places
where it is voiced and where it is silent; elsewhere nothing is done, and the caller asks again
with its next frame. PCM is 16-bit mono; lengths are in samples.
"""

import audioop
from array import array

_OVERLAP_MS = 8
_SHORTEST_MS = 2
_SILENCE_RMS = 40
"""Under -58 dBFS nobody hears a cut: any length will do there."""


class TimeStretch:
    """`likeness`: how alike the overlapped places must be, 0 (anything goes) to 1 (the same)."""

    __slots__ = ("_overlap", "_shortest")

    def __init__(self, sample_rate: int) -> None:
        self._overlap = _OVERLAP_MS * sample_rate // 1000
        self._shortest = _SHORTEST_MS * sample_rate // 1000

    def shorten(self, pcm: bytes, most: int, likeness: float) -> bytes | None:
        """Leave out up to `most` samples at the beginning; None if no length is good."""
        lag = self._best_lag(pcm, pcm, min(most, len(pcm) // 2 - self._overlap), likeness, 1)
        return None if lag is None else self._join(pcm, pcm[2 * lag :])

    def lengthen(self, before: bytes, pcm: bytes, most: int, likeness: float) -> bytes | None:
        """Say up to `most` samples of the end of `before`, which is already played, once more
        ahead of `pcm`; None if no length is good."""
        sound = before + pcm
        lag = self._best_lag(pcm, sound, min(most, len(before) // 2), likeness, -1)
        return None if lag is None else self._join(pcm, sound[len(before) - 2 * lag :])

    def _best_lag(
        self, pcm: bytes, sound: bytes, most: int, likeness: float, direction: int
    ) -> int | None:
        """How far (up to `most`) before or after its beginning `pcm` is most like itself."""
        origin = len(sound) - len(pcm)
        size = 2 * self._overlap
        if most < self._shortest or len(pcm) < size:
            return None
        start = pcm[:size]
        level = audioop.rms(start, 2)
        if level < _SILENCE_RMS and audioop.rms(sound, 2) < _SILENCE_RMS:
            return most
        best, best_lag = likeness * level, None
        for lag in range(self._shortest, most + 1):
            at = origin + 2 * direction * lag
            other = sound[at : at + size]
            other_level = audioop.rms(other, 2)
            if other_level and audioop.findfactor(start, other) * other_level > best:
                best, best_lag = audioop.findfactor(start, other) * other_level, lag
        return best_lag

    def _join(self, leaving: bytes, coming: bytes) -> bytes:
        """From the one to the other within the overlap."""
        size = 2 * self._overlap
        count = self._overlap
        pairs = zip(array("h", leaving[:size]), array("h", coming[:size]), strict=True)
        mixed = [old + (new - old) * i // count for i, (old, new) in enumerate(pairs)]
        return array("h", mixed).tobytes() + coming[size:]
