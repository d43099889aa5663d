"""Devices without a sound card: a WAV file, a tone or silence as the microphone, a WAV file or
nothing as the loudspeaker. The media thread's ticks are their clock."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from math import pi, sin

from applet.audio.device import SAMPLE_RATE, ClockedDevice
from applet.audio.wav import Wav, WavError, WavSource, open_header, read_wav

Source = Callable[[int], bytes]
"""Gives exactly this number of samples, for ever."""

TONE_AMPLITUDE = 8192


def parse_source(text: str) -> Source:
    """The microphone of `--audio-in`: `silence`, `tone:HZ` or the path of a WAV file, which is
    looped. Raises WavError (a ValueError, its text goes on after the file's name) or OSError."""
    if text == "silence":
        return silence
    kind, _, value = text.partition(":")
    if kind == "tone":
        if not (value.isascii() and value.isdecimal() and 1 <= int(value) < SAMPLE_RATE // 2):
            raise WavError("is no tone; tone:HZ needs a whole number of hertz below 4000")
        return _Looped(_tone(int(value))).read
    wav = _read_once(text)
    if (wav.rate, wav.channels, wav.width) == (SAMPLE_RATE, 1, 2):
        return _Looped(wav.data).read
    return WavSource(wav, SAMPLE_RATE, loop=True).read


def silence(samples: int) -> bytes:
    return bytes(2 * samples)


@lru_cache(maxsize=4)
def _read_once(path: str) -> Wav:
    """Many calls, one file."""
    return read_wav(path)


@lru_cache(maxsize=4)
def _tone(hertz: int) -> bytes:
    """One second, which always holds a whole number of periods."""
    turn = 2 * pi * hertz / SAMPLE_RATE
    samples = (round(TONE_AMPLITUDE * sin(turn * n)) for n in range(SAMPLE_RATE))
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)


class _Looped:
    """The same sound again and again, with nothing to convert."""

    __slots__ = ("_pcm", "_position")

    def __init__(self, pcm: bytes) -> None:
        self._pcm = pcm
        self._position = 0

    def read(self, samples: int) -> bytes:
        wanted = 2 * samples
        given = self._pcm[self._position : self._position + wanted]
        while len(given) < wanted:
            given += self._pcm[: wanted - len(given)]
        self._position = (self._position + wanted) % len(self._pcm)
        return given


class FileDevice(ClockedDevice):
    """`source` is what is said; what is heard goes to the WAV file `out` in one unbuffered write
    a frame. With `loop` what is heard is what is said, in the same tick. Raises OSError when
    `out` cannot be opened; `write` does so once when the disk is full."""

    def __init__(self, source: Source, out: str | None = None, loop: bool = False) -> None:
        self._source = source
        self._heard: bytes | None = None
        self._file: int | None = None
        if out is not None:
            binary = getattr(os, "O_BINARY", 0)
            self._file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | binary, 0o644)
            os.write(self._file, open_header(SAMPLE_RATE))
        self._loop = loop

    def write(self, pcm: bytes) -> None:
        if self._loop:
            self._heard = pcm
        if self._file is not None:
            try:
                os.write(self._file, pcm)
            except OSError:
                self.close()  # a full disk is told once; the call goes on
                raise

    def read(self, samples: int) -> bytes:
        return self._source(samples) if self._heard is None else self._heard

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


class NullDevice(ClockedDevice):
    """Says nothing and hears nothing."""

    def write(self, pcm: bytes) -> None:
        return

    def read(self, samples: int) -> bytes:
        return bytes(2 * samples)
