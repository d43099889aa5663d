"""The trial of the sound in the self-test: a second of the microphone, a soft tone in the
loudspeaker.

Only the person starts it. What the microphone hears is measured at once; nothing of it is kept or
sent.
"""

from __future__ import annotations

import audioop
import threading
import time

from applet.audio.device import FRAME_SAMPLES, SAMPLE_RATE, SILENCE, AudioReport, LiveDevice
from applet.media.levels import decibels
from applet.media.tones import Tone, ToneSource
from applet.phone.messages import Reason, SoundTried, Trouble

LASTS = 50
"""Frames of 20 ms, for either end."""
PATIENCE = 5.0
"""Seconds for both: a Bluetooth headset alone needs two to change over."""


class Trial:
    """One trial of both ends at once. `told` hears of the device's troubles; it and the device's
    callbacks are called from the sound's own threads."""

    def __init__(self) -> None:
        self._tone = ToneSource(Tone.RINGBACK, SAMPLE_RATE)
        self._played = 0
        self._missing: set[Reason] = set()
        self._changed = threading.Event()

    def run(self, device: LiveDevice) -> SoundTried:
        """Opens and closes `device`. Takes a second, and five at most."""
        device.open_speaker(self._play)
        device.open_microphone(self._changed.set)
        loudest: int | None = None
        heard = 0
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            self._changed.wait(left)
            self._changed.clear()
            while (frame := device.take()) is not None:
                heard += 1
                loudest = max(loudest or 0, audioop.max(frame, 2))
            listened = heard >= LASTS or Reason.NO_MICROPHONE in self._missing
            if listened and (self._played >= LASTS or Reason.NO_SPEAKER in self._missing):
                break
        device.close()
        return SoundTried(None if loudest is None else decibels(loudest), self._played >= LASTS)

    def _play(self) -> bytes:
        if self._played >= LASTS:
            return SILENCE
        self._played += 1
        if self._played == LASTS:
            self._changed.set()
        return self._tone.frame(FRAME_SAMPLES)

    def told(self, report: AudioReport) -> None:
        if isinstance(report, Trouble):
            self._missing.add(report.reason)
            self._changed.set()
