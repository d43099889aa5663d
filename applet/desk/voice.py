"""What the desk's side of a call says: a greeting, then the caller's own voice a little later."""

from __future__ import annotations

from applet.audio.device import ClockedDevice
from applet.desk import melody

_BYTES_PER_SECOND = 2 * melody.SAMPLE_RATE
_ECHO_DELAY = int(0.3 * _BYTES_PER_SECOND)


class DeskVoice(ClockedDevice):
    """The sound device of one call at the desk, driven by the media thread's clock.

    16-bit little-endian mono at 8 kHz. While `holding` is set, music is what the caller hears.
    """

    __slots__ = ("_echo", "_greeting_at", "_music_at", "holding")

    def __init__(self) -> None:
        self.holding = False
        self._greeting_at = 0
        self._music_at = 0
        self._echo = bytearray(_ECHO_DELAY)

    def write(self, pcm: bytes) -> None:
        """What the caller said; kept for 300 ms."""
        self._echo += pcm
        surplus = len(self._echo) - 2 * _ECHO_DELAY
        if surplus > 0:
            del self._echo[:surplus]

    def read(self, samples: int) -> bytes:
        """The next `samples` of the desk's voice."""
        size = 2 * samples
        echo = bytes(self._echo[:size]).ljust(size, b"\0")
        if len(self._echo) >= _ECHO_DELAY:
            del self._echo[:size]
        if self.holding:
            return self._next_music(size)
        if self._greeting_at < len(melody.greeting()):
            start = self._greeting_at
            self._greeting_at += size
            return melody.greeting()[start : start + size].ljust(size, b"\0")
        return echo

    def close(self) -> None:
        """Nothing to let go of."""

    def _next_music(self, size: int) -> bytes:
        tune = melody.music()
        start = self._music_at
        self._music_at = (start + size) % len(tune)
        return (tune[start : start + size] + tune[:size])[:size]
