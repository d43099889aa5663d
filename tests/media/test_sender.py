"""Our own stream: numbers, timestamps that go on with the clock, packet lengths, digits."""

import random
from itertools import pairwise

import pytest

from applet.media.codec import create
from applet.media.rtp import RtpPacket, parse_rtp
from applet.media.sender import RtpSender
from tests.support.streams import tone

FRAME = bytes(320)


def sender(ptime_ms: int = 20) -> RtpSender:
    made = RtpSender(random.Random(1), 8000)
    made.use(create("PCMU"), 0, ptime_ms)
    return made


def packets(
    made: RtpSender, count: int, start: float = 0.0, dtmf: int | None = None, pcm: bytes = FRAME
) -> list[RtpPacket]:
    sent = []
    for i in range(count):
        sent += made.frame(pcm, start + i * 0.02, dtmf)
    return [parse_rtp(data) for data in sent]


def test_before_a_codec_is_agreed_nothing_is_sent() -> None:
    assert RtpSender(random.Random(1), 8000).frame(FRAME, 0.0, None) == []


def test_numbers_and_timestamps_go_on_and_the_first_packet_is_marked() -> None:
    sent = packets(sender(), 4)
    first = sent[0]
    assert [p.sequence - first.sequence for p in sent] == [0, 1, 2, 3]
    assert [(p.timestamp - first.timestamp) % (1 << 32) for p in sent] == [0, 160, 320, 480]
    assert [p.marker for p in sent] == [True, False, False, False]
    assert {p.ssrc for p in sent} == {first.ssrc}


def test_numbers_and_timestamps_wrap() -> None:
    made = sender()
    made.timestamp = (1 << 32) - 160
    made._sequence = 65_534
    sent = packets(made, 3)
    assert [p.timestamp for p in sent] == [(1 << 32) - 160, 0, 160]
    assert [p.sequence for p in sent] == [65_535, 0, 1]


def test_the_sound_is_the_frame_that_was_given() -> None:
    voice = tone(20)
    assert packets(sender(), 1, pcm=voice)[0].payload == create("PCMU").encode(voice)


@pytest.mark.parametrize(("ptime", "per_packet"), [(10, 80), (30, 240), (40, 320), (60, 480)])
def test_packets_of_another_length_lose_no_sample(ptime: int, per_packet: int) -> None:
    voice = tone(240)
    made = sender(ptime)
    sent = []
    for i in range(12):
        sent += made.frame(voice[320 * i : 320 * i + 320], i * 0.02, None)
    read = [parse_rtp(data) for data in sent]
    assert {len(p.payload) for p in read} == {per_packet}
    assert b"".join(p.payload for p in read) == create("PCMU").encode(voice)
    steps = {(b.timestamp - a.timestamp) % (1 << 32) for a, b in pairwise(read)}
    assert steps == {per_packet}


def test_what_is_not_sent_moves_the_timestamp_and_the_next_packet_is_marked() -> None:
    made = sender()
    before = packets(made, 2)[-1]
    for i in range(10):
        made.skip(0.04 + i * 0.02)
    after = packets(made, 1, 0.24)[0]
    assert after.sequence == before.sequence + 1
    assert (after.timestamp - before.timestamp) % (1 << 32) == 11 * 160
    assert after.marker


def test_a_device_that_stalled_moves_the_timestamp() -> None:
    made = sender()
    before = packets(made, 2)[-1]
    after = packets(made, 1, 1.02)[0]
    assert (after.timestamp - before.timestamp) % (1 << 32) == 50 * 160
    assert after.marker


def test_a_device_that_wanders_does_not_move_the_timestamp() -> None:
    made = sender()
    first = packets(made, 1)[0]
    assert (packets(made, 1, 0.08)[0].timestamp - first.timestamp) % (1 << 32) == 160


def test_a_digit_takes_the_place_of_the_sound() -> None:
    made = sender()
    made.digits.queue("5")
    sent, finished = [], []
    for i in range(12):
        sent += [parse_rtp(data) for data in made.frame(FRAME, i * 0.02, 101)]
        finished.append(made.finished_digit)
        made.finished_digit = ""
    events = [p for p in sent if p.payload_type == 101]
    assert len({p.timestamp for p in events}) == 1
    assert [p.marker for p in events][:2] == [True, False]
    assert sum(p.payload[1] & 0x80 > 0 for p in events) == 3
    assert sent[-1].payload_type == 0
    assert "".join(finished) == "5"
    assert [p.sequence - sent[0].sequence for p in sent] == list(range(len(sent)))


def test_without_a_payload_type_digits_wait() -> None:
    made = sender()
    made.digits.queue("5")
    assert {p.payload_type for p in packets(made, 5)} == {0}


def test_half_a_packet_is_not_kept_over_a_pause() -> None:
    made = sender(40)
    assert made.frame(tone(20), 0.0, None) == []
    made.skip(0.02)
    sent = [parse_rtp(d) for t in (0.04, 0.06) for d in made.frame(FRAME, t, None)]
    assert [p.payload for p in sent] == [create("PCMU").encode(bytes(640))]


def test_packets_and_octets_are_counted_for_the_report() -> None:
    made = sender()
    packets(made, 5)
    assert (made.packets, made.octets) == (5, 800)
