"""Digits as telephone events (RFC 4733), sent and received."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.media.dtmf import DIGITS, DtmfReceiver, DtmfSender, EventPacket
from applet.media.rtp import RtpPacket

FRAME = 160


def sent(sender: DtmfSender, frames: int, start: int = 8000) -> list[EventPacket | None]:
    return [sender.packet((start + i * FRAME) % 2**32, FRAME) for i in range(frames)]


def event(
    timestamp: int, code: int, duration: int, *, end: bool = False, marker: bool = False
) -> RtpPacket:
    payload = bytes([code, 0x8A if end else 0x0A]) + duration.to_bytes(2)
    return RtpPacket(101, 0, timestamp, 1, marker, payload)


def received(packets: Sequence[RtpPacket], receiver: DtmfReceiver | None = None) -> str:
    receiver = receiver or DtmfReceiver()
    return "".join(filter(None, map(receiver.receive, packets)))


def as_rtp(packets: Sequence[EventPacket | None]) -> list[RtpPacket]:
    return [
        RtpPacket(101, i, packet.timestamp, 1, packet.marker, packet.payload)
        for i, packet in enumerate(packets)
        if packet
    ]


# --- sending --------------------------------------------------------------------------------


def test_without_digits_the_audio_goes_on() -> None:
    sender = DtmfSender()
    assert sent(sender, 3) == [None, None, None]
    assert not sender.busy


def test_a_digit_is_one_event_that_grows_and_ends_three_times() -> None:
    sender = DtmfSender()
    sender.queue("5")
    assert sender.busy
    packets = sent(sender, 9)
    assert [packet and packet.payload.hex() for packet in packets] == [
        "050a00a0",
        "050a0140",
        "050a01e0",
        "050a0280",
        "058a0320",
        "058a0320",
        "058a0320",
        None,
        None,
    ]
    events = [packet for packet in packets if packet]
    assert {packet.timestamp for packet in events} == {8000}
    assert [packet.marker for packet in events] == [True] + 6 * [False]
    assert [packet.finished for packet in events] == ["", "", "", "", "5", "", ""]
    assert not sender.busy


def test_the_same_digit_twice_is_two_events_with_a_pause_between() -> None:
    sender = DtmfSender()
    sender.queue("1")
    sender.queue("1a")
    packets = sent(sender, 24)
    starts = sorted({packet.timestamp for packet in packets if packet})
    assert starts == [8000, 8000 + 8 * FRAME, 8000 + 16 * FRAME]
    assert [packet is None for packet in packets[:9]] == 7 * [False] + [True, False]
    assert "".join(packet.finished for packet in packets if packet) == "11A"


def test_every_digit_has_its_code() -> None:
    sender = DtmfSender()
    sender.queue(DIGITS)
    packets = [packet for packet in sent(sender, 16 * 8) if packet]
    assert [packet.payload[0] for packet in packets if packet.marker] == list(range(16))


def test_what_is_no_digit_is_refused_and_nothing_is_sent() -> None:
    sender = DtmfSender()
    with pytest.raises(ValueError, match="'X' is not a digit"):
        sender.queue("12x")
    assert not sender.busy


def test_other_lengths_of_tone_and_pause_and_other_clocks() -> None:
    sender = DtmfSender(clock_rate=48000, tone_ms=50, pause_ms=100)
    sender.queue("12")
    packets = [sender.packet(960 * i, 960) for i in range(16)]
    assert [packet and packet.payload[1:].hex() for packet in packets[:9]] == [
        "0a03c0",
        "0a0780",
        "8a0b40",
        "8a0b40",
        "8a0b40",
        None,
        None,
        None,
        "0a03c0",
    ]


def test_when_the_stream_stops_the_digits_are_forgotten() -> None:
    sender = DtmfSender()
    sender.queue("12")
    sent(sender, 2)
    sender.clear()
    assert not sender.busy
    assert sent(sender, 2) == [None, None]
    sender.queue("3")
    packet = sender.packet(500, FRAME)
    assert packet == EventPacket(bytes.fromhex("030a00a0"), 500, True)
    sent(sender, 5)
    sender.clear()
    assert sender.packet(0, FRAME) is None


def test_a_tone_is_cut_to_what_the_field_holds() -> None:
    sender = DtmfSender(clock_rate=48000, tone_ms=2000)
    sender.queue("1")
    packets = [sender.packet(960 * i, 960) for i in range(69)]
    assert packets[67] is not None
    assert packets[67].payload.hex() == "010aff00"
    assert packets[68] == EventPacket(bytes.fromhex("018affff"), 0, False, "1")


# --- receiving ------------------------------------------------------------------------------


def test_fault_12_a_digit_is_told_once_at_its_first_packet() -> None:
    sender = DtmfSender()
    sender.queue("159#")
    packets = as_rtp(sent(sender, 40))
    receiver = DtmfReceiver()
    told = [receiver.receive(packet) for packet in packets]
    assert [told.index(digit) for digit in "159#"] == [0, 7, 14, 21]
    assert told.count(None) == 24


@given(st.text(DIGITS, min_size=1, max_size=6), st.data())
def test_fault_12_loss_doubling_and_overtaking_leave_every_digit_once(
    digits: str, data: st.DataObject
) -> None:
    sender = DtmfSender()
    sender.queue(digits)
    arriving: list[RtpPacket] = []
    by_event: dict[int, list[RtpPacket]] = {}
    for packet in as_rtp(sent(sender, 8 * len(digits))):
        by_event.setdefault(packet.timestamp, []).append(packet)
    for packets in by_event.values():
        arriving += data.draw(st.lists(st.sampled_from(packets), min_size=1, max_size=12))
    late = data.draw(st.lists(st.sampled_from(arriving), max_size=4))
    assert received(arriving + late) == digits


def test_the_same_digit_twice_is_told_twice_though_the_end_and_the_marker_were_lost() -> None:
    packets = [event(1000, 1, 160, marker=True), event(1000, 1, 320), event(2280, 1, 320)]
    assert received(packets) == "11"


def test_an_end_alone_is_a_digit() -> None:
    assert received([event(1000, 11, 800, end=True)] * 3) == "#"


def test_a_very_long_event_is_one_digit() -> None:
    packets = [event(1000, 3, duration, marker=duration == 160) for duration in (160, 65000, 65535)]
    packets += [event(1000 + 65535, 3, 160), event(1000 + 65535, 3, 40000)]
    packets += [event(1000 + 65535 + 40000, 3, 160), event(1000 + 65535 + 40000, 3, 320, end=True)]
    assert received(packets) == "3"


def test_a_very_long_event_is_one_digit_though_its_last_duration_was_lost() -> None:
    assert received([event(0, 3, 160, marker=True), event(65535, 3, 160)]) == "3"


def test_an_event_after_an_ended_one_is_new_even_without_a_gap() -> None:
    assert received([event(0, 3, 800, end=True), event(800, 3, 160)]) == "33"
    assert received([event(0, 3, 800), event(800, 3, 160, marker=True)]) == "33"
    assert received([event(0, 3, 800), event(800, 4, 160)]) == "34"


def test_an_overtaken_packet_of_an_older_event_changes_nothing() -> None:
    packets = [
        event(0, 3, 640, marker=True),
        event(1280, 3, 160, marker=True),
        event(0, 3, 65535, end=True),
        event(1280 + 160, 3, 160),
    ]
    assert received(packets) == "33"


def test_a_flash_and_nonsense_are_no_digits() -> None:
    short = RtpPacket(101, 0, 5, 1, True, b"\x01\x0a\x00")
    assert received([event(0, 16, 160), event(1, 255, 160), short]) == ""


def test_only_the_last_events_are_remembered() -> None:
    receiver = DtmfReceiver()
    for i in range(100):
        assert receiver.receive(event(1000 * i, 1, 160, marker=True)) == "1"
    assert receiver.receive(event(1000 * 99, 1, 320)) is None
    assert receiver.receive(event(1000 * 68, 1, 320)) is None
    assert receiver.receive(event(0, 1, 320, marker=True)) == "1"
