"""What the phone's loudspeaker played: its `--audio-out`, read while it grows."""

from pathlib import Path

import numpy as np

from tests.netlab.tone_line import AUDIBLE, FRAME, FRAME_S, amplitude
from tests.support.recording import HEADER_BYTES

FRAME_BYTES = 2 * FRAME


class Ear:
    """Hears `tone_hz`, and tells it from the phone's `own_hz`."""

    def __init__(self, recording: Path, tone_hz: int, own_hz: int) -> None:
        self._path = recording
        self._hz = (tone_hz, own_hz)
        self._known: dict[int, bool] = {}

    def frames(self) -> int:
        size = self._path.stat().st_size if self._path.exists() else 0
        return max(size - HEADER_BYTES, 0) // FRAME_BYTES

    def tones(self, first: int = 0) -> list[bool]:
        """For each 20 ms from frame `first` on: the tone is in it."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(HEADER_BYTES + first * FRAME_BYTES)
            data = file.read()
        sound = np.frombuffer(data[: len(data) // FRAME_BYTES * FRAME_BYTES], np.int16)
        return [self._is_tone(frame.astype(float)) for frame in sound.reshape(-1, FRAME)]

    def hears(self, seconds: float, since: int) -> bool:
        """Four of five frames of the last `seconds`, all behind frame `since`, had the tone."""
        wanted, end = round(seconds / FRAME_S), self.frames()
        if end < since + wanted:
            return False
        for number in range(end - wanted, end):
            if number not in self._known:
                self._known[number] = self.tones(number)[0]
        return sum(self._known[number] for number in range(end - wanted, end)) >= 0.8 * wanted

    def first_tone(self, since: int) -> int | None:
        """The first frame from `since` on that has it."""
        return next((since + n for n, tone in enumerate(self.tones(since)) if tone), None)

    def _is_tone(self, frame: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
        other, own = (amplitude(frame, hz) for hz in self._hz)
        return other > max(AUDIBLE, 3 * own)
