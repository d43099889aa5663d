"""The callbacks of a sound card, called as PortAudio calls them."""

import time
from collections import deque

import numpy as np
import pytest

from applet.audio.device import SILENCE
from applet.audio.stream import RING_FRAMES, Format, MicrophoneFeed, SpeakerFeed

FORMATS = [Format(rate, channels) for rate in (8000, 16000, 44100, 48000) for channels in (1, 2)]


class Tone:
    """440 Hz without a seam, 20 ms at a time."""

    def __init__(self) -> None:
        self.played = 0

    def __call__(self) -> bytes:
        n = np.arange(self.played * 160, self.played * 160 + 160)
        self.played += 1
        return (8000 * np.sin(2 * np.pi * 440 * n / 8000)).astype("<i2").tobytes()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("frames", [0, 1, 160, 512, 960, 4801])
def test_the_card_gets_exactly_what_it_asks_for(form: Format, frames: int) -> None:
    feed = SpeakerFeed(Tone(), form)
    for _ in range(3):
        data, flag = feed.callback(None, frames, None, 0)
        assert len(data) == 2 * frames * form.channels
        assert flag == 0


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_played_has_no_glitch(form: Format) -> None:
    feed = SpeakerFeed(Tone(), form)
    data = b"".join(feed.callback(None, 441, None, 0)[0] for _ in range(100))
    wave = np.frombuffer(data, "<i2").reshape(-1, form.channels)[2000:, 0].astype(float)
    n = np.arange(len(wave)) * 2 * np.pi * 440 / form.rate
    basis = np.stack([np.sin(n), np.cos(n)], axis=1)
    rest = wave - basis @ np.linalg.lstsq(basis, wave, rcond=None)[0]
    assert np.max(np.abs(rest)) < 40


def test_an_exception_in_the_playout_becomes_silence_and_does_not_come_out() -> None:
    def fail() -> bytes:
        raise ZeroDivisionError

    data, flag = SpeakerFeed(fail, Format(48000, 2)).callback(None, 960, None, 0)
    assert data == bytes(3840)
    assert flag == 0


@pytest.mark.parametrize("form", FORMATS)
def test_the_microphone_gives_frames_of_20_ms(form: Format) -> None:
    ring: deque[bytes] = deque()
    wakes: list[int] = []
    feed = MicrophoneFeed(ring, lambda: wakes.append(len(ring)), form)
    n = np.arange(form.rate)
    wave = (8000 * np.sin(2 * np.pi * 440 * n / form.rate)).astype("<i2")
    data = np.repeat(wave, form.channels).tobytes()
    step = 2 * form.channels * 500
    for start in range(0, len(data), step):
        assert feed.callback(data[start : start + step], 500, None, 0) == (None, 0)
    assert {len(frame) for frame in ring} == {320}
    assert 49 <= len(ring) <= 50
    assert wakes[-1] == len(ring)
    heard = np.frombuffer(b"".join(ring), "<i2").astype(float)[400:]
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(8000 / np.sqrt(2), rel=0.02)


def test_what_is_not_taken_in_time_is_lost_oldest_first() -> None:
    ring: deque[bytes] = deque(maxlen=RING_FRAMES)
    feed = MicrophoneFeed(ring, lambda: None, Format(8000, 1))
    for number in range(15):
        feed.callback(bytes([number, 0]) * 160, 160, None, 0)
    assert [frame[0] for frame in ring] == list(range(5, 15))


def test_pure_zeros_are_noticed_and_forgotten_with_the_first_sound() -> None:
    begin = time.monotonic()
    feed = MicrophoneFeed(deque(), lambda: None, Format(8000, 1))
    feed.callback(SILENCE, 160, None, 0)
    assert feed.silent_since is not None
    assert feed.silent_since >= begin
    feed.callback(b"\1\0" * 160, 160, None, 0)
    assert feed.silent_since is None
    feed.callback(SILENCE, 160, None, 0)
    assert feed.silent_since is not None


def test_nothing_that_a_card_delivers_makes_the_microphone_raise() -> None:
    feed = MicrophoneFeed(deque(), lambda: None, Format(48000, 2))
    for data in (None, b"", b"\1", b"\1\2\3"):
        assert feed.callback(data, 960, None, 0) == (None, 0)
