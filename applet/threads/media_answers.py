"""What the media thread says to the core thread."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import FilePlaying, Levels, Logged, Trouble
from applet.threads.ways import MappingMoved
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.audio.device import AudioReport
    from applet.media.events import MediaEvent, MediaStatistics
    from applet.nat.strategy import OpenedWay


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
