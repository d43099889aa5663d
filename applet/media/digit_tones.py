"""Keys as sound in our own stream, where the other side takes them in no better way: the pairs of
tones of ITU-T Q.23, in time and level as Q.24 asks."""

from __future__ import annotations

from array import array
from functools import cache
from math import pi, sin

from applet.media.dtmf import DIGITS

_HIGH = (1209, 1336, 1477, 1633)
_ROWS = {697: "123A", 770: "456B", 852: "789C", 941: "*0#D"}
_TONE_MS = 100
_PAUSE_MS = 80
_RAMP_MS = 3
_PEAK = 32767 * 10 ** (-12 / 20)
"""Of each of the two tones: -12 dBFS, about -9 dBm0 together."""


class DigitTones:
    """Asked once for every frame of sound. `finished`: the digit whose tone ended with the last
    frame; whoever reads it empties it."""

    __slots__ = ("_digits", "_position", "_sample_rate", "finished")

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._digits = ""
        self._position = 0  # bytes of the digit that is under way
        self.finished = ""

    def queue(self, digits: str) -> None:
        """`digits`: characters of `0-9 * # A-D`."""
        self._digits += digits

    def clear(self) -> None:
        """Forget everything, the digit in the middle too."""
        self._digits = ""
        self._position = 0

    def frame(self, samples: int) -> bytes | None:
        """16-bit little-endian sound in place of the microphone; None: nothing to send."""
        if not self._digits:
            return None
        sound = _sound(self._digits[0], self._sample_rate)
        frame = sound[self._position : self._position + 2 * samples]
        self._position += 2 * samples
        if self._position >= len(sound):
            self.finished, self._digits = self._digits[0], self._digits[1:]
            self._position = 0
        return frame.ljust(2 * samples, b"\0")


@cache
def _sound(digit: str, sample_rate: int) -> bytes:
    """One key and the pause after it."""
    assert digit in DIGITS
    low, high = next((low, _HIGH[row.index(digit)]) for low, row in _ROWS.items() if digit in row)
    count = sample_rate * _TONE_MS // 1000
    ramp = sample_rate * _RAMP_MS // 1000
    samples = array("h")
    for n in range(count):
        gain = min(1.0, n / ramp, (count - n) / ramp)
        turn = 2 * pi * n / sample_rate
        samples.append(round(gain * _PEAK * (sin(low * turn) + sin(high * turn))))
    return samples.tobytes() + bytes(2 * (sample_rate * _PAUSE_MS // 1000))
