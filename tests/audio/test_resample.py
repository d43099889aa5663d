"""Tones through the resampler: what passes, what is stopped, and that there are no seams."""

import numpy as np
import numpy.typing as npt
import pytest

from applet.audio.resample import Resampler

Samples = npt.NDArray[np.float64]
UPWARD = [(8000, 16000), (8000, 44100), (8000, 48000), (8000, 96000), (11025, 48000)]
DOWNWARD = [(16000, 8000), (22050, 8000), (44100, 8000), (48000, 8000), (192000, 8000)]


def tone(hertz: float, rate: int, seconds: float = 1.0) -> bytes:
    wave = 16000 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)
    return wave.round().astype("<i2").tobytes()


def converted(pcm: bytes, rate_in: int, rate_out: int, piece: int = 0) -> Samples:
    """What comes out, in pieces of `piece` input samples, without the first and last 50 ms."""
    resampler = Resampler(rate_in, rate_out)
    step = 2 * piece or len(pcm)
    out = b"".join(resampler.process(pcm[i : i + step]) for i in range(0, len(pcm), step))
    edge = rate_out // 20
    return np.frombuffer(out, "<i2").astype(np.float64)[edge:-edge]


def level_db(wave: Samples) -> float:
    """Relative to `tone`."""
    return float(20 * np.log10(np.sqrt(np.mean(wave**2)) / (16000 / np.sqrt(2)) + 1e-9))


def apart_from_db(wave: Samples, hertz: float, rate: int) -> float:
    """The level of everything that is not the tone itself."""
    t = 2 * np.pi * hertz * np.arange(len(wave)) / rate
    basis = np.stack([np.sin(t), np.cos(t), np.ones(len(wave))], axis=1)
    fitted = basis @ np.linalg.lstsq(basis, wave, rcond=None)[0]
    return level_db(wave - fitted)


@pytest.mark.parametrize(("rate_in", "rate_out"), UPWARD + DOWNWARD)
@pytest.mark.parametrize("hertz", [200, 1000, 2500, 3400])
def test_speech_frequencies_pass_within_1_db_and_clean(
    rate_in: int, rate_out: int, hertz: int
) -> None:
    wave = converted(tone(hertz, rate_in), rate_in, rate_out)
    assert abs(level_db(wave)) < 1.0
    assert apart_from_db(wave, hertz, rate_out) < -50


@pytest.mark.parametrize(("rate_in", "rate_out"), DOWNWARD)
@pytest.mark.parametrize("hertz", [4700, 5000, 6000, 7000, 7900])
def test_what_would_alias_is_stopped_by_50_db(rate_in: int, rate_out: int, hertz: int) -> None:
    assert level_db(converted(tone(hertz, rate_in), rate_in, rate_out)) < -50


@pytest.mark.parametrize("rate_in", [44100, 48000, 192000])
@pytest.mark.parametrize("hertz", [9000, 10000, 12500, 15000, 19000, 21900])
def test_music_above_speech_is_stopped_too(rate_in: int, hertz: int) -> None:
    assert level_db(converted(tone(hertz, rate_in), rate_in, 8000)) < -50


@pytest.mark.parametrize(("rate_in", "rate_out"), UPWARD + DOWNWARD)
def test_pieces_of_any_size_give_the_same_samples_as_one(rate_in: int, rate_out: int) -> None:
    pcm = tone(700, rate_in, 0.5)
    whole = converted(pcm, rate_in, rate_out)
    for piece in (1, 37, rate_in // 50, 1023):
        pieces = converted(pcm, rate_in, rate_out, piece)
        assert abs(len(pieces) - len(whole)) <= 1
        length = min(len(pieces), len(whole))
        assert np.array_equal(pieces[:length], whole[:length])


@pytest.mark.parametrize(("rate_in", "rate_out"), [*UPWARD, *DOWNWARD, (12000, 8000)])
def test_one_second_in_is_one_second_out_within_4_ms(rate_in: int, rate_out: int) -> None:
    out = Resampler(rate_in, rate_out).process(bytes(2 * rate_in))
    assert 0 <= rate_out - len(out) // 2 <= 0.004 * rate_out
    assert not any(out)


def test_full_scale_sound_is_clipped_and_does_not_wrap_around() -> None:
    square = np.where(np.arange(48000) // 60 % 2 == 0, 32767, -32768).astype("<i2").tobytes()
    wave = converted(square, 48000, 8000)
    steps = np.abs(np.diff(wave))
    assert np.max(np.abs(wave)) > 32000
    # A wrapped sample would jump by the whole range between two neighbours, and back.
    assert np.max(np.minimum(steps[1:], steps[:-1])) < 50000


def test_equal_rates_are_left_alone() -> None:
    assert Resampler(8000, 8000).process(b"\x01\x02\x03\x04") == b"\x01\x02\x03\x04"
