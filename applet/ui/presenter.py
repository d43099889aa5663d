"""What the person sees and may do, as a pure function of what has happened.

Events of the phone, requests of the person and `now` (seconds, any steady clock) go in; a `View`,
the tray's icon and menu, commands for the phone and effects for the shell come out. It touches
no screen, so every sentence that can ever appear is tested without one.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import Command, Event, Reason
from applet.settings import Settings
from applet.ui.help_text import help_text
from applet.ui.mailbox import waiting_words
from applet.ui.requests import Requests
from applet.ui.screen_state import ScreenState, clip
from applet.ui.shown_call import Shown, link_address
from applet.ui.strings import Say, Sentence, Speaker, Word, capital
from applet.ui.view import (
    SEPARATOR,
    Act,
    Button,
    Effect,
    Entry,
    Icon,
    Incoming,
    Keypad,
    Offer,
    Request,
    Tone,
    TrayView,
    View,
    Volume,
)

if TYPE_CHECKING:
    from applet.brand import Brand

_QUIETEST_DBFS = -60.0
_DIGITS_SHOWN = 24
_NOTES_SHOWN = 2


class Presenter:
    """`damaged_settings`: the name under which a damaged settings file was put aside.
    `test_build`: *About* says that this program is not for customers.
    `window_shown`: false for a start in the background."""

    def __init__(
        self,
        brand: Brand,
        settings: Settings | None = None,
        damaged_settings: str = "",
        test_build: bool = False,
        window_shown: bool = True,
    ) -> None:
        self.brand = brand
        self.speaker = Speaker(brand)
        self._state = ScreenState(brand, settings or Settings(), self.speaker)
        self._state.test_build = test_build
        self._requests = Requests(self._state)
        self._state.window_shown = window_shown
        if damaged_settings:
            self._state.report(Reason.SETTINGS_DAMAGED, damaged_settings)

    def handle(self, event: Event, now: float) -> None:
        """Something happened in the phone."""
        self._state.handle(event, now)

    def ask(self, request: Request, now: float) -> None:
        """The person (or the tray) wants something; what makes no sense now is ignored."""
        self._requests.ask(request, now)

    def handle_timers(self, now: float) -> None:
        """To be called a few times a second."""
        self._state.handle_timers(now)

    def commands(self) -> list[Command]:
        """For the phone, in order; each is handed out once."""
        return self._state.take_commands()

    def effects(self) -> list[Effect]:
        """For the shell, in order; each is handed out once."""
        return self._state.take_effects()

    @property
    def changes(self) -> int:
        """Rises with every change; while it stays, `view` and `tray` stay too."""
        return self._state.changes

    @property
    def window_shown(self) -> bool:
        return self._state.window_shown

    @property
    def settings(self) -> Settings:
        return self._state.settings

    def log_text(self) -> str:
        """The log as the person may copy it: redacted already, one message after the other."""
        return "\n".join(self._state.log)

    # --- the window --------------------------------------------------------------------------

    def view(self) -> View:
        state, call = self._state, self._state.call
        shown = self._shown()
        levels = call.heard_levels() if call is not None else (None, None)
        notes = list(state.notes.values())[-_NOTES_SHOWN:]
        return View(
            who=capital(state.who or state.brand.texts.desk),
            headline=shown.sentence.headline,
            advice=shown.sentence.advice,
            tone=shown.tone,
            note="\n".join(map(_line, notes)),
            timer=state.talked if call is not None else "",
            main=self._main_button(),
            hold=self._hold_button(),
            mute=self._mute_button(),
            keypad_button=self._keypad_button(),
            microphone=_bar(levels[0]),
            speaker=_bar(levels[1]),
            incoming=self._incoming(),
            address_field=state.brand.dialling.other_addresses and call is None,
            keypad=Keypad(call.digits[-_DIGITS_SHOWN:]) if call and state.keypad_open else None,
            volume=self._volume() if state.volume_open else None,
            help=help_text(state) if state.help_open else None,
            show_log=self.speaker.word(Word.SHOW_LOG) if Reason.INTERNAL in state.notes else "",
            offer=self._offer() if state.keep_offered else None,
        )

    def _shown(self) -> Shown:
        state = self._state
        if state.quitting:
            return Shown(self.speaker.say(Say.QUITTING), Tone.PLAIN, Icon.IDLE)
        if state.call is not None:
            return state.call.shown(self.speaker)
        if state.link:
            asked = self.speaker.say(state.link_why, link_address(state.link))
            return Shown(asked, Tone.WAITING, Icon.IDLE)
        return state.last or Shown(self.speaker.say(Say.WELCOME), Tone.PLAIN, Icon.IDLE)

    def _usable(self) -> bool:
        return not (self._state.quitting or self._state.stopped)

    def _talking(self) -> bool:
        call = self._state.call
        return self._usable() and call is not None and call.talking

    def _main_button(self) -> Button:
        call = self._state.call
        if call is None:
            return Button(self._state.brand.texts.call, Act.CALL, self._usable())
        word = Word.HANG_UP if call.talking or not call.outgoing else Word.CANCEL
        enabled = self._usable() and not call.ending
        return Button(self.speaker.word(word), Act.HANG_UP, enabled)

    def _hold_button(self) -> Button:
        call = self._state.call
        held = call is not None and call.held_here
        label = self.speaker.word(Word.RESUME if held else Word.HOLD)
        return Button(label, Act.HOLD, self._talking(), held)

    def _mute_button(self) -> Button:
        call = self._state.call
        muted = call is not None and call.muted
        label = self.speaker.word(Word.UNMUTE if muted else Word.MUTE)
        return Button(label, Act.MUTE, self._talking(), muted)

    def _keypad_button(self) -> Button:
        label = self.speaker.word(Word.KEYPAD)
        return Button(label, Act.KEYPAD, self._talking(), self._state.keypad_open)

    def _incoming(self) -> Incoming | None:
        """An incoming call, or the question whether to call the address of a link, or one that
        the other side wants to pass the person on to."""
        call, link = self._state.call, self._state.link
        if call is not None and call.asked_about:
            return self._question(link_address(call.asked_about), "", Word.ACCEPT, Word.REJECT)
        if call is None and link:
            return self._question(link_address(link), "", Word.CALL, Word.CANCEL)
        if call is None or not call.coming_in:
            return None
        address = call.address if call.address != call.who else ""
        return self._question(capital(call.who), address, Word.ACCEPT, Word.REJECT)

    def _question(self, who: str, address: str, yes: Word, no: Word) -> Incoming:
        word, usable = self.speaker.word, self._usable()
        accept, reject = Button(word(yes), Act.ACCEPT, usable), Button(word(no), Act.REJECT, usable)
        return Incoming(who, address, accept, reject)

    def _offer(self) -> Offer:
        word = self.speaker.word
        text = _line(self.speaker.say(Say.OFFER))
        return Offer(text, word(Word.AUTOSTART), word(Word.KEEP), word(Word.NOT_NOW))

    def _volume(self) -> Volume:
        return Volume(self._state.settings.microphone_db, self._state.settings.speaker_db)

    # --- the menus ---------------------------------------------------------------------------

    def tray(self) -> TrayView:
        shown = self._shown()
        icon = Icon.TROUBLE if self._state.spoiled else shown.icon
        product = self._state.brand.product
        waiting = waiting_words(self.speaker, self._state.waiting)
        tooltip = f"{product}: {shown.sentence.headline} {waiting}".rstrip()
        return TrayView(icon, clip(tooltip, 127), self.menu())

    def menu(self) -> tuple[Entry, ...]:
        """Everything the phone can do now, for the tray."""
        call = self._state.call
        return (
            Entry(self._state.brand.texts.call, Request(Act.CALL), self._usable()),
            *self._incoming_entries(),
            _entry(self._hold_button()),
            Entry(
                self.speaker.word(Word.HANG_UP),
                Request(Act.HANG_UP),
                self._usable() and call is not None and not (call.ending or call.coming_in),
            ),
            self._ticked(self._mute_button(), Word.MUTE),
            self._ticked(self._keypad_button(), Word.KEYPAD),
            SEPARATOR,
            *self._sound_entries(),
            SEPARATOR,
            *self._waiting_entries(),
            Entry(self.speaker.word(Word.SHOW), Request(Act.SHOW), default=True),
            *self._last_entries(),
        )

    def window_menu(self) -> tuple[Entry, ...]:
        """What the window has no button for."""
        return (*self._sound_entries(), SEPARATOR, *self._last_entries())

    def _incoming_entries(self) -> tuple[Entry, ...]:
        incoming = self._incoming()
        return (_entry(incoming.accept), _entry(incoming.reject)) if incoming else ()

    def _waiting_entries(self) -> tuple[Entry, ...]:
        """How many messages wait: a line to read."""
        words = waiting_words(self.speaker, self._state.waiting)
        return (Entry(words, Request(Act.SHOW), enabled=False),) if words else ()

    def _sound_entries(self) -> tuple[Entry, ...]:
        word, devices, call = self.speaker.word, self._state.devices, self._state.call
        playing = call is not None and bool(call.file)
        return (
            Entry(
                word(Word.MICROPHONE),
                submenu=self._choice(Act.MICROPHONE, devices.microphones, devices.microphone),
            ),
            Entry(
                word(Word.SPEAKER),
                submenu=self._choice(Act.SPEAKER, devices.speakers, devices.speaker),
            ),
            self._ticked(Button("", Act.VOLUME, True, self._state.volume_open), Word.VOLUME),
            Entry(
                word(Word.STOP_FILE if playing else Word.PLAY_FILE),
                Request(Act.CHOOSE_FILE),
                self._talking(),
            ),
        )

    def _last_entries(self) -> tuple[Entry, ...]:
        word = self.speaker.word
        keep = Entry(word(Word.KEEP_HERE), Request(Act.KEEP))
        return (
            *((keep,) if self._state.can_be_kept else ()),
            Entry(word(Word.CHECK), Request(Act.CHECK)),
            Entry(word(Word.HELP), Request(Act.HELP)),
            Entry(word(Word.QUIT), Request(Act.QUIT), not self._state.quitting),
        )

    def _choice(self, act: Act, names: tuple[str, ...], chosen: str) -> tuple[Entry, ...]:
        default = self.speaker.word(Word.SYSTEM_DEFAULT)
        return (
            Entry(default, Request(act), checked=not chosen),
            *(Entry(name, Request(act, name), checked=name == chosen) for name in names),
        )

    def _ticked(self, button: Button, word: Word) -> Entry:
        """A button that stays pressed in, as a menu entry with a tick."""
        return Entry(self.speaker.word(word), Request(button.act), button.enabled, button.on)


def _entry(button: Button) -> Entry:
    return Entry(button.label, Request(button.act), button.enabled)


def _line(sentence: Sentence) -> str:
    return f"{sentence.headline} {sentence.advice}".rstrip()


def _bar(dbfs: float | None) -> float | None:
    """A level in dBFS as a length from 0 to 1, in steps of 1/50."""
    if dbfs is None:
        return None
    return round(50 * min(1.0, max(0.0, 1 - dbfs / _QUIETEST_DBFS))) / 50
