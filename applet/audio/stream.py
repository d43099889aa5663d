"""The two callbacks of a sound card: what PortAudio's own threads run.

Their law: bounded, no lock of ours but the session's, exactly the asked number of bytes, and no
exception out (PyAudio would end the stream silently on either). Rate and channels are the card's;
inside, everything is 20 ms of mono at `SAMPLE_RATE`.
"""

from __future__ import annotations

import audioop
import time

from applet.audio.device import FRAME_SAMPLES, SAMPLE_RATE, Playout
from applet.audio.resample import Resampler
from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

CONTINUE = 0
"""PortAudio's paContinue."""
RING_FRAMES = 10
"""200 ms of microphone wait for the media thread at most; the oldest goes first."""
FRAME_BYTES = 2 * FRAME_SAMPLES


class Format(NamedTuple):
    """How a card's stream is opened: 16 bit, `rate` Hz, one or two channels."""

    rate: int
    channels: int


class SpeakerFeed:
    """`last_call`: monotonic time of the card's last sign of life."""

    __slots__ = ("_channels", "_playout", "_ready", "_resampler", "last_call")

    def __init__(self, playout: Playout, form: Format) -> None:
        self._playout = playout
        self._channels = form.channels
        self._resampler = Resampler(SAMPLE_RATE, form.rate)
        self._ready = b""
        self.last_call = time.monotonic()

    def callback(
        self, _recorded: bytes | None, frames: int, _times: object, _status: int
    ) -> tuple[bytes, int]:
        self.last_call = time.monotonic()
        wanted = 2 * frames
        ready = self._ready
        try:
            while len(ready) < wanted:
                ready += self._resampler.process(self._playout())
            given = ready[:wanted]
            self._ready = ready[wanted:]
            if self._channels == 2:
                given = audioop.tostereo(given, 2, 1, 1)
        except Exception:
            # Nobody above us could do anything with it: silence, and the next call tries again.
            given = bytes(wanted * self._channels)
        return given, CONTINUE


class MicrophoneFeed:
    """`silent_since`: since when the card delivers nothing but zeros (None: it does not), which
    is how Windows' privacy settings and switches on headsets show themselves."""

    __slots__ = (
        "_channels",
        "_ready",
        "_resampler",
        "_ring",
        "_wake",
        "last_call",
        "silent_since",
    )

    def __init__(self, ring: deque[bytes], wake: Callable[[], None], form: Format) -> None:
        """Puts frames into `ring`, which forgets its oldest ones when it is full."""
        self._ring = ring
        self._wake = wake
        self._channels = form.channels
        self._resampler = Resampler(form.rate, SAMPLE_RATE)
        self._ready = b""
        self.last_call = time.monotonic()
        self.silent_since: float | None = self.last_call

    def callback(
        self, recorded: bytes | None, _frames: int, _times: object, _status: int
    ) -> tuple[None, int]:
        now = self.last_call = time.monotonic()
        try:
            if recorded:
                self._take(recorded, now)
        except Exception:
            self._ready = b""
        return None, CONTINUE

    def _take(self, recorded: bytes, now: float) -> None:
        if audioop.max(recorded, 2):
            self.silent_since = None
        elif self.silent_since is None:
            self.silent_since = now
        if self._channels == 2:
            recorded = audioop.tomono(recorded, 2, 0.5, 0.5)
        ready = self._ready + self._resampler.process(recorded)
        whole = len(ready) // FRAME_BYTES * FRAME_BYTES
        for start in range(0, whole, FRAME_BYTES):
            self._ring.append(ready[start : start + FRAME_BYTES])
        self._ready = ready[whole:]
        if whole:
            self._wake()
