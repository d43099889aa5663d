"""Comfort noise: the level of RFC 3389 section 3."""

import audioop

import pytest

from applet.media.comfort_noise import ComfortNoise, level_of


def test_without_a_level_it_is_silent() -> None:
    assert ComfortNoise().frame(160) == bytes(320)


@pytest.mark.parametrize("level", [20, 40, 60])
def test_it_is_as_loud_as_it_should_be(level: int) -> None:
    noise = ComfortNoise()
    noise.set_level(level)
    rms = audioop.rms(b"".join(noise.frame(160) for _ in range(50)), 2)
    assert rms == pytest.approx(32767 * 10 ** (-level / 20), rel=0.15)


def test_a_level_nobody_hears_is_silence() -> None:
    noise = ComfortNoise()
    noise.set_level(100)
    assert noise.frame(160) == bytes(320)


def test_no_frame_is_like_the_one_before() -> None:
    noise = ComfortNoise()
    noise.set_level(30)
    assert len({noise.frame(160) for _ in range(100)}) == 100


def test_a_frame_of_any_length() -> None:
    noise = ComfortNoise()
    noise.set_level(30)
    assert len(noise.frame(20_000)) == 40_000


@pytest.mark.parametrize(("payload", "level"), [(b"", 127), (b"\x28", 40), (b"\xa8\x01\x02", 40)])
def test_the_level_is_in_the_first_byte(payload: bytes, level: int) -> None:
    assert level_of(payload) == level
