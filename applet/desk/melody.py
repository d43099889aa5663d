"""The desk's own sounds, computed: a greeting and the music while it holds a caller."""

from __future__ import annotations

import array
import functools
import math
import sys

SAMPLE_RATE = 8000
_LEVEL = 6000.0  # -14.7 dBFS at the top of each note

# Frequencies in Hz of the notes, each with its length in seconds.
_GREETING = ((523.25, 0.22), (659.25, 0.22), (783.99, 0.22), (1046.5, 0.55))
_MUSIC = (
    ((261.63, 0.4), (329.63, 0.4), (392.0, 0.4), (523.25, 0.4), (392.0, 0.4), (329.63, 0.4))
    + ((220.0, 0.4), (261.63, 0.4), (329.63, 0.4), (440.0, 0.4), (329.63, 0.4), (261.63, 0.4))
    + ((174.61, 0.4), (220.0, 0.4), (261.63, 0.4), (349.23, 0.4), (261.63, 0.4), (220.0, 0.4))
)


def _note(frequency: float, seconds: float) -> list[int]:
    """A plucked note: a soft start of 10 ms, a second harmonic, an exponential end."""
    count = int(seconds * SAMPLE_RATE)
    step = 2 * math.pi * frequency / SAMPLE_RATE
    samples = []
    for index in range(count):
        attack = min(1.0, index / (0.01 * SAMPLE_RATE))
        release = min(1.0, (count - index) / (0.02 * SAMPLE_RATE))
        envelope = attack * release * math.exp(-2.5 * index / SAMPLE_RATE / seconds)
        wave = math.sin(step * index) + 0.3 * math.sin(2 * step * index)
        samples.append(int(_LEVEL * envelope * wave / 1.3))
    return samples


def _render(notes: tuple[tuple[float, float], ...]) -> bytes:
    samples = array.array("h")
    for frequency, seconds in notes:
        samples.extend(_note(frequency, seconds))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


@functools.cache
def greeting() -> bytes:
    """About 1.2 s of rising chord, 16-bit little-endian mono at 8 kHz."""
    return _render(_GREETING)


@functools.cache
def music() -> bytes:
    """7.2 s of quiet arpeggios to be repeated, 16-bit little-endian mono at 8 kHz."""
    return _render(_MUSIC)
