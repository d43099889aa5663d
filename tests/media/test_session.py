"""A call's sound as a whole, both ways, in virtual time."""

import audioop
import random
from collections.abc import Iterable

import pytest

from applet.address import Address
from applet.media.dtmf import DtmfSender
from applet.media.events import DigitReceived, DigitSent, InjectionEnded, Latched
from applet.media.parameters import MediaParameters
from applet.media.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    encode_rtcp,
    parse_rtcp,
)
from applet.media.rtp import RtpPacket, parse_rtp
from applet.media.session import MediaSession, Outgoing
from applet.media.tones import Tone
from tests.support.streams import CODEC, tone

PEER = Address("192.0.2.9", 6000)
PEER_CONTROL = Address("192.0.2.9", 6001)
REAL = Address("203.0.113.7", 61_234)
STRANGER = Address("198.51.100.66", 9999)
AGREED = MediaParameters(
    PEER, PEER_CONTROL, "PCMU", 0, ((0, "PCMU"), (8, "PCMA")), 101, 101, 13, "sendrecv"
)
VOICE = tone(20)
SILENCE = bytes(320)


class Line:
    """One session and its other side. `now` moves by 20 ms with every tick."""

    def __init__(self, agreed: MediaParameters | None = AGREED, *, answered: bool = True) -> None:
        self.session = MediaSession(random.Random(1), "me@here")
        self.now = 10.0
        self.number = 0
        self.sent: list[Outgoing] = []
        if agreed is not None:
            self.session.update(agreed, self.now)
        if answered:
            self.session.open_microphone()

    def receive(
        self,
        pcm: bytes = VOICE,
        source: Address = PEER,
        *,
        ssrc: int = 77,
        payload_type: int = 0,
        payload: bytes | None = None,
    ) -> None:
        data = CODEC.encode(pcm) if payload is None else payload
        packet = RtpPacket(payload_type, self.number, 160 * self.number, ssrc, False, data)
        self.session.receive_datagram(packet.encode(), source, self.now)

    def tick(
        self, microphone: bytes = VOICE, *, hears: bool = True, source: Address = PEER
    ) -> bytes:
        """20 ms: a packet of theirs comes (`hears`), 20 ms are played, 20 ms are recorded."""
        if hears:
            self.receive(source=source)
        self.number += 1
        played = self.session.playout(self.now + 0.01)
        self.session.capture(microphone, self.now + 0.01)
        self.session.handle_timers(self.now + 0.01)
        self.sent += self.session.datagrams_to_send()
        self.now += 0.02
        return played

    def run(self, ticks: int, *, hears: bool = True, source: Address = PEER) -> list[bytes]:
        return [self.tick(hears=hears, source=source) for _ in range(ticks)]

    def rtp(self) -> list[RtpPacket]:
        """What was sent since the last call, without RTCP."""
        sent, self.sent = self.sent, []
        return [parse_rtp(out.data) for out in sent if not out.control and out.data]

    def control(self) -> list[Outgoing]:
        sent, self.sent = self.sent, []
        return [out for out in sent if out.control]


class Frames:
    def __init__(self, frames: Iterable[bytes]) -> None:
        self._frames = iter(frames)

    def read(self, samples: int) -> bytes:
        return next(self._frames, b"")


def is_silent(packet: RtpPacket) -> bool:
    return audioop.max(CODEC.decode(packet.payload), 2) == 0


def loud(frame: bytes) -> bool:
    return audioop.rms(frame, 2) > 1000


# --- both ways ------------------------------------------------------------------------------


def test_both_sides_hear_each_other() -> None:
    line = Line()
    assert all(loud(frame) for frame in line.run(50))
    sent = line.rtp()
    assert len(sent) == 50
    assert {p.payload for p in sent} == {CODEC.encode(VOICE)}


def test_before_anything_is_agreed_nothing_flows() -> None:
    line = Line(None)
    assert line.run(5) == [SILENCE] * 5
    assert line.sent == []
    assert line.session.next_timer() is None
    assert not line.session.send_digits("1", 10.0)


@pytest.mark.parametrize(
    ("direction", "sends", "hears"),
    [
        ("sendrecv", True, True),
        ("sendonly", True, False),
        ("recvonly", False, True),
        ("inactive", False, False),
    ],
)
def test_fault_05_the_direction_is_obeyed(direction: str, sends: bool, hears: bool) -> None:
    line = Line(AGREED._replace(direction=direction))
    assert [loud(frame) for frame in line.run(5)] == [hears] * 5
    assert len(line.rtp()) == (5 if sends else 0)


def test_on_hold_by_address_zero_nothing_is_sent() -> None:
    line = Line()
    line.run(5)
    line.rtp()
    line.session.update(AGREED._replace(remote_rtp=None, remote_rtcp=None), line.now)
    line.run(5)
    assert line.rtp() == []


def test_timestamps_go_on_with_the_clock_while_the_direction_forbids_sending() -> None:
    line = Line()
    line.run(2)
    line.session.update(AGREED._replace(direction="inactive"), line.now)
    line.run(10)
    line.session.update(AGREED, line.now)
    line.run(1)
    _, before, after = line.rtp()
    assert (after.timestamp - before.timestamp) % (1 << 32) == 11 * 160
    assert after.marker


# --- privacy --------------------------------------------------------------------------------


def test_no_sample_of_the_microphone_leaves_before_the_answer() -> None:
    line = Line(answered=False)
    line.session.inject(Frames([VOICE] * 100))
    line.run(20)
    assert len(line.sent) == 20
    assert all(is_silent(p) for p in line.rtp())
    line.session.open_microphone()
    line.run(1)
    assert not is_silent(line.rtp()[0])


def test_no_sample_of_the_microphone_leaves_while_muted() -> None:
    line = Line()
    line.run(3)
    line.rtp()
    line.session.mute(True)
    line.run(20)
    assert all(is_silent(p) for p in line.rtp())
    line.session.mute(False)
    line.run(1)
    assert not is_silent(line.rtp()[0])


def test_hold_silences_microphone_and_loudspeaker_at_once_and_gives_them_back() -> None:
    line = Line()
    line.run(10)
    line.rtp()
    line.session.hold_locally(True)
    assert line.run(50) == [SILENCE] * 50
    sent = line.rtp()
    assert len(sent) == 50
    assert all(is_silent(p) for p in sent)
    line.session.hold_locally(False)
    assert loud(line.run(2)[-1])
    assert not is_silent(line.rtp()[0])


def test_nothing_that_came_during_hold_is_heard_after_it() -> None:
    line = Line()
    line.session.hold_locally(True)
    line.run(50)
    line.session.hold_locally(False)
    assert line.run(10, hears=False) == [SILENCE] * 10


def test_mute_and_hold_together_need_both_to_be_given_back() -> None:
    line = Line()
    line.session.mute(True)
    line.session.hold_locally(True)
    line.session.hold_locally(False)
    line.run(3)
    assert all(is_silent(p) for p in line.rtp())


def test_resume_does_not_wait_for_a_hold_that_was_not() -> None:
    line = Line()
    line.run(3)
    line.session.hold_locally(False)
    assert loud(line.tick())


# --- whose sound ----------------------------------------------------------------------------


def test_strangers_are_counted_and_not_heard() -> None:
    line = Line()
    for _ in range(500):
        assert loud(line.tick()) or line.number < 3
        for _ in range(10):
            line.receive(source=STRANGER)
    assert line.session.statistics(line.now).strangers == 5000
    assert line.session.events() == []
    assert {out.destination.host for out in line.sent} == {PEER.host}


def test_one_that_latches_is_told_heard_and_answered() -> None:
    line = Line()
    line.run(10, source=REAL)
    assert line.session.events() == [Latched(REAL)]
    assert loud(line.tick(source=REAL))
    assert line.sent[-1].destination == REAL
    line.run(400, source=REAL)
    assert {out.destination for out in line.control()} == {Address(REAL.host, REAL.port + 1)}


def test_reports_go_where_those_of_a_latched_peer_really_come_from() -> None:
    line = Line()
    line.run(10, source=REAL)
    there = Address(REAL.host, 50_000)
    line.session.receive_control(encode_rtcp([ReceiverReport(77)]), there, line.now)
    line.run(400, source=REAL)
    assert {out.destination for out in line.control()} == {there}


def test_another_stream_of_the_peer_takes_over() -> None:
    line = Line()
    line.run(20)
    for _ in range(20):
        line.receive(ssrc=99)
        frame = line.tick(hears=False)
    assert loud(frame)
    assert line.session.statistics(line.now).received == 40


def test_a_packet_that_is_none_or_was_not_agreed_is_counted() -> None:
    line = Line()
    line.session.receive_datagram(b"hello", PEER, line.now)
    line.receive(payload_type=99)
    assert line.session.statistics(line.now).invalid == 2


def test_codecs_may_change_without_a_word() -> None:
    line = Line()
    for _ in range(5):
        line.receive(payload_type=8, payload=audioop.lin2alaw(VOICE, 2))
        assert loud(line.tick(hears=False))


def test_a_number_far_off_is_not_believed() -> None:
    line = Line()
    line.run(5)
    line.number += 30_000
    line.receive()
    line.number -= 30_000
    assert loud(line.tick())


# --- digits, noise, tones, files ------------------------------------------------------------


def test_fault_12_digits_are_heard_once_each() -> None:
    line = Line()
    line.run(5)
    theirs = DtmfSender()
    theirs.queue("1#")
    while theirs.busy:
        event = theirs.packet(160 * line.number, 160)
        if event is not None:
            packet = RtpPacket(101, line.number, event.timestamp, 77, event.marker, event.payload)
            for _ in range(2):
                line.session.receive_datagram(packet.encode(), PEER, line.now)
        line.tick(hears=False)
    assert line.session.events() == [DigitReceived("1"), DigitReceived("#")]


def test_digits_are_sent_and_told() -> None:
    line = Line()
    assert line.session.send_digits("42", line.now)
    line.run(40)
    assert line.session.events() == [DigitSent("4"), DigitSent("2")]
    assert any(p.payload_type == 101 for p in line.rtp())


@pytest.mark.parametrize(
    "agreed", [AGREED._replace(dtmf_payload_type=None), AGREED._replace(direction="recvonly")]
)
def test_digits_that_cannot_be_sent_are_refused(agreed: MediaParameters) -> None:
    line = Line()
    line.session.send_digits("4", line.now)
    line.session.update(agreed, line.now)
    assert not line.session.send_digits("2", line.now)
    line.session.update(AGREED, line.now)
    line.run(20)
    assert {p.payload_type for p in line.rtp()} == {0}


def test_fault_12_comfort_noise_is_heard_as_soft_noise() -> None:
    line = Line()
    line.run(20)
    line.receive(payload_type=13, payload=b"\x28")
    levels = [audioop.rms(frame, 2) for frame in line.run(50, hears=False)]
    assert all(150 < level < 700 for level in levels)
    assert line.session.statistics(line.now).lost == 0


def test_a_tone_is_mixed_into_the_loudspeaker() -> None:
    line = Line(None)
    line.session.play_tone(Tone.RINGBACK)
    assert any(loud(frame) for frame in line.run(20))
    line.session.play_tone(None)
    assert line.run(5) == [SILENCE] * 5


def test_an_injected_sound_replaces_the_microphone_until_it_ends() -> None:
    line = Line()
    line.session.inject(Frames([tone(20, 440), tone(20, 440)[:100]]))
    line.run(3)
    first, second, third = (p.payload for p in line.rtp())
    assert first == CODEC.encode(tone(20, 440))
    assert CODEC.decode(second)[100:] == bytes(220)
    assert third == CODEC.encode(VOICE)
    assert line.session.events() == [InjectionEnded()]


def test_an_injected_sound_can_be_replaced_and_stopped() -> None:
    line = Line()
    line.session.inject(None)
    line.session.inject(Frames([VOICE]))
    line.session.inject(Frames([VOICE]))
    line.session.inject(None)
    assert line.session.events() == [InjectionEnded(), InjectionEnded()]


# --- levels, gains, numbers -----------------------------------------------------------------


def test_levels_are_of_what_is_heard_in_each_direction_since_the_last_time() -> None:
    line = Line()
    assert line.session.levels() == (-90.0, -90.0)
    line.run(5)
    microphone, speaker = line.session.levels()
    assert microphone == pytest.approx(-17.5, abs=1.5)
    assert speaker == pytest.approx(microphone, abs=1.0)
    assert line.session.levels() == (-90.0, -90.0)
    line.session.mute(True)
    line.session.hold_locally(True)
    line.run(5)
    assert line.session.levels() == (-90.0, -90.0)


def test_gains_are_applied_to_each_direction() -> None:
    line = Line()
    line.session.set_gain(-6.0, -100.0)
    frame = line.run(5)[-1]
    sent = audioop.rms(CODEC.decode(line.rtp()[-1].payload), 2)
    assert sent == pytest.approx(audioop.rms(VOICE, 2) / 2, rel=0.02)
    assert audioop.rms(frame, 2) == pytest.approx(audioop.rms(VOICE, 2) / 100, rel=0.1)


def test_a_gain_has_its_limits() -> None:
    line = Line()
    line.session.set_gain(99.0, 0.0)
    line.tick(tone(20, level=1000))
    level = audioop.rms(CODEC.decode(line.rtp()[0].payload), 2)
    assert level == pytest.approx(audioop.rms(tone(20, level=1000), 2) * 4, rel=0.03)


def test_the_numbers_tell_what_happened() -> None:
    line = Line()
    empty = line.session.statistics(line.now)
    assert (empty.received, empty.sent, empty.lost) == (0, 0, 0)
    assert empty.round_trip_ms is None and empty.remote_jitter_ms is None
    for i in range(200):
        line.tick(hears=i % 10 != 5)
    numbers = line.session.statistics(line.now)
    assert (numbers.received, numbers.sent, numbers.lost) == (180, 200, 20)
    assert numbers.delay_ms == pytest.approx(10.0, abs=1.0)
    assert 2.0 < numbers.mos < 4.0
    assert empty.mos > 4.3


def test_their_report_is_in_the_numbers() -> None:
    line = Line()
    line.run(200)
    [ours] = [p for out in line.control()[:1] for p in parse_rtcp(out.data)[:1]]
    assert isinstance(ours, SenderReport)
    from applet.media.rtcp import ReportBlock, compact_ntp

    block = ReportBlock(ours.ssrc, 128, 1, 0, 80, compact_ntp(ours.ntp), 0)
    line.session.receive_control(
        encode_rtcp([ReceiverReport(77, (block,))]), PEER_CONTROL, line.now
    )
    numbers = line.session.statistics(line.now)
    assert numbers.remote_loss == 0.5
    assert numbers.remote_jitter_ms == 10.0
    assert numbers.round_trip_ms is not None and numbers.round_trip_ms > 0


# --- RTCP -----------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["sendrecv", "inactive"])
def test_reports_go_on_while_nothing_flows(direction: str) -> None:
    line = Line(AGREED._replace(direction=direction))
    line.run(1500)
    reports = line.control()
    assert 4 <= len(reports) <= 13
    assert {out.destination for out in reports} == {PEER_CONTROL}


def test_without_an_address_reports_wait() -> None:
    line = Line(AGREED._replace(remote_rtcp=None))
    line.run(500)
    assert line.control() == []


def test_control_packets_of_strangers_and_nonsense_are_counted() -> None:
    line = Line()
    line.session.receive_control(b"", PEER_CONTROL, line.now)
    line.session.receive_control(encode_rtcp([ReceiverReport(7)]), STRANGER, line.now)
    numbers = line.session.statistics(line.now)
    assert (numbers.invalid, numbers.strangers) == (1, 1)


def test_the_end_says_goodbye_once_and_then_nothing_flows() -> None:
    line = Line()
    line.run(5)
    line.sent.clear()
    line.session.close(line.now)
    line.session.close(line.now)
    assert line.run(5) == [SILENCE] * 5
    line.session.receive_control(encode_rtcp([ReceiverReport(7)]), PEER_CONTROL, line.now)
    [last] = line.sent
    assert last.control and isinstance(parse_rtcp(last.data)[-1], Goodbye)
    assert line.session.next_timer() is None


def test_a_call_that_never_had_media_ends_without_a_word() -> None:
    line = Line(None)
    line.session.close(line.now)
    assert line.session.datagrams_to_send() == []


# --- RTP and RTCP on one port (RFC 5761) ------------------------------------------------------

ONE_PORT = AGREED._replace(remote_rtcp=PEER, rtcp_mux=True)


def reports(line: Line) -> list[Outgoing]:
    """What was sent with a packet type of RTCP."""
    return [out for out in line.sent if 192 <= out.data[1] <= 223]


def test_on_one_port_reports_and_the_goodbye_go_the_way_of_the_sound() -> None:
    line = Line(ONE_PORT)
    line.run(800)
    line.session.close(line.now)
    line.sent += line.session.datagrams_to_send()
    sent = reports(line)
    assert len(sent) >= 3
    assert {(out.destination, out.control) for out in sent} == {(PEER, False)}
    assert isinstance(parse_rtcp(sent[-1].data)[-1], Goodbye)


def test_on_one_port_reports_are_told_from_sound() -> None:
    line = Line(ONE_PORT)
    line.run(10)
    report = encode_rtcp([SenderReport(77, 5 << 32, 0, 10, 1600)])
    line.session.receive_datagram(report, PEER, line.now)
    line.session.receive_datagram(report, STRANGER, line.now)
    line.session.receive_datagram(b"\x80\xdf", PEER, line.now)
    for noise in (b"", b"\x80", b"\x00\xc8" + report[2:], b"\x80\xbf", b"\x80\xe0"):
        line.session.receive_datagram(noise, PEER, line.now)
    numbers = line.session.statistics(line.now)
    assert (numbers.received, numbers.strangers, numbers.invalid) == (10, 1, 6)
    line.run(800)
    blocks = [block for out in reports(line) for block in blocks_in(out.data)]
    assert (5 << 32) >> 16 & 0xFFFFFFFF in {block.last_sr for block in blocks}


def blocks_in(data: bytes) -> list[ReportBlock]:
    packets = parse_rtcp(data)
    reports = [p for p in packets if isinstance(p, SenderReport | ReceiverReport)]
    return [block for packet in reports for block in packet.blocks]


def test_with_two_ports_a_report_on_the_port_of_the_sound_counts_for_nothing() -> None:
    line = Line()
    line.session.receive_datagram(encode_rtcp([ReceiverReport(77)]), PEER, line.now)
    assert line.session.statistics(line.now).invalid == 1


def test_on_one_port_the_reports_follow_a_latched_peer() -> None:
    line = Line(ONE_PORT)
    line.run(10, source=REAL)
    line.sent.clear()
    line.run(400, source=REAL)
    assert {out.destination for out in reports(line)} == {REAL}


def test_the_reports_go_back_to_a_port_of_their_own() -> None:
    line = Line(ONE_PORT)
    line.session.update(AGREED, line.now)
    line.run(400)
    assert {(out.destination, out.control) for out in reports(line)} == {(PEER_CONTROL, True)}
