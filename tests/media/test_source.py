"""Whose RTP is heard: the rule that keeps strangers out and lets a NAT be a NAT."""

from applet.address import Address
from applet.media.source import RtpSource

DESCRIBED = Address("192.168.1.5", 4000)
REAL = Address("203.0.113.7", 61_234)
STRANGER = Address("198.51.100.66", 9999)
SSRC = 77


def agreed() -> RtpSource:
    source = RtpSource()
    source.agree(DESCRIBED)
    return source


def send(
    source: RtpSource,
    address: Address,
    count: int,
    start: float,
    *,
    sequence: int = 100,
    ssrc: int = SSRC,
) -> list[bool]:
    """`count` packets, one every 20 ms: which are admitted?"""
    return [
        source.admits(address, ssrc, (sequence + i) % 65_536, start + i * 0.02)
        for i in range(count)
    ]


def test_before_an_answer_there_is_no_peer() -> None:
    assert RtpSource().peer is None


def test_the_address_of_the_sdp_is_heard_from_the_first_packet() -> None:
    source = agreed()
    assert send(source, DESCRIBED, 3, 0.0) == [True, True, True]
    assert source.peer == DESCRIBED
    assert not source.latched


def test_behind_a_nat_the_fifth_packet_in_a_row_latches() -> None:
    source = agreed()
    assert send(source, REAL, 6, 0.0) == [False, False, False, False, True, True]
    assert source.peer == REAL
    assert source.latched


def test_the_sequence_numbers_may_wrap_while_it_latches() -> None:
    assert send(agreed(), REAL, 5, 0.0, sequence=65_534)[-1]


def test_equal_falling_or_leaping_sequence_numbers_are_no_row() -> None:
    for sequences in ([5, 5, 5, 5, 5, 5, 5], [9, 8, 7, 6, 5, 4, 3], [0, 200, 400, 600, 800, 1000]):
        source = agreed()
        assert not any(source.admits(REAL, SSRC, n, 0.0) for n in sequences)


def test_one_row_is_of_one_stream() -> None:
    source = agreed()
    assert not any(source.admits(REAL, SSRC + i % 2, 100 + i, i * 0.02) for i in range(20))


def test_while_the_peer_is_alive_nobody_else_is_latched() -> None:
    source = agreed()
    for i in range(500):
        assert source.admits(DESCRIBED, SSRC, i, i * 0.02)
        assert not source.admits(STRANGER, SSRC, i, i * 0.02 + 0.01)
    assert source.peer == DESCRIBED


def test_a_flood_between_two_packets_of_the_peer_does_not_latch() -> None:
    source = agreed()
    send(source, DESCRIBED, 10, 0.0)
    assert not any(source.admits(STRANGER, SSRC, n, 0.19) for n in range(1000))
    assert send(source, DESCRIBED, 1, 0.2) == [True]


def test_just_under_two_seconds_of_silence_are_no_leave_to_move() -> None:
    source = agreed()
    send(source, DESCRIBED, 1, 0.0)
    assert not any(send(source, REAL, 10, 1.81))


def test_after_two_seconds_of_silence_the_same_stream_may_move() -> None:
    source = agreed()
    send(source, DESCRIBED, 10, 0.0)
    assert send(source, REAL, 5, 2.3, sequence=200)[-1]
    assert source.peer == REAL
    assert send(source, STRANGER, 5, 5.0, sequence=300)[-1]


def test_after_two_seconds_of_silence_another_stream_may_not_move() -> None:
    source = agreed()
    send(source, DESCRIBED, 10, 0.0)
    assert not any(send(source, STRANGER, 100, 3.0, ssrc=SSRC + 1))
    assert source.peer == DESCRIBED


def test_the_address_of_the_sdp_is_still_heard_when_another_is_latched() -> None:
    source = agreed()
    send(source, REAL, 5, 0.0)
    assert send(source, DESCRIBED, 1, 0.2) == [True]
    assert source.peer == REAL


def test_the_same_address_again_keeps_who_is_latched() -> None:
    source = agreed()
    send(source, REAL, 5, 0.0)
    source.agree(DESCRIBED)
    source.agree(None)
    assert source.peer == REAL


def test_a_new_address_in_the_sdp_begins_anew_with_any_stream() -> None:
    source = agreed()
    send(source, REAL, 5, 0.0)
    moved = Address("192.168.1.9", 5000)
    source.agree(moved)
    assert source.peer == moved
    assert send(source, REAL, 5, 0.1, ssrc=SSRC + 1)[-1]
