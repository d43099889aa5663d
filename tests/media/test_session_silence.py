"""A call in which nothing is heard tells so once; a held one keeps its NAT binding open."""

from applet.media.events import SoundBack, SoundMissing
from applet.media.rtcp import ReceiverReport, SenderReport, encode_rtcp
from tests.media.test_session import AGREED, PEER, PEER_CONTROL, Line


def told(line: Line) -> list[object]:
    return [e for e in line.session.events() if isinstance(e, SoundMissing | SoundBack)]


def quiet(line: Line, seconds: float) -> list[object]:
    line.run(round(seconds / 0.02), hears=False)
    return told(line)


def test_after_the_answer_three_seconds_of_nothing_are_too_many() -> None:
    line = Line()
    assert quiet(line, 2.9) == []
    assert quiet(line, 0.2) == [SoundMissing(heard=False)]
    assert quiet(line, 20.0) == []
    line.receive()
    assert told(line) == [SoundBack()]


def test_later_it_takes_six_seconds_and_a_new_agreement_begins_anew() -> None:
    line = Line()
    line.run(10)
    assert quiet(line, 5.9) == []
    assert quiet(line, 0.2) == [SoundMissing(heard=True)]
    line.session.update(AGREED, line.now)
    assert quiet(line, 3.1) == [SoundMissing(heard=False)]
    assert line.session.next_timer() is not None


def test_a_refresh_that_changes_nothing_does_not_count_anew() -> None:
    line = Line()
    line.run(10)
    quiet(line, 2.0)
    line.session.update(AGREED, line.now)
    assert quiet(line, 3.5) == []


def test_a_peer_that_only_sends_reports_is_not_missing() -> None:
    line = Line()
    quiet(line, 1.0)
    report = encode_rtcp([ReceiverReport(77)])
    for _ in range(4):
        line.session.receive_control(report, PEER_CONTROL, line.now)
        assert quiet(line, 2.0) == []


def test_a_peer_that_goes_on_consenting_is_not_missing() -> None:
    line = Line()
    line.run(10)
    for _ in range(4):
        assert quiet(line, 4.0) == []
        line.session.consented(line.now)
    assert quiet(line, 6.1) == [SoundMissing(heard=True)]


def test_a_peer_that_says_it_sends_and_is_not_heard_is_missing() -> None:
    line = Line()
    quiet(line, 1.0)
    report = encode_rtcp([SenderReport(77, 0, 0, 50, 8000)])
    line.session.receive_control(report, PEER_CONTROL, line.now)
    assert quiet(line, 2.2) == [SoundMissing(heard=False)]


def test_a_peer_that_fell_silent_with_comfort_noise_is_not_missing() -> None:
    line = Line()
    line.run(10)
    line.receive(payload_type=13, payload=b"\x40")
    assert quiet(line, 30.0) == []


def test_a_held_call_is_not_missing_anything() -> None:
    line = Line()
    line.session.hold_locally(True)
    assert quiet(line, 30.0) == []
    line.session.hold_locally(False)
    assert quiet(line, 3.1) == [SoundMissing(heard=False)]
    line.session.update(AGREED._replace(direction="recvonly"), line.now)
    assert quiet(line, 30.0) == []


def test_nothing_is_missed_before_the_answer() -> None:
    line = Line(answered=False)
    assert quiet(line, 10.0) == []


def kept_alive(line: Line) -> int:
    sent, line.sent = line.sent, []
    return sum(out.data == b"" and out.destination == PEER for out in sent)


def test_on_hold_an_empty_datagram_every_15_seconds_keeps_the_binding() -> None:
    line = Line()
    line.run(10)
    line.session.update(AGREED._replace(direction="inactive"), line.now)
    line.run(50 * 14, hears=False)
    assert kept_alive(line) == 0
    line.run(50 * 32, hears=False)
    assert kept_alive(line) == 3
    line.session.update(AGREED, line.now)
    line.run(50 * 20)
    assert kept_alive(line) == 0


def test_who_only_listens_from_the_beginning_opens_the_binding_at_once() -> None:
    line = Line(AGREED._replace(direction="recvonly"))
    line.run(2)
    assert kept_alive(line) == 1


def test_on_hold_by_address_zero_nothing_is_sent_at_all() -> None:
    line = Line()
    line.run(2)
    line.session.update(AGREED._replace(remote_rtp=None, direction="inactive"), line.now)
    line.run(50 * 40, hears=False)
    assert kept_alive(line) == 0
