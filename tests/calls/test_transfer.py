"""Transfer between three whole phones, in virtual time: blind and attended, in every role, and what
becomes of the calls when it fails (RFC 3515, 3891, 5589)."""

import pytest

from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    ConfirmTransfer,
    Dial,
    HangUp,
    HeldBy,
    Hold,
    HoldChanged,
    IncomingCall,
    Mute,
    MuteChanged,
    Reason,
    Reject,
    Resume,
    Transfer,
    TransferChanged,
    TransferState,
    Trouble,
)
from applet.sip.message import Request, Response
from tests.calls.scenes import connected, dialled
from tests.support.pbx import Pbx
from tests.support.street import House, Street

ANN, BEN, EVE = "10.0.0.1", "10.0.0.2", "10.0.0.3"
DESK = "support.example"
CALLER = PhoneConfig(desk=f"sip:desk@{BEN}", answer=0)
FREE = PhoneConfig(desk=f"sip:desk@{EVE}", answer=0, other_addresses=True)
OPEN = PhoneConfig(other_addresses=True, max_calls=3, answer=200)


class Scene:
    """Ann, a caller, talks to Ben at the desk; Eve is his colleague."""

    def __init__(
        self,
        ann: PhoneConfig | None = None,
        eve: PhoneConfig | None = None,
        *,
        ann_called: bool = False,
    ) -> None:
        self.street = Street()
        self.ann = House(self.street, ANN, ann or OPEN, hertz=440)
        self.ben = House(self.street, BEN, OPEN, hertz=660)
        self.eve = House(self.street, EVE, eve or OPEN, hertz=880)
        if ann_called:
            self.ben.do(Dial(f"sip:ann@{ANN}", confirmed=True))
        else:
            self.ann.do(Dial(f"sip:ben@{BEN}", confirmed=True))
        self.run(1)
        assert self.ann.state() is self.ben.state() is CallState.CONNECTED

    def run(self, seconds: float) -> None:
        self.street.run(seconds)

    def nothing_is_left(self) -> None:
        self.run(70)
        for house in (self.ann, self.ben, self.eve):
            assert house.is_empty(), house.host


def being_passed_on() -> Scene:
    """Ben passes Ann on, and it rings at Eve's."""
    scene = Scene(FREE, OPEN._replace(answer=0))
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    scene.run(0.5)
    return scene


def states(house: House) -> list[TransferState]:
    events = [event for _, event in house.events if isinstance(event, TransferChanged)]
    return [event.state for event in events]


def call_states(house: House, call: int) -> list[CallState]:
    events = [event for _, event in house.events if isinstance(event, CallStateChanged)]
    return [event.state for event in events if event.call == call]


def reason(house: House, call: int) -> Reason:
    events = [event for _, event in house.events if isinstance(event, CallStateChanged)]
    (ended,) = [e for e in events if e.call == call and e.state is CallState.ENDED]
    return ended.reason


def troubles(house: House) -> list[tuple[int, Reason]]:
    events = [event for _, event in house.events if isinstance(event, Trouble)]
    return [(event.call, event.reason) for event in events]


def hears(house: House, call: int) -> bool:
    return house.rooms[call].hears() > -30.0


# --- blind


@pytest.mark.parametrize("ann_called", [False, True])
def test_a_transferred_caller_goes_on_talking_without_touching_anything(ann_called: bool) -> None:
    scene = Scene(CALLER._replace(desk=f"sip:desk@{EVE}", other_addresses=True, answer=200))
    scene = (
        scene
        if not ann_called
        else Scene(CALLER._replace(desk=f"sip:desk@{EVE}", answer=200), ann_called=True)
    )
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    scene.run(2)
    assert states(scene.ben)[0] is TransferState.SENT
    assert states(scene.ben)[-1] is TransferState.DONE
    assert states(scene.ann) == [TransferState.FOLLOWING, TransferState.DONE]
    assert reason(scene.ann, 1) is Reason.TRANSFERRED
    assert reason(scene.ben, 1) is Reason.TRANSFERRED
    assert call_states(scene.ann, 2)[-1] is CallState.CONNECTED
    assert hears(scene.ann, 2) and hears(scene.eve, 1)
    scene.ann.do(HangUp(2))
    scene.nothing_is_left()


def test_the_old_call_is_held_and_silent_while_the_new_one_rings() -> None:
    scene = Scene(
        CALLER._replace(desk=f"sip:desk@{EVE}", answer=0, other_addresses=True),
        OPEN._replace(answer=0),
    )
    scene.ben.do(Transfer(0, f"sip:eve@{EVE}"))
    scene.run(1)
    assert not hears(scene.ben, 1), "Ben hears nothing of Ann any more"
    held = scene.ben.last(HoldChanged)
    assert isinstance(held, HoldChanged) and held.by is HeldBy.US
    assert states(scene.ben) == [
        TransferState.SENT,
        TransferState.ACCEPTED,
        TransferState.RINGING,
    ]
    assert call_states(scene.ann, 2) == [CallState.DIALLING, CallState.RINGING]
    assert call_states(scene.ann, 1)[-1] is not CallState.ENDED
    scene.eve.do(Answer(1))
    scene.run(1)
    assert hears(scene.ann, 2) and states(scene.ben)[-1] is TransferState.DONE
    scene.eve.do(HangUp(1))
    scene.nothing_is_left()


@pytest.mark.parametrize("how", ["busy", "nobody", "codec"])
def test_a_transfer_that_fails_leaves_both_where_they_were_and_says_so(how: str) -> None:
    eve = {"busy": 486, "nobody": 0, "codec": 200}[how]
    scene = Scene(FREE, OPEN._replace(answer=eve))
    if how == "nobody":
        del scene.street.residents[EVE]
    if how == "codec":
        scene.eve.sockets_free = False
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    scene.run(40)
    for house in (scene.ann, scene.ben):
        assert states(house)[-1] is TransferState.FAILED
        assert troubles(house) == [(1, Reason.TRANSFER_FAILED)]
        assert call_states(house, 1)[-1] is CallState.CONNECTED
        assert hears(house, 1), house.host
    scene.ann.do(HangUp(1))
    scene.run(3)
    assert reason(scene.ann, 1) is Reason.HUNG_UP_HERE
    if how == "nobody":
        scene.run(70)
        assert scene.ann.is_empty() and scene.ben.is_empty()
    else:
        scene.nothing_is_left()


def test_a_call_that_was_held_before_stays_held_when_the_transfer_fails() -> None:
    scene = Scene(FREE, OPEN._replace(answer=486))
    scene.ben.do(Hold(1))
    scene.ann.do(Hold(1))
    scene.run(6)
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    scene.run(2)
    for house in (scene.ann, scene.ben):
        held = house.last(HoldChanged)
        assert isinstance(held, HoldChanged) and held.by in (HeldBy.US, HeldBy.BOTH)
        assert not hears(house, 1)


def test_mute_and_hold_go_with_the_person_into_the_new_call() -> None:
    scene = Scene(CALLER._replace(desk=f"sip:desk@{EVE}", other_addresses=True))
    scene.ann.do(Mute(1, True))
    scene.ann.do(Hold(1))
    scene.run(1)
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    scene.run(2)
    muted = scene.ann.last(MuteChanged)
    held = scene.ann.last(HoldChanged)
    assert muted == MuteChanged(2, True)
    assert held == HoldChanged(2, HeldBy.US, False)
    assert not hears(scene.eve, 1) and not hears(scene.ann, 2)


@pytest.mark.parametrize("answered", [True, False])
def test_hold_and_resume_pressed_during_a_transfer_count_wherever_it_leads(answered: bool) -> None:
    scene = being_passed_on()
    for command in (Hold(1), Resume(1), Hold(1)):
        scene.ann.do(command)
        scene.run(0.1)
    scene.ben.do(Resume(1))
    scene.ben.do(Hold(1))
    scene.eve.do(Answer(1) if answered else Reject(1, 486))
    scene.run(8)
    assert scene.ann.last(HoldChanged) == HoldChanged(2 if answered else 1, HeldBy.US, False)
    assert not hears(scene.ann, 2 if answered else 1)
    assert not hears(scene.eve if answered else scene.ben, 1)


def test_the_transferor_may_leave_before_it_is_known_how_it_went() -> None:
    scene = being_passed_on()
    scene.ben.do(HangUp(1))
    scene.run(0.5)
    assert reason(scene.ann, 1) is Reason.TRANSFERRED
    assert states(scene.ben)[-1] is TransferState.DONE
    scene.eve.do(Answer(1))
    scene.run(1)
    assert states(scene.ann)[-1] is TransferState.DONE
    assert hears(scene.ann, 2)
    scene.ann.do(HangUp(0))
    scene.nothing_is_left()


def test_when_the_transferor_has_left_and_the_target_is_busy_the_call_is_over() -> None:
    scene = being_passed_on()
    scene.ben.do(HangUp(1))
    scene.run(0.5)
    scene.eve.do(Reject(1, 486))
    scene.run(1)
    assert reason(scene.ann, 2) is Reason.BUSY
    assert states(scene.ann)[-1] is TransferState.FAILED and troubles(scene.ann) == []
    scene.nothing_is_left()


def test_hanging_up_in_the_middle_ends_both_calls() -> None:
    scene = being_passed_on()
    scene.ann.do(HangUp(1))
    scene.run(1)
    assert reason(scene.ann, 1) is Reason.HUNG_UP_HERE
    assert reason(scene.ann, 2) is Reason.CANCELLED_HERE
    assert reason(scene.eve, 1) is Reason.CALLER_GAVE_UP
    scene.nothing_is_left()


def test_cancelling_only_the_new_call_goes_back_to_the_old_one() -> None:
    scene = being_passed_on()
    scene.ann.do(HangUp(2))
    scene.run(1)
    assert hears(scene.ann, 1) and hears(scene.ben, 1)
    assert states(scene.ben)[-1] is TransferState.FAILED


# --- never dial on someone else's word


def test_a_target_outside_the_desk_s_domain_is_declined_where_the_brand_does_not_allow_it() -> None:
    scene = Scene(PhoneConfig(desk=f"sip:desk@{BEN}"))
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    scene.run(1)
    assert states(scene.ann) == [] and not scene.eve.seen(IncomingCall)
    assert troubles(scene.ben) == [(1, Reason.TRANSFER_FAILED)]
    assert hears(scene.ann, 1) and hears(scene.ben, 1)


def _asked() -> Scene:
    scene = Scene(PhoneConfig(desk=f"sip:desk@{BEN}", other_addresses=True))
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    scene.run(1)
    assert scene.ann.last(TransferChanged) == TransferChanged(
        1, TransferState.ASKED, f"sip:eve@{EVE}"
    )
    assert not scene.eve.seen(IncomingCall), "nothing is dialled before the answer"
    return scene


def test_another_address_is_called_once_the_person_has_confirmed_it() -> None:
    scene = _asked()
    scene.ann.do(ConfirmTransfer(0, True))
    scene.ann.do(ConfirmTransfer(1, False))
    scene.run(2)
    assert states(scene.ann)[1:] == [TransferState.FOLLOWING, TransferState.DONE]
    assert hears(scene.eve, 1)


@pytest.mark.parametrize("how", ["no", "silence", "hang up"])
def test_another_address_is_not_called_otherwise(how: str) -> None:
    scene = _asked()
    if how == "no":
        scene.ann.do(ConfirmTransfer(1, False))
    elif how == "hang up":
        scene.ann.do(HangUp(1))
    scene.run(31)
    assert states(scene.ann)[-1] is TransferState.FAILED
    assert not scene.eve.seen(IncomingCall)
    if how != "hang up":
        assert states(scene.ben)[-1] is TransferState.FAILED
        assert hears(scene.ann, 1) and hears(scene.ben, 1)
        scene.ann.do(HangUp(1))
    scene.nothing_is_left()


def _refer(pbx: Pbx, invite: Request, cseq: int, target: str) -> int:
    """The status that a REFER of the server gets in the call that the phone's INVITE made."""
    pbx.ask("REFER", invite, cseq, headers=(f"Refer-To: <{target}>",))
    pbx.street.run(0.2)
    return next(
        message.status
        for _, message in reversed(pbx.got)
        if isinstance(message, Response) and message.cseq.method == "REFER"
    )


def test_emergency_numbers_are_not_called_on_someone_else_s_word() -> None:
    _, phone, pbx, invite = connected()
    assert _refer(pbx, invite, 10, f"sip:112@{pbx.host}") == 603
    assert len(pbx.requests("INVITE")) == 1 and states(phone) == []


def test_a_second_refer_while_the_first_is_followed_is_declined() -> None:
    _, phone, pbx, invite = connected()
    assert _refer(pbx, invite, 10, f"sip:one@{pbx.host}") == 202
    assert _refer(pbx, invite, 11, f"sip:two@{pbx.host}") == 603
    assert states(phone) == [TransferState.FOLLOWING]


def test_the_answer_to_another_call_s_question_is_none() -> None:
    scene = Scene()
    scene.ben.do(Transfer(1, "sip:x@elsewhere.example"))
    scene.run(1)
    assert states(scene.ann) == [TransferState.ASKED]
    scene.ann.do(ConfirmTransfer(7, True))
    assert states(scene.ann) == [TransferState.ASKED]


def test_a_phone_without_a_desk_follows_to_the_host_it_talks_to_and_asks_about_others() -> None:
    scene = Scene()
    scene.ben.do(Transfer(1, f"sip:other@{BEN}"))
    scene.run(1)
    assert states(scene.ann)[0] is TransferState.FOLLOWING
    scene = Scene(ann_called=True)
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    scene.run(1)
    assert states(scene.ann) == [TransferState.ASKED]


def test_one_transfer_of_a_call_at_a_time() -> None:
    scene = _asked()
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    assert troubles(scene.ben) == [(1, Reason.TRANSFER_FAILED)]
    scene.ann.do(Transfer(1, f"sip:eve@{EVE}"))
    assert troubles(scene.ann) == [(1, Reason.TRANSFER_FAILED)]


def test_what_cannot_be_transferred_is_said() -> None:
    scene = Scene()
    scene.ben.do(Transfer(9, f"sip:eve@{EVE}"))
    scene.ben.do(Transfer(1, other=9))
    scene.ben.do(Transfer(1, other=1))
    scene.ben.do(Transfer(1, "mailto:x@y"))
    failed = Reason.TRANSFER_FAILED
    assert troubles(scene.ben) == [(9, failed), (1, failed), (1, failed), (1, Reason.BAD_ADDRESS)]


def test_refer_waits_for_the_answer_to_the_hold_but_not_for_ever() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Transfer(1, f"sip:x@{pbx.host}"))
    hold = pbx.wait_for("INVITE", 2)
    street.run(3)
    assert not pbx.requests("REFER")
    pbx.answer(hold, 200, pbx.sdp("a=inactive"))
    street.run(0.1)
    assert len(pbx.requests("REFER")) == 1
    street, phone, pbx, _ = connected()
    phone.do(Transfer(1, f"sip:x@{pbx.host}"))
    asked = street.now
    pbx.wait_for("REFER")
    assert round(street.now - asked) == 4


def test_who_hangs_up_before_the_refer_is_not_passed_on() -> None:
    street, phone, pbx, invite = connected()
    phone.do(Transfer(1, f"sip:x@{pbx.host}"))
    pbx.ask("BYE", invite, 10)
    street.run(5)
    assert states(phone) == [TransferState.SENT, TransferState.FAILED]
    assert not pbx.requests("REFER")


def test_two_calls_are_passed_on_at_once_and_each_is_told_of_its_own() -> None:
    scene = Scene(FREE, OPEN._replace(answer=486))
    scene.eve.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    scene.run(1)
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    scene.ben.do(Transfer(2, f"sip:other@{BEN}"))
    scene.run(3)
    events = [event for _, event in scene.ben.events if isinstance(event, TransferChanged)]
    last = {event.call: event.state for event in events}
    assert last == {1: TransferState.FAILED, 2: TransferState.DONE}


# --- attended


def _consulted(
    ann: PhoneConfig | None = None, *, eve_calls: bool = False, ann_called: bool = False
) -> Scene:
    """Ben has put Ann on hold and talks to Eve."""
    scene = Scene(
        ann or CALLER._replace(desk=f"sip:desk@{EVE}", other_addresses=True, answer=200),
        ann_called=ann_called,
    )
    scene.ben.do(Hold(1))
    scene.run(0.5)
    if eve_calls:
        scene.eve.do(Dial(f"sip:ben@{BEN}", confirmed=True))
    else:
        scene.ben.do(Dial(f"sip:eve@{EVE}", confirmed=True))
    scene.run(1)
    assert scene.eve.state() is CallState.CONNECTED
    return scene


@pytest.mark.parametrize("eve_calls", [False, True])
@pytest.mark.parametrize("ann_called", [False, True])
def test_an_attended_transfer_joins_the_two_and_leaves_the_third(
    eve_calls: bool, ann_called: bool
) -> None:
    scene = _consulted(eve_calls=eve_calls, ann_called=ann_called)
    scene.ben.do(Transfer(0, other=2))
    scene.run(2)
    assert states(scene.ben)[-1] is TransferState.DONE
    assert reason(scene.ben, 1) is Reason.TRANSFERRED
    assert call_states(scene.ben, 2)[-1] is CallState.ENDED
    assert hears(scene.ann, 2) and hears(scene.eve, 2)
    assert scene.eve.last(TransferChanged) == TransferChanged(
        1, TransferState.DONE, f"sip:caller@{ANN}", 2
    )
    assert reason(scene.eve, 1) is Reason.TRANSFERRED
    assert CallState.RINGING in call_states(scene.eve, 2), "as any call that comes in"
    scene.ann.do(HangUp(2))
    scene.nothing_is_left()


def test_the_target_s_mute_and_hold_go_with_the_person() -> None:
    scene = _consulted()
    scene.eve.do(Mute(1, True))
    scene.ben.do(Transfer(1, other=2))
    scene.run(2)
    assert scene.eve.last(MuteChanged) == MuteChanged(2, True)
    assert not hears(scene.ann, 2) and hears(scene.eve, 2)


def test_an_attended_transfer_that_fails_leaves_both_calls() -> None:
    scene = _consulted()
    scene.eve.sockets_free = False
    scene.ben.do(Transfer(1, other=2))
    scene.run(2)
    assert states(scene.ben)[-1] is TransferState.FAILED
    for call in (1, 2):
        assert call_states(scene.ben, call)[-1] is not CallState.ENDED
    assert hears(scene.eve, 1) and not hears(scene.ann, 1), "Ben holds Ann as he did before"


def test_a_consultation_with_somebody_who_has_no_address_is_no_target() -> None:
    street, phone, pbx, invite = dialled(OPEN)
    pbx.answer(invite, 200, pbx.sdp())
    street.run(0.3)
    other = Pbx(street, "10.0.0.9")
    other.invite(phone.sip, other.sdp())
    _, data, source, target = street.sent[-1]
    street._on_the_wire.clear()
    nowhere = data.replace(b'"Alice" <sip:alice@10.0.0.9>', b"<tel:+1>")
    nowhere = nowhere.replace(f"<sip:alice@{other.sip}>".encode(), b"<tel:+1>")
    street.send(nowhere, source, target)
    street.run(0.3)
    phone.do(Transfer(1, other=2))
    assert troubles(phone) == [(1, Reason.TRANSFER_FAILED)]
    assert not pbx.requests("REFER")


def test_the_consultation_ends_from_here_if_they_leave_it_open() -> None:
    scene = _consulted(CALLER._replace(desk=f"sip:desk@{EVE}", other_addresses=True, answer=200))
    ben = scene.ben
    ben.do(Transfer(1, other=2))
    # Eve's BYE never gets through.
    scene.street.spoil = lambda data, source, target: (
        [] if data.startswith(b"BYE") and source.host == EVE else [0.0]
    )
    scene.run(5)
    assert call_states(ben, 2)[-1] is not CallState.ENDED
    scene.run(30)
    assert reason(ben, 2) is Reason.TRANSFERRED


def test_the_old_call_ends_from_here_if_the_transferor_leaves_it_open() -> None:
    scene = Scene(CALLER._replace(desk=f"sip:desk@{EVE}", other_addresses=True))
    scene.street.spoil = lambda data, source, target: (
        []
        if data.startswith(b"NOTIFY") or (data.startswith(b"BYE") and source.host == BEN)
        else [0.0]
    )
    scene.ben.do(Transfer(1, f"sip:eve@{EVE}"))
    scene.run(3)
    assert call_states(scene.ann, 1)[-1] is not CallState.ENDED
    scene.run(5)
    assert reason(scene.ann, 1) is Reason.TRANSFERRED
    assert hears(scene.ann, 2)
