"""What the screen knows: fed with the phone's events and the person's requests.

It answers with commands for the phone and effects for the shell. How it looks is the presenter's.
"""

from collections.abc import Callable

from applet.brand import Brand
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    Command,
    DevicesListed,
    Dial,
    DigitSent,
    Event,
    FilePlaying,
    HangUp,
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
    Statistics,
    Stopped,
    Trouble,
    Unregistered,
)
from applet.settings import Settings
from applet.ui.shown_call import (
    Shown,
    ShownCall,
    ended_by_itself,
    how_it_ended,
    plain_address,
)
from applet.ui.strings import Say, Sentence, Speaker, Word
from applet.ui.view import (
    Act,
    ChooseFile,
    Effect,
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

QUIT_PATIENCE = 4.0  # seconds until the program ends although the phone has not said Stopped
STATISTICS_EVERY = 1.0  # seconds, while the help window is open
SAVE_AFTER = 1.0  # seconds without another change, so that a slider writes one file
LOG_LINES = 2000
SILENT_DBFS = -60.0

# Refusals of a Dial that the phone never gave a number.
_NOT_DIALLED = (
    Reason.BAD_ADDRESS,
    Reason.EMERGENCY_NOT_SENT,
    Reason.OTHER_ADDRESS_NOT_ALLOWED,
    Reason.ONE_CALL_AT_A_TIME,
    Reason.MEDIA_FAILED,
    Reason.NAME_NOT_FOUND,
    Reason.UNREACHABLE,
    Reason.INTERNAL,
)
# Troubles that spoil a call, and so colour the tray icon.
_SPOILING = (
    Reason.NO_MICROPHONE,
    Reason.NO_SPEAKER,
    Reason.MICROPHONE_SILENT,
    Reason.DEVICE_LOST,
    Reason.INTERNAL,
)


class ScreenState:
    """Public fields are read by the presenter; only the methods change them.

    `changes` rises with every change that could be seen. `notes`: what is wrong beside the call,
    the newest last.
    """

    def __init__(self, brand: Brand, settings: Settings, speaker: Speaker) -> None:
        self.brand = brand
        self.speaker = speaker
        self.settings = settings
        self.changes = 0
        self.call: ShownCall | None = None
        self.who = ""
        self.last: Shown | None = None
        self.notes: dict[Say | Reason, Sentence] = {}
        self.devices = DevicesListed((), (), settings.microphone, settings.speaker)
        self.address = ""
        self.network = ""
        self.registrar = ""
        self.log: list[str] = []
        self.log_lines = 0
        self.talked = ""
        self.keypad_open = False
        self.volume_open = False
        self.help_open = False
        self.window_shown = True
        self.tray_present = False
        self.quitting = False
        self.stopped = False
        self._hang_up_wanted = False
        self._quit_at: float | None = None
        self._save_at: float | None = None
        self._statistics_at = 0.0
        self._effects: list[Effect] = []
        self._commands: list[Command] = [
            SelectDevices(settings.microphone, settings.speaker),
            SetVolume(settings.microphone_db, settings.speaker_db),
            ListDevices(),
        ]

    def take_commands(self) -> list[Command]:
        taken, self._commands = self._commands, []
        return taken

    def take_effects(self) -> list[Effect]:
        taken, self._effects = self._effects, []
        return taken

    @property
    def spoiled(self) -> bool:
        """Whether a note is about something that spoils a call."""
        return any(reason in self.notes for reason in _SPOILING)

    # --- time --------------------------------------------------------------------------------

    def handle_timers(self, now: float) -> None:
        talked = self.call.talked(now) if self.call else ""
        if talked != self.talked:
            self.talked = talked
            self.changes += 1
        if self._quit_at is not None and now >= self._quit_at:
            self._quit_at = None
            self._effects.append(Finish())
        if self._save_at is not None and now >= self._save_at:
            self._save_now()
        if self.help_open and self.call and self.call.number and now >= self._statistics_at:
            self._statistics_at = now + STATISTICS_EVERY
            self._commands.append(RequestStatistics(self.call.number))

    # --- events ------------------------------------------------------------------------------

    def handle(self, event: Event, now: float) -> None:
        self.changes += 1
        match event:
            case CallStateChanged():
                self._call_state(event, now)
            case IncomingCall():
                self._incoming(event)
            case Trouble():
                self._trouble(event, now)
            case Ready(address):
                self.address = address
            case DevicesListed():
                self._devices_listed(event)
            case Registered(registrar):
                self.registrar = registrar
                self.notes.pop(Say.NOT_REGISTERED, None)
            case Unregistered():
                self.registrar = ""
            case RegistrationFailed(_, reason):
                self.registrar = ""
                why = self.speaker.say(reason, self.speaker.word(Word.TELEPHONE_SYSTEM)).headline
                self.report(Say.NOT_REGISTERED, why)
            case NatFound(way, proof):
                self.network = f"{way}: {proof}" if proof else way
            case Logged(line, detail):
                self._logged(line, detail)
            case Stopped():
                self._phone_stopped()
            case _:
                self._about_the_call(event)

    def _about_the_call(self, event: Event) -> None:
        call = self.call
        if call is None or getattr(event, "call", 0) != call.number:
            return
        match event:
            case HoldChanged():
                call.change_hold(event)
            case MuteChanged(on=on):
                call.muted = on
            case Levels(microphone=microphone, speaker=speaker):
                call.levels = (microphone, speaker)
                if microphone > SILENT_DBFS:
                    self.notes.pop(Reason.MICROPHONE_SILENT, None)
            case MediaChanged():
                call.media = event
            case Statistics():
                call.statistics = event
            case DigitSent(digit=digit):
                call.digits += digit
            case FilePlaying(path=path, on=on):
                call.file = path if on else ""

    def _call_state(self, event: CallStateChanged, now: float) -> None:
        if self.call is None or self.call.number == 0:
            if not event.outgoing:
                return
            self._outgoing_named(event)
        call = self.call
        if call is None or call.number != event.call:
            return
        call.change_state(event, now)
        if event.state is CallState.ENDED:
            self._ended(call, event.reason, now)

    def _outgoing_named(self, event: CallStateChanged) -> None:
        """The phone's first word of a call that was asked for here (or by another door)."""
        if self.call is None:
            if event.state is CallState.ENDED:
                return
            address = plain_address(event.peer)
            self._begin(ShownCall(0, address, address, outgoing=True))
        assert self.call is not None
        self.call.number = event.call
        if self._hang_up_wanted:
            self._commands.append(HangUp(event.call))

    def _incoming(self, event: IncomingCall) -> None:
        if self.call is not None:
            return  # one call at a time: the phone has refused it already
        address = plain_address(event.caller_uri)
        who = event.caller or address or self.speaker.word(Word.UNKNOWN_CALLER)
        self._begin(ShownCall(event.call, who, address, outgoing=False))
        sentence = self.speaker.say(Say.INCOMING, who)
        self._effects.append(RaiseWindow())
        self.window_shown = True
        self._notify(self.speaker.word(Word.INCOMING_CALL), sentence.headline)

    def _begin(self, call: ShownCall) -> None:
        self.call = call
        self.who = call.who
        self.last = None
        self.keypad_open = False
        self._hang_up_wanted = False
        self.notes = {key: note for key, note in self.notes.items() if key is Say.NOT_REGISTERED}

    def _ended(self, call: ShownCall, reason: Reason, now: float) -> None:
        self.last = how_it_ended(call, reason, self.speaker, now)
        self.call = None
        self.keypad_open = False
        for spoiling in _SPOILING:
            self.notes.pop(spoiling, None)
        sentence = self.last.sentence
        if reason is Reason.CALLER_GAVE_UP:
            missed = self.speaker.say(Say.MISSED, call.who)
            self._notify(missed.headline, call.address)
        elif ended_by_itself(reason) and not self.quitting:
            self._notify(sentence.headline, sentence.advice)

    def _trouble(self, event: Trouble, now: float) -> None:
        call = self.call
        if call is not None and call.number == 0 and event.call == 0:
            if event.reason in _NOT_DIALLED:
                self._ended(call, event.reason, now)
                return
        elif event.call and (call is None or event.call != call.number):
            return
        if call is not None and event.reason in (Reason.HOLD_FAILED, Reason.RESUME_FAILED):
            call.hold_trouble = event.reason
            return
        self.report(event.reason, event.detail)

    def report(self, key: Say | Reason, detail: str = "") -> None:
        sentence = self.speaker.say(key, self.who, detail)
        self.notes.pop(key, None)
        self.notes[key] = sentence
        if not self.window_shown:
            self._notify(sentence.headline, sentence.advice)

    def _devices_listed(self, event: DevicesListed) -> None:
        self.devices = event
        if event.microphones:
            self.notes.pop(Reason.NO_MICROPHONE, None)
        if event.speakers:
            self.notes.pop(Reason.NO_SPEAKER, None)

    def _logged(self, line: str, detail: str) -> None:
        whole = "".join(f"\n    {part}" for part in detail.rstrip().splitlines())
        self.log.append(f"{line}{whole}")
        self.log_lines += 1
        if len(self.log) > LOG_LINES:
            del self.log[: LOG_LINES // 10]

    def _phone_stopped(self) -> None:
        self.stopped = True
        self.call = None
        if self.quitting:
            self._quit_at = None
            self._effects.append(Finish())
            return
        sentence = self.speaker.say(Say.STOPPED)
        self.last = Shown(sentence, Tone.BAD, Icon.TROUBLE)
        self._notify(sentence.headline, sentence.advice)

    def _notify(self, title: str, text: str) -> None:
        self._effects.append(Notify(clip(title, 63), clip(text or title, 255)))

    # --- requests ----------------------------------------------------------------------------

    def ask(self, request: Request, now: float) -> None:
        self.changes += 1
        act, value = request
        doors: dict[Act, Callable[[], None]] = {
            Act.CALL: lambda: self._dial("", self.brand.texts.desk),
            Act.CALL_ADDRESS: lambda: self._dial(value.strip(), plain_address(value.strip())),
            Act.HANG_UP: self._hang_up,
            Act.ACCEPT: self._accept,
            Act.REJECT: self._reject,
            Act.HOLD: self._hold,
            Act.MUTE: self._mute,
            Act.DIGIT: lambda: self._digit(value),
            Act.KEYPAD: self._keypad,
            Act.VOLUME: self._volume,
            Act.HELP: self._help,
            Act.MICROPHONE: lambda: self._select(value, self.devices.speaker),
            Act.SPEAKER: lambda: self._select(self.devices.microphone, value),
            Act.LIST_DEVICES: lambda: self._commands.append(ListDevices()),
            Act.TRAY_MENU: lambda: self._effects.append(PostMenu(*_point(value))),
            Act.MICROPHONE_DB: lambda: self._gains(float(value), self.settings.speaker_db, now),
            Act.SPEAKER_DB: lambda: self._gains(self.settings.microphone_db, float(value), now),
            Act.CHOOSE_FILE: self._choose_file,
            Act.PLAY_FILE: lambda: self._play(value),
            Act.SHOW: self._show,
            Act.CLOSE: lambda: self._close(now),
            Act.QUIT: lambda: self._quit(now),
            Act.MOVED: lambda: self._moved(value),
            Act.TRAY_READY: self._tray_ready,
            Act.TRAY_MISSING: lambda: self._tray_missing(value),
        }
        if not self.quitting or act is Act.MOVED:
            doors[act]()

    def _dial(self, uri: str, who: str) -> None:
        if self.call is not None or self.stopped:
            self._show()
        elif uri or who == self.brand.texts.desk:
            self._begin(ShownCall(0, who, uri, outgoing=True))
            # What was typed here was seen here: that is the confirmation.
            self._commands.append(Dial(uri, confirmed=bool(uri)))

    def _hang_up(self) -> None:
        if self.call is not None:
            self.call.ending = True
            if self.call.number:
                self._commands.append(HangUp(self.call.number))
            else:
                self._hang_up_wanted = True

    def _accept(self) -> None:
        if self.call is not None and self.call.coming_in:
            self.call.accepted = True
            self._commands.append(Answer(self.call.number))

    def _reject(self) -> None:
        if self.call is not None and self.call.coming_in:
            self.call.ending = True
            self._commands.append(Reject(self.call.number, 603))

    def _hold(self) -> None:
        if self.call is not None and self.call.talking:
            number = self.call.number
            self._commands.append(Resume(number) if self.call.held_here else Hold(number))

    def _mute(self) -> None:
        if self.call is not None and self.call.talking:
            self._commands.append(Mute(self.call.number, not self.call.muted))

    def _digit(self, digit: str) -> None:
        if self.call is not None and self.call.talking and digit and digit in "0123456789*#":
            self._commands.append(SendDigits(self.call.number, digit))

    def _keypad(self) -> None:
        if self.call is not None and self.call.talking:
            self.keypad_open = not self.keypad_open
            self._raise_if_hidden()

    def _volume(self) -> None:
        self.volume_open = not self.volume_open
        self._raise_if_hidden()

    def _help(self) -> None:
        self.help_open = not self.help_open
        self._statistics_at = 0.0

    def _select(self, microphone: str, speaker: str) -> None:
        self.devices = self.devices._replace(microphone=microphone, speaker=speaker)
        self.settings = self.settings._replace(microphone=microphone, speaker=speaker)
        self.notes.pop(Reason.DEVICE_LOST, None)
        self._commands.append(SelectDevices(microphone, speaker))
        self._save_now()

    def _gains(self, microphone: float, speaker: float, now: float) -> None:
        self.settings = self.settings._replace(microphone_db=microphone, speaker_db=speaker)
        self._commands.append(SetVolume(microphone, speaker))
        self._save_at = now + SAVE_AFTER

    def _choose_file(self) -> None:
        if self.call is not None and self.call.talking:
            if self.call.file:
                self._commands.append(PlayFile(self.call.number, ""))
            else:
                self._effects.append(ChooseFile())

    def _play(self, path: str) -> None:
        # The call may have ended while the person was choosing.
        if path and self.call is not None and self.call.talking:
            self._commands.append(PlayFile(self.call.number, path))

    def _show(self) -> None:
        self.window_shown = True
        self._effects.append(RaiseWindow())

    def _raise_if_hidden(self) -> None:
        if not self.window_shown:
            self._show()

    def _close(self, now: float) -> None:
        if not self.tray_present:
            self._quit(now)
            return
        self.window_shown = False
        self._effects.append(HideWindow())
        if not self.settings.tray_note_shown:
            self.settings = self.settings._replace(tray_note_shown=True)
            self._save_now()
            note = self.speaker.say(Say.GOES_ON)
            self._notify(note.headline, note.advice)

    def _quit(self, now: float) -> None:
        self.quitting = True
        self.help_open = False
        self._effects.append(HideWindow())
        if self._save_at is not None:
            self._save_now()
        if self.stopped:
            self._effects.append(Finish())
        else:
            self._quit_at = now + QUIT_PATIENCE
            self._commands.append(Quit())

    def _moved(self, value: str) -> None:
        x, y = _point(value)
        place = self.settings._replace(window_x=x, window_y=y)
        if place != self.settings:
            self.settings = place
            self._save_now()

    def _tray_ready(self) -> None:
        self.tray_present = True
        self.notes.pop(Say.NO_TRAY, None)

    def _tray_missing(self, why: str) -> None:
        self.tray_present = False
        self.report(Say.NO_TRAY)
        if why:
            self._logged("No tray icon", why)
        if not self.window_shown:
            self._show()  # there is no other way back to it

    def _save_now(self) -> None:
        self._save_at = None
        self._effects.append(Save(self.settings))


def _point(text: str) -> tuple[int, int]:
    x, _, y = text.partition(",")
    return int(x), int(y)


def clip(text: str, units: int) -> str:
    """`text` cut to at most `units` UTF-16 code units, which is how Windows counts."""
    if len(text.encode("utf-16-le")) <= 2 * units:
        return text
    kept = text.encode("utf-16-le")[: 2 * (units - 1)].decode("utf-16-le", "ignore")
    return f"{kept.rstrip()}…"
