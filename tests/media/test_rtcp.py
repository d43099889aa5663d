"""RTCP packets, NTP time, round trip and interval."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.media.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpError,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    compact_ntp,
    encode_rtcp,
    ntp_timestamp,
    parse_rtcp,
    report_interval,
    round_trip,
)

BLOCK = ReportBlock(
    ssrc=0x0B0B0B0B,
    fraction_lost=64,
    cumulative_lost=-2,
    highest_sequence=0x00011234,
    jitter=33,
    last_sr=0xB7052000,
    delay_since_last_sr=0x00054000,
)
COMPOUND = (
    SenderReport(0x0A0A0A0A, 0x83AA7E80_40000000, 160, 50, 8000, (BLOCK,)),
    SourceDescription(((0x0A0A0A0A, "desk"),)),
    Goodbye((0x0A0A0A0A,), "bye"),
)
COMPOUND_BYTES = bytes.fromhex(
    "81c8000c 0a0a0a0a 83aa7e80 40000000 000000a0 00000032 00001f40"
    "0b0b0b0b 40fffffe 00011234 00000021 b7052000 00054000"
    "81ca0003 0a0a0a0a 01046465 736b0000"
    "81cb0002 0a0a0a0a 03627965"
)
RECEIVER_REPORT = bytes.fromhex("80c90001 0a0a0a0a")

WORD = st.integers(0, 0xFFFFFFFF)
BLOCKS = st.lists(
    st.builds(
        ReportBlock,
        WORD,
        st.integers(0, 255),
        st.integers(-0x800000, 0x7FFFFF),
        WORD,
        WORD,
        WORD,
        WORD,
    ),
    max_size=31,
).map(tuple)
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
PACKET: st.SearchStrategy[RtcpPacket] = st.one_of(
    st.builds(SenderReport, WORD, st.integers(0, 2**64 - 1), WORD, WORD, WORD, BLOCKS),
    st.builds(ReceiverReport, WORD, BLOCKS),
    st.builds(
        SourceDescription, st.lists(st.tuples(WORD, TEXT), max_size=31).map(lambda x: tuple(x))
    ),
    st.builds(Goodbye, st.lists(WORD, max_size=31).map(lambda x: tuple(x)), TEXT),
)


# --- packets --------------------------------------------------------------------------------


def test_a_compound_packet_is_read_and_printed() -> None:
    assert parse_rtcp(COMPOUND_BYTES) == COMPOUND
    assert encode_rtcp(COMPOUND) == COMPOUND_BYTES


def test_a_receiver_report_and_a_goodbye_without_a_word_are_read_and_printed() -> None:
    blocks = (BLOCK, BLOCK._replace(cumulative_lost=3))
    packets = (ReceiverReport(0x0A0A0A0A, blocks), Goodbye((1, 2)), Goodbye(()))
    data = encode_rtcp(packets)
    assert data.startswith(bytes.fromhex("82c9000d 0a0a0a0a 0b0b0b0b 40fffffe"))
    assert data.endswith(bytes.fromhex("82cb0002 00000001 00000002 80cb0000"))
    assert parse_rtcp(data) == packets


def test_a_source_without_a_name_is_described_all_the_same() -> None:
    data = encode_rtcp([SourceDescription(((1, ""), (2, "abc")))])
    assert data.hex() == "82ca0005" + "0000000100000000" + "00000002" + "0103616263000000"
    assert parse_rtcp(data) == (SourceDescription(((1, ""), (2, "abc"))),)


def test_app_and_unknown_packets_are_skipped() -> None:
    app = bytes.fromhex("80cc0002 0a0a0a0a 6e616d65")
    extended_report = bytes.fromhex("80cf0001 0a0a0a0a")
    assert parse_rtcp(RECEIVER_REPORT + app + extended_report + RECEIVER_REPORT) == (
        ReceiverReport(0x0A0A0A0A),
        ReceiverReport(0x0A0A0A0A),
    )


def test_the_extension_of_a_profile_after_a_report_is_skipped() -> None:
    assert parse_rtcp(bytes.fromhex("80c90002 0a0a0a0a ffffffff")) == (ReceiverReport(0x0A0A0A0A),)


def test_other_items_of_a_source_description_are_skipped() -> None:
    data = bytes.fromhex("82ca0005 00000001 02014101 01420000 00000002 06010000")
    assert parse_rtcp(data) == (SourceDescription(((1, "B"), (2, ""))),)


def test_padding_after_the_last_packet_is_skipped() -> None:
    assert parse_rtcp(bytes.fromhex("a1cb0003 0a0a0a0a 00000000 00000008")) == (
        Goodbye((0x0A0A0A0A,)),
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("", "empty datagram"),
        ("80c9", "header is cut off"),
        ("40c90001 0a0a0a0a", "version 1"),
        ("80c90002 0a0a0a0a", "longer than its datagram"),
        ("80c90000", "is cut off"),
        ("81c90001 0a0a0a0a", "with 1 blocks is cut off"),
        ("80c80001 0a0a0a0a", "with 0 blocks is cut off"),
        ("a0c90002 0a0a0a0a 00000004 80c90001 0a0a0a0a", "padding before the last"),
        ("a0c90000", "padding of 0 bytes"),
        ("a0c90001 000000ff", "padding of 255 bytes"),
        ("81ca0000", "is cut off"),
        ("81ca0001 00000001", "does not end"),
        ("81ca0002 00000001 010e4141", "text is cut off"),
        ("81ca0002 00000001 01024141", "does not end"),
        ("81cb0000", "is cut off"),
        ("81cb0002 00000001 04414141", "text is cut off"),
    ],
)
def test_a_broken_packet_has_one_precise_error(data: str, text: str) -> None:
    with pytest.raises(RtcpError, match=text):
        parse_rtcp(bytes.fromhex(data))


def test_a_text_whose_length_is_missing_is_cut_off() -> None:
    with pytest.raises(RtcpError, match="text is cut off"):
        parse_rtcp(bytes.fromhex("a1ca0002 00000001 41020101"))


@given(st.lists(PACKET, min_size=1, max_size=4).map(tuple))
def test_every_compound_that_is_printed_is_read_again(packets: tuple[RtcpPacket, ...]) -> None:
    data = encode_rtcp(packets)
    assert len(data) % 4 == 0
    again = parse_rtcp(data)
    assert again == packets
    assert [type(packet) for packet in again] == [type(packet) for packet in packets]


@given(st.binary(max_size=80), st.integers(0x80, 0xBF), st.integers(200, 204))
def test_any_bytes_raise_nothing_but_rtcp_error(data: bytes, flags: int, kind: int) -> None:
    data += bytes(-len(data) % 4)
    framed = bytes([flags, kind, 0, len(data) // 4]) + data
    for datagram in (data, framed, RECEIVER_REPORT + framed):
        try:
            parse_rtcp(datagram)
        except RtcpError:
            continue


def test_a_canonical_name_is_cut_at_255_bytes() -> None:
    (packet,) = parse_rtcp(encode_rtcp([SourceDescription(((1, "n" * 300),))]))
    assert packet == SourceDescription(((1, "n" * 255),))


def test_a_text_is_never_cut_inside_a_character() -> None:
    (packet,) = parse_rtcp(encode_rtcp([Goodbye((), "ä" * 200)]))
    assert packet == Goodbye((), "ä" * 127)


def test_what_is_no_utf_8_in_a_text_is_left_out() -> None:
    (packet,) = parse_rtcp(bytes.fromhex("80cb0002 06") + b"so\xff\xfe\xff!" + b"\0")
    assert packet == Goodbye((), "so!")
    assert parse_rtcp(encode_rtcp([packet])) == (packet,)


# --- time -----------------------------------------------------------------------------------


def test_ntp_time_has_seconds_above_and_their_fraction_below() -> None:
    assert ntp_timestamp(0) == 0
    assert ntp_timestamp(5.25) == 5 << 32 | 0x40000000
    assert compact_ntp(ntp_timestamp(5.25)) == 5 << 16 | 0x4000
    assert ntp_timestamp(2**32 + 1.0) == 1 << 32


def test_the_round_trip_of_rfc_3550_figure_2() -> None:
    # Sent at xb44db705:20000000, held for 5.25 s, back at xb710:8000 (of the middle 32 bits).
    assert round_trip(BLOCK, 0xB710 + 0.5) == 6.125


def test_fault_13_the_round_trip_is_the_time_on_the_way_alone() -> None:
    sent, held, back = 1000.0, 3.0, 1003.08
    block = BLOCK._replace(
        last_sr=compact_ntp(ntp_timestamp(sent)), delay_since_last_sr=round(held * 65536)
    )
    assert round_trip(block, back) == pytest.approx(0.08, abs=1e-4)


def test_a_round_trip_crosses_the_wrap_of_the_clock() -> None:
    block = BLOCK._replace(
        last_sr=compact_ntp(ntp_timestamp(65535.9)), delay_since_last_sr=round(0.05 * 65536)
    )
    assert round_trip(block, 65536.0) == pytest.approx(0.05, abs=1e-4)


def test_there_is_no_round_trip_before_an_echo_or_from_an_impossible_one() -> None:
    assert round_trip(BLOCK._replace(last_sr=0), 10.0) is None
    impossible = BLOCK._replace(last_sr=10 << 16, delay_since_last_sr=5 << 16)
    assert round_trip(impossible, 12.0) is None


def test_reports_come_every_five_seconds_on_average_and_never_in_step() -> None:
    source = random.Random(1)
    intervals = [report_interval(source, first=False) for _ in range(2000)]
    assert 2.5 <= min(intervals) < max(intervals) < 7.5
    assert sum(intervals) / 2000 == pytest.approx(5, rel=0.02)
    first = [report_interval(source, first=True) for _ in range(200)]
    assert 1.25 <= min(first) < max(first) < 3.75
