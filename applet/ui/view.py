"""The values between the presenter and what shows it: what to draw, what was asked, what to do.

Window and tray draw a `View` and a list of `Entry`, and turn every click and key into a
`Request`; they decide nothing.
"""

from __future__ import annotations

from applet.enums import Enum
from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.settings import Settings


class Act(Enum):
    """Everything that a person (or the tray itself) can ask for; the comment names the value of
    the `Request`, if it has one."""

    CALL = "call"  # the support desk
    CALL_ADDRESS = "call_address"  # what was typed
    HANG_UP = "hang_up"
    ACCEPT = "accept"
    REJECT = "reject"
    HOLD = "hold"  # or resume
    MUTE = "mute"  # or unmute
    KEYPAD = "keypad"  # open or close it
    DIGIT = "digit"  # one of 0-9 * #
    MICROPHONE = "microphone"  # the name; empty: the system's default
    SPEAKER = "speaker"  # the same
    LIST_DEVICES = "list_devices"  # a menu with devices is about to open
    VOLUME = "volume"  # open or close the sliders
    MICROPHONE_DB = "microphone_db"  # a number
    SPEAKER_DB = "speaker_db"  # a number
    CHOOSE_FILE = "choose_file"  # or stop the one that plays
    PLAY_FILE = "play_file"  # its path
    HELP = "help"  # open or close it
    CHECK = "check"  # open its page about network and sound, and try them
    SHOW = "show"
    CLOSE = "close"  # the window's close button
    QUIT = "quit"
    MOVED = "moved"  # the window's place: "x,y"
    TRAY_MENU = "tray_menu"  # post the menu at the pointer: "x,y" (where trays have none)
    TRAY_READY = "tray_ready"
    TRAY_MISSING = "tray_missing"  # why, for the log
    FAILED = "failed"  # an unexpected error outside the phone: the traceback
    SHOW_LOG = "show_log"
    LINK = "link"  # a sip: or tel: link was followed somewhere; empty if it cannot be one
    OFFER_KEEP = "offer_keep"  # the program can be kept on this computer
    KEEP = "keep"  # AUTOSTART: and started with Windows
    NOT_NOW = "not_now"  # the answer "just this once"
    KEPT = "kept"
    NOT_KEPT = "not_kept"  # why, for the log


AUTOSTART = "autostart"


class Request(NamedTuple):
    act: Act
    value: str = ""


class Icon(Enum):
    """The tray's picture; the value is its name in `icons/`."""

    IDLE = "idle"
    DIALLING = "dialling"
    RINGING = "ringing"
    CONNECTED = "connected"
    ON_HOLD = "on_hold"
    MUTED = "muted"
    TROUBLE = "trouble"


class Tone(Enum):
    """How a sentence is coloured."""

    PLAIN = "plain"
    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"


class Button(NamedTuple):
    """`on`: pressed in, for the buttons that stay so."""

    label: str
    act: Act
    enabled: bool = True
    on: bool = False


class Incoming(NamedTuple):
    caller: str
    address: str
    accept: Button
    reject: Button


class Keypad(NamedTuple):
    """`digits`: those sent in this call."""

    digits: str


class Volume(NamedTuple):
    """In decibels."""

    microphone_db: float
    speaker_db: float


class Offer(NamedTuple):
    """Whether to keep the program on this computer: asked once, beside everything else."""

    text: str
    autostart: str
    keep: str
    not_now: str


class HelpText(NamedTuple):
    """`log_lines`: how many lines were ever logged; it changes when the log does. `checks`: how
    often the check of network and sound was asked for."""

    connection: tuple[tuple[str, str], ...]
    check: tuple[tuple[str, str], ...]
    about: tuple[tuple[str, str], ...]
    notice: str
    log_lines: int
    checks: int


class View(NamedTuple):
    """`microphone` and `speaker` are levels from 0 (silence) to 1; None: nothing to measure.
    `note`: sentences about what is wrong beside the call, each on its line; `show_log`: the label
    of the button below it, if there is one."""

    who: str
    headline: str
    advice: str
    tone: Tone
    note: str
    timer: str
    main: Button
    hold: Button
    mute: Button
    keypad_button: Button
    microphone: float | None
    speaker: float | None
    incoming: Incoming | None
    address_field: bool
    keypad: Keypad | None
    volume: Volume | None
    help: HelpText | None
    show_log: str
    offer: Offer | None


class Entry(NamedTuple):
    """One line of a menu; without a label it is a separator. `checked` None: it has no tick.
    `default`: what a left click on the tray icon does."""

    label: str
    request: Request | None = None
    enabled: bool = True
    checked: bool | None = None
    submenu: tuple[Entry, ...] = ()
    default: bool = False


SEPARATOR = Entry("")


class TrayView(NamedTuple):
    """`tooltip` has at most 127 UTF-16 units."""

    icon: Icon
    tooltip: str
    menu: tuple[Entry, ...]


# --- effects: what the shell must do once ----------------------------------------------------


class RaiseWindow(NamedTuple):
    """Show the window and bring it to the front."""


class HideWindow(NamedTuple):
    pass


class PostMenu(NamedTuple):
    """Open the tray's menu at this place of the screen."""

    x: int
    y: int


class ChooseFile(NamedTuple):
    """Ask for a WAV file; the answer is a `Request` with `Act.PLAY_FILE`."""


class Notify(NamedTuple):
    """At most 63 and 255 UTF-16 units."""

    title: str
    text: str


class Save(NamedTuple):
    settings: Settings


class Keep(NamedTuple):
    """Keep the program on this computer, out of the way; the answer is a `Request` with
    `Act.KEPT` or `Act.NOT_KEPT`."""

    autostart: bool


class Finish(NamedTuple):
    """Everything is closed: end the program."""


Effect = RaiseWindow | HideWindow | PostMenu | ChooseFile | Notify | Save | Keep | Finish
