"""The loudspeaker's file of the phone under test, as a clock and as what was heard."""

from pathlib import Path

from tests.support.process import wait_until
from tests.support.speech import RATE, Samples, read_wav

BYTES_PER_SECOND = 2 * RATE
HEADER_BYTES = 44


class Recording:
    """`--audio-out` of a headless phone: it grows by one frame every 20 ms of a call."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def seconds(self) -> float:
        size = self.path.stat().st_size if self.path.exists() else 0
        return max(size - HEADER_BYTES, 0) / BYTES_PER_SECOND

    def wait_for(self, seconds: float) -> None:
        """Wait until it is that much longer than now."""
        wanted = self.seconds() + seconds
        wait_until(lambda: self.seconds() >= wanted, seconds + 8, f"{seconds} s of recording")

    def sound(self, since_s: float = 0.0, until_s: float | None = None) -> Samples:
        """The samples between two lengths that `seconds()` gave."""
        last = None if until_s is None else int(until_s * RATE)
        return read_wav(self.path)[int(since_s * RATE) : last]
