"""What other threads say to the media thread."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address
    from applet.audio.wav import WavSource
    from applet.nat.strategy import Way
    from applet.threads.ways import Found


class Tried(NamedTuple):
    """One attempt to open a way has ended; `found` None: it failed. For `Ways.tried`."""

    call: int
    opening: int
    column: int
    way: Way
    found: Found | None


class FromRelay(NamedTuple):
    """A datagram that came through a relay; `which`: 0 for RTP, 1 for RTCP."""

    call: int
    opening: int
    which: int
    data: bytes
    source: Address


class FileRead(NamedTuple):
    """A file that is to be played into a call; `source` None: it cannot be, and `mistake` says why,
    beginning with its name."""

    call: int
    path: str
    source: WavSource | None
    mistake: str
