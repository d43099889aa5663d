"""The vocabulary between the phone and whoever drives it: commands in, events out.

Every value is immutable (a NamedTuple: frozen and without a dict) and may cross any thread. Tell
them apart by type, never by `==` between different types. Nothing of ours is imported but the rest
of the vocabulary, so the screen depends on it alone.
"""

from __future__ import annotations

from applet.enums import Enum
from applet.phone.reason import Reason as Reason  # noqa: TC001 - others take it from here
from applet.phone.service_messages import ConfirmTransfer as ConfirmTransfer
from applet.phone.service_messages import MessagesWaiting as MessagesWaiting
from applet.phone.service_messages import SendMessage as SendMessage
from applet.phone.service_messages import TextReceived as TextReceived
from applet.phone.service_messages import Transfer as Transfer
from applet.phone.service_messages import TransferChanged as TransferChanged
from applet.phone.service_messages import TransferState as TransferState
from applet.value import NamedTuple


class CallState(Enum):
    """A call as the person sees it; the value is the word of the headless protocol."""

    DIALLING = "dialling"
    RINGING = "ringing"
    EARLY = "early"
    CONNECTED = "connected"
    ON_HOLD = "on_hold"
    ENDED = "ended"


class HeldBy(Enum):
    """Who holds the call; both sides may at once (RFC 3264 section 8.4)."""

    NONE = "none"
    US = "us"
    THEM = "them"
    BOTH = "both"


# --- commands -------------------------------------------------------------------------------


class Dial(NamedTuple):
    """Call `uri`; empty means the brand's support desk. `confirmed`: the person has seen and
    confirmed an address outside the support desk's domain."""

    uri: str = ""
    confirmed: bool = False


class Answer(NamedTuple):
    """Accept an incoming call with 200, or send the provisional `status` (180, 183)."""

    call: int
    status: int = 200


class Reject(NamedTuple):
    call: int
    status: int = 486


class HangUp(NamedTuple):
    """End the call, cancel it while it rings, or reject it while it comes in."""

    call: int


class Hold(NamedTuple):
    """Hold with `a=inactive` and silence both ways, or `with_music` (what is sent goes on,
    `a=sendonly`: a desk's way)."""

    call: int
    with_music: bool = False


class Resume(NamedTuple):
    call: int


class Reinvite(NamedTuple):
    """Repeat our present offer (a session refresh)."""

    call: int


class Update(NamedTuple):
    """Repeat our present offer by UPDATE (RFC 3311), before the answer too."""

    call: int


class SendDigits(NamedTuple):
    """`digits`: characters of `0-9 * # A-D`, sent one after the other (RFC 4733)."""

    call: int
    digits: str


class Mute(NamedTuple):
    call: int
    on: bool


class PlayFile(NamedTuple):
    """Play a WAV file into the call in place of the microphone; an empty path stops it."""

    call: int
    path: str


class Register(NamedTuple):
    pass


class Unregister(NamedTuple):
    pass


class SelectDevices(NamedTuple):
    """Names as in `DevicesListed`; an empty name follows the system's default."""

    microphone: str
    speaker: str


class SetVolume(NamedTuple):
    """Gains in decibels, -40 to +12; 0 leaves the sound as it is."""

    microphone_db: float
    speaker_db: float


class ListDevices(NamedTuple):
    pass


class RequestStatistics(NamedTuple):
    call: int


class CheckNetwork(NamedTuple):
    """Tell what is known of the network; `NetworkChecked` follows at once."""


class TrySound(NamedTuple):
    """Listen to the microphone for a second and play a soft tone; `SoundTried` follows within
    five seconds. Nothing that was heard is kept or sent."""


class Quit(NamedTuple):
    """Hang up everything, un-register, and stop within two seconds."""


Command = (
    Dial
    | Answer
    | Reject
    | HangUp
    | Hold
    | Resume
    | Reinvite
    | Update
    | SendDigits
    | Mute
    | PlayFile
    | Register
    | Unregister
    | SelectDevices
    | SetVolume
    | ListDevices
    | RequestStatistics
    | Transfer
    | ConfirmTransfer
    | SendMessage
    | CheckNetwork
    | TrySound
    | Quit
)


# --- events ---------------------------------------------------------------------------------


class Ready(NamedTuple):
    """The phone can call and be called; `address` is our own as `ip:port`, empty as long as the
    phone binds nothing because it need not be called."""

    address: str


class IncomingCall(NamedTuple):
    """`caller` is the display name (may be empty), `caller_uri` the From URI, `called` the To."""

    call: int
    caller: str
    caller_uri: str
    called: str


class CallStateChanged(NamedTuple):
    """`code` is the SIP status behind it (0: none), `peer` the other side's URI. `said` are words
    of theirs, fit to be shown; `retry_after`: try again in so many seconds (0: they do not say).
    While a call waits in a queue, RINGING comes with QUEUED, again for each new remark."""

    call: int
    state: CallState
    code: int
    reason: Reason
    peer: str
    outgoing: bool
    said: str = ""
    retry_after: int = 0


class Redirected(NamedTuple):
    """The call that has just ended was told that `uri` is to be called instead, and that is
    outside the support desk's domain: `Dial(uri, confirmed=True)` if the person says yes."""

    call: int
    uri: str


class MediaChanged(NamedTuple):
    """`direction` is SDP's word from our side; `local`, `remote` are `ip:port`."""

    call: int
    codec: str
    direction: str
    local: str
    remote: str
    srtp: str


class HoldChanged(NamedTuple):
    """Hold or resume was pressed here, or the other side holds. `pending`: not yet answered."""

    call: int
    by: HeldBy
    pending: bool


class MuteChanged(NamedTuple):
    call: int
    on: bool


class DigitReceived(NamedTuple):
    call: int
    digit: str


class DigitSent(NamedTuple):
    call: int
    digit: str


class FilePlaying(NamedTuple):
    """A file began (`on`) or ended; a failure comes as `Trouble` too."""

    call: int
    path: str
    on: bool


class Statistics(NamedTuple):
    """Packets received, sent, lost and late; jitter and playout delay in ms; `mos` 1.0-4.5."""

    call: int
    received: int
    sent: int
    lost: int
    late: int
    jitter_ms: float
    delay_ms: float
    mos: float


class Levels(NamedTuple):
    """Both directions in dBFS, -90 (silence) to 0, a few times a second."""

    call: int
    microphone: float
    speaker: float


class Registered(NamedTuple):
    registrar: str


class Unregistered(NamedTuple):
    """Not registered any more, on purpose."""

    registrar: str


class RegistrationFailed(NamedTuple):
    code: int
    reason: Reason


class DevicesListed(NamedTuple):
    """All names, and the ones in use (empty: the system's default)."""

    microphones: tuple[str, ...]
    speakers: tuple[str, ...]
    microphone: str
    speaker: str


class NatFound(NamedTuple):
    """Which way was chosen, and the proof in words."""

    way: str
    proof: str


class NetworkChecked(NamedTuple):
    """The answer to `CheckNetwork`: what was looked at, what was found, what it means.
    `complete`: nothing is still being asked."""

    complete: bool
    findings: tuple[tuple[str, str, str], ...]


class SoundTried(NamedTuple):
    """The answer to `TrySound`. `microphone`: the loudest sample in dBFS, -90 for pure zeros, None
    if nothing came at all. `speaker`: it took the tone."""

    microphone: float | None
    speaker: bool


class Logged(NamedTuple):
    """One redacted line for the log; `detail` is the whole redacted SIP message, if any; `age`
    seconds have gone by since it happened."""

    line: str
    detail: str
    age: float = 0.0


class Trouble(NamedTuple):
    """Something failed and the person should know; `call` is 0 if it concerns none.
    `detail` is a name or number to show with the sentence (a device, a port), never raw text
    from the network."""

    call: int
    reason: Reason
    detail: str


class NotUnderstood(NamedTuple):
    """A command that somebody has written is none; `text` says why."""

    text: str


class Stopped(NamedTuple):
    """The last event: everything is closed."""


Event = (
    Ready
    | IncomingCall
    | CallStateChanged
    | Redirected
    | MediaChanged
    | HoldChanged
    | MuteChanged
    | DigitReceived
    | DigitSent
    | FilePlaying
    | Statistics
    | Levels
    | Registered
    | Unregistered
    | RegistrationFailed
    | DevicesListed
    | NatFound
    | NetworkChecked
    | SoundTried
    | TransferChanged
    | MessagesWaiting
    | TextReceived
    | Logged
    | Trouble
    | NotUnderstood
    | Stopped
)
