"""Two whole phones talk: every story from the first ring to the last packet, in virtual time."""

import pytest

from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    Dial,
    DigitReceived,
    HangUp,
    HeldBy,
    Hold,
    HoldChanged,
    IncomingCall,
    Mute,
    Quit,
    Reason,
    Reject,
    RequestStatistics,
    Resume,
    SendDigits,
    Statistics,
    Trouble,
)
from tests.support.street import House, Street, bad_line

ANN, BEN, EVE = "10.0.0.1", "10.0.0.2", "10.0.0.3"
HEARD, SILENT = -30.0, -40.0  # the hold tone is quieter than this


def _street(street: Street | None = None) -> tuple[Street, House, House]:
    street = street or Street()
    return street, House(street, ANN, hertz=440), House(street, BEN, hertz=660)


def _call(street: Street, ann: House, ben: House, seconds: float = 1.0) -> None:
    """Ann calls Ben, Ben accepts, they talk."""
    ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    assert street.run_until(lambda: bool(ben.seen(IncomingCall)), 5)
    street.run(0.5)
    ben.do(Answer(1))
    assert street.run_until(lambda: ann.state() is CallState.CONNECTED, 5)
    street.run(seconds)


def _reason(house: House) -> Reason:
    last = house.last(CallStateChanged)
    assert isinstance(last, CallStateChanged)
    assert last.state is CallState.ENDED
    return last.reason


def _held(house: House) -> HeldBy:
    last = house.last(HoldChanged)
    assert isinstance(last, HoldChanged)
    return last.by


def _hears(house: House) -> bool:
    level = house.rooms[1].hears()
    assert level > HEARD or level < SILENT, f"neither heard nor silent: {level} dBFS"
    return level > HEARD


def _nothing_left(street: Street, *houses: House) -> None:
    street.run(40)
    assert [house.is_empty() for house in houses] == [True] * len(houses)


def test_a_call_is_answered_both_hear_each_other_and_either_hangs_up() -> None:
    for hangs_up in (0, 1):
        street, *both = _street()
        _call(street, both[0], both[1])
        assert [_hears(house) for house in both] == [True, True]
        both[hangs_up].do(HangUp(1))
        street.run(1)
        assert _reason(both[hangs_up]) is Reason.HUNG_UP_HERE
        assert _reason(both[1 - hangs_up]) is Reason.HUNG_UP_THERE
        _nothing_left(street, *both)


def test_the_caller_sees_dialling_ringing_connected_ended() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ann.do(HangUp(0))
    street.run(1)
    expected = [CallState.DIALLING, CallState.RINGING, CallState.CONNECTED, CallState.ENDED]
    assert ann.states() == expected
    assert ben.states() == [CallState.RINGING, CallState.CONNECTED, CallState.ENDED]


def test_the_caller_hears_ringback_and_nothing_of_the_microphone_leaves_before_the_answer() -> None:
    street, ann, ben = _street()
    ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    street.run(0.5)
    assert ann.rooms[1].hears(0.4) > -40
    assert ben.rooms[1].hears(0.4) > -40, "the incoming call is heard"
    street.run(3)
    assert not [1 for _, _, source, _ in street.sent if source.port != 5060]


@pytest.mark.parametrize(
    ("status", "told", "seen"),
    [(486, Reason.BUSY, Reason.REJECTED_HERE), (603, Reason.DECLINED, Reason.REJECTED_HERE)],
)
def test_a_rejected_call_ends_with_its_reason_and_a_busy_tone(
    status: int, told: Reason, seen: Reason
) -> None:
    street, ann, ben = _street()
    ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    street.run(1)
    ben.do(Reject(1, status))
    street.run(0.3)
    assert (_reason(ann), _reason(ben)) == (told, seen)
    assert ann.rooms[1].hears(0.2) > -40, "busy tone"
    street.run(2)
    assert not ann.rooms
    _nothing_left(street, ann, ben)


def test_a_second_call_finds_the_line_busy() -> None:
    street, ann, ben = _street()
    eve = House(street, EVE)
    _call(street, ann, ben)
    eve.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    street.run(1)
    assert _reason(eve) is Reason.BUSY
    assert [_hears(house) for house in (ann, ben)] == [True, True]
    assert len(ben.seen(IncomingCall)) == 1


def test_a_second_call_out_is_refused_here() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ann.do(Dial(f"sip:eve@{EVE}", confirmed=True))
    assert ann.last(Trouble) == Trouble(0, Reason.ONE_CALL_AT_A_TIME, "")


def test_a_call_cancelled_while_it_rings_ends_on_both_sides() -> None:
    street, ann, ben = _street()
    ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    street.run(1)
    ann.do(HangUp(0))
    street.run(1)
    assert (_reason(ann), _reason(ben)) == (Reason.CANCELLED_HERE, Reason.CALLER_GAVE_UP)
    _nothing_left(street, ann, ben)


def test_a_call_hung_up_before_anything_was_heard_is_cancelled_when_they_ring() -> None:
    street, ann, ben = _street()
    ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    ann.do(HangUp(0))
    street.run(1)
    assert _reason(ann) is Reason.CANCELLED_HERE
    assert _reason(ben) is Reason.CALLER_GAVE_UP
    _nothing_left(street, ann, ben)


def test_crossed_byes_end_the_call_once() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ann.do(HangUp(0))
    ben.do(HangUp(0))
    street.run(1)
    assert [house.states().count(CallState.ENDED) for house in (ann, ben)] == [1, 1]
    _nothing_left(street, ann, ben)


def test_cancel_and_answer_cross_and_the_late_200_is_acknowledged_and_ended() -> None:
    street, ann, ben = _street()
    ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    street.run(1)
    ann.do(HangUp(0))
    ben.do(Answer(1))
    street.run(2)
    assert _reason(ann) is Reason.CANCELLED_HERE
    assert _reason(ben) is Reason.HUNG_UP_THERE
    assert street.requests("ACK")
    assert street.requests("BYE")
    _nothing_left(street, ann, ben)


def test_nobody_there_ends_after_32_seconds() -> None:
    street = Street()
    ann = House(street, ANN)
    ann.do(Dial("sip:nobody@10.0.0.9", confirmed=True))
    street.run(33)
    assert street.requests("INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert _reason(ann) is Reason.SERVER_SILENT
    assert ann.events[-1][0] == pytest.approx(32.0)
    _nothing_left(street, ann)


def test_hold_silences_both_directions_at_once_and_resume_gives_them_back() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ann.do(Hold(0))
    assert _held(ann) is HeldBy.US
    street.run(0.3)
    assert [_hears(house) for house in (ann, ben)] == [False, False]
    assert (ann.state(), ben.state()) == (CallState.ON_HOLD, CallState.ON_HOLD)
    assert _held(ben) is HeldBy.THEM
    ann.do(Resume(0))
    street.run(0.5)
    assert [_hears(house) for house in (ann, ben)] == [True, True]
    assert (ann.state(), ben.state()) == (CallState.CONNECTED, CallState.CONNECTED)
    assert [_held(house) for house in (ann, ben)] == [HeldBy.NONE, HeldBy.NONE]


def test_both_may_hold_and_each_resumes_for_himself() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ann.do(Hold(0))
    street.run(0.5)
    ben.do(Hold(0))
    street.run(0.5)
    assert [_held(house) for house in (ann, ben)] == [HeldBy.BOTH, HeldBy.BOTH]
    ann.do(Resume(0))
    street.run(0.5)
    assert [_held(house) for house in (ann, ben)] == [HeldBy.THEM, HeldBy.US]
    assert [_hears(house) for house in (ann, ben)] == [False, False]
    ben.do(Resume(0))
    street.run(0.5)
    assert [_held(house) for house in (ann, ben)] == [HeldBy.NONE, HeldBy.NONE]
    assert [_hears(house) for house in (ann, ben)] == [True, True]


def test_hold_pressed_by_both_at_the_same_moment_settles() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ann.do(Hold(0))
    ben.do(Hold(0))
    street.run(10)
    assert {_held(ann), _held(ben)} <= {HeldBy.BOTH, HeldBy.US}, "inactive answers inactive"
    assert [_hears(house) for house in (ann, ben)] == [False, False]
    ann.do(Resume(0))
    street.run(5)
    assert (_held(ann), _held(ben)) == (HeldBy.THEM, HeldBy.US)
    ben.do(Resume(0))
    street.run(5)
    assert [_hears(house) for house in (ann, ben)] == [True, True]


def test_hold_and_resume_pressed_quickly_end_where_the_last_press_wanted() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    for command in (Hold(0), Resume(0), Hold(0), Resume(0), Hold(0)):
        ann.do(command)
    street.run(2)
    assert (_held(ann), _held(ben)) == (HeldBy.US, HeldBy.THEM)
    ann.do(Resume(0))
    ann.do(Hold(0))
    ann.do(Resume(0))
    street.run(2)
    assert (_held(ann), _held(ben)) == (HeldBy.NONE, HeldBy.NONE)
    assert [_hears(house) for house in (ann, ben)] == [True, True]


def test_music_on_hold_is_heard_and_our_voice_is_not() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ben.do(Hold(0, with_music=True))
    street.run(0.5)
    assert _held(ann) is HeldBy.THEM
    assert (_hears(ann), _hears(ben)) == (True, False)


def test_rtcp_goes_on_while_the_call_is_held() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ann.do(Hold(0))
    street.run(1)
    before = len(street.sent)
    street.run(30)
    controls = {source.host for _, _, source, _ in street.sent[before:] if source.port % 2}
    assert controls == {ANN, BEN}


def test_mute_sends_silence_and_still_hears() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ann.do(Mute(0, True))
    street.run(0.5)
    assert (_hears(ann), _hears(ben)) == (True, False)
    ann.do(Mute(0, False))
    street.run(0.5)
    assert _hears(ben)


def test_digits_arrive_once_each_whatever_the_line_does() -> None:
    street = Street(spoil=bad_line(seed=3, loss=0.1, reorder=0.1, duplicate=0.1))
    street, ann, ben = _street(street)
    _call(street, ann, ben)
    ann.do(SendDigits(0, "159#*0D"))
    street.run(4)
    received = [
        event.digit for event in ben.seen(DigitReceived) if isinstance(event, DigitReceived)
    ]
    assert "".join(received) == "159#*0D"


@pytest.mark.parametrize("digits", ["", "12x", "É"])
def test_characters_that_are_no_keys_are_refused(digits: str) -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ann.do(SendDigits(0, digits))
    assert ann.last(Trouble) == Trouble(1, Reason.NO_DIGITS, "")


@pytest.mark.parametrize("seed", range(8))
def test_a_call_succeeds_and_ends_over_a_line_that_loses_reorders_and_duplicates(seed: int) -> None:
    street, ann, ben = _street(Street(spoil=bad_line(seed, 0.2, 0.2, 0.2)))
    ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    assert street.run_until(lambda: bool(ben.seen(IncomingCall)), 20)
    ben.do(Answer(1))
    assert street.run_until(lambda: ann.state() is CallState.CONNECTED, 20)
    street.run(2)
    ann.do(Hold(0))
    assert street.run_until(lambda: ben.state() is CallState.ON_HOLD, 20)
    ann.do(Resume(0))
    for house in (ben, ann):
        assert street.run_until(lambda: house.state() is CallState.CONNECTED, 30)  # noqa: B023
    street.run(1)
    assert [_hears(house) for house in (ann, ben)] == [True, True]
    ann.do(HangUp(0))
    assert street.run_until(lambda: ben.state() is CallState.ENDED, 40)
    _nothing_left(street, ann, ben)


def test_statistics_come_on_request_and_just_before_the_end() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben, seconds=2)
    ann.do(RequestStatistics(0))
    ann.do(HangUp(0))
    kinds = [type(event) for _, event in ann.events]
    assert kinds.count(Statistics) == 2
    assert kinds[-2:] == [Statistics, CallStateChanged]
    numbers = ann.last(Statistics)
    assert isinstance(numbers, Statistics)
    assert (numbers.lost, numbers.late) == (0, 0)
    assert numbers.received == pytest.approx(100, abs=10)


def test_a_call_to_a_phone_that_takes_no_calls_finds_it_unavailable() -> None:
    street = Street()
    ann = House(street, ANN)
    ben = House(street, BEN, PhoneConfig(incoming=False))
    ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    street.run(1)
    assert _reason(ann) is Reason.UNAVAILABLE
    assert not ben.events


def test_no_free_port_for_the_sound_ends_the_call_plainly_on_both_sides() -> None:
    street, ann, ben = _street()
    ben.sockets_free = False
    ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    street.run(1)
    assert (_reason(ann), _reason(ben)) == (Reason.SERVER_TROUBLE, Reason.MEDIA_FAILED)
    ann.sockets_free = False
    ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    street.run(3)
    assert _reason(ann) is Reason.MEDIA_FAILED
    _nothing_left(street, ann, ben)


def test_quit_hangs_up_and_stops_within_two_seconds() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    ann.do(Quit())
    street.run(0.2)
    assert ann.stopped
    assert _reason(ben) is Reason.HUNG_UP_THERE


def test_quit_does_not_wait_for_a_network_that_is_gone() -> None:
    street, ann, ben = _street()
    _call(street, ann, ben)
    del street.residents[BEN]
    ann.do(Quit())
    street.run(1.9)
    assert not ann.stopped
    street.run(0.2)
    assert ann.stopped
