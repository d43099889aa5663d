"""Stories of one person and one phone, as the presenter shows them: no screen is needed."""

import pytest

from applet import brand as brands
from applet.brand import Brand
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    CheckNetwork,
    Command,
    DevicesListed,
    Dial,
    DigitReceived,
    DigitSent,
    Event,
    FilePlaying,
    HangUp,
    HeldBy,
    Hold,
    HoldChanged,
    IncomingCall,
    Levels,
    ListDevices,
    Logged,
    MediaChanged,
    Mute,
    MuteChanged,
    NatFound,
    NetworkChecked,
    PlayFile,
    Quit,
    Ready,
    Reason,
    Registered,
    RegistrationFailed,
    Reject,
    RequestStatistics,
    Resume,
    SelectDevices,
    SendDigits,
    SetVolume,
    SoundTried,
    Statistics,
    Stopped,
    Trouble,
    TrySound,
    Unregistered,
)
from applet.settings import Settings
from applet.ui.presenter import Presenter
from applet.ui.requests import LIST_EVERY, QUIT_PATIENCE, SAVE_AFTER
from applet.ui.screen_state import LOG_LINES, clip
from applet.ui.view import (
    Act,
    ChooseFile,
    Effect,
    Entry,
    Finish,
    HideWindow,
    Icon,
    Notify,
    PostMenu,
    RaiseWindow,
    Request,
    Save,
    Tone,
)

PHONE = "+44 20 7946 0000"
PEER = "sip:desk@127.0.0.1:5060"


@pytest.fixture(scope="module")
def brand() -> Brand:
    shipped = brands.load()
    return shipped._replace(
        support=shipped.support._replace(fallback_phone=PHONE),
        texts=shipped.texts._replace(desk="the help desk", about="At your service."),
    )


class Story:
    """A presenter, its clock, and everything it has asked for so far."""

    def __init__(self, brand: Brand, settings: Settings | None = None, damaged: str = "") -> None:
        self.presenter = Presenter(brand, settings, damaged)
        self.now = 100.0
        self.commands: list[Command] = self.presenter.commands()
        self.effects: list[Effect] = self.presenter.effects()

    def happens(self, *events: Event) -> "Story":
        for event in events:
            self.presenter.handle(event, self.now)
        return self._collect()

    def asks(self, act: Act, value: str = "") -> "Story":
        self.presenter.ask(Request(act, value), self.now)
        return self._collect()

    def later(self, seconds: float) -> "Story":
        self.now += seconds
        self.presenter.handle_timers(self.now)
        return self._collect()

    def _collect(self) -> "Story":
        self.commands, self.effects = self.presenter.commands(), self.presenter.effects()
        return self

    def state(self, state: CallState, reason: Reason = Reason.NONE, call: int = 1) -> "Story":
        return self.happens(CallStateChanged(call, state, 0, reason, PEER, True))

    def ends(self, reason: Reason, call: int = 1) -> "Story":
        return self.state(CallState.ENDED, reason, call)

    def talks(self) -> "Story":
        """A call to the desk that is answered."""
        self.asks(Act.CALL)
        self.state(CallState.DIALLING)
        return self.state(CallState.CONNECTED)

    def rings_in(self, caller: str = "Ada", uri: str = "sip:ada@192.0.2.7:5062;lr") -> "Story":
        return self.happens(IncomingCall(4, caller, uri, "sip:us@192.0.2.1"))

    def comes_in_state(self, state: CallState, reason: Reason = Reason.NONE) -> "Story":
        return self.happens(CallStateChanged(4, state, 0, reason, "sip:ada@192.0.2.7", False))

    @property
    def headline(self) -> str:
        return self.presenter.view().headline

    @property
    def advice(self) -> str:
        return self.presenter.view().advice

    def icon(self) -> Icon:
        return self.presenter.tray().icon

    def entry(self, label: str) -> Entry:
        return next(entry for entry in self.presenter.tray().menu if entry.label == label)


@pytest.fixture
def story(brand: Brand) -> Story:
    return Story(brand)


# --- calling ----------------------------------------------------------------------------------


def test_before_a_call_there_is_one_button_and_one_sentence(story: Story) -> None:
    view = story.presenter.view()
    assert view.who == "The help desk"
    assert (view.headline, view.advice, view.note) == ("Press the button and talk to us.", "", "")
    assert (view.main.label, view.main.act, view.main.enabled) == ("Call support", Act.CALL, True)
    assert not (view.hold.enabled or view.mute.enabled or view.keypad_button.enabled)
    assert (view.timer, view.microphone, view.speaker, view.keypad) == ("", None, None, None)
    assert not view.address_field
    assert story.icon() is Icon.IDLE
    assert story.presenter.tray().tooltip == "Call Support: Press the button and talk to us."


def test_a_press_calls_the_desk_and_shows_it_before_the_phone_has_said_a_word(story: Story) -> None:
    story.asks(Act.CALL)
    assert story.commands == [Dial("", confirmed=False)]
    assert story.headline == "Calling the help desk …"
    assert story.presenter.view().main.label == "Cancel"
    assert story.icon() is Icon.DIALLING


def test_the_call_is_told_step_by_step(story: Story) -> None:
    story.asks(Act.CALL).state(CallState.DIALLING)
    story.state(CallState.RINGING)
    assert (story.headline, story.icon()) == ("It is ringing.", Icon.RINGING)
    story.state(CallState.EARLY)
    assert story.headline == "The help desk is about to answer."
    assert "nobody hears you" in story.advice
    assert story.icon() is Icon.RINGING
    story.state(CallState.CONNECTED)
    assert story.headline == "You are talking to the help desk."
    assert story.presenter.view().tone is Tone.GOOD
    assert story.presenter.view().main.label == "Hang up"
    assert story.icon() is Icon.CONNECTED


def test_the_timer_counts_from_the_answer_and_rises_through_an_hour(story: Story) -> None:
    story.talks().later(7)
    assert story.presenter.view().timer == "0:07"
    changes = story.presenter.changes
    story.later(0.2)
    assert story.presenter.changes == changes
    story.later(0.9)
    assert story.presenter.changes == changes + 1
    story.later(3600)
    assert story.presenter.view().timer == "1:00:08"
    story.state(CallState.ON_HOLD)
    assert story.presenter.view().timer == "1:00:08"


def test_hanging_up_before_the_phone_has_named_the_call_ends_it_all_the_same(story: Story) -> None:
    story.asks(Act.CALL).asks(Act.HANG_UP)
    assert story.commands == []
    assert story.headline == "Ending the call …"
    assert not story.presenter.view().main.enabled
    story.state(CallState.DIALLING)
    assert story.commands == [HangUp(1)]
    story.asks(Act.HANG_UP)
    assert story.commands == []
    story.ends(Reason.CANCELLED_HERE)
    assert story.headline == "You cancelled the call."
    assert story.icon() is Icon.IDLE


def test_the_length_of_the_talk_is_told_at_its_end(story: Story) -> None:
    story.talks().later(187)
    story.asks(Act.HANG_UP)
    assert story.commands == [HangUp(1)]
    story.ends(Reason.HUNG_UP_HERE)
    assert (story.headline, story.advice) == ("You ended the call.", "You talked for 3:07.")
    assert story.effects == []
    assert story.presenter.view().timer == ""


def test_a_call_that_ends_by_itself_is_notified(story: Story) -> None:
    story.talks().later(5)
    story.ends(Reason.HUNG_UP_THERE)
    assert story.effects == [Notify("The help desk ended the call.", "You talked for 0:05.")]


def test_a_failure_is_red_offers_the_telephone_number_and_calls_again(story: Story) -> None:
    story.asks(Act.CALL).state(CallState.DIALLING).ends(Reason.SERVER_SILENT)
    view = story.presenter.view()
    assert view.headline == "The telephone system does not answer."
    assert view.advice.endswith("You can also call +44\u00a020\u00a07946\u00a00000.")
    assert view.tone is Tone.BAD
    assert view.main.act is Act.CALL
    assert story.icon() is Icon.TROUBLE
    story.asks(Act.CALL)
    assert story.headline == "Calling the help desk …"
    assert story.icon() is Icon.DIALLING


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_a_plain_sentence_without_codes(brand: Brand, reason: Reason) -> None:
    story = Story(brand).asks(Act.CALL).state(CallState.DIALLING).ends(reason)
    for text in (story.headline, story.advice):
        assert "{" not in text
        assert not any(word in text for word in ("SIP", "RTP", "code", "error", "Error"))
        assert text == "" or (text[0].isupper() and text[-1] in ".!?")
    if story.presenter.view().tone is Tone.BAD and reason is not Reason.NO_SUCH_CALL:
        assert story.advice, "a failure says what to do"


def test_an_emergency_number_is_refused_plainly_and_points_to_another_telephone(
    brand: Brand,
) -> None:
    open_brand = brand._replace(dialling=brand.dialling._replace(other_addresses=True))
    story = Story(open_brand).asks(Act.CALL_ADDRESS, "112")
    story.happens(Trouble(0, Reason.EMERGENCY_NOT_SENT, ""))
    assert story.headline == "This phone cannot call emergency services."
    assert "does not know where you are" in story.advice
    assert PHONE not in story.advice.replace("\u00a0", " ")


def test_another_address_can_be_typed_only_where_the_brand_allows_it(brand: Brand) -> None:
    assert not Story(brand).presenter.view().address_field
    open_brand = brand._replace(dialling=brand.dialling._replace(other_addresses=True))
    story = Story(open_brand)
    assert story.presenter.view().address_field
    story.asks(Act.CALL_ADDRESS, "   ")
    assert story.commands == []
    story.asks(Act.CALL_ADDRESS, " sip:bob@example.com;transport=tcp ")
    assert story.commands == [Dial("sip:bob@example.com;transport=tcp", confirmed=True)]
    assert story.headline == "Calling bob@example.com …"
    assert story.presenter.view().who == "Bob@example.com"
    assert not story.presenter.view().address_field


def test_calling_during_a_call_only_raises_the_window(story: Story) -> None:
    story.talks().asks(Act.CALL)
    assert (story.commands, story.effects) == ([], [RaiseWindow()])
    story.asks(Act.CALL_ADDRESS, "bob@example.com")
    assert (story.commands, story.effects) == ([], [RaiseWindow()])


def test_a_call_that_another_door_opened_is_shown_too(story: Story) -> None:
    story.state(CallState.ENDED)
    assert story.presenter.view().main.act is Act.CALL
    story.state(CallState.DIALLING)
    assert story.headline == "Calling desk@127.0.0.1:5060 …"
    story.ends(Reason.BUSY)
    assert story.headline == "Desk@127.0.0.1:5060 is busy."


def test_trouble_that_is_no_refusal_leaves_the_new_call_alone(story: Story) -> None:
    story.asks(Act.CALL).happens(Trouble(0, Reason.STUN_FAILED, ""))
    assert story.headline == "Calling the help desk …"
    assert story.presenter.view().note.startswith("Your address on the internet")


# --- in a call --------------------------------------------------------------------------------


def test_hold_is_a_toggle_and_every_step_of_it_is_told(story: Story) -> None:
    story.talks().asks(Act.HOLD)
    assert story.commands == [Hold(1)]
    story.happens(HoldChanged(1, HeldBy.US, pending=True))
    assert (story.headline, story.icon()) == ("Putting the call on hold …", Icon.ON_HOLD)
    story.happens(HoldChanged(1, HeldBy.US, pending=False))
    assert story.headline == "You put the call on hold."
    hold = story.presenter.view().hold
    assert (hold.label, hold.on) == ("Resume", True)
    assert story.entry("Resume").request == Request(Act.HOLD)
    story.asks(Act.HOLD)
    assert story.commands == [Resume(1)]
    story.happens(HoldChanged(1, HeldBy.NONE, pending=True))
    assert story.headline == "Taking the call off hold …"
    story.happens(HoldChanged(1, HeldBy.NONE, pending=False))
    assert story.headline == "You are talking to the help desk."
    assert story.presenter.view().hold.label == "Hold"


def test_hold_by_them_and_by_both_are_told_apart(story: Story) -> None:
    story.talks().happens(HoldChanged(1, HeldBy.THEM, pending=False))
    assert (story.headline, story.icon()) == ("They put you on hold.", Icon.ON_HOLD)
    assert story.presenter.view().hold.label == "Hold"
    story.happens(HoldChanged(1, HeldBy.BOTH, pending=False))
    assert story.headline == "You put the call on hold, and so did they."
    assert story.presenter.view().hold.label == "Resume"


def test_fault_04_a_hold_that_fails_is_told_and_stays_silent_until_resume(story: Story) -> None:
    story.talks().happens(
        HoldChanged(1, HeldBy.US, pending=True),
        Trouble(1, Reason.HOLD_FAILED, ""),
        HoldChanged(1, HeldBy.US, pending=False),
    )
    assert story.headline == "They may not know that they are on hold."
    assert "Press Resume" in story.advice
    assert story.presenter.view().tone is Tone.BAD
    assert story.presenter.view().hold.label == "Resume"
    story.asks(Act.HOLD).happens(HoldChanged(1, HeldBy.NONE, pending=True))
    assert story.headline == "Taking the call off hold …"
    story.happens(HoldChanged(1, HeldBy.US, pending=False), Trouble(1, Reason.RESUME_FAILED, ""))
    assert story.headline == "The call is still on hold."
    story.happens(HoldChanged(1, HeldBy.NONE, pending=False))
    assert story.headline == "You are talking to the help desk."


def test_mute_says_that_they_cannot_hear_and_empties_the_meter(story: Story) -> None:
    story.talks().happens(Levels(1, -30.0, -6.0)).asks(Act.MUTE)
    assert story.commands == [Mute(1, True)]
    story.happens(MuteChanged(1, True))
    view = story.presenter.view()
    assert (view.headline, view.mute.label, view.mute.on) == (
        "The help desk cannot hear you.", "Unmute", True)  # fmt: skip
    assert (view.microphone, view.speaker) == (None, 0.9)
    assert story.icon() is Icon.MUTED
    assert story.entry("Mute").checked is True
    story.asks(Act.MUTE)
    assert story.commands == [Mute(1, False)]


def test_the_meters_run_from_silence_to_full_scale_in_small_steps(story: Story) -> None:
    for dbfs, length in ((-90.0, 0.0), (-60.0, 0.0), (-30.0, 0.5), (0.0, 1.0), (3.0, 1.0)):
        story = story.talks() if not story.headline.startswith("You are") else story
        story.happens(Levels(1, dbfs, dbfs))
        assert story.presenter.view().microphone == length
        assert story.presenter.view().speaker == length
    story.happens(HoldChanged(1, HeldBy.US, pending=True))
    assert (story.presenter.view().microphone, story.presenter.view().speaker) == (None, None)


def test_the_keypad_opens_sends_what_it_knows_and_shows_what_was_sent(story: Story) -> None:
    story.asks(Act.KEYPAD)
    assert story.presenter.view().keypad is None
    story.talks().asks(Act.KEYPAD)
    keypad = story.presenter.view().keypad
    assert keypad is not None
    assert keypad.digits == ""
    assert story.entry("Keypad").checked is True
    story.asks(Act.DIGIT, "7")
    assert story.commands == [SendDigits(1, "7")]
    for nothing in ("", "x", "12"):
        story.asks(Act.DIGIT, nothing)
        assert story.commands == []
    story.happens(*(DigitSent(1, digit) for digit in "0123456789" * 3), DigitReceived(1, "9"))
    keypad = story.presenter.view().keypad
    assert keypad is not None
    assert keypad.digits == ("0123456789" * 3)[-24:]
    story.asks(Act.KEYPAD)
    assert story.presenter.view().keypad is None


def test_the_keypad_closes_with_the_call(story: Story) -> None:
    story.talks().asks(Act.KEYPAD).ends(Reason.HUNG_UP_THERE)
    assert story.presenter.view().keypad is None


def test_a_file_is_chosen_played_and_stopped(story: Story) -> None:
    assert not story.entry("Play a file …").enabled
    story.asks(Act.CHOOSE_FILE)
    assert story.effects == []
    story.talks().asks(Act.CHOOSE_FILE)
    assert story.effects == [ChooseFile()]
    story.asks(Act.PLAY_FILE, "")
    assert story.commands == []
    story.asks(Act.PLAY_FILE, "C:\\sounds\\greeting.wav")
    assert story.commands == [PlayFile(1, "C:\\sounds\\greeting.wav")]
    story.happens(FilePlaying(1, "C:\\sounds\\greeting.wav", True))
    assert story.headline == "The help desk hears greeting.wav."
    assert story.entry("Stop the file").enabled
    story.asks(Act.CHOOSE_FILE)
    assert story.commands == [PlayFile(1, "")]
    story.happens(FilePlaying(1, "C:\\sounds\\greeting.wav", False))
    assert story.headline == "You are talking to the help desk."
    story.ends(Reason.HUNG_UP_THERE).asks(Act.PLAY_FILE, "late.wav")
    assert story.commands == []


def test_nothing_of_a_call_can_be_pressed_without_one(story: Story) -> None:
    for act in (Act.HANG_UP, Act.ACCEPT, Act.REJECT, Act.HOLD, Act.MUTE, Act.DIGIT, Act.KEYPAD):
        story.asks(act, "1")
        assert (story.commands, story.effects) == ([], [])


def test_events_of_another_call_change_nothing(story: Story) -> None:
    story.talks().happens(
        MuteChanged(9, True),
        HoldChanged(9, HeldBy.US, False),
        Trouble(9, Reason.NO_MICROPHONE, ""),
    )
    story.ends(Reason.BUSY, call=9)
    assert story.headline == "You are talking to the help desk."
    assert story.presenter.view().note == ""


# --- being called -----------------------------------------------------------------------------


def test_an_incoming_call_raises_the_window_names_the_caller_and_notifies(story: Story) -> None:
    story.rings_in()
    assert story.effects == [RaiseWindow(), Notify("Incoming call", "Ada is calling you.")]
    view = story.presenter.view()
    assert view.incoming is not None
    assert (view.incoming.caller, view.incoming.address) == ("Ada", "ada@192.0.2.7:5062")
    assert story.icon() is Icon.RINGING
    labels = [entry.label for entry in story.presenter.tray().menu]
    assert labels[:3] == ["Call support", "Accept", "Reject"]
    assert not story.entry("Hang up").enabled


def test_fault_07_the_caller_is_who_called_and_not_whom_they_called(story: Story) -> None:
    story.rings_in(caller="")
    view = story.presenter.view()
    assert view.incoming is not None
    assert (view.incoming.caller, view.incoming.address) == ("Ada@192.0.2.7:5062", "")
    story.comes_in_state(CallState.ENDED, Reason.CALLER_GAVE_UP)
    assert story.effects == [
        Notify("You missed a call from ada@192.0.2.7:5062.", "ada@192.0.2.7:5062")
    ]
    story.rings_in(caller="", uri="")
    assert story.headline == "Somebody is calling you."


def test_accepting_answers_once_and_connects(story: Story) -> None:
    story.rings_in().comes_in_state(CallState.RINGING).asks(Act.ACCEPT)
    assert story.commands == [Answer(4)]
    assert (story.headline, story.presenter.view().incoming) == ("Connecting you with Ada …", None)
    story.asks(Act.ACCEPT)
    assert story.commands == []
    story.comes_in_state(CallState.CONNECTED)
    assert story.headline == "You are talking to Ada."


def test_rejecting_declines_and_fault_07_does_not_send_600(story: Story) -> None:
    story.rings_in().asks(Act.REJECT)
    assert story.commands == [Reject(4, 603)]
    assert story.headline == "Ending the call …"
    story.asks(Act.REJECT)
    assert story.commands == []
    story.comes_in_state(CallState.ENDED, Reason.REJECTED_HERE)
    assert (story.headline, story.effects) == ("You rejected the call.", [])


def test_a_second_caller_does_not_disturb_the_call(story: Story) -> None:
    story.talks().rings_in()
    assert story.effects == []
    assert story.headline == "You are talking to the help desk."
    story.comes_in_state(CallState.ENDED, Reason.ONE_CALL_AT_A_TIME)
    assert story.headline == "You are talking to the help desk."


def test_an_incoming_call_that_never_showed_is_not_shown_when_it_ends(story: Story) -> None:
    story.comes_in_state(CallState.ENDED, Reason.BUSY)
    assert story.headline == "Press the button and talk to us."


def test_somebody_calling_while_we_wait_for_our_own_call_changes_nothing(story: Story) -> None:
    story.asks(Act.CALL).comes_in_state(CallState.ENDED)
    assert story.headline == "Calling the help desk …"


# --- what goes wrong beside the call ------------------------------------------------------------


def test_fault_15_no_microphone_is_said_and_the_call_goes_on(story: Story) -> None:
    story.talks().happens(Trouble(1, Reason.NO_MICROPHONE, ""))
    assert story.presenter.view().note.startswith("There is no microphone: nobody can hear you.")
    assert (story.headline, story.icon()) == ("You are talking to the help desk.", Icon.TROUBLE)
    story.happens(DevicesListed((), (), "", ""))
    assert story.presenter.view().note
    story.happens(DevicesListed(("USB",), (), "", ""), Trouble(1, Reason.NO_SPEAKER, ""))
    assert story.presenter.view().note.startswith("There is no loudspeaker")
    story.happens(DevicesListed(("USB",), ("USB",), "", ""))
    assert (story.presenter.view().note, story.icon()) == ("", Icon.CONNECTED)


def test_two_troubles_are_both_said(story: Story) -> None:
    story.talks().happens(Trouble(1, Reason.NO_MICROPHONE, ""), Trouble(1, Reason.NO_SPEAKER, ""))
    lines = story.presenter.view().note.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "There is no microphone", "There is no loudspeaker"]  # fmt: skip


def test_a_silent_microphone_is_told_until_it_is_heard(story: Story) -> None:
    story.talks().happens(Trouble(1, Reason.MICROPHONE_SILENT, ""), Levels(1, -90.0, -20.0))
    assert story.presenter.view().note.startswith("Your microphone is silent.")
    story.happens(Levels(1, -35.0, -20.0))
    assert story.presenter.view().note == ""


def test_a_lost_device_is_named_and_forgotten_when_another_is_chosen(story: Story) -> None:
    story.talks().happens(Trouble(1, Reason.DEVICE_LOST, "Headset"))
    assert story.presenter.view().note.startswith("Headset is gone.")
    story.happens(Trouble(1, Reason.DEVICE_LOST, ""))
    assert story.presenter.view().note.startswith("The sound device is gone.")
    story.asks(Act.SPEAKER, "Speakers")
    assert story.presenter.view().note == ""


def test_the_newest_trouble_is_shown_and_the_next_call_begins_clean(story: Story) -> None:
    story.happens(Trouble(0, Reason.PORT_IN_USE, "7666"), Trouble(0, Reason.STUN_FAILED, ""))
    assert "could not be found" in story.presenter.view().note
    story.happens(Trouble(0, Reason.PORT_IN_USE, "7666"))
    assert "(7666)" in story.presenter.view().note
    assert story.icon() is Icon.IDLE
    story.asks(Act.CALL)
    assert story.presenter.view().note == ""


def test_trouble_is_notified_when_nobody_sees_the_window(story: Story) -> None:
    story.asks(Act.TRAY_READY).asks(Act.CLOSE).talks()
    story.happens(Trouble(1, Reason.DEVICE_LOST, "Headset"))
    assert [type(effect) for effect in story.effects] == [Notify]


def test_damaged_settings_are_reported_with_where_they_went(brand: Brand) -> None:
    story = Story(brand, damaged="settings.damaged-1.toml")
    assert "settings.damaged-1.toml" in story.presenter.view().note


def test_registration_is_told_when_it_fails_and_forgotten_when_it_works(story: Story) -> None:
    story.happens(RegistrationFailed(401, Reason.WRONG_CREDENTIALS))
    assert story.presenter.view().note == (
        "Nobody can call this phone now. The telephone system did not accept this phone's password."
    )
    story.happens(RegistrationFailed(503, Reason.REFUSED)).asks(Act.CALL)
    assert "The telephone system refused the call." in story.presenter.view().note
    story.happens(Registered("sip:pbx.example.com")).asks(Act.HELP)
    assert story.presenter.view().note == ""
    help_text = story.presenter.view().help
    assert help_text is not None
    assert ("Registered at", "sip:pbx.example.com") in help_text.about
    story.happens(Unregistered("sip:pbx.example.com"))
    help_text = story.presenter.view().help
    assert help_text is not None
    assert "Registered at" not in dict(help_text.about)


def test_a_phone_that_stopped_by_itself_says_so_and_can_only_be_quit(story: Story) -> None:
    story.talks().happens(Stopped())
    assert story.headline == "Call Support has stopped working."
    assert [type(effect) for effect in story.effects] == [Notify]
    assert not story.presenter.view().main.enabled
    assert not story.entry("Call support").enabled
    story.asks(Act.CALL)
    assert (story.commands, story.effects) == ([], [RaiseWindow()])
    story.asks(Act.QUIT)
    assert story.effects == [HideWindow(), Finish()]


# --- sound --------------------------------------------------------------------------------------


def test_the_kept_devices_and_volumes_are_asked_for_at_the_start(brand: Brand) -> None:
    kept = Settings(microphone="USB", speaker="Hall", microphone_db=3.0, speaker_db=-6.0)
    assert Story(brand, kept).commands == [
        SelectDevices("USB", "Hall"), SetVolume(3.0, -6.0), ListDevices()]  # fmt: skip


def test_the_device_menus_tick_what_is_in_use(story: Story) -> None:
    story.happens(DevicesListed(("Mic A", "Mic B"), ("Hall",), "Mic B", ""))
    microphones = story.entry("Microphone").submenu
    assert [(entry.label, entry.checked) for entry in microphones] == [
        ("System default", False), ("Mic A", False), ("Mic B", True)]  # fmt: skip
    assert microphones[0].request == Request(Act.MICROPHONE, "")
    assert story.entry("Speaker").submenu[0].checked is True


def test_a_chosen_device_is_used_at_once_and_kept(story: Story) -> None:
    story.happens(DevicesListed(("Mic A",), ("Hall",), "", "")).asks(Act.MICROPHONE, "Mic A")
    assert story.commands == [SelectDevices("Mic A", "")]
    assert story.effects == [Save(Settings(microphone="Mic A"))]
    story.asks(Act.SPEAKER, "Hall")
    assert story.commands == [SelectDevices("Mic A", "Hall")]
    assert story.presenter.settings == Settings(microphone="Mic A", speaker="Hall")


def test_the_devices_are_listed_afresh_but_not_at_every_move_of_the_mouse(story: Story) -> None:
    story.asks(Act.LIST_DEVICES)
    assert story.commands == [ListDevices()]
    story.later(LIST_EVERY / 2).asks(Act.LIST_DEVICES)
    assert story.commands == []
    story.later(LIST_EVERY / 2).asks(Act.LIST_DEVICES)
    assert story.commands == [ListDevices()]


def test_the_volume_is_heard_at_once_and_written_when_the_slider_rests(story: Story) -> None:
    story.asks(Act.VOLUME)
    volume = story.presenter.view().volume
    assert volume == (0.0, 0.0)
    story.asks(Act.MICROPHONE_DB, "3")
    assert (story.commands, story.effects) == ([SetVolume(3.0, 0.0)], [])
    story.later(SAVE_AFTER / 2).asks(Act.SPEAKER_DB, "-6.0")
    assert (story.commands, story.effects) == ([SetVolume(3.0, -6.0)], [])
    story.later(SAVE_AFTER * 0.9)
    assert story.effects == []
    story.later(SAVE_AFTER)
    assert story.effects == [Save(Settings(microphone_db=3.0, speaker_db=-6.0))]
    story.asks(Act.VOLUME)
    assert story.presenter.view().volume is None


# --- window, tray, help ---------------------------------------------------------------------------


def test_the_menu_is_the_whole_phone(story: Story) -> None:
    menu = story.presenter.tray().menu
    assert [entry.label for entry in menu] == [
        "Call support", "Hold", "Hang up", "Mute", "Keypad", "",
        "Microphone", "Speaker", "Volume", "Play a file …", "",
        "Show window", "Check network and sound", "Help", "Quit",
    ]  # fmt: skip
    enabled = {entry.label for entry in menu if entry.enabled and entry.label}
    assert enabled == {
        "Call support", "Microphone", "Speaker", "Volume", "Show window",
        "Check network and sound", "Help", "Quit",
    }  # fmt: skip
    assert [entry.label for entry in menu if entry.default] == ["Show window"]
    story.talks()
    assert all(entry.enabled for entry in story.presenter.tray().menu)


def test_the_window_menu_has_what_has_no_button(story: Story) -> None:
    labels = [entry.label for entry in story.presenter.window_menu()]
    assert labels == [
        "Microphone", "Speaker", "Volume", "Play a file …", "",
        "Check network and sound", "Help", "Quit",
    ]  # fmt: skip


def test_closing_hides_the_window_and_says_once_where_it_went(brand: Brand, story: Story) -> None:
    story.asks(Act.TRAY_READY).asks(Act.CLOSE)
    assert story.effects == [
        HideWindow(),
        Save(Settings(tray_note_shown=True)),
        Notify("Call Support is still here.", "Its icon next to the clock brings it back."),
    ]
    story.asks(Act.SHOW)
    assert story.effects == [RaiseWindow()]
    story.asks(Act.CLOSE)
    assert story.effects == [HideWindow()]
    known = Story(brand, Settings(tray_note_shown=True)).asks(Act.TRAY_READY).asks(Act.CLOSE)
    assert known.effects == [HideWindow()]


def test_without_a_tray_closing_quits_and_that_is_said_before(story: Story) -> None:
    story.asks(Act.TRAY_MISSING)
    assert story.presenter.view().note == (
        "There is no place for an icon here. Closing this window ends Call Support."
    )
    assert story.icon() is Icon.IDLE
    story.asks(Act.CLOSE)
    assert story.commands == [Quit()]


def test_a_tray_that_comes_late_takes_the_note_back(story: Story) -> None:
    story.asks(Act.TRAY_MISSING, "no socket").asks(Act.TRAY_READY)
    assert story.presenter.view().note == ""
    assert story.presenter.log_text() == "No tray icon\n    no socket"


def test_a_tray_that_goes_while_the_window_is_hidden_brings_the_window_back(story: Story) -> None:
    story.asks(Act.TRAY_READY).asks(Act.CLOSE).asks(Act.TRAY_MISSING)
    assert RaiseWindow() in story.effects


def test_what_folds_out_brings_a_hidden_window_back(story: Story) -> None:
    story.talks().asks(Act.TRAY_READY).asks(Act.CLOSE).asks(Act.KEYPAD)
    assert story.effects == [RaiseWindow()]
    story.asks(Act.CLOSE).asks(Act.VOLUME)
    assert story.effects == [RaiseWindow()]


def test_the_menu_is_posted_where_the_tray_says(story: Story) -> None:
    story.asks(Act.TRAY_MENU, "1241,883")
    assert story.effects == [PostMenu(1241, 883)]


def test_the_place_of_the_window_is_kept_when_it_changed(story: Story) -> None:
    story.asks(Act.MOVED, "-40,12")
    assert story.effects == [Save(Settings(window_x=-40, window_y=12))]
    story.asks(Act.MOVED, "-40,12")
    assert story.effects == []


def test_quitting_hides_hangs_up_and_ends_when_the_phone_has_stopped(story: Story) -> None:
    story.talks().asks(Act.MICROPHONE_DB, "3").asks(Act.QUIT)
    assert story.commands == [Quit()]
    assert story.effects == [HideWindow(), Save(Settings(microphone_db=3.0))]
    assert story.headline == "Goodbye."
    assert not story.presenter.view().hold.enabled
    assert not story.entry("Quit").enabled
    story.asks(Act.CALL).asks(Act.QUIT)
    assert (story.commands, story.effects) == ([], [])
    story.asks(Act.MOVED, "5,6")
    assert [type(effect) for effect in story.effects] == [Save]
    story.ends(Reason.HUNG_UP_THERE)
    assert story.effects == []
    story.happens(Stopped())
    assert story.effects == [Finish()]
    story.later(60)
    assert story.effects == []


def test_quitting_does_not_wait_for_ever(story: Story) -> None:
    story.asks(Act.QUIT).later(QUIT_PATIENCE - 0.1)
    assert story.effects == []
    story.later(0.2)
    assert story.effects == [Finish()]


def test_help_shows_the_connection_and_asks_for_numbers_every_second(story: Story) -> None:
    story.later(1).asks(Act.HELP).later(1)
    assert story.commands == []
    help_text = story.presenter.view().help
    assert help_text is not None
    assert help_text.connection == ()
    story.asks(Act.CALL).later(0.1)
    assert story.commands == []
    story.state(CallState.DIALLING).later(0.1)
    assert story.commands == [RequestStatistics(1)]
    story.later(0.5)
    assert story.commands == []
    story.later(0.5)
    assert story.commands == [RequestStatistics(1)]
    help_text = story.presenter.view().help
    assert help_text is not None
    assert help_text.connection == (("Other side", "the help desk"),)


def test_help_shows_media_and_statistics_in_words_and_units(story: Story) -> None:
    story.talks().asks(Act.HELP).happens(
        NatFound("direct", "own and mapped address are the same"),
        MediaChanged(1, "PCMA", "sendrecv", "192.0.2.1:20000", "192.0.2.2:30000", ""),
        Statistics(1, 0, 10, 0, 0, 0.0, 0.0, 4.4),
    )
    help_text = story.presenter.view().help
    assert help_text is not None
    rows = dict(help_text.connection)
    assert rows["Way through the network"] == "direct: own and mapped address are the same"
    assert (rows["Voice coding"], rows["Encryption"]) == ("PCMA", "none")
    assert rows["Packets lost"] == "0 (0.0 %)"
    story.happens(
        NatFound("direct", ""),
        MediaChanged(1, "PCMA", "sendrecv", "192.0.2.1:20000", "192.0.2.2:30000", "SDES"),
        Statistics(1, 97, 100, 3, 1, 4.4, 38.2, 4.31),
    )
    help_text = story.presenter.view().help
    assert help_text is not None
    rows = dict(help_text.connection)
    assert (rows["Way through the network"], rows["Encryption"]) == ("direct", "SDES")
    assert rows["Packets lost"] == "3 (3.0 %)"
    assert (rows["Jitter"], rows["Delay for smoothness"]) == ("4 ms", "38 ms")
    assert rows["Voice quality (1 to 4.5)"] == "4.3"
    story.asks(Act.HELP)
    assert story.presenter.view().help is None


def test_the_menu_has_the_check_which_tries_network_and_sound_each_time_it_is_chosen(
    story: Story,
) -> None:
    (entry,) = [e for e in story.presenter.tray().menu if e.label == "Check network and sound"]
    assert entry.enabled
    assert entry.request == Request(Act.CHECK)
    for times in (1, 2):
        story.asks(Act.CHECK)
        assert story.commands == [CheckNetwork(), ListDevices(), TrySound()]
        story.happens(NetworkChecked(True, (("Router", "found", f"Look {times}."),)))
        help_text = story.presenter.view().help
        assert help_text is not None
        assert help_text.checks == times
        assert help_text.check == (
            ("Router", f"found. Look {times}."),
            ("Microphone", "none. Listening for a second …"),
            ("Speaker", "none. Playing a soft tone …"),
        )


def test_the_check_tells_what_the_sound_does(story: Story) -> None:
    story.happens(DevicesListed(("USB", "Webcam"), ("Hall",), "", "")).asks(Act.CHECK)
    story.happens(SoundTried(-31.4, True))
    help_text = story.presenter.view().help
    assert help_text is not None
    assert help_text.check == (
        ("Microphone", "USB, Webcam. It hears something (-31 dBFS at the loudest)."),
        ("Speaker", "Hall. A soft tone was played: you should have heard it."),
    )


def test_a_call_takes_the_sound_from_the_check(story: Story) -> None:
    story.asks(Act.CHECK).rings_in()
    help_text = story.presenter.view().help
    assert help_text is not None
    assert [said for _, said in help_text.check] == ["none. The call is using it."] * 2


def test_the_check_leaves_the_sound_to_a_call(story: Story) -> None:
    story.talks().asks(Act.CHECK)
    assert story.commands == [CheckNetwork(), ListDevices()]
    help_text = story.presenter.view().help
    assert help_text is not None
    assert [said for _, said in help_text.check] == ["none. The call is using it."] * 2


def test_about_names_program_company_licences_and_the_own_address(story: Story) -> None:
    story.asks(Act.HELP)
    help_text = story.presenter.view().help
    assert help_text is not None
    assert dict(help_text.about)["Address of this phone"] == "not known yet"
    assert help_text.notice.startswith("At your service.\n\n")
    assert "LGPL" in help_text.notice
    story.happens(Ready("192.0.2.1:7666"))
    help_text = story.presenter.view().help
    assert help_text is not None
    assert dict(help_text.about)["Address of this phone"] == "sip:192.0.2.1:7666"
    assert dict(help_text.about)["Company"] == "Call Support contributors"


def test_about_says_when_a_program_was_built_for_tests_only(story: Story) -> None:
    for test_build, said in ((True, "for tests only, made through Wine"), (False, None)):
        presenter = Presenter(story.presenter.brand, test_build=test_build)
        presenter.ask(Request(Act.HELP), 0.0)
        help_text = presenter.view().help
        assert help_text is not None
        assert dict(help_text.about).get("Build") == said


def test_the_log_is_kept_in_order_and_bounded(story: Story) -> None:
    story.happens(Logged("> INVITE", "INVITE sip:***@x\nVia: y\n"), Logged("< 180 Ringing", ""))
    assert story.presenter.log_text() == (
        "> INVITE\n    INVITE sip:***@x\n    Via: y\n< 180 Ringing"
    )
    story.happens(*(Logged(f"line {n}", "") for n in range(LOG_LINES)))
    lines = story.presenter.log_text().splitlines()
    assert LOG_LINES * 0.8 <= len(lines) <= LOG_LINES
    assert lines[-1] == f"line {LOG_LINES - 1}"


def test_texts_for_windows_are_counted_in_utf_16(brand: Brand) -> None:
    assert clip("short", 5) == "short"
    assert clip("too long", 5) == "too…"
    assert clip("📞📞📞", 5) == "📞📞…"
    assert len(clip("📞" * 100, 63).encode("utf-16-le")) <= 126
    long = brand._replace(product="📞" * 40, texts=brand.texts._replace(desk="d" * 120))
    story = Story(long).asks(Act.CALL)
    assert len(story.presenter.tray().tooltip.encode("utf-16-le")) <= 254
    story.state(CallState.DIALLING).ends(Reason.BUSY)
    note = story.effects[0]
    assert isinstance(note, Notify)
    assert len(note.title) <= 63


def test_a_note_without_advice_is_notified_by_its_headline(story: Story) -> None:
    story.asks(Act.TRAY_READY).asks(Act.CLOSE)
    story.happens(Trouble(0, Reason.NO_SUCH_CALL, ""))
    assert story.effects == [Notify("This call is over already.", "This call is over already.")]


def test_without_a_fallback_phone_none_is_offered(brand: Brand) -> None:
    plain = brand._replace(support=brand.support._replace(fallback_phone=""))
    story = Story(plain).asks(Act.CALL).state(CallState.DIALLING).ends(Reason.BUSY)
    assert story.advice == "Please try again in a few minutes."
