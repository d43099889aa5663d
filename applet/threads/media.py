"""The media thread: every MediaSession and every RTP and RTCP socket, served together."""

from collections.abc import Callable
from typing import NamedTuple

from applet.address import Address
from applet.audio.device import DeviceFactory, SoundControl
from applet.phone.messages import DevicesListed, FilePlaying, Levels, Trouble
from applet.phone.orders import Order
from applet.randomness import Randomness


class MediaHappened(NamedTuple):
    """For `Phone.media_event(call, event, now)`: an event of the call's MediaSession."""

    call: int
    event: object


class MediaCounted(NamedTuple):
    """For `Phone.media_statistics(call, statistics, final, now)`."""

    call: int
    statistics: object
    final: bool


class AudioHappened(NamedTuple):
    """For `Phone.audio_event(event, now)`: `event.call` is 0 if it concerns no call."""

    event: DevicesListed | Trouble | FilePlaying | Levels


MediaAnswer = MediaHappened | MediaCounted | AudioHappened


class PortRange(NamedTuple):
    """Both ends included. RTP takes an even port of it, RTCP the odd one above."""

    low: int
    high: int


class MediaThread:
    """`device_factory`: call id -> device, called in this thread when the call's media opens.

    `bind_host`: a specific IP, or a wildcard (`0.0.0.0`, `::`, empty) to bind to any and advertise
    the address that faces the other side. `levels`: report `Levels` ten times a second.
    `sound`: who carries out SelectAudio and ListAudio (None: they are ignored).

    Until `OpenMicrophone` a session is given silence. The clock of a call starts with its first
    tone or its first parameters, whichever is earlier.
    """

    def __init__(
        self,
        device_factory: DeviceFactory,
        random: Randomness,
        *,
        bind_host: str = "",
        ports: PortRange | None = None,
        levels: bool = False,
        sound: SoundControl | None = None,
    ) -> None:
        self._factory = device_factory

    def start(self, answer: Callable[[MediaAnswer], None]) -> None:
        """`answer` is called in this thread (and in the sound worker's) and must not wait."""

    def open(self, call: int, remote_host: str) -> tuple[Address, Address]:
        """Bind the call's RTP and RTCP sockets and hand them over; any thread. Returns the two
        addresses to advertise. Raises OSError when no pair of ports is free."""
        raise OSError(call, remote_host)

    def submit(self, order: Order) -> None:
        """Every order of `phone.orders` that names a call, SetGains, SelectAudio, ListAudio; any
        thread; carried out in order. Orders for unknown calls are ignored."""

    def stop(self) -> None:
        """Close all calls, sockets and devices and join; idempotent; two seconds at most."""
