"""From packets to the loudspeaker in virtual time: loss, jitter, drift, pauses, any packet size."""

import audioop
import random

import pytest

from applet.media.codec import create
from tests.support.streams import CODEC, FRAME_BYTES, heard, noise, playing, stream, ticks, tone


def speech(seconds: int) -> bytes:
    """Half a second of voice, half a second of silence."""
    return (tone(500, 130) + bytes(8000)) * seconds


def through_g711(pcm: bytes) -> bytes:
    return CODEC.decode(CODEC.encode(pcm))


def test_a_clean_stream_is_played_as_it_is() -> None:
    pcm = speech(2)
    played = b"".join(heard(playing(), stream(pcm), ticks(2.0)))
    assert played == through_g711(pcm)


def test_every_frame_has_20_ms_whatever_comes() -> None:
    playout = playing()
    frames = heard(playout, stream(speech(1))[::3], ticks(3.0))
    assert {len(frame) for frame in frames} == {FRAME_BYTES}


@pytest.mark.parametrize("packet_ms", [10, 20, 30, 40, 60])
def test_packets_of_any_length_are_played_as_they_are(packet_ms: int) -> None:
    pcm = tone(3000)
    played = b"".join(heard(playing(), stream(pcm, packet_ms), ticks(3.0, start=100.012)))
    expected = through_g711(pcm)[: len(pcm) // (16 * packet_ms) * 16 * packet_ms]
    assert expected[:40_000] in played


def test_codecs_may_change_with_every_packet() -> None:
    playout = playing()
    alaw = create("PCMA")
    voice = tone(400)
    for i in range(20):
        kind, codec = ((0, CODEC), (8, alaw))[i % 2]
        frame = voice[320 * i : 320 * i + 320]
        playout.buffer.push(i, 160 * i, kind, codec.encode(frame), i * 0.02)
        played = playout.frame(i * 0.02 + 0.01)
        assert audioop.rms(audioop.add(played, audioop.mul(frame, 2, -1), 2), 2) < 200


def test_a_payload_type_that_is_not_agreed_any_more_is_a_gap() -> None:
    playout = playing()
    playout.buffer.push(0, 0, 99, bytes(160), 0.0)
    assert playout.frame(0.01) == bytes(320)


def test_of_a_long_packet_that_comes_late_the_rest_is_played() -> None:
    pcm = tone(24_000)
    arrivals = stream(pcm, 60)
    playout = playing()
    heard(playout, arrivals[:300], ticks(18.0))
    playout.frame(118.005)
    for packet in arrivals[300:302]:
        playout.buffer.push(packet.sequence, packet.timestamp, 0, packet.payload, 118.02)
    playout.frame(118.025)
    assert playout.frame(118.045) == through_g711(pcm)[288_640:288_960]
    assert playout.buffer.late == 0


def test_a_giant_packet_is_cut() -> None:
    playout = playing()
    playout.buffer.push(0, 0, 0, bytes(60_000), 0.0)
    frames = [playout.frame(0.01 + i * 0.02) for i in range(30)]
    assert all(len(frame) == FRAME_BYTES for frame in frames)
    assert sum(audioop.rms(frame, 2) > 30_000 for frame in frames) <= 11


@pytest.mark.parametrize("loss", [0.03, 0.1, 0.3])
def test_losses_are_concealed_and_do_not_change_the_delay(loss: float) -> None:
    chance = random.Random(1)
    arrivals = stream(tone(4000))
    kept = [a for a in arrivals if chance.random() >= loss or a.sequence < 1010]
    playout = playing()
    frames = heard(playout, kept, ticks(4.0))
    quiet = sum(audioop.rms(frame, 2) < 1000 for frame in frames)
    assert quiet <= len(frames) * loss * loss
    assert playout.buffer.delay == 40
    lost = 1 - len(kept) / len(arrivals)
    assert playout.quality.loss == pytest.approx(lost, abs=0.02)
    assert playout.buffer.late == 0


def test_fault_11_reordered_and_doubled_packets_are_played_once_and_in_order() -> None:
    pcm = speech(10)
    arrivals = stream(pcm)
    moved = [a._replace(at=a.at + 0.03 * (a.sequence % 7 == 3)) for a in arrivals]
    playout = playing()
    played = heard(playout, [*moved, *(a for a in moved if a.sequence % 5 == 0)], ticks(10.2))
    assert playout.buffer.duplicates == 100
    assert playout.buffer.reordered >= 70
    assert through_g711(pcm)[80_000:150_000] in b"".join(played)


def test_jitter_in_a_voice_without_a_pause_is_absorbed_by_its_periods() -> None:
    arrivals = [a._replace(at=a.at + 0.03 * (a.sequence % 7 == 3)) for a in stream(tone(20_000))]
    playout = playing()
    heard(playout, arrivals, ticks(10.0))
    before = playout.buffer.late
    heard(playout, [a for a in arrivals if a.at > 110.0], ticks(9.9, start=110.005))
    assert before > 10
    assert playout.buffer.late == before


def test_jitter_is_absorbed_with_no_more_delay_than_it_needs() -> None:
    chance = random.Random(2)
    arrivals = [a._replace(at=a.at + chance.uniform(0, 0.04)) for a in stream(speech(10))]
    playout = playing()
    heard(playout, arrivals, ticks(10.0))
    assert playout.buffer.late <= 2
    assert 0.035 <= playout.buffer.delay / 8000 <= 0.065


def test_the_delay_shrinks_again_when_the_jitter_is_over() -> None:
    chance = random.Random(3)
    arrivals = [
        a._replace(at=a.at + (chance.uniform(0, 0.1) if a.sequence < 1250 else 0))
        for a in stream(speech(20))
    ]
    playout = playing()
    frames = heard(playout, arrivals, ticks(20.0))
    assert playout.buffer.delay / 8000 <= 0.025
    assert len(frames) == 1000


def test_a_voice_without_a_pause_is_shortened_by_its_periods() -> None:
    arrivals = [
        a._replace(at=a.at + (0.09 if a.sequence < 1100 else 0)) for a in stream(tone(15_000))
    ]
    playout = playing()
    heard(playout, [*stream(bytes(320), start=100.0), *arrivals[1:]], ticks(15.0))
    assert playout.buffer.delay / 8000 <= 0.03


def test_noise_without_a_pause_is_left_alone() -> None:
    arrivals = [
        a._replace(at=a.at + (0.09 if a.sequence < 1100 else 0)) for a in stream(noise(15_000))
    ]
    playout = playing()
    heard(playout, [*stream(bytes(320), start=100.0), *arrivals[1:]], ticks(15.0))
    assert playout.buffer.delay / 8000 >= 0.05


@pytest.mark.parametrize("ppm", [2000, -2000, 200, -200])
def test_fault_11_drift_over_ten_minutes_does_not_grow_the_delay(ppm: int) -> None:
    pcm = speech(600)
    arrivals = [a._replace(at=100 + (a.at - 100) / (1 + ppm * 1e-6)) for a in stream(pcm)]
    playout = playing()
    frames = heard(playout, arrivals, ticks(598.0))
    assert len(frames) == 29_900
    assert playout.buffer.delay / 8000 <= 0.06
    assert playout.buffer.late <= 30
    assert playout.quality.loss < 0.001


def test_comfort_noise_fills_the_pause_that_it_announces() -> None:
    playout = playing()
    arrivals = stream(tone(1000))
    heard(playout, arrivals, ticks(1.0))
    playout.buffer.push(1050, 48_000, 13, b"\x28", 101.0, pause=True)
    frames = [playout.frame(101.005 + i * 0.02) for i in range(50)]
    for frame in frames:
        assert audioop.rms(frame, 2) == pytest.approx(328, rel=0.5)
    assert playout.quality.missed == 0


def test_a_digit_is_silent_and_no_loss() -> None:
    playout = playing()
    heard(playout, stream(tone(1000)), ticks(1.0))
    playout.buffer.push(1050, 48_000, 101, b"", 101.0, pause=True)
    assert playout.frame(101.005) == bytes(320)
    playout.buffer.push(1056, 48_960, 0, CODEC.encode(tone(20)), 101.12)
    for i in range(1, 7):
        playout.frame(101.005 + i * 0.02)
    assert playout.level > 1000
    assert playout.quality.missed == 0


def test_a_pause_that_comes_during_concealment_ends_it() -> None:
    playout = playing()
    heard(playout, stream(tone(1000)), ticks(1.0))
    assert audioop.rms(playout.frame(101.005), 2) > 1000
    playout.buffer.push(1050, 48_000, 101, b"", 101.02, pause=True)
    assert playout.frame(101.025) == bytes(320)


def test_silence_with_unbroken_numbers_is_no_loss() -> None:
    playout = playing()
    heard(playout, stream(tone(1000)), ticks(1.0))
    for i in range(50):
        playout.frame(101.005 + i * 0.02)
    playout.buffer.push(1050, 56_000, 0, CODEC.encode(tone(20)), 102.0)
    playout.frame(102.005)
    assert playout.quality.missed == 0


def test_a_restart_plays_nothing_of_what_waited() -> None:
    playout = playing()
    heard(playout, stream(tone(1000, level=8000), 60), ticks(0.5))
    playout.restart()
    playout.buffer.push(1, 5, 0, CODEC.encode(bytes(320)), 101.0)
    assert audioop.rms(playout.frame(101.01), 2) < 20


def test_while_a_loss_is_concealed_the_delay_is_not_touched() -> None:
    """A late burst asks for a shorter delay, and the packets that remain are few."""
    arrivals = [
        a._replace(at=a.at + (0.15 if 1010 < a.sequence < 1040 else 0)) for a in stream(speech(6))
    ]
    kept = [a for a in arrivals if a.sequence % 4]
    playout = playing()
    frames = heard(playout, kept, ticks(6.0))
    assert {len(frame) for frame in frames} == {FRAME_BYTES}
    assert playout.buffer.delay / 8000 <= 0.2
