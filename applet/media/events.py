"""What a media session tells: immutable, in the order in which it happened."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address


class DigitReceived(NamedTuple):
    """The other side pressed a key: one of `0-9 * # A-D`, told once however often it is sent."""

    digit: str


class DigitSent(NamedTuple):
    """The last packet of one of our digits is on its way."""

    digit: str


class Latched(NamedTuple):
    """The other side's RTP comes from `source`, and not from where its SDP says (symmetric RTP)."""

    source: Address


class PathFound(NamedTuple):
    """The checks of ICE have chosen `remote` for the sound (`nat.ice`); `relayed`: by a relay of
    ours."""

    remote: Address
    relayed: bool = False


class ConsentLost(NamedTuple):
    """Where ICE led to nobody has answered for half a minute: nothing is sent there any more."""


class SoundMissing(NamedTuple):
    """No sound has come for longer than a quiet person explains (`media.liveness`). `heard`: some
    has come since the call was answered."""

    heard: bool


class SoundBack(NamedTuple):
    """It comes again."""


class InjectionEnded(NamedTuple):
    """The injected sound is over (or was taken away); the microphone is heard again."""


MediaEvent = (
    DigitReceived
    | DigitSent
    | Latched
    | PathFound
    | ConsentLost
    | SoundMissing
    | SoundBack
    | InjectionEnded
)


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
