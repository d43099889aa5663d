"""The check of recordings proves itself: it passes what was heard and fails everything else."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.audio_compare import FRAME, check_both, compare, cross_talk, frame_levels
from tests.support.speech import (
    RATE,
    Samples,
    level_dbfs,
    read_wav,
    resampled,
    synthetic_speech,
    write_wav,
)

CALLER = synthetic_speech(1)
DESK = synthetic_speech(2)


def as_received(speech: Samples, start_s: float = 1.3, seconds: float = 8.0) -> Samples:
    """Looped speech from some point on, after silence, through 8-bit mu-law."""
    first = int(start_s * RATE)
    piece = np.tile(speech, 4)[first : first + int(seconds * RATE)]
    sign, size = np.sign(piece), np.abs(piece) / 32768
    coded = np.round(np.log1p(255 * size) / np.log(256) * 127) / 127
    return np.concatenate([np.zeros(3000), sign * (256**coded - 1) / 255 * 32768])


@pytest.mark.parametrize("start_s", [0.0, 0.004, 0.02, 3.7])
@pytest.mark.parametrize("seconds", [2.5, 11.03])
def test_a_recording_may_start_anywhere_in_the_loop(start_s: float, seconds: float) -> None:
    heard = compare(CALLER, as_received(CALLER, start_s, seconds))
    heard.check()
    assert heard.delay_s < len(CALLER) / RATE


def test_speech_that_arrived_passes() -> None:
    heard = compare(CALLER, as_received(CALLER))
    heard.check()
    assert heard.correlation > 0.99
    assert heard.frames_present > 0.99
    assert heard.seconds == pytest.approx(8, abs=0.6)


def test_a_jitter_buffer_that_moves_in_mid_call_passes() -> None:
    received = as_received(CALLER)
    middle = len(received) // 2
    moved = np.concatenate([received[:middle], received[middle + 90 :]])
    compare(CALLER, moved).check()


def test_a_muted_run_fails() -> None:
    with pytest.raises(AssertionError, match="too short"):
        compare(CALLER, np.zeros(8 * RATE)).check()
    noise = np.random.default_rng(3).normal(0, 1000, 8 * RATE)
    with pytest.raises(AssertionError, match="correlation"):
        compare(CALLER, noise).check()


def test_a_swapped_run_fails() -> None:
    with pytest.raises(AssertionError, match="correlation"):
        check_both(CALLER, as_received(DESK), DESK)


def test_one_direction_in_the_other_fails() -> None:
    assert cross_talk(DESK, as_received(CALLER)) < 0.1
    mixed = as_received(CALLER) + 0.25 * as_received(DESK, start_s=2.2)
    assert cross_talk(DESK, mixed) > 0.15


def test_three_percent_of_lost_frames_fail() -> None:
    holed = as_received(CALLER)
    for frame in range(10, len(holed) // FRAME, 30):
        holed[frame * FRAME : (frame + 1) * FRAME] = 0
    with pytest.raises(AssertionError, match="frames_present"):
        compare(CALLER, holed).check()


def test_a_wrong_level_fails() -> None:
    with pytest.raises(AssertionError, match="level_db"):
        compare(CALLER, as_received(CALLER) * 0.8).check()
    compare(CALLER, as_received(CALLER) * 0.8).check(level_db=3)


def test_noise_and_distortion_fail() -> None:
    received = as_received(CALLER)
    noisy = received + np.random.default_rng(4).normal(0, 1500, len(received))
    with pytest.raises(AssertionError, match="correlation"):
        compare(CALLER, noisy).check(level_db=9)


def test_a_recording_cut_short_is_not_judged() -> None:
    with pytest.raises(AssertionError, match="too short"):
        compare(CALLER, as_received(CALLER, seconds=0.7)).check()


def test_levels_are_those_of_the_field() -> None:
    full_scale_sine = 32767 * np.sin(np.arange(RATE) * 2 * np.pi * 1000 / RATE)
    assert level_dbfs(full_scale_sine) == pytest.approx(-3.01, abs=0.01)
    assert frame_levels(np.zeros(FRAME * 2)).tolist() == [-120, -120]


def test_sound_keeps_its_shape_when_its_rate_changes(tmp_path: Path) -> None:
    at_22050 = 9000 * np.sin(np.arange(22050) * 2 * np.pi * 440 / 22050)
    at_8000 = resampled(at_22050, 22050)
    assert at_8000 == pytest.approx(9000 * np.sin(np.arange(8000) * 2 * np.pi * 440 / 8000), abs=5)
    write_wav(tmp_path / "a.wav", at_8000)
    assert read_wav(tmp_path / "a.wav") == pytest.approx(at_8000, abs=0.51)
