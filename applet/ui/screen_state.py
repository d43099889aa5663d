"""What the screen knows of the phone, from its events.

What the person asks for changes it too (`ui.requests`); how it looks is the presenter's.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import (
    CallState,
    CallStateChanged,
    CheckNetwork,
    Command,
    DevicesListed,
    DigitSent,
    Event,
    FilePlaying,
    HangUp,
    HoldChanged,
    IncomingCall,
    Levels,
    ListDevices,
    Logged,
    MediaChanged,
    MessagesWaiting,
    MuteChanged,
    NatFound,
    NetworkChecked,
    Ready,
    Reason,
    Redirected,
    Registered,
    RegistrationFailed,
    RequestStatistics,
    SelectDevices,
    SetVolume,
    SoundTried,
    Statistics,
    Stopped,
    TextReceived,
    TransferChanged,
    Trouble,
    Unregistered,
)
from applet.ui.mailbox import messages_waiting, text_received
from applet.ui.passing_on import go_on, transfer_changed
from applet.ui.shown_call import (
    Shown,
    ShownCall,
    ended_by_itself,
    how_it_ended,
    plain_address,
)
from applet.ui.sound_report import Row, heard_and_played
from applet.ui.strings import Say, Sentence, Speaker, Word
from applet.ui.view import (
    Effect,
    Finish,
    Icon,
    Notify,
    RaiseWindow,
    Save,
    Tone,
)

if TYPE_CHECKING:
    from applet.brand import Brand
    from applet.settings import Settings

STATISTICS_EVERY = 1.0  # seconds, while the help window is open
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
    """The presenter reads it; only its own methods and `Requests` change it.

    `changes` rises with every change that could be seen. `notes`: what is wrong beside the call,
    the newest last. `next_call`: the one that is to take the place of `call`. `waiting`: messages
    in the mailbox that nobody has heard. `link`: followed in another program, the person is asked
    whether to call.
    """

    def __init__(self, brand: Brand, settings: Settings, speaker: Speaker) -> None:
        self.brand = brand
        self.speaker = speaker
        self.settings = settings
        self.changes = 0
        self.call: ShownCall | None = None
        self.next_call: ShownCall | None = None
        self.waiting = 0
        self.who = ""
        self.last: Shown | None = None
        self.notes: dict[Say | Reason, Sentence] = {}
        self.devices = DevicesListed((), (), settings.microphone, settings.speaker)
        self.address = self.network = self.registrar = ""
        self.log: list[str] = []
        self.log_lines = 0
        self.talked = ""
        self.keypad_open = self.volume_open = self.help_open = False
        self.checks = 0
        self.findings: tuple[Row, ...] = ()
        self.sound: tuple[str, str] | None = None
        self.link = ""
        self.link_why = Say.LINK
        self.can_be_kept = False
        self.keep_offered = False
        self.window_shown = True
        self.tray_present = False
        self.test_build = False
        self.quitting = False
        self.stopped = False
        self.hang_up_wanted = False
        self.quit_at: float | None = None
        self.save_at: float | None = None
        self.statistics_at = 0.0
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

    def submit(self, command: Command) -> None:
        self._commands.append(command)

    def do(self, effect: Effect) -> None:
        self._effects.append(effect)

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
        if self.quit_at is not None and now >= self.quit_at:
            self.quit_at = None
            self.do(Finish())
        if self.save_at is not None and now >= self.save_at:
            self.save()
        if self.help_open and self.call and self.call.number and now >= self.statistics_at:
            self.statistics_at = now + STATISTICS_EVERY
            self.submit(RequestStatistics(self.call.number))

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
            case NatFound() | NetworkChecked() | SoundTried():
                self._checked(event)
            case TransferChanged() | TextReceived() | MessagesWaiting():
                self._beside_the_call(event)
            case Redirected(uri=uri):
                self.ask_to_call(uri, Say.MOVED_TO)
            case Logged(line=line, detail=detail):
                self.log_line(line, detail)
            case Stopped():
                self._phone_stopped()
            case _:
                self._about_the_call(event)

    def ask_to_call(self, uri: str, why: Say) -> None:
        """Nothing is dialled before the person has seen the whole address and said yes."""
        self.link, self.link_why = uri, why

    def _beside_the_call(self, event: TransferChanged | TextReceived | MessagesWaiting) -> None:
        match event:
            case TransferChanged():
                transfer_changed(self, event)
            case TextReceived():
                text_received(self, event)
            case MessagesWaiting():
                messages_waiting(self, event)

    def _about_the_call(self, event: Event) -> None:
        number = getattr(event, "call", 0)
        both = (self.call, self.next_call)
        call = next((one for one in both if one is not None and one.number == number), None)
        if call is None:
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
        call, following = self.call, self.next_call
        if following is not None and following.number == event.call:
            following.change_state(event, now)
        if call is None or call.number != event.call:
            return
        call.change_state(event, now)
        if event.state is CallState.ENDED:
            if event.reason is Reason.TRANSFERRED and following is not None:
                go_on(self)
            else:
                self._ended(call, event.reason, now, event.said, event.retry_after)

    def _outgoing_named(self, event: CallStateChanged) -> None:
        """The phone's first word of a call that was asked for here (or by another door)."""
        if self.call is None:
            if event.state is CallState.ENDED:
                return
            address = plain_address(event.peer)
            self.begin(ShownCall(0, address, address, outgoing=True))
        assert self.call is not None
        self.call.number = event.call
        if self.hang_up_wanted:
            self.submit(HangUp(event.call))

    def _incoming(self, event: IncomingCall) -> None:
        if self.call is not None:
            return  # one call at a time: the phone has refused it already
        address = plain_address(event.caller_uri)
        who = event.caller or address or self.speaker.word(Word.UNKNOWN_CALLER)
        self.begin(ShownCall(event.call, who, address, outgoing=False))
        sentence = self.speaker.say(Say.INCOMING, who)
        self.do(RaiseWindow())
        self.window_shown = True
        self.notify(self.speaker.word(Word.INCOMING_CALL), sentence.headline)

    def begin(self, call: ShownCall) -> None:
        self.call, self.next_call = call, None
        self.who = call.who
        self.last = None
        self.link = ""
        self.keypad_open = False
        self.hang_up_wanted = False
        if self.sound is not None:
            self.sound_is_in_use()
        self.notes = {key: note for key, note in self.notes.items() if key is Say.NOT_REGISTERED}

    def sound_is_in_use(self) -> None:
        """A call has both ends: they are not tried out."""
        self.sound = self.speaker.word(Word.SOUND_IN_USE), self.speaker.word(Word.SOUND_IN_USE)

    def _ended(
        self, call: ShownCall, reason: Reason, now: float, said: str = "", retry_after: int = 0
    ) -> None:
        self.last = how_it_ended(call, reason, self.speaker, now, said, retry_after)
        self.call = self.next_call = None
        self.keypad_open = False
        for spoiling in _SPOILING:
            self.notes.pop(spoiling, None)
        sentence = self.last.sentence
        if reason is Reason.CALLER_GAVE_UP:
            missed = self.speaker.say(Say.MISSED, call.who)
            self.notify(missed.headline, call.address)
        elif ended_by_itself(reason) and not self.quitting:
            self.notify(sentence.headline, sentence.advice)

    def _checked(self, event: NatFound | NetworkChecked | SoundTried) -> None:
        match event:
            case NetworkChecked():
                self.findings = event.findings
            case SoundTried():
                self.sound = heard_and_played(self.speaker.word, event)
            case NatFound(way, proof):
                self.network = f"{way}: {proof}" if proof else way
                if self.help_open:
                    self.submit(CheckNetwork())

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
            self.notify(sentence.headline, sentence.advice)

    def _devices_listed(self, event: DevicesListed) -> None:
        self.devices = event
        if event.microphones:
            self.notes.pop(Reason.NO_MICROPHONE, None)
        if event.speakers:
            self.notes.pop(Reason.NO_SPEAKER, None)

    def log_line(self, line: str, detail: str) -> None:
        whole = "".join(f"\n    {part}" for part in detail.rstrip().splitlines())
        self.log.append(f"{line}{whole}")
        self.log_lines += 1
        if len(self.log) > LOG_LINES:
            del self.log[: LOG_LINES // 10]

    def _phone_stopped(self) -> None:
        self.stopped = True
        self.call = None
        if self.quitting:
            self.quit_at = None
            self.do(Finish())
            return
        sentence = self.speaker.say(Say.STOPPED)
        self.last = Shown(sentence, Tone.BAD, Icon.TROUBLE)
        self.notify(sentence.headline, sentence.advice)

    def save(self) -> None:
        self.save_at = None
        self.do(Save(self.settings))

    def notify(self, title: str, text: str) -> None:
        self.do(Notify(clip(title, 63), clip(text or title, 255)))


def clip(text: str, units: int) -> str:
    """`text` cut to at most `units` UTF-16 code units, which is how Windows counts."""
    if len(text.encode("utf-16-le")) <= 2 * units:
        return text
    kept = text.encode("utf-16-le")[: 2 * (units - 1)].decode("utf-16-le", "ignore")
    return f"{kept.rstrip()}…"
