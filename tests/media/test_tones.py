"""The phone's own tones: cadence, pitch, level, and no clicks."""

from array import array
from itertools import pairwise

import numpy as np
import pytest

from applet.media.tones import Tone, ToneSource

RATES = [8000, 11025, 16000, 44100, 48000]


def played(tone: Tone, sample_rate: int, seconds: float, frame: int = 0) -> list[int]:
    source = ToneSource(tone, sample_rate)
    frame = frame or sample_rate // 50
    data = b""
    while len(data) < 2 * seconds * sample_rate:
        piece = source.frame(frame)
        assert len(piece) == 2 * frame
        data += piece
    return list(array("h", data))[: int(seconds * sample_rate)]


def sounding(samples: list[int], sample_rate: int) -> list[bool]:
    """For every 20 ms: is anything to be heard?"""
    step = sample_rate // 50
    return [any(samples[i : i + step]) for i in range(0, len(samples) - step + 1, step)]


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
@pytest.mark.parametrize(
    ("tone", "on_off"),
    [
        (Tone.RINGBACK, [(50, 200), (50, 200)]),
        (Tone.BUSY, [(25, 25), (25, 25), (25, 25)]),
        (Tone.HOLD, [(6, 494), (6, 494)]),
        (Tone.INCOMING, [(20, 10), (20, 100), (20, 10), (20, 100)]),
    ],
)
def test_a_tone_keeps_its_cadence(tone: Tone, on_off: list[tuple[int, int]], rate: int) -> None:
    expected = [heard for on, off in on_off for heard in [True] * on + [False] * off]
    assert sounding(played(tone, rate, len(expected) / 50), rate) == expected


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("tone", Tone)
def test_a_tone_is_gentle_and_never_clicks(tone: Tone, rate: int) -> None:
    samples = played(tone, rate, 3.2)
    assert max(samples) <= 32767 * 10 ** (-18 / 20) + 1
    assert max(samples) > 32767 * 10 ** (-31 / 20)
    # Two sines of 625 Hz at most: the steepest step is that of the wave itself.
    steepest = 2 * 3.1416 * 625 / rate * max(samples)
    assert max(abs(b - a) for a, b in pairwise([0, *samples])) <= steepest + 2
    edge = rate * 2 // 1000
    assert max(map(abs, samples[:edge])) < max(samples) / 4


@pytest.mark.parametrize("rate", RATES)
def test_the_ringback_has_the_pitch_of_a_european_telephone(rate: int) -> None:
    spectrum = np.abs(np.fft.rfft(np.array(played(Tone.RINGBACK, rate, 1.0))))
    assert int(np.argmax(spectrum)) == 425


@pytest.mark.parametrize("tone", Tone)
def test_the_size_of_the_frames_makes_no_difference(tone: Tone) -> None:
    assert played(tone, 8000, 3.5, 160) == played(tone, 8000, 3.5, 173)
    assert played(Tone.BUSY, 8000, 3.5, 160) == played(Tone.BUSY, 8000, 3.5, 9001)
