"""WAV files: RIFF with PCM of 8, 16, 24 or 32 bits, mono or stereo, any usual rate.

Our own reader, because the standard library's refuses WAVE_FORMAT_EXTENSIBLE (most 24-bit files)
on Python 3.11 and costs more at the start than these lines.
"""

from __future__ import annotations

import audioop
import struct

from applet.audio.resample import Resampler
from applet.value import NamedTuple

LARGEST_FILE = 100_000_000
_PCM = 1
_EXTENSIBLE = 0xFFFE
_OPEN_SIZE = 0xFFFFFFFF
"""In the header of a file that is still being written, or whose writer could not go back."""
_PIECE = 0.02


class WavError(ValueError):
    """The file cannot be played; `str()` goes on after the file's name: "is not a WAV file"."""


class Wav(NamedTuple):
    """`data` holds whole frames of `channels` samples of `width` bytes, `rate` frames a second."""

    data: bytes
    channels: int
    width: int
    rate: int


def file_name(path: str) -> str:
    """The last part of a path, of either kind of system."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def read_wav(path: str) -> Wav:
    """Raises OSError or WavError. Blocks as long as the disk takes."""
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib would cost 5 ms of the start
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise WavError("is larger than 100 MB")
    return parse_wav(data)


def parse_wav(data: bytes) -> Wav:
    """Raises WavError."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("is not a WAV file")
    layout: tuple[int, int, int] | None = None
    position = 12
    while position + 8 <= len(data):
        name, size = (
            data[position : position + 4],
            int.from_bytes(data[position + 4 : position + 8], "little"),
        )
        body = position + 8
        if name == b"fmt ":
            layout = _layout(data[body : body + size])
        elif name == b"data":
            if layout is None:
                raise WavError("has its sound before its description")
            channels, width, rate = layout
            end = len(data) if size in (0, _OPEN_SIZE) else min(len(data), body + size)
            whole = (end - body) // (channels * width) * channels * width
            if whole == 0:
                raise WavError("holds no sound")
            return Wav(data[body : body + whole], channels, width, rate)
        position = body + size + size % 2
    raise WavError("holds no sound")


def _layout(fmt: bytes) -> tuple[int, int, int]:
    """Channels, bytes a sample, rate."""
    if len(fmt) < 16:
        raise WavError("has a damaged header")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
    if kind == _EXTENSIBLE and len(fmt) >= 26:
        kind = int.from_bytes(fmt[24:26], "little")
    if kind != _PCM:
        raise WavError(f"is compressed or in floating point (format {kind}); plain PCM is needed")
    if channels not in (1, 2):
        raise WavError(f"has {channels} channels; mono or stereo is needed")
    if bits not in (8, 16, 24, 32):
        raise WavError(f"has {bits} bits a sample; 8, 16, 24 or 32 are needed")
    if not 4000 <= rate <= 192000:
        raise WavError(f"has {rate} samples a second; 4,000 to 192,000 are needed")
    return channels, bits // 8, rate


class WavSource:
    """Plays a `Wav` as mono 16-bit sound at `sample_rate`, once or again and again.

    Converts piece by piece: a long file must not hold up the media thread."""

    __slots__ = ("_frame", "_loop", "_piece", "_position", "_ready", "_resampler", "_wav")

    def __init__(self, wav: Wav, sample_rate: int, loop: bool = False) -> None:
        self._wav = wav
        self._loop = loop
        self._frame = wav.channels * wav.width
        self._piece = int(wav.rate * _PIECE) * self._frame
        self._position = 0
        self._ready = b""
        self._resampler = Resampler(wav.rate, sample_rate)

    def read(self, samples: int) -> bytes:
        """The next `samples` samples; fewer at the end, and then nothing."""
        wanted = 2 * samples
        while len(self._ready) < wanted:
            piece = self._next_piece()
            if not piece:
                break
            self._ready += self._resampler.process(_to_mono_16(piece, self._wav))
        given, self._ready = self._ready[:wanted], self._ready[wanted:]
        return given

    def _next_piece(self) -> bytes:
        if self._loop and self._position >= len(self._wav.data):
            self._position = 0
        piece = self._wav.data[self._position : self._position + self._piece]
        self._position += len(piece)
        return piece


def _to_mono_16(piece: bytes, wav: Wav) -> bytes:
    if wav.width == 1:
        piece = audioop.bias(piece, 1, 128)  # 8-bit samples are unsigned in WAV files
    if wav.width != 2:
        piece = audioop.lin2lin(piece, wav.width, 2)
    if wav.channels == 2:
        piece = audioop.tomono(piece, 2, 0.5, 0.5)
    return piece


def open_header(sample_rate: int) -> bytes:
    """The 44 bytes before mono 16-bit sound of unknown length."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", _OPEN_SIZE, b"WAVE", b"fmt ", 16, _PCM, 1, sample_rate, 2 * sample_rate, 2, 16),
        *(b"data", _OPEN_SIZE),
    )
