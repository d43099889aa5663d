"""What happens when the person (or the tray) asks for something. What makes no sense now, because
a call ended while the finger was on its way, is ignored."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import (
    Answer,
    CheckNetwork,
    ConfirmTransfer,
    Dial,
    HangUp,
    Hold,
    ListDevices,
    Mute,
    PlayFile,
    Quit,
    Reason,
    Reject,
    Resume,
    SelectDevices,
    SendDigits,
    SetVolume,
    TrySound,
)
from applet.ui.shown_call import ShownCall, link_address, plain_address
from applet.ui.strings import Say, Word
from applet.ui.view import (
    Act,
    ChooseFile,
    Finish,
    HideWindow,
    PostMenu,
    RaiseWindow,
    Request,
)
from applet.ui.visits import Visits

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.ui.screen_state import ScreenState

QUIT_PATIENCE = 4.0  # seconds until the program ends although the phone has not said Stopped
SAVE_AFTER = 1.0  # seconds without another change, so that a slider writes one file
LIST_EVERY = 3.0  # seconds at least between two listings: each asks the whole sound system
DECLINE = 603  # RFC 3261 section 21.6.2: the person does not want to talk, on no device
KEYS = frozenset("0123456789*#")


class Requests:
    """Changes `state` and leaves commands and effects in it."""

    def __init__(self, state: ScreenState) -> None:
        self._state = state
        self._list_after = 0.0
        self._doors: dict[Act, Callable[[str, float], None]] = {
            Act.CALL: self._call,
            Act.CALL_ADDRESS: self._call_address,
            Act.HANG_UP: self._hang_up,
            Act.ACCEPT: self._accept,
            Act.REJECT: self._reject,
            Act.HOLD: self._hold,
            Act.MUTE: self._mute,
            Act.DIGIT: self._digit,
            Act.KEYPAD: self._keypad,
            Act.VOLUME: self._volume,
            Act.HELP: self._help,
            Act.CHECK: self._check,
            Act.MICROPHONE: self._microphone,
            Act.SPEAKER: self._speaker,
            Act.LIST_DEVICES: self._list_devices,
            Act.TRAY_MENU: self._tray_menu,
            Act.MICROPHONE_DB: self._microphone_db,
            Act.SPEAKER_DB: self._speaker_db,
            Act.CHOOSE_FILE: self._choose_file,
            Act.PLAY_FILE: self._play_file,
            Act.SHOW: self._show,
            Act.CLOSE: self._close,
            Act.QUIT: self._quit,
            Act.MOVED: self._moved,
            Act.TRAY_READY: self._tray_ready,
            Act.TRAY_MISSING: self._tray_missing,
            **Visits(state, self._show).doors,
        }

    def ask(self, request: Request, now: float) -> None:
        self._state.changes += 1
        if not self._state.quitting or request.act is Act.MOVED:
            self._doors[request.act](request.value, now)

    # --- the call ----------------------------------------------------------------------------

    def _call(self, _: str, now: float) -> None:
        """During a call this only brings the window to the front."""
        if self._state.call is not None or self._state.stopped:
            self._show("", now)
        else:
            self._dial("", self._state.brand.texts.desk)

    def _call_address(self, value: str, now: float) -> None:
        address = value.strip()
        if self._state.call is not None or self._state.stopped:
            self._show("", now)
        elif address:
            self._dial(address, plain_address(address))

    def _dial(self, uri: str, who: str) -> None:
        self._state.begin(ShownCall(0, who, uri, outgoing=True))
        # What was typed or asked about here was seen here: that is the confirmation.
        self._state.submit(Dial(uri, confirmed=bool(uri)))

    def _hang_up(self, _: str, __: float) -> None:
        call = self._state.call
        if call is None or call.ending:
            return
        call.ending = True
        if call.number:
            self._state.submit(HangUp(call.number))
        else:
            self._state.hang_up_wanted = True

    def _accept(self, _: str, __: float) -> None:
        call = self._state.call
        if call is not None and call.asked_about:
            call.asked_about = ""
            self._state.submit(ConfirmTransfer(call.number, True))
        elif call is None and self._state.link:
            self._dial(self._state.link, link_address(self._state.link))
        elif call is not None and call.coming_in:
            call.accepted = True
            self._state.submit(Answer(call.number))

    def _reject(self, _: str, __: float) -> None:
        call = self._state.call
        self._state.link = ""
        if call is not None and call.asked_about:
            call.asked_about = ""
            self._state.submit(ConfirmTransfer(call.number, False))
        elif call is not None and call.coming_in:
            call.ending = True
            self._state.submit(Reject(call.number, DECLINE))

    def _talking(self) -> ShownCall | None:
        call = self._state.call
        return call if call is not None and call.talking else None

    def _hold(self, _: str, __: float) -> None:
        if call := self._talking():
            self._state.submit(Resume(call.number) if call.held_here else Hold(call.number))

    def _mute(self, _: str, __: float) -> None:
        if call := self._talking():
            self._state.submit(Mute(call.number, not call.muted))

    def _digit(self, digit: str, _: float) -> None:
        if (call := self._talking()) and digit in KEYS:
            self._state.submit(SendDigits(call.number, digit))

    def _keypad(self, _: str, now: float) -> None:
        if self._talking():
            self._state.keypad_open = not self._state.keypad_open
            self._raise_if_hidden(now)

    def _choose_file(self, _: str, __: float) -> None:
        if call := self._talking():
            if call.file:
                self._state.submit(PlayFile(call.number, ""))
            else:
                self._state.do(ChooseFile())

    def _play_file(self, path: str, _: float) -> None:
        if (call := self._talking()) and path:
            self._state.submit(PlayFile(call.number, path))

    # --- sound -------------------------------------------------------------------------------

    def _list_devices(self, _: str, now: float) -> None:
        if now >= self._list_after:
            self._list_after = now + LIST_EVERY
            self._state.submit(ListDevices())

    def _microphone(self, name: str, _: float) -> None:
        self._select(name, self._state.devices.speaker)

    def _speaker(self, name: str, _: float) -> None:
        self._select(self._state.devices.microphone, name)

    def _select(self, microphone: str, speaker: str) -> None:
        state = self._state
        state.devices = state.devices._replace(microphone=microphone, speaker=speaker)
        state.settings = state.settings._replace(microphone=microphone, speaker=speaker)
        state.notes.pop(Reason.DEVICE_LOST, None)
        state.submit(SelectDevices(microphone, speaker))
        state.save()

    def _volume(self, _: str, now: float) -> None:
        self._state.volume_open = not self._state.volume_open
        self._raise_if_hidden(now)

    def _microphone_db(self, decibels: str, now: float) -> None:
        self._gains(float(decibels), self._state.settings.speaker_db, now)

    def _speaker_db(self, decibels: str, now: float) -> None:
        self._gains(self._state.settings.microphone_db, float(decibels), now)

    def _gains(self, microphone: float, speaker: float, now: float) -> None:
        state = self._state
        state.settings = state.settings._replace(microphone_db=microphone, speaker_db=speaker)
        state.submit(SetVolume(microphone, speaker))
        state.save_at = now + SAVE_AFTER

    # --- window and tray ---------------------------------------------------------------------

    def _help(self, _: str, __: float) -> None:
        self._state.help_open = not self._state.help_open
        self._state.statistics_at = 0.0
        if self._state.help_open:
            self._state.submit(CheckNetwork())

    def _check(self, _: str, __: float) -> None:
        self._state.help_open = True
        self._state.checks += 1
        self._state.submit(CheckNetwork())
        self._try_sound()

    def _try_sound(self) -> None:
        """Not beside a call, where both ends are in use."""
        state, word = self._state, self._state.speaker.word
        state.submit(ListDevices())
        if state.call is None:
            state.submit(TrySound())
            state.sound = word(Word.SOUND_LISTENING), word(Word.SOUND_PLAYING)
        else:
            state.sound_is_in_use()

    def _show(self, _: str, __: float) -> None:
        self._state.window_shown = True
        self._state.do(RaiseWindow())

    def _raise_if_hidden(self, now: float) -> None:
        if not self._state.window_shown:
            self._show("", now)

    def _tray_menu(self, value: str, _: float) -> None:
        self._state.do(PostMenu(*_point(value)))

    def _close(self, _: str, now: float) -> None:
        """With a tray the phone goes on without its window, which is said once."""
        state = self._state
        if not state.tray_present:
            self._quit("", now)
            return
        state.window_shown = False
        state.do(HideWindow())
        if not state.settings.tray_note_shown:
            state.settings = state.settings._replace(tray_note_shown=True)
            state.save()
            note = state.speaker.say(Say.GOES_ON)
            state.notify(note.headline, note.advice)

    def _quit(self, _: str, now: float) -> None:
        state = self._state
        state.quitting = True
        state.help_open = False
        state.do(HideWindow())
        if state.save_at is not None:
            state.save()
        if state.stopped:
            state.do(Finish())
        else:
            state.quit_at = now + QUIT_PATIENCE
            state.submit(Quit())

    def _moved(self, value: str, _: float) -> None:
        x, y = _point(value)
        place = self._state.settings._replace(window_x=x, window_y=y)
        if place != self._state.settings:
            self._state.settings = place
            self._state.save()

    def _tray_ready(self, _: str, __: float) -> None:
        self._state.tray_present = True
        self._state.notes.pop(Say.NO_TRAY, None)

    def _tray_missing(self, why: str, now: float) -> None:
        self._state.tray_present = False
        self._state.report(Say.NO_TRAY)
        if why:
            self._state.log_line("No tray icon", why)
        self._raise_if_hidden(now)  # there is no other way back to it


def _point(text: str) -> tuple[int, int]:
    x, _, y = text.partition(",")
    return int(x), int(y)
