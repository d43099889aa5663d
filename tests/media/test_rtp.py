"""RTP packets, and sequence numbers as in RFC 3550 appendix A.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.media.rtp import RtpError, RtpPacket, SequenceTracker, parse_rtp

PLAIN = bytes.fromhex("80001234 0000a0c8 deadbeef ff7f")
MARKED_EVENT = bytes.fromhex("80e50001 00000320 00000001 050a00a0")
EVERYTHING = bytes.fromhex(
    "b288ffff ffffffff 01020304"  # padding, extension, two sources; marker, PCMA
    "0000000a 0000000b"  # contributing sources
    "bede0001 10aa0000"  # header extension of one word
    "d5d5d5"
    "00000004"  # four bytes of padding
)

PACKETS = st.builds(
    RtpPacket,
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.booleans(),
    st.binary(max_size=200),
)


# --- packets --------------------------------------------------------------------------------


def test_a_plain_packet_is_read_and_printed() -> None:
    packet = RtpPacket(0, 0x1234, 0xA0C8, 0xDEADBEEF, False, b"\xff\x7f")
    assert parse_rtp(PLAIN) == packet
    assert packet.encode() == PLAIN


def test_a_marked_packet_is_read_and_printed() -> None:
    packet = RtpPacket(101, 1, 800, 1, True, bytes.fromhex("050a00a0"))
    assert parse_rtp(MARKED_EVENT) == packet
    assert packet.encode() == MARKED_EVENT


def test_sources_extension_and_padding_are_skipped() -> None:
    assert parse_rtp(EVERYTHING) == RtpPacket(
        8, 0xFFFF, 0xFFFFFFFF, 0x01020304, True, b"\xd5\xd5\xd5"
    )


def test_a_mixed_packet_names_its_sources_before_the_payload() -> None:
    assert parse_rtp(b"\x81" + PLAIN[1:12] + b"\0\0\0\1" + b"\xff").payload == b"\xff"


def test_a_packet_may_carry_nothing() -> None:
    assert parse_rtp(PLAIN[:12]).payload == b""
    assert parse_rtp(b"\xa0" + PLAIN[1:12] + b"\x01").payload == b""


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "0 bytes are shorter"),
        (PLAIN[:11], "11 bytes are shorter"),
        (b"\x00" + PLAIN[1:], "version 0"),
        (b"\xc0" + PLAIN[1:], "version 3"),
        (b"\x81" + PLAIN[1:], "longer than the packet"),
        (b"\x90" + PLAIN[1:], "extension is cut off"),
        (b"\x90" + PLAIN[1:12] + b"\x00\x00\x00\x01", "longer than the packet"),
        (b"\xa0" + PLAIN[1:12], "padding of 239 bytes"),
        (b"\xa0" + PLAIN[1:12] + b"\x00", "padding of 0 bytes"),
        (b"\xa0" + PLAIN[1:12] + b"\x02", "padding of 2 bytes"),
    ],
)
def test_a_broken_packet_has_one_precise_error(data: bytes, text: str) -> None:
    with pytest.raises(RtpError, match=text):
        parse_rtp(data)


@given(PACKETS)
def test_every_packet_that_is_printed_is_read_again(packet: RtpPacket) -> None:
    assert parse_rtp(packet.encode()) == packet


@given(st.binary(max_size=80), st.integers(0x80, 0xBF))
def test_any_bytes_raise_nothing_but_rtp_error(data: bytes, first: int) -> None:
    for datagram in (data, bytes([first]) + data):
        try:
            packet = parse_rtp(datagram)
        except RtpError:
            continue
        assert len(packet.payload) <= len(datagram) - 12


# --- sequence numbers -----------------------------------------------------------------------


def fed(sequences: list[int], min_sequential: int = 1) -> tuple[SequenceTracker, list[int | None]]:
    tracker = SequenceTracker(min_sequential)
    return tracker, [tracker.update(sequence) for sequence in sequences]


def test_numbers_go_on_over_the_wrap() -> None:
    tracker, extended = fed([65534, 65535, 0, 1])
    assert extended == [65534, 65535, 65536, 65537]
    assert (tracker.base, tracker.highest) == (65534, 65537)
    assert (tracker.received, tracker.expected) == (4, 4)


def test_a_late_packet_belongs_before_the_wrap() -> None:
    tracker, extended = fed([65534, 0, 65535, 2, 1, 65533])
    assert extended == [65534, 65536, 65535, 65538, 65537, 65533]
    assert tracker.highest == 65538


def test_a_packet_from_before_the_first_may_get_a_negative_number() -> None:
    assert fed([0, 65535])[1] == [0, -1]


def test_gaps_and_duplicates_are_seen_in_what_was_expected_and_received() -> None:
    tracker, extended = fed([10, 11, 11, 15])
    assert extended == [10, 11, 11, 15]
    assert (tracker.expected, tracker.received) == (6, 4)


def test_nothing_is_expected_before_the_first_packet() -> None:
    assert SequenceTracker().expected == 0


def test_a_new_source_proves_itself_with_two_packets_in_order() -> None:
    tracker, extended = fed([100, 200, 201, 202], min_sequential=2)
    assert extended == [None, None, 201, 202]
    assert (tracker.base, tracker.received, tracker.expected) == (201, 2, 2)


def test_probation_can_last_longer_and_crosses_the_wrap() -> None:
    assert fed([65534, 65535, 0, 1], min_sequential=3)[1] == [None, None, 0, 1]
    assert fed([1, 2, 1, 2, 3], min_sequential=3)[1] == [None, None, None, None, 3]


def test_a_large_jump_is_believed_at_the_second_packet_only() -> None:
    tracker, extended = fed([100, 101, 40000, 102, 40000, 40001])
    assert extended == [100, 101, None, 102, None, 40001]
    assert tracker.restarts == 1
    assert (tracker.base, tracker.highest, tracker.received) == (40001, 40001, 1)


def test_the_edges_of_what_counts_as_a_jump() -> None:
    assert fed([5000, 5000 + 2999])[1] == [5000, 7999]
    assert fed([5000, 5000 + 3000])[1] == [5000, None]
    assert fed([5000, 5000 - 99])[1] == [5000, 4901]
    assert fed([5000, 5000 - 100])[1] == [5000, None]


@given(st.integers(0, 0xFFFF), st.lists(st.integers(1, 2999), min_size=1, max_size=80))
def test_rising_numbers_stay_rising_however_often_they_wrap(first: int, steps: list[int]) -> None:
    tracker = SequenceTracker(min_sequential=1)
    assert tracker.update(first) == first
    sent = first
    for step in steps:
        sent += step
        assert tracker.update(sent % 65536) == sent
    assert tracker.expected == sent - first + 1
