"""The real window on a real screen, pressed by mouse and keyboard; a fake phone answers it.

A callback that raises fails the test, whichever it was.
"""

import gc
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from tkinter import ttk

import pytest

from applet import brand as brands
from applet import settings
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
    HangUp,
    HeldBy,
    Hold,
    HoldChanged,
    IncomingCall,
    Levels,
    ListDevices,
    Logged,
    Mute,
    MuteChanged,
    NetworkChecked,
    PlayFile,
    Quit,
    Ready,
    Reason,
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
)
from applet.settings import Settings
from applet.ui.dialer import Dialer
from applet.ui.face import HEIGHT, Face
from applet.ui.help_window import HelpWindow
from applet.ui.presenter import Presenter
from applet.ui.theme import CONTRAST, Theme
from applet.ui.tray import start_tray
from applet.ui.view import Act, Icon, Request
from tests.support.desktop import Desktop
from tests.support.process import wait_until

pytestmark = pytest.mark.desktop

PATIENCE = 10.0
PEER = "sip:desk@127.0.0.1"


class FakePhone:
    """Answers every command as a phone does whose other side agrees with everything."""

    def __init__(self) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.commands: list[Command] = []
        self.tells(Ready("192.0.2.1:7666"))

    def tells(self, *events: Event) -> None:
        for event in events:
            self.events.put(event)

    def state(self, state: CallState, reason: Reason = Reason.NONE) -> CallStateChanged:
        return CallStateChanged(1, state, 0, reason, PEER, True)

    def submit(self, command: Command) -> None:
        self.commands.append(command)
        match command:
            case Dial():
                self.tells(*map(self.state, (CallState.DIALLING, CallState.RINGING)))
            case HangUp():
                self.tells(self.state(CallState.ENDED, Reason.HUNG_UP_HERE))
            case Hold():
                self.tells(HoldChanged(1, HeldBy.US, pending=False))
            case Resume():
                self.tells(HoldChanged(1, HeldBy.NONE, pending=False))
            case Mute(on=on):
                self.tells(MuteChanged(1, on))
            case SendDigits(digits=digits):
                self.tells(DigitSent(1, digits))
            case ListDevices():
                self.tells(DevicesListed(("Headset",), ("Headset", "Hall"), "", ""))
            case RequestStatistics():
                self.tells(Statistics(1, 97, 100, 3, 0, 4.0, 40.0, 4.2))
            case Quit():
                self.tells(Stopped())


class Person:
    """Hands and eyes at the window."""

    def __init__(self, desktop: Desktop, folder: Path, brand: Brand) -> None:
        self.desktop = desktop
        self.folder = folder
        self.phone = FakePhone()
        self.failures: list[BaseException] = []
        self.presenter = Presenter(brand, settings.load(folder).settings)
        self.dialer = Dialer(self.presenter, self.phone.submit, self.phone.events, folder)
        self.root, self.face = self.dialer.root, self.dialer.face
        self.root.report_callback_exception = lambda _, error, __: self.failures.append(error)
        self.until(self.root.winfo_viewable, "the window")

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Let the window live until `condition()`."""

        def lived() -> object:
            assert not self.failures, self.failures
            if not self.gone:
                self.root.update()
            return condition()

        wait_until(lived, PATIENCE, what)

    @property
    def gone(self) -> bool:
        try:
            return not self.root.winfo_exists()
        except tk.TclError:
            return True

    def reads(self, headline: str) -> None:
        self.until(
            lambda: self.face.headline.cget("text") == headline,
            f"{headline!r}; there is {self.face.headline.cget('text')!r}",
        )

    def rested(self) -> None:
        """Wait until the main button means what it says."""
        self.until(self.face.rested, "the main button to have rested")

    def clicks(self, widget: tk.Misc) -> None:
        self.until(widget.winfo_viewable, f"{widget} to be there")
        self.root.update()
        x = widget.winfo_rootx() + widget.winfo_width() // 2
        y = widget.winfo_rooty() + min(widget.winfo_height() // 2, widget.winfo_height() - 4)
        self.desktop.click((x, y))

    def has_asked(self, command: Command) -> None:
        self.until(lambda: command in self.phone.commands, f"{command}")
        self.phone.commands.clear()

    def is_connected(self) -> None:
        self.rested()
        self.clicks(self.face.main)
        self.has_asked(Dial())
        self.phone.tells(self.phone.state(CallState.CONNECTED))
        self.reads("You are talking to the support desk.")
        self.rested()

    def closes(self) -> None:
        if not self.gone:
            self.dialer.ask(Request(Act.QUIT))
            self.until(lambda: self.gone, "the window to go")
        assert not self.failures, self.failures


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    with Desktop(tmp_path_factory.mktemp("desktop")) as desktop:
        yield desktop


@pytest.fixture
def on_screen(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in desktop.variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def brand() -> Brand:
    shipped = brands.load()
    return shipped._replace(dialling=shipped.dialling._replace(other_addresses=True))


@pytest.fixture
def person(on_screen: None, desktop: Desktop, tmp_path: Path, brand: Brand) -> Iterator[Person]:
    person = Person(desktop, tmp_path, brand)
    yield person
    person.closes()
    vars(person).clear()


@pytest.fixture(autouse=True)
def tcl_is_freed_on_its_own_thread() -> Iterator[None]:
    """Tcl aborts the process if the garbage collection of another thread does it."""
    yield
    gc.collect()


def test_every_button_of_a_call_does_what_it_says(person: Person) -> None:
    face = person.face
    person.is_connected()
    person.clicks(face.hold)
    person.has_asked(Hold(1))
    person.reads("You put the call on hold.")
    person.clicks(face.hold)
    person.has_asked(Resume(1))
    person.clicks(face.mute)
    person.has_asked(Mute(1, True))
    person.reads("The support desk cannot hear you.")
    person.clicks(face.mute)
    person.has_asked(Mute(1, False))
    person.phone.tells(Levels(1, -20.0, -3.0))
    person.clicks(face.keypad_button)
    for key, button in face.keypad.buttons.items():
        person.clicks(button)
        person.has_asked(SendDigits(1, key))
    person.clicks(face.keypad_button)
    person.until(lambda: not face.keypad.winfo_viewable(), "the keypad to fold in")
    person.clicks(face.main)
    person.has_asked(HangUp(1))
    person.reads("You ended the call.")


def test_a_double_click_calls_once_and_does_not_cancel(person: Person) -> None:
    person.rested()
    x = person.face.main.winfo_rootx() + person.face.main.winfo_width() // 2
    y = person.face.main.winfo_rooty() + person.face.main.winfo_height() // 2
    person.desktop.run(
        "xdotool", "mousemove", str(x), str(y), "click", "--repeat", "2", "--delay", "80", "1"
    )
    person.reads("It is ringing.")
    person.rested()
    assert [command for command in person.phone.commands if isinstance(command, HangUp)] == []


def test_the_keyboard_does_everything(person: Person) -> None:
    face, desktop = person.face, person.desktop
    person.rested()
    person.until(lambda: person.root.focus_displayof() is face.main, "the focus on the button")
    desktop.keys("Return")
    person.has_asked(Dial())
    person.phone.tells(person.phone.state(CallState.CONNECTED))
    person.reads("You are talking to the support desk.")
    desktop.keys("Tab", "space")
    person.has_asked(Hold(1))
    desktop.keys("space", "Tab", "Return")
    person.has_asked(Mute(1, True))
    desktop.keys("5", "numbersign", "x")
    person.has_asked(SendDigits(1, "5"))
    desktop.keys("Tab", "Return")
    person.until(face.keypad.winfo_viewable, "the keypad")
    desktop.keys("Escape")
    person.until(lambda: not face.keypad.winfo_viewable(), "the keypad to fold in")
    person.dialer.ask(Request(Act.VOLUME))
    person.until(face.volume.winfo_viewable, "the sliders")
    desktop.keys("Escape")
    person.until(lambda: not face.volume.winfo_viewable(), "the sliders to fold in")
    person.until(lambda: person.root.focus_displayof() is face.main, "the focus back")
    desktop.keys("space")
    person.has_asked(HangUp(1))


def test_an_address_is_typed_and_called_and_its_digits_are_no_keys(person: Person) -> None:
    person.clicks(person.face.address)
    person.desktop.keys("b", "1", "at", "x", "Return")
    person.until(
        lambda: any(isinstance(command, Dial) for command in person.phone.commands), "a call"
    )
    assert Dial("b1@x", confirmed=True) in person.phone.commands


def test_an_incoming_call_is_accepted_or_rejected_but_never_by_a_stray_key(person: Person) -> None:
    person.phone.tells(IncomingCall(1, "Ada", "sip:ada@192.0.2.7", "sip:us@192.0.2.1"))
    person.until(person.face.accept.winfo_viewable, "Accept")
    assert person.face.who.cget("text") == "Ada"
    person.desktop.keys("Return", "space")
    person.clicks(person.face.accept)
    person.has_asked(Answer(1))
    ended = CallStateChanged(1, CallState.ENDED, 0, Reason.HUNG_UP_THERE, PEER, False)
    person.phone.tells(ended, IncomingCall(2, "Bob", "sip:bob@192.0.2.7", "sip:us@192.0.2.1"))
    person.reads("Bob is calling you.")
    person.clicks(person.face.reject)
    person.has_asked(Reject(2, 603))


def test_the_window_menu_opens_and_its_entries_work(person: Person) -> None:
    person.clicks(person.face.menu)
    person.until(lambda: person.dialer.menu is not None, "the menu")
    person.has_asked(ListDevices())
    menu = person.dialer.menu
    assert menu is not None
    person.until(menu.winfo_viewable, "the menu on the screen")
    person.desktop.keys("Down", "Down", "Down", "Return")
    person.until(person.face.volume.winfo_viewable, "the sliders")
    slider = person.face.volume.sliders[Act.SPEAKER_DB]
    slider.set(-6.2)
    person.has_asked(SetVolume(0.0, -6.0))
    person.clicks(person.face.menu)
    menu.invoke(0)
    person.dialer.ask(Request(Act.MICROPHONE, "Headset"))
    person.has_asked(SelectDevices("Headset", ""))
    assert settings.load(person.folder).settings.microphone == "Headset"
    person.desktop.keys("Escape", "Escape")
    person.dialer.ask(Request(Act.VOLUME))


def test_help_shows_log_numbers_and_about_and_copies_the_log(person: Person) -> None:
    person.phone.tells(*(Logged(f"> OPTIONS {n}", "OPTIONS\nVia: x") for n in range(200)))
    person.is_connected()
    person.dialer.ask(Request(Act.HELP))
    window = person.dialer.help
    assert window is not None
    person.until(lambda: window.log.yview()[1] == 1.0, "the newest line of the log")
    person.phone.tells(Logged("< 200 OK", ""))
    person.until(lambda: "< 200 OK" in window.log.get("1.0", "end"), "the new line")
    person.clicks(window.copy)
    person.until(lambda: window.copy.cget("text") == "Copied", "the button to say so")
    assert "< 200 OK" in person.root.clipboard_get()
    for tab in (1, 2):
        window.tabs.select(tab)  # type: ignore[no-untyped-call]
        person.until(lambda: "3 (3.0 %)" in all_texts(window.window), "the numbers")
    assert "sip:192.0.2.1:7666" in all_texts(window.window)
    person.desktop.run("wmctrl", "-a", "Help")
    person.desktop.keys("Escape")
    person.until(lambda: person.dialer.help is None, "the help window to close")


def test_the_check_of_network_and_sound_opens_its_page_from_the_menu(person: Person) -> None:
    person.dialer.ask(Request(Act.CHECK))
    person.phone.tells(NetworkChecked(True, (("Router", "found", "It opens ports."),)))
    person.phone.tells(SoundTried(-90.0, True))
    window = person.dialer.help
    assert window is not None
    person.until(lambda: "found. It opens ports." in all_texts(window.window), "what was found")
    person.until(
        lambda: any("pure zeros" in text for text in all_texts(window.window)), "what was heard"
    )
    chosen = window.tabs.select()  # type: ignore[no-untyped-call]
    assert window.tabs.tab(chosen, "text") == "Network and sound"  # type: ignore[no-untyped-call]


def test_the_licences_of_all_parts_have_a_tab_where_the_build_has_put_them(person: Person) -> None:
    theme, speaker = person.dialer.theme, person.presenter.speaker
    tabs = []
    for licences in ("", "pystray 0.19.5: LGPL-3.0-only"):
        window = HelpWindow(person.root, theme, speaker, str, licences, lambda: None)
        tabs.append(window.tabs.index("end"))  # type: ignore[no-untyped-call]
        texts = [child for child in everything(window.window) if isinstance(child, tk.Text)]
        assert texts[-1].get("1.0", "end").strip() == licences
        window.close()
    assert tabs[1] == tabs[0] + 1


def test_a_wav_file_is_chosen_and_played(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tkinter.filedialog.askopenfilename", lambda **_: "/tmp/hello.wav")
    person.is_connected()
    person.dialer.ask(Request(Act.CHOOSE_FILE))
    person.has_asked(PlayFile(1, "/tmp/hello.wav"))


def test_without_a_tray_the_close_button_quits_and_the_place_is_kept(person: Person) -> None:
    person.root.geometry("+120+90")
    person.until(lambda: "+120+90" in person.root.geometry(), "the window to move")
    person.desktop.run("wmctrl", "-c", "Call Support")
    person.until(lambda: person.gone, "the window to go")
    kept = settings.load(person.folder).settings
    assert (kept.window_x, kept.window_y) == (120, 90)


def test_with_a_tray_the_close_button_hides_and_show_brings_it_back(person: Person) -> None:
    person.dialer.ask(Request(Act.TRAY_READY))
    person.desktop.run("wmctrl", "-c", "Call Support")
    person.until(lambda: not person.root.winfo_viewable(), "the window to hide")
    person.until(lambda: person.dialer.toast.window is not None, "the note")
    person.dialer.toast.close()
    person.dialer.ask(Request(Act.SHOW))
    person.until(person.root.winfo_viewable, "the window")


def test_the_close_button_hides_even_before_the_tray_has_taken_the_icon(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSTRAY_BACKEND", "xorg")
    requests = person.dialer.outside.requests
    person.dialer.use_tray(start_tray(person.presenter.brand, requests.put))
    person.dialer.ask(Request(Act.CLOSE))
    person.until(lambda: not person.root.winfo_viewable(), "the window to hide")
    assert not person.gone
    person.desktop.click(person.desktop.tray_icon())
    person.until(person.root.winfo_viewable, "the window")
    person.is_connected()
    person.until(lambda: person.desktop.find_colour("#15803d", 60), "the green icon")


def test_a_note_in_the_corner_is_clicked_and_brings_the_window(person: Person) -> None:
    person.dialer.ask(Request(Act.TRAY_READY))
    person.dialer.ask(Request(Act.CLOSE))
    person.phone.tells(Trouble(0, Reason.STUN_FAILED, ""))
    person.until(lambda: person.dialer.toast.window is not None, "the note")
    assert person.dialer.toast.window is not None
    person.clicks(person.dialer.toast.window)
    person.until(person.root.winfo_viewable, "the window")


def test_an_exception_in_a_callback_is_said_and_logged(person: Person) -> None:
    try:
        raise ZeroDivisionError("of a callback")
    except ZeroDivisionError as error:
        person.dialer.failed(type(error), error, error.__traceback__)
    person.until(lambda: "went wrong" in person.face.note.cget("text"), "the note")
    assert "ZeroDivisionError" in person.presenter.log_text()


def test_it_is_asked_whether_to_keep_the_program_and_both_answers_work(person: Person) -> None:
    kept: list[bool] = []
    person.dialer.outside = person.dialer.outside._replace(keep=kept.append)
    person.dialer.ask(Request(Act.OFFER_KEEP))
    person.clicks(person.face.offer.autostart)
    person.clicks(person.face.offer.keep)
    person.until(lambda: kept == [True], "the program to be kept")
    person.until(lambda: not person.face.offer.winfo_viewable(), "the question to go")
    person.dialer.outside.requests.put(Request(Act.KEPT))
    person.until(lambda: "stands in the Start menu" in person.face.note.cget("text"), "the answer")


def test_just_this_once_keeps_nothing_and_is_remembered(person: Person) -> None:
    person.dialer.ask(Request(Act.OFFER_KEEP))
    person.clicks(person.face.offer.not_now)
    person.until(lambda: not person.face.offer.winfo_viewable(), "the question to go")
    assert settings.load(person.folder).settings.keep_asked == person.presenter.brand.version


def test_after_a_mistake_one_click_shows_the_log(person: Person) -> None:
    person.dialer.root.after_idle(lambda: person.dialer.failed(*boom()))
    person.clicks(person.face.show_log)
    person.until(lambda: person.dialer.help is not None, "the log")
    assert person.dialer.help is not None
    assert "ZeroDivisionError" in person.dialer.help.log.get("1.0", "end")


def boom() -> tuple[type[BaseException], BaseException, None]:
    return ZeroDivisionError, ZeroDivisionError("of ours"), None


def test_ctrl_c_in_the_terminal_quits_in_order(person: Person) -> None:
    person.dialer.failed(KeyboardInterrupt, KeyboardInterrupt(), None)
    person.has_asked(Quit())
    person.until(lambda: person.gone, "the window to go")


def test_the_window_starts_where_it_was_unless_that_is_off_the_screen(
    on_screen: None, desktop: Desktop, tmp_path: Path, brand: Brand
) -> None:
    for kept, place in (((200, 150), "+200+150"), ((9000, 150), None)):
        settings.save(tmp_path, Settings(window_x=kept[0], window_y=kept[1]))
        person = Person(desktop, tmp_path, brand)
        assert place is None or place in person.root.geometry()
        assert person.root.winfo_x() < 1024
        person.closes()
        vars(person).clear()


STORIES: dict[str, list[Event]] = {
    "failure": [CallStateChanged(1, CallState.ENDED, 401, Reason.WRONG_CREDENTIALS, PEER, True)],
    "hold failed": [
        CallStateChanged(1, CallState.CONNECTED, 200, Reason.NONE, PEER, True),
        HoldChanged(1, HeldBy.US, pending=False),
        Trouble(1, Reason.HOLD_FAILED, ""),
        Trouble(1, Reason.MICROPHONE_SILENT, ""),
    ],
    "emergency": [Trouble(0, Reason.EMERGENCY_NOT_SENT, "")],
}


@pytest.fixture(scope="module")
def large_desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    with Desktop(tmp_path_factory.mktemp("large"), "2560x1440x24") as desktop:
        yield desktop


def assert_whole(brand: Brand, story: str, scale: float) -> float:
    """Nothing is cut off when the screen has `scale` times 96 dots per inch; the theme's scale."""
    presenter = Presenter(brand)
    presenter.ask(Request(Act.CALL), 0.0)
    for event in STORIES[story]:
        presenter.handle(event, 0.0)
    root = tk.Tk()
    try:
        root.tk.call("tk", "scaling", scale * 96 / 72)
        theme = Theme(root, brand)
        face = Face(root, theme, presenter.speaker, lambda _: None, lambda *_: None)
        face.show(presenter.view())
        root.update()
        for widget in visible(root):
            assert widget.winfo_width() >= widget.winfo_reqwidth(), widget
            assert widget.winfo_height() >= widget.winfo_reqheight(), widget
        assert root.winfo_reqheight() >= HEIGHT * theme.scale * 0.98
        return theme.scale
    finally:
        root.destroy()


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("story", STORIES)
def test_nothing_is_cut_off_at_any_scale(
    large_desktop: Desktop, monkeypatch: pytest.MonkeyPatch, brand: Brand, scale: float, story: str
) -> None:
    monkeypatch.setenv("DISPLAY", large_desktop.variables["DISPLAY"])
    assert assert_whole(brand, story, scale) == pytest.approx(scale, rel=0.01)


@pytest.mark.parametrize("story", STORIES)
def test_a_screen_too_small_for_its_scale_gets_a_smaller_window(
    on_screen: None, brand: Brand, story: str
) -> None:
    assert 1.0 <= assert_whole(brand, story, 2.0) < 1.5


def test_high_contrast_uses_the_colours_of_the_system_alone() -> None:
    assert all(colour.startswith("System") for colour in CONTRAST)


def test_every_state_has_its_picture() -> None:
    from applet.ui.pictures import ICONS

    for icon in Icon:
        assert (ICONS / f"{icon.value}.png").is_file()


def visible(widget: tk.Misc) -> Iterator[tk.Misc]:
    for child in widget.winfo_children():
        if child.winfo_viewable() and not isinstance(child, ttk.Scrollbar):
            yield child
            yield from visible(child)


def all_texts(widget: tk.Misc) -> list[str]:
    labels = [child for child in everything(widget) if isinstance(child, ttk.Label)]
    return [str(label.cget("text")) for label in labels]


def everything(widget: tk.Misc) -> Iterator[tk.Misc]:
    for child in widget.winfo_children():
        yield child
        yield from everything(child)
