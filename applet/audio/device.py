"""What a call needs of sound: one microphone and one loudspeaker, of two kinds.

A `ClockedDevice` has no clock of its own (files, silence, tones, the support desk's script): the
media thread ticks it every 20 ms, first `write` with what is heard, then `read` for what is said.
A `LiveDevice` (a sound card) is itself the clock: it calls for each piece of sound it plays, and
wakes the media thread for each piece that it recorded.

All sound is mono, 16-bit, little endian, `SAMPLE_RATE` samples a second.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from applet.phone.messages import DevicesListed, SoundTried, Trouble

SAMPLE_RATE = 8000
TICK = 0.020
FRAME_SAMPLES = 160
"""Seconds from one tick to the next, and what one writes and reads."""
SILENCE = bytes(2 * FRAME_SAMPLES)

Playout = Callable[[], bytes]
"""Gives the next 20 ms for the loudspeaker; never raises, never waits longer than 2 ms."""


class ClockedDevice(ABC):
    """Driven from outside, by the media thread only. A call's device is its own: the media thread
    closes it when the call ends, and never uses it again."""

    @abstractmethod
    def write(self, pcm: bytes) -> None:
        """Take the next 20 ms of what the person hears. Must not block, must not raise."""

    @abstractmethod
    def read(self, samples: int) -> bytes:
        """Give exactly `samples` samples of what the person says. Asked only once the microphone
        may open; before that the session is given silence. Must not block, must not raise."""

    def close(self) -> None:
        """The call is over. Called once."""
        return


class LiveDevice(ABC):
    """A sound card; every method returns at once, whatever the driver does."""

    @abstractmethod
    def open_speaker(self, playout: Playout) -> None:
        """Start to play; `playout` is called from the driver's own thread."""

    @abstractmethod
    def open_microphone(self, wake: Callable[[], None]) -> None:
        """Start to record; `wake` is called from the driver's own thread when `take` has more."""

    @abstractmethod
    def take(self) -> bytes | None:
        """The oldest 20 ms not yet taken, or None. The store is bounded: what is not taken in
        time is lost, the oldest first."""

    def close(self) -> None:
        """The call is over. Called once; `playout` is not called any more after a short while."""
        return


AudioDevice = ClockedDevice | LiveDevice
DeviceFactory = Callable[[int], AudioDevice]
"""Makes the device of the call with this id, in the media thread."""

AudioReport = DevicesListed | SoundTried | Trouble


class SoundControl(ABC):
    """The devices of the machine as a whole: what the person chooses in the menus."""

    @abstractmethod
    def select(self, microphone: str, speaker: str) -> None:
        """Use these from now on, in running calls too; empty follows the system's default."""

    @abstractmethod
    def list(self) -> None:
        """Report the names as `DevicesListed`, later, from another thread."""

    @abstractmethod
    def try_out(self) -> None:
        """Listen for a second, play a soft tone and report `SoundTried`, within five seconds."""

    @abstractmethod
    def report_to(self, report: Callable[[AudioReport], None]) -> None:
        """Who is told, in the worker's thread; one receiver."""

    @abstractmethod
    def stop(self) -> None:
        """Close everything and end the worker; returns within two seconds."""
