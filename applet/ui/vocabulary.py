"""What the screen can say: the names of its sentences and labels, for every language's table."""

from __future__ import annotations

from enum import Enum

from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.phone.messages import Reason


class Say(Enum):
    """The states that have a sentence, besides every `Reason`."""

    WELCOME = "welcome"
    DIALLING = "dialling"
    RINGING = "ringing"
    EARLY = "early"
    INCOMING = "incoming"
    ANSWERING = "answering"
    CONNECTED = "connected"
    MUTED = "muted"
    PLAYING = "playing"
    HOLDING = "holding"
    RESUMING = "resuming"
    HELD_BY_US = "held_by_us"
    HELD_BY_THEM = "held_by_them"
    HELD_BY_BOTH = "held_by_both"
    ENDING = "ending"
    NOT_REGISTERED = "not_registered"
    NO_TRAY = "no_tray"
    GOES_ON = "goes_on"
    MISSED = "missed"
    STOPPED = "stopped"
    QUITTING = "quitting"
    TRANSFER_ASKED = "transfer_asked"
    TRANSFERRING = "transferring"
    TEXT = "text"
    LINK = "link"
    MOVED_TO = "moved_to"
    OFFER = "offer"
    KEPT = "kept"
    NOT_KEPT = "not_kept"


class Word(Enum):
    """Labels of buttons, menu entries and the help window."""

    THEY_SAY = "they_say"
    TRY_IN_A_MINUTE = "try_in_a_minute"
    TRY_IN_MINUTES = "try_in_minutes"
    TRY_IN_HOURS = "try_in_hours"
    TEXT_FROM = "text_from"
    ONE_MESSAGE = "one_message"
    MESSAGES = "messages"
    HANG_UP = "hang_up"
    CANCEL = "cancel"
    ACCEPT = "accept"
    REJECT = "reject"
    HOLD = "hold"
    RESUME = "resume"
    MUTE = "mute"
    UNMUTE = "unmute"
    KEYPAD = "keypad"
    MICROPHONE = "microphone"
    SPEAKER = "speaker"
    SYSTEM_DEFAULT = "system_default"
    VOLUME = "volume"
    PLAY_FILE = "play_file"
    STOP_FILE = "stop_file"
    HELP = "help"
    CHECK = "check"
    SHOW = "show"
    QUIT = "quit"
    MENU = "menu"
    YOU = "you"
    THEM = "them"
    UNKNOWN_CALLER = "unknown_caller"
    ADDRESS_HINT = "address_hint"
    CALL = "call"
    INCOMING_CALL = "incoming_call"
    TALKED = "talked"
    OTHER_PHONE = "other_phone"
    A_DEVICE = "a_device"
    WAV_FILES = "wav_files"
    LOG_TAB = "log_tab"
    CONNECTION_TAB = "connection_tab"
    CHECK_TAB = "check_tab"
    ABOUT_TAB = "about_tab"
    COPY = "copy"
    COPIED = "copied"
    OWN_ADDRESS = "own_address"
    REGISTERED_AT = "registered_at"
    BUILD = "build"
    TEST_BUILD = "test_build"
    LICENCES_TAB = "licences_tab"
    UNKNOWN = "unknown"
    TELEPHONE_SYSTEM = "telephone_system"
    NO_CALL = "no_call"
    NO_DEVICE = "no_device"
    MICROPHONE_HEARS = "microphone_hears"
    MICROPHONE_SILENT = "microphone_silent"
    MICROPHONE_SHUT = "microphone_shut"
    SPEAKER_PLAYED = "speaker_played"
    SPEAKER_SHUT = "speaker_shut"
    SOUND_LISTENING = "sound_listening"
    SOUND_PLAYING = "sound_playing"
    SOUND_IN_USE = "sound_in_use"
    OTHER_SIDE = "other_side"
    VOICE_CODING = "voice_coding"
    DIRECTION = "direction"
    OUR_END = "our_end"
    THEIR_END = "their_end"
    ENCRYPTION = "encryption"
    NO_ENCRYPTION = "no_encryption"
    RECEIVED = "received"
    SENT = "sent"
    LOST = "lost"
    LATE = "late"
    JITTER = "jitter"
    DELAY = "delay"
    QUALITY = "quality"
    NETWORK = "network"
    PRODUCT = "product"
    VERSION = "version"
    COMPANY = "company"
    SHOW_LOG = "show_log"
    KEEP = "keep"
    KEEP_HERE = "keep_here"
    NOT_NOW = "not_now"
    AUTOSTART = "autostart"
    LICENCE_NOTICE = "licence_notice"


class Sentence(NamedTuple):
    """`offers_phone`: the brand's other telephone number is worth naming here."""

    headline: str
    advice: str = ""
    offers_phone: bool = False


class Language(NamedTuple):
    sentences: dict[Say | Reason, Sentence]
    words: dict[Word, str]
