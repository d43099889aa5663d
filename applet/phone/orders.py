"""What the phone asks of the threads: sockets, sound and look-ups that it must not touch itself.

Immutable values, carried out in order by `threads.core`; the answers come back as the verbs of
`phone.phone.Phone` that each order names.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address
    from applet.media.parameters import MediaParameters
    from applet.media.tones import Tone
    from applet.nat.ice import IceSetup
    from applet.nat.knowledge import RelayServer
    from applet.nat.strategy import Way
    from applet.sip.records import Question


class Probe(NamedTuple):
    """Look at the network: ask the STUN servers what they see of the SIP socket, try the relays,
    look for a router that makes port mappings. Answers: `nat_fact`, one by one, each with
    `generation`. `credentials_url` gives more relays, with short-lived passwords."""

    generation: int
    stun: tuple[Address, ...]
    relays: tuple[RelayServer, ...]
    mapper: bool
    credentials_url: str = ""


class OpenMedia(NamedTuple):
    """Bind an RTP and an RTCP socket for a call with `remote_host` (an IP literal, or a name that
    is not looked up yet), and open the first of `ways` that can be opened; with `every` the others
    too. Answer: `media_opened`."""

    call: int
    remote_host: str
    ways: tuple[Way, ...]
    every: bool


class HurryWay(NamedTuple):
    """What `OpenMedia` opens takes long: try all its ways at once; with `take` the best of what is
    open by now is the answer, and a better one that comes later is another (`late`)."""

    call: int
    take: bool


class OpenWay(NamedTuple):
    """Open another way for a call that has its sockets; its sound takes it with the `UpdateMedia`
    about it. `local`: our IP, if it is another one now. Answer: `media_opened` again."""

    call: int
    ways: tuple[Way, ...]
    local: str = ""


class KeepWay(NamedTuple):
    """The way that was opened at the RTP address `refused` is not wanted: the sound stays where it
    is."""

    call: int
    refused: Address


class UpdateMedia(NamedTuple):
    """Offer/answer is complete, for the first time or again. `ice`: look for a better address of
    theirs by these checks; `local`: where they were told that we hear RTP (None: as before)."""

    call: int
    parameters: MediaParameters
    ice: IceSetup | None = None
    local: Address | None = None


class OpenMicrophone(NamedTuple):
    """The person started or accepted this call: its microphone may open."""

    call: int


class HoldMedia(NamedTuple):
    """Silence (or give back) microphone and loudspeaker at once."""

    call: int
    on: bool


class MuteMedia(NamedTuple):
    call: int
    on: bool


class SendMediaDigits(NamedTuple):
    """As telephone events, or `as_tones` in the sound."""

    call: int
    digits: str
    as_tones: bool = False


class PlayTone(NamedTuple):
    """Play `tone` to the person until the next order of this kind; None ends it."""

    call: int
    tone: Tone | None


class InjectFile(NamedTuple):
    """Play a WAV file in place of the microphone; an empty path stops it."""

    call: int
    path: str


class RequestMediaStatistics(NamedTuple):
    """Answer: `media_statistics`."""

    call: int


class CloseMedia(NamedTuple):
    """Send RTCP BYE, close the sockets and let go of the devices."""

    call: int


class LookUp(NamedTuple):
    """Ask DNS, and for addresses the system. Answer: `looked_up`."""

    question: Question


class SelectAudio(NamedTuple):
    """Use these devices from now on, in a running call too; empty: the system's default."""

    microphone: str
    speaker: str


class SetGains(NamedTuple):
    microphone_db: float
    speaker_db: float


class ListAudio(NamedTuple):
    """Name the devices. Answer: `audio_event` with `DevicesListed`."""


class TryAudio(NamedTuple):
    """Try both ends of the sound out. Answer: `audio_event` with `SoundTried`."""


class TraceMessage(NamedTuple):
    """Log one SIP message as it went over the wire; whoever logs it redacts it first."""

    sent: bool
    data: bytes
    peer: str


class Stop(NamedTuple):
    """Everything is hung up and un-registered: the threads may end."""


Order = (
    Probe
    | OpenMedia
    | HurryWay
    | OpenWay
    | KeepWay
    | UpdateMedia
    | OpenMicrophone
    | HoldMedia
    | MuteMedia
    | SendMediaDigits
    | PlayTone
    | InjectFile
    | RequestMediaStatistics
    | CloseMedia
    | LookUp
    | SelectAudio
    | SetGains
    | ListAudio
    | TryAudio
    | TraceMessage
    | Stop
)
