"""What other threads say to the core thread: the media thread, and those that ask the network."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import FilePlaying, Levels, Logged, Trouble
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address
    from applet.audio.device import AudioReport
    from applet.media.events import MediaEvent, MediaStatistics
    from applet.nat.knowledge import Fact
    from applet.nat.strategy import OpenedWay
    from applet.sip.records import Question, Value


class MediaHappened(NamedTuple):
    """For `Phone.media_event(call, event, now)`: an event of the call's MediaSession."""

    call: int
    event: MediaEvent


class MediaCounted(NamedTuple):
    """For `Phone.media_statistics(call, statistics, final, now)`."""

    call: int
    statistics: MediaStatistics
    final: bool


class AudioHappened(NamedTuple):
    """For `Phone.audio_event(event, now)`: `event.call` is 0 if it concerns no call."""

    event: AudioReport | FilePlaying


class WayOpened(NamedTuple):
    """For `Phone.media_opened`: where the other side of a call finds us."""

    call: int
    opened: OpenedWay


class MappingMoved(NamedTuple):
    """For `Phone.media_moved`: the router reaches a call's sockets by other addresses from now
    on."""

    call: int
    rtp: Address
    rtcp: Address


class NatFact(NamedTuple):
    """For `Phone.nat_fact`."""

    generation: int
    fact: Fact


class LookedUp(NamedTuple):
    """For `Resolver.settled`; `answers` is empty when there is nothing, or not in time."""

    number: int
    question: Question
    answers: tuple[Value, ...]


MediaAnswer = (
    WayOpened
    | MappingMoved
    | MediaHappened
    | MediaCounted
    | AudioHappened
    | Levels
    | Logged
    | Trouble
)
