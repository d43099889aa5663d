"""Comfort noise: RFC 3389. Only the level is used; the spectrum is a soft one of our own."""

from __future__ import annotations

import audioop
from array import array
from functools import cache
from math import sqrt

_FULL_SCALE = 32767
_TABLE_SAMPLES = 8192
_TABLE_RMS = 4096
_STRIDE = 1237
"""The table is entered at ever other places, so that no pattern is heard."""


def level_of(payload: bytes) -> int:
    """The level of a comfort noise packet in -dBov, 0-127; 127 (nothing) if it names none."""
    return payload[0] & 0x7F if payload else 127


class ComfortNoise:
    """Soft noise at the level that the other side's room has. Silence before a level is known."""

    __slots__ = ("_factor", "_position")

    def __init__(self) -> None:
        self._factor = 0.0
        self._position = 0

    def set_level(self, level: int) -> None:
        """`level` in -dBov (0 is as loud as can be); what is under -80 dBov is silence."""
        loudness = _FULL_SCALE * 10 ** (-level / 20)
        self._factor = loudness / _TABLE_RMS if level <= 80 else 0.0

    def frame(self, samples: int) -> bytes:
        """The next `samples` samples, 16-bit mono."""
        if not self._factor:
            return bytes(2 * samples)
        table = _noise()
        noise = bytearray()
        while len(noise) < 2 * samples:
            self._position = (self._position + _STRIDE) % (_TABLE_SAMPLES // 2)
            start = 2 * self._position
            noise += table[start : start + 2 * samples - len(noise)]
        return audioop.mul(bytes(noise), 2, self._factor)


@cache
def _noise() -> bytes:
    """Repeatable noise with its highs softened: each sample leans on the one before."""
    state, last = 1, 0.0
    samples = []
    for _ in range(_TABLE_SAMPLES):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
        last = 0.5 * last + (state / 0x4000_0000 - 1)
        samples.append(last)
    scale = _TABLE_RMS / sqrt(sum(x * x for x in samples) / _TABLE_SAMPLES)
    return array("h", [int(x * scale) for x in samples]).tobytes()
