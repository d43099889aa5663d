"""One call's sound: microphone frames in, RTP out; RTP in, loudspeaker frames out.

Sans-IO: datagrams, PCM frames and `now` go in; datagrams, PCM frames, deadlines and events come
out. PCM is 16-bit little-endian mono at `MediaSession.sample_rate`; `now` is monotonic seconds.
Nothing here blocks, and nothing a peer sends raises: bad packets are counted and dropped.
"""

from typing import NamedTuple, Protocol

from applet.address import Address
from applet.media.tones import Tone
from applet.randomness import Randomness


class MediaParameters(NamedTuple):
    """What offer/answer agreed on, seen from our side.

    `codec` and `payload_type` are what we send; `receive` maps every payload type the other side
    may send to its codec's name. `direction` is SDP's word from our side (`sendrecv`, `sendonly`,
    `recvonly`, `inactive`). None as an address or a payload type: not offered, or on hold by
    address 0.0.0.0 (nothing is sent there).
    """

    remote_rtp: Address | None
    remote_rtcp: Address | None
    codec: str
    payload_type: int
    receive: tuple[tuple[int, str], ...]
    dtmf_payload_type: int | None
    dtmf_receive: int | None
    comfort_noise: int | None
    direction: str
    ptime_ms: int = 20


class DigitReceived(NamedTuple):
    """The other side pressed a key: one of `0-9 * # A-D`, told once however often it is sent."""

    digit: str


class DigitSent(NamedTuple):
    """The last packet of one of our digits is on its way."""

    digit: str


class Latched(NamedTuple):
    """The other side's RTP comes from `source`, and not from where its SDP says (symmetric RTP)."""

    source: Address


class InjectionEnded(NamedTuple):
    """The injected sound is over (or was taken away); the microphone is heard again."""


MediaEvent = DigitReceived | DigitSent | Latched | InjectionEnded


class MediaStatistics(NamedTuple):
    """Counted since the session began; times in milliseconds.

    `lost` never arrived (RFC 3550 A.3), `late` arrived after their turn and were not played,
    `strangers` came from an address that is not our peer's, `invalid` could not be parsed or
    carried a payload type that was not agreed. `delay_ms`: how long the jitter buffer holds a
    packet of the fastest kind now. `mos` 1.0-4.5 (G.107). `round_trip_ms`, `remote_loss`
    (fraction 0-1) and `remote_jitter_ms` come from the other side's RTCP; None before it came.
    """

    received: int
    sent: int
    lost: int
    late: int
    duplicates: int
    strangers: int
    invalid: int
    jitter_ms: float
    delay_ms: float
    mos: float
    round_trip_ms: float | None
    remote_loss: float | None
    remote_jitter_ms: float | None


class PcmSource(Protocol):
    """Sound that replaces the microphone: `read` gives at most `samples` samples; nothing = end."""

    def read(self, samples: int) -> bytes: ...


class Outgoing(NamedTuple):
    """A datagram to send: from the RTCP socket if `control`, else from the RTP socket."""

    data: bytes
    destination: Address
    control: bool


class MediaSession:
    """The media of one call. Two doors may be used from different threads, `playout` and the
    rest: the caller holds its session lock around each."""

    def __init__(self, random: Randomness, cname: str, sample_rate: int = 8000) -> None:
        self.sample_rate = sample_rate

    def update(self, parameters: MediaParameters, now: float) -> None:
        """Offer/answer is complete, for the first time or again. Opens the latching window."""

    def open_microphone(self) -> None:
        """The call is answered (by us or by them): from now on `capture` sends what it is given.
        Before that it sends silence only (early media), whatever it is given."""

    def hold_locally(self, on: bool) -> None:
        """Silence (or give back) microphone and loudspeaker at once, before any answer."""

    def mute(self, on: bool) -> None:
        """Send silence in place of the microphone; at once."""

    def set_gain(self, microphone_db: float, speaker_db: float) -> None:
        """Gains in dB, clipped to -40..+12; 0 costs nothing."""

    def receive_datagram(self, data: bytes, source: Address, now: float) -> None:
        """A datagram on the RTP socket."""

    def receive_control(self, data: bytes, source: Address, now: float) -> None:
        """A datagram on the RTCP socket."""

    def capture(self, pcm: bytes, now: float) -> None:
        """20 ms of microphone: queues an RTP packet if the direction allows sending."""

    def playout(self, now: float) -> bytes:
        """The next 20 ms for the loudspeaker, always exactly that much; never raises."""
        return bytes(self.sample_rate // 50 * 2)

    def play_tone(self, tone: Tone | None) -> None:
        """Mix a tone into the loudspeaker until the next call of this; None ends it."""

    def inject(self, source: PcmSource | None) -> None:
        """Send this sound in place of the microphone until it ends (`InjectionEnded`)."""

    def send_digits(self, digits: str, now: float) -> bool:
        """Queue digits (RFC 4733); False if the other side takes none."""
        return False

    def datagrams_to_send(self) -> list[Outgoing]:
        return []

    def next_timer(self) -> float | None:
        """When `handle_timers` must be called next."""
        return None

    def handle_timers(self, now: float) -> None:
        """RTCP reports that are due."""

    def events(self) -> list[MediaEvent]:
        """What happened since the last call."""
        return []

    def levels(self) -> tuple[float, float]:
        """(microphone, loudspeaker) in dBFS since the last call, -90 (silence) to 0."""
        return -90.0, -90.0

    def statistics(self, now: float) -> MediaStatistics:
        return MediaStatistics(0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 4.5, None, None, None)

    def close(self, now: float) -> None:
        """Queue an RTCP BYE; after that nothing is sent or played."""
