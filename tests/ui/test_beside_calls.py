"""What the person sees of transfer, queues, reasons in the other side's words, text and mailbox."""

import pytest

from applet import brand as brands
from applet.phone.messages import (
    CallState,
    CallStateChanged,
    ConfirmTransfer,
    DigitSent,
    HangUp,
    HeldBy,
    HoldChanged,
    MessagesWaiting,
    MuteChanged,
    Reason,
    TextReceived,
    TransferChanged,
    TransferState,
    Trouble,
)
from applet.ui.view import Act, Icon, Notify, RaiseWindow, Tone
from tests.ui.test_presenter import Story

EVE = "sip:eve@support.example;transport=tcp"


@pytest.fixture
def story() -> Story:
    return Story(brands.load())


def _changed(state: TransferState, other: int = 0) -> TransferChanged:
    return TransferChanged(1, state, EVE, other)


def _following(story: Story) -> Story:
    story.talks().later(65)
    story.happens(_changed(TransferState.FOLLOWING, 2))
    return story.state(CallState.DIALLING, call=2)


# --- transfer


def test_a_transferred_caller_sees_it_and_need_not_touch_anything(story: Story) -> None:
    _following(story)
    assert story.headline == "The support desk is connecting you with somebody else …"
    assert story.presenter.view().tone is Tone.WAITING and story.icon() is Icon.DIALLING
    story.state(CallState.RINGING, call=2).state(CallState.CONNECTED, call=2)
    assert story.presenter.view().who == "The support desk"
    story.happens(_changed(TransferState.DONE, 2))
    view = story.presenter.view()
    assert view.headline == "You are talking to eve@support.example;transport=tcp."
    assert view.who == "Eve@support.example;transport=tcp"
    assert view.timer == "1:05", "to the person it is one call"
    story.ends(Reason.TRANSFERRED, call=1)
    assert story.headline == "You are talking to eve@support.example;transport=tcp."
    story.asks(Act.HANG_UP)
    assert story.commands == [HangUp(2)]
    story.ends(Reason.HUNG_UP_HERE, call=2)
    assert story.presenter.view().main.label == "Call support"


def test_when_the_desk_has_left_the_new_call_is_shown_with_all_that_happens_to_it(
    story: Story,
) -> None:
    _following(story).state(CallState.RINGING, call=2)
    story.ends(Reason.TRANSFERRED, call=1)
    assert story.headline == "It is ringing."
    assert story.later(0.5).presenter.view().timer == ""
    story.ends(Reason.BUSY, call=2)
    assert story.headline == "Eve@support.example;transport=tcp is busy."


def test_a_transfer_that_fails_goes_back_to_the_desk_and_says_so(story: Story) -> None:
    _following(story)
    story.ends(Reason.BUSY, call=2)
    story.happens(Trouble(1, Reason.TRANSFER_FAILED, ""), _changed(TransferState.FAILED, 2))
    assert story.headline == "You are talking to the support desk."
    assert story.presenter.view().note == (
        "The call could not be passed on. You are still talking to the support desk."
    )


def test_hold_mute_and_keys_of_the_new_call_are_its_own(story: Story) -> None:
    _following(story).state(CallState.CONNECTED, call=2)
    story.happens(MuteChanged(2, True), HoldChanged(2, HeldBy.THEM, False), DigitSent(2, "5"))
    assert story.headline.endswith("is connecting you with somebody else …")
    story.happens(_changed(TransferState.DONE, 2))
    assert story.headline == "They put you on hold."
    assert story.presenter.view().mute.on
    story.asks(Act.KEYPAD)
    keypad = story.presenter.view().keypad
    assert keypad is not None and keypad.digits == "5"


def test_hanging_up_in_the_middle_hangs_up_what_is_shown(story: Story) -> None:
    _following(story).asks(Act.HANG_UP)
    assert story.commands == [HangUp(1)]
    story.ends(Reason.HUNG_UP_HERE, call=1)
    assert story.headline == "You ended the call."
    story.ends(Reason.CANCELLED_HERE, call=2)
    story.happens(_changed(TransferState.FAILED, 2))
    assert story.headline == "You ended the call."


@pytest.mark.parametrize(("act", "yes"), [(Act.ACCEPT, True), (Act.REJECT, False)])
def test_another_address_is_shown_whole_and_called_only_after_the_answer(
    story: Story, act: Act, yes: bool
) -> None:
    story.talks().happens(_changed(TransferState.ASKED))
    address = "eve@support.example;transport=tcp"
    assert story.headline == f"The support desk wants to connect you with {address}."
    assert story.advice == "Nobody is called before you accept."
    assert RaiseWindow() in story.effects
    (told,) = [effect for effect in story.effects if isinstance(effect, Notify)]
    assert told.title.endswith("eve@support.example…"), "what is cut off is seen to be"
    asked = story.presenter.view().incoming
    assert asked is not None and asked.caller == address
    assert story.entry("Accept").enabled and story.entry("Reject").enabled
    story.asks(act)
    assert story.commands == [ConfirmTransfer(1, yes)]
    assert story.presenter.view().incoming is None
    story.asks(act)
    assert story.commands == []


def test_a_question_that_is_not_answered_goes_away(story: Story) -> None:
    story.talks().happens(_changed(TransferState.ASKED), _changed(TransferState.FAILED))
    assert story.headline == "You are talking to the support desk."
    assert story.presenter.view().incoming is None


def test_a_transfer_of_another_call_and_one_of_ours_change_nothing(story: Story) -> None:
    story.talks().happens(
        TransferChanged(9, TransferState.ASKED, EVE),
        _changed(TransferState.SENT),
        _changed(TransferState.ACCEPTED),
        _changed(TransferState.DONE),
        _changed(TransferState.DONE, 5),
    )
    assert story.headline == "You are talking to the support desk."
    story.ends(Reason.TRANSFERRED)
    assert story.headline == "The call was passed on."
    story.happens(_changed(TransferState.ASKED))
    assert story.headline == "The call was passed on."


# --- in their own words


def test_a_queue_is_told_with_their_words_as_it_moves(story: Story) -> None:
    story.asks(Act.CALL).state(CallState.DIALLING)

    def queued(said: str) -> None:
        state = CallState.RINGING
        story.happens(CallStateChanged(1, state, 182, Reason.QUEUED, "sip:x@y", True, said))

    queued("")
    assert story.headline == "You are in the queue."
    assert story.advice.startswith("Please wait")
    queued("2 before you {0} %s")
    assert story.advice.startswith("They say: “2 before you {0} %s” Please wait")
    story.state(CallState.RINGING)
    assert story.headline == "It is ringing."


@pytest.mark.parametrize(
    ("seconds", "advice"),
    [
        (0, "Please try again in a few minutes."),
        (5, "Please try again in a minute."),
        (300, "Please try again in 5 minutes."),
        (7200, "Please try again in 2 hours."),
    ],
)
def test_when_to_call_again_is_told_in_words(story: Story, seconds: int, advice: str) -> None:
    story.asks(Act.CALL).state(CallState.DIALLING)
    ended = CallStateChanged(
        1, CallState.ENDED, 480, Reason.UNAVAILABLE, "sip:x@y", True, "At lunch", seconds
    )
    story.happens(ended)
    assert story.headline == "The support desk is not available just now."
    assert story.advice == f"They say: “At lunch” {advice}"


# --- text and mailbox


def test_a_message_is_shown_and_notified(story: Story) -> None:
    story.happens(TextReceived("Ada {x}", "sip:ada@y", "Hello {who}, 100 %"))
    assert story.presenter.view().note == "Ada {x} writes: “Hello {who}, 100 %”"
    assert story.effects == [Notify("Message from Ada {x}", "Hello {who}, 100 %")]
    story.happens(TextReceived("", "sip:ada@y", "Again"))
    assert story.presenter.view().note == "Ada@y writes: “Again”"
    story.asks(Act.CALL)
    assert story.presenter.view().note == ""


def test_waiting_messages_stand_in_the_tray_s_tooltip_and_menu(story: Story) -> None:
    def labels() -> list[str]:
        return [entry.label for entry in story.presenter.tray().menu]

    before = labels()
    story.happens(MessagesWaiting(2, 8))
    tray = story.presenter.tray()
    assert tray.tooltip.endswith(" 2 new messages wait for you.")
    assert set(labels()) - set(before) == {"2 new messages wait for you."}
    assert story.effects == [Notify("Call Support", "2 new messages wait for you.")]
    story.happens(MessagesWaiting(1, 9))
    assert story.entry("A new message waits for you.").enabled is False
    assert story.effects == []
    story.happens(MessagesWaiting(0, 10))
    assert labels() == before
