"""Devices without a sound card: a WAV file, a tone or silence as the microphone, a WAV file or
nothing as the loudspeaker. The media thread's ticks are their clock."""

from collections.abc import Callable

from applet.audio.device import ClockedDevice

Source = Callable[[int], bytes]
"""Gives exactly this number of samples, for ever."""


def parse_source(text: str) -> Source:
    """The microphone of `--audio-in`: `silence`, `tone:HZ` or the path of a WAV file, which is
    looped. Raises WavError (a ValueError with a plain sentence) or OSError."""
    raise ValueError(text)


class FileDevice(ClockedDevice):
    """`source` is what is said; what is heard goes to the WAV file `out` in one unbuffered write
    a frame. With `loop` what is heard is what is said, in the same tick."""

    def __init__(self, source: Source, out: str | None = None, loop: bool = False) -> None:
        self._source = source

    def write(self, pcm: bytes) -> None:
        return

    def read(self, samples: int) -> bytes:
        return self._source(samples)


class NullDevice(ClockedDevice):
    """Says nothing and hears nothing."""

    def write(self, pcm: bytes) -> None:
        return

    def read(self, samples: int) -> bytes:
        return bytes(2 * samples)
