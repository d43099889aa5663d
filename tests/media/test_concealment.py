"""A gap is filled with the voice before it, which fades; the sound that returns is faded in."""

import audioop

import pytest

from applet.media.concealment import Concealer
from tests.support.streams import noise, tone

FRAME = 160


def level(pcm: bytes) -> int:
    return audioop.rms(pcm, 2)


def likeness(one: bytes, other: bytes) -> float:
    return audioop.findfactor(one, other) * level(other) / level(one)


@pytest.mark.parametrize("frequency", [70.0, 110.0, 150.0, 200.0, 320.0])
def test_a_voice_goes_on_as_it_was(frequency: float) -> None:
    voice = tone(200, frequency)
    made = Concealer(8000).conceal(voice[:1600], FRAME)
    assert len(made) == 320
    assert likeness(made, voice[1600:1920]) > 0.97


def test_it_fades_until_nothing_is_left() -> None:
    concealer = Concealer(8000)
    voice = tone(100)
    levels = [level(concealer.conceal(voice, FRAME)) for _ in range(8)]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > 0.8 * level(voice)
    assert levels[-1] == 0


def test_a_voice_that_was_fading_goes_on_fading() -> None:
    voice = b"".join(
        audioop.mul(tone(100)[i : i + 80], 2, 0.96 ** (i // 80)) for i in range(0, 1600, 80)
    )
    steady, fading = Concealer(8000), Concealer(8000)
    assert level(fading.conceal(voice, FRAME)) / level(voice[-320:]) < 0.9 * (
        level(steady.conceal(tone(100), FRAME)) / level(tone(100))
    )


def test_the_sound_that_returns_is_cross_faded() -> None:
    concealer = Concealer(8000)
    voice = tone(200)
    concealer.conceal(voice[:1600], FRAME)
    assert concealer.active
    returned = concealer.resume(noise(20))
    assert not concealer.active
    assert len(returned) == 320
    assert returned[64:] == noise(20)[64:]
    assert likeness(returned[:16], voice[1920:1936]) > 0.8


def test_after_a_long_gap_the_sound_simply_returns() -> None:
    concealer = Concealer(8000)
    for _ in range(10):
        concealer.conceal(tone(100), FRAME)
    assert concealer.resume(noise(20)) == noise(20)
    assert not concealer.active


def test_a_packet_shorter_than_the_cross_fade_is_faded_whole() -> None:
    concealer = Concealer(8000)
    concealer.conceal(tone(100), FRAME)
    assert len(concealer.resume(noise(20)[:20])) == 20


def test_a_gap_that_ends_in_a_pause_is_over() -> None:
    concealer = Concealer(8000)
    concealer.conceal(tone(100), FRAME)
    concealer.stop()
    assert not concealer.active


@pytest.mark.parametrize("history", [b"", bytes(100), bytes(1280), b"\xff\x7f" * 640])
def test_any_history_will_do(history: bytes) -> None:
    concealer = Concealer(8000)
    assert len(concealer.conceal(history, FRAME)) == 320
    assert len(concealer.resume(bytes(320))) == 320


def test_silence_is_continued_with_silence() -> None:
    assert Concealer(8000).conceal(bytes(1280), FRAME) == bytes(320)


def test_the_loudest_sound_does_not_overflow() -> None:
    square = (b"\xff\x7f" * 20 + b"\x01\x80" * 20) * 20
    concealer = Concealer(8000)
    assert all(len(concealer.conceal(square, FRAME)) == 320 for _ in range(6))


def test_a_gap_may_be_filled_in_any_pieces() -> None:
    whole, pieces = Concealer(8000), Concealer(8000)
    one = whole.conceal(tone(100), FRAME)
    two = pieces.conceal(tone(100), 53) + pieces.conceal(b"", FRAME - 53)
    assert max(abs(a - b) for a, b in zip(_samples(one), _samples(two), strict=True)) <= 1


def _samples(pcm: bytes) -> memoryview:
    return memoryview(pcm).cast("h")
