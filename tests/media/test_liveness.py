"""A silence is a broken way only when nothing else explains it."""

from applet.media.liveness import AFTER_ANSWER, Liveness


def listening(at: float = 0.0) -> Liveness:
    liveness = Liveness()
    liveness.listen(True, at)
    return liveness


def test_three_seconds_after_the_answer_without_sound_it_is_missing_once() -> None:
    liveness = listening()
    assert liveness.due == 3.0
    assert not liveness.look(2.9)
    assert liveness.look(3.0)
    assert liveness.missing and not liveness.heard
    assert liveness.due is None and not liveness.look(100.0)


def test_later_it_takes_six_seconds() -> None:
    liveness = listening()
    assert not liveness.rtp(False, 1.0)
    assert not liveness.look(6.9)
    assert liveness.look(7.0)
    assert liveness.heard


def test_the_first_packet_after_that_brings_it_back() -> None:
    liveness = listening()
    liveness.look(3.0)
    assert liveness.rtp(False, 4.0)
    assert not liveness.missing
    assert liveness.due == 10.0


def test_a_peer_that_fell_silent_with_comfort_noise_is_not_missing() -> None:
    liveness = listening()
    liveness.rtp(True, 1.0)
    assert not liveness.look(7.0)
    assert liveness.due is None
    liveness.rtp(False, 30.0)
    assert liveness.due == 36.0


def test_a_report_within_the_six_seconds_shows_that_the_way_is_open() -> None:
    liveness = listening()
    liveness.rtp(False, 1.0)
    liveness.rtcp(True, 5.0)
    assert not liveness.look(7.0)
    assert liveness.due == 11.0
    assert liveness.look(11.0)


def test_after_the_answer_only_the_report_of_a_peer_that_sends_nothing_does() -> None:
    quiet, lost = listening(), listening()
    quiet.rtcp(False, 1.0)
    lost.rtcp(True, 1.0)
    assert not quiet.look(3.0)
    assert lost.look(3.0)


def test_a_held_call_misses_nothing() -> None:
    liveness = listening()
    liveness.listen(False, 1.0)
    assert liveness.due is None
    assert not liveness.rtp(False, 2.0)
    assert liveness.due is None


def test_a_rounded_deadline_does_not_come_again_and_again() -> None:
    """`now - report < window` and `report + window == now` can both be true."""
    for step in range(200):
        liveness = listening()
        report = step / 70
        liveness.rtcp(False, report)
        liveness.due = due = report + AFTER_ANSWER
        liveness.look(due)
        assert liveness.due is None
