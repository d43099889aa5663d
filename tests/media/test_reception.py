"""Loss as in RFC 3550 appendix A.3, jitter as in A.8."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.media.reception import ReceptionStatistics
from applet.media.rtcp import ntp_timestamp, round_trip


def receiving(sequences: list[int]) -> ReceptionStatistics:
    """Packets of 20 ms, each in time."""
    statistics = ReceptionStatistics(7, 8000)
    for i, sequence in enumerate(sequences):
        statistics.packet(sequence, 160 * i, 100 + i * 0.02)
    return statistics


def with_jitter(arrivals_ms: list[float], clock_rate: int = 8000) -> ReceptionStatistics:
    """Packets sent every 20 ms that arrive at these times."""
    statistics = ReceptionStatistics(7, clock_rate)
    for i, at in enumerate(arrivals_ms):
        statistics.packet(i, i * clock_rate // 50, at / 1000)
    return statistics


# --- loss -----------------------------------------------------------------------------------


def test_the_first_packet_counts() -> None:
    statistics = receiving([65535])
    assert (statistics.received, statistics.lost) == (1, 0)
    block = statistics.report_block(101)
    assert (block.ssrc, block.highest_sequence, block.fraction_lost) == (7, 65535, 0)


def test_nothing_is_lost_before_anything_came() -> None:
    block = ReceptionStatistics(7, 8000).report_block(1)
    assert (block.fraction_lost, block.cumulative_lost, block.highest_sequence) == (0, 0, 0)


def test_fault_13_the_fraction_lost_is_of_256_and_of_this_interval_alone() -> None:
    statistics = receiving([1, 2, 3, 5, 7, 8])
    block = statistics.report_block(101)
    assert (block.fraction_lost, block.cumulative_lost) == ((2 << 8) // 8, 2)
    for sequence in (9, 10):
        statistics.packet(sequence, 0, 102)
    block = statistics.report_block(103)
    assert (block.fraction_lost, block.cumulative_lost) == (0, 2)
    statistics.packet(12, 0, 104)
    block = statistics.report_block(105)
    assert (block.fraction_lost, block.cumulative_lost) == (128, 3)


def test_an_interval_without_a_packet_has_no_fraction() -> None:
    statistics = receiving([1, 3])
    statistics.report_block(101)
    block = statistics.report_block(106)
    assert (block.fraction_lost, block.cumulative_lost) == (0, 1)


def test_duplicates_make_the_loss_negative_and_the_fraction_zero() -> None:
    statistics = receiving([1, 1, 1, 2])
    block = statistics.report_block(101)
    assert (statistics.lost, block.cumulative_lost, block.fraction_lost) == (-2, -2, 0)


def test_a_late_packet_is_not_lost_after_all() -> None:
    statistics = receiving([1, 3, 2])
    assert statistics.lost == 0


def test_the_cycles_of_the_sequence_are_reported() -> None:
    assert receiving([65534, 65535, 0]).report_block(101).highest_sequence == 65536


def test_loss_stays_within_24_bits() -> None:
    statistics = receiving([0])
    sequence = 0
    while statistics.lost <= 0x7FFFFF:
        sequence += 2999
        statistics.packet(sequence % 65536, 0, 101)
    block = statistics.report_block(102)
    assert (block.cumulative_lost, block.fraction_lost) == (0x7FFFFF, 255)


def test_after_a_restart_of_the_source_the_counting_begins_anew() -> None:
    statistics = receiving([1, 2, 3])
    statistics.report_block(101)
    assert statistics.packet(30000, 0, 102) is None
    assert statistics.packet(30001, 160, 102) == 30001
    statistics.packet(30003, 480, 102)
    block = statistics.report_block(103)
    assert (block.cumulative_lost, block.fraction_lost) == (1, 256 // 3)


# --- jitter ---------------------------------------------------------------------------------


def test_even_packets_have_no_jitter() -> None:
    assert with_jitter([1000 + 20 * i for i in range(100)]).jitter == 0


def test_fault_13_one_late_packet_is_a_sixteenth_of_its_delay_in_timestamp_units() -> None:
    statistics = with_jitter([0, 20, 40 + 16])
    assert statistics.jitter == 128 // 16
    assert statistics.jitter_ms == 1.0
    assert statistics.report_block(1).jitter == 8


def test_fault_13_jitter_of_less_than_sixteen_units_is_not_rounded_away() -> None:
    statistics = with_jitter([20 * i + (1 if i % 2 else 0) for i in range(400)])
    assert statistics.jitter in (7, 8)


def test_fault_13_jitter_in_milliseconds_knows_the_clock() -> None:
    arrivals = [20 * i + (10 if i % 2 else 0) for i in range(400)]
    for clock_rate in (8000, 48000):
        statistics = with_jitter([float(at) for at in arrivals], clock_rate)
        assert statistics.jitter_ms == pytest.approx(10, rel=0.02)


@given(st.lists(st.floats(0, 200), min_size=2, max_size=60))
def test_the_integer_arithmetic_follows_the_formula(delays_ms: list[float]) -> None:
    arrivals = [20 * i + delay for i, delay in enumerate(delays_ms)]
    jitter, transit = 0.0, 0.0
    for i, at in enumerate(arrivals):
        before, transit = transit, at * 8 - 160 * i
        if i:
            jitter += (abs(transit - before) - jitter) / 16
    assert with_jitter(arrivals).jitter == pytest.approx(jitter, abs=2)


def test_packets_of_one_event_share_a_timestamp_and_make_no_jitter() -> None:
    statistics = receiving([1, 2])
    for i in range(7):
        statistics.packet(3 + i, 320, 100.04 + 0.02 * i)
    statistics.packet(10, 480 + 6 * 160, 100.06 + 0.12)
    assert statistics.jitter == 0


def test_timestamps_set_anew_are_no_jitter_and_may_wrap() -> None:
    statistics = ReceptionStatistics(7, 8000)
    for i in range(10):
        statistics.packet(i, (0xFFFFFF00 + 160 * i) % 2**32, 50 + i * 0.02)
    for i in range(10, 20):
        statistics.packet(i, 1_000_000 + 160 * i, 50 + i * 0.02)
    assert statistics.jitter == 0


def test_a_packet_not_to_be_believed_makes_no_jitter() -> None:
    statistics = receiving([1, 2])
    assert statistics.packet(30000, 320, 110) is None
    assert statistics.jitter == 0


# --- sender reports -------------------------------------------------------------------------


def test_before_a_sender_report_there_is_none_to_echo() -> None:
    block = receiving([1]).report_block(101)
    assert (block.last_sr, block.delay_since_last_sr) == (0, 0)


def test_a_sender_report_is_echoed_with_its_delay_here() -> None:
    statistics = receiving([1])
    statistics.sender_report(ntp_timestamp(5000.5), 200.0)
    block = statistics.report_block(201.25)
    assert block.last_sr == 5000 << 16 | 0x8000
    assert block.delay_since_last_sr == 65536 * 5 // 4
    assert round_trip(block, 5000.5 + 1.25 + 0.03) == pytest.approx(0.03, abs=1e-4)


def test_an_ancient_sender_report_keeps_its_delay_within_32_bits() -> None:
    statistics = receiving([1])
    statistics.sender_report(ntp_timestamp(5000), 200.0)
    assert statistics.report_block(1e6).delay_since_last_sr == 2**32 - 1
