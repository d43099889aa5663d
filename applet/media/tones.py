"""The sounds the phone makes itself, heard by the person only: ringback, busy, hold, ringing.

Frequencies and cadences after ITU-T E.180 (425 Hz; the European rhythm). Each note swells and
fades in `_RAMP_MS`, so that nothing clicks, and the loudest is gentle.
"""

from __future__ import annotations

from array import array
from functools import cache
from math import cos, gcd, pi, sin

from applet.enums import Enum
from applet.value import NamedTuple

_RAMP_MS = 8


class Tone(Enum):
    RINGBACK = "ringback"
    BUSY = "busy"
    HOLD = "hold"
    INCOMING = "incoming"


class _Note(NamedTuple):
    frequencies: tuple[int, ...]
    milliseconds: int


class _Cadence(NamedTuple):
    """`notes` one after the other, then silence until `period_ms`; `level` is the peak in dBFS."""

    notes: tuple[_Note, ...]
    period_ms: int
    level: float


_PAUSE = ()
_CADENCES = {
    Tone.RINGBACK: _Cadence((_Note((425,), 1000),), 5000, -20.0),
    Tone.BUSY: _Cadence((_Note((425,), 500),), 1000, -20.0),
    Tone.HOLD: _Cadence((_Note((425,), 120),), 10_000, -30.0),
    Tone.INCOMING: _Cadence(
        (_Note((500, 625), 400), _Note(_PAUSE, 200), _Note((500, 625), 400)), 3000, -18.0
    ),
}


class ToneSource:
    """Plays one tone from its beginning, again and again."""

    __slots__ = ("_period", "_position", "_sound")

    def __init__(self, tone: Tone, sample_rate: int) -> None:
        """`sample_rate` in Hz, any from 8000 to 48000 and beyond."""
        self._sound = _sound(tone, sample_rate)
        self._period = 2 * (sample_rate * _CADENCES[tone].period_ms // 1000)
        self._position = 0

    def frame(self, samples: int) -> bytes:
        """The next `samples` samples, 16-bit little-endian mono."""
        wanted = 2 * samples
        frame = b""
        while len(frame) < wanted:
            count = min(wanted - len(frame), self._period - self._position)
            sound = self._sound[self._position : self._position + count]
            frame += sound + bytes(count - len(sound))
            self._position = (self._position + count) % self._period
        return frame


@cache
def _sound(tone: Tone, sample_rate: int) -> bytes:
    """The notes of one cadence as 16-bit little-endian samples."""
    cadence = _CADENCES[tone]
    samples = array("h")
    for note in cadence.notes:
        samples.extend(_note(note, sample_rate, cadence.level))
    return samples.tobytes()


def _note(note: _Note, sample_rate: int, level: float) -> array[int]:
    count = sample_rate * note.milliseconds // 1000
    if not note.frequencies:
        return array("h", bytes(2 * count))
    wave = _one_period(note.frequencies, sample_rate, 32767 * 10 ** (level / 20))
    samples = (wave * (count // len(wave) + 1))[:count]
    ramp = sample_rate * _RAMP_MS // 1000
    for i in range(ramp):
        gain = (1 - cos(pi * i / ramp)) / 2
        samples[i] = round(samples[i] * gain)
        samples[-1 - i] = round(samples[-1 - i] * gain)
    return samples


def _one_period(frequencies: tuple[int, ...], sample_rate: int, peak: float) -> array[int]:
    """The shortest stretch after which the sum of the sines repeats itself exactly."""
    length = sample_rate // gcd(sample_rate, *frequencies)
    amplitude = peak / len(frequencies)
    turn = 2 * pi / sample_rate
    return array(
        "h",
        (
            round(amplitude * sum(sin(turn * frequency * i) for frequency in frequencies))
            for i in range(length)
        ),
    )
