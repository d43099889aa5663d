"""WAV files, good and bad."""

import struct
from pathlib import Path

import numpy as np
import pytest

from applet.audio.wav import Wav, WavError, WavSource, file_name, open_header, parse_wav, read_wav


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def wav(
    data: bytes,
    channels: int = 1,
    width: int = 2,
    rate: int = 8000,
    kind: int = 1,
    extra: bytes = b"",
) -> bytes:
    block = channels * width
    fmt = struct.pack("<HHIIHH", kind, channels, rate, rate * block, block, width * 8) + extra
    body = chunk(b"fmt ", fmt) + chunk(b"LIST", b"odd") + chunk(b"data", data)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def played(data: bytes, piece: int = 160) -> list[int]:
    source = WavSource(parse_wav(data), 8000)
    out = b""
    while given := source.read(piece):
        out += given
    return list(np.frombuffer(out, "<i2"))


SAMPLES = [0, 256, -256, 32512, -32768]


def test_16_bit_mono_is_played_as_it_is() -> None:
    assert played(wav(struct.pack("<5h", *SAMPLES))) == SAMPLES


def test_8_bit_samples_are_unsigned() -> None:
    assert played(wav(bytes([128, 129, 127, 255, 0]), width=1)) == SAMPLES


def test_24_and_32_bit_samples_are_shortened() -> None:
    three = b"".join((s << 8).to_bytes(3, "little", signed=True) for s in SAMPLES)
    assert played(wav(three, width=3)) == SAMPLES
    assert played(wav(struct.pack("<5i", *(s << 16 for s in SAMPLES)), width=4)) == SAMPLES


def test_stereo_is_mixed_to_mono() -> None:
    assert played(wav(struct.pack("<4h", 100, 300, -100, -300), channels=2)) == [200, -200]


def test_extensible_pcm_is_read() -> None:
    extra = struct.pack("<HHI", 22, 24, 0) + struct.pack("<H", 1) + bytes(14)
    data = (256 << 8).to_bytes(3, "little")
    assert played(wav(data, width=3, kind=0xFFFE, extra=extra)) == [256]


@pytest.mark.parametrize("rate", [11025, 16000, 22050, 32000, 44100, 48000, 96000])
def test_other_rates_last_as_long_and_sound_the_same(rate: int) -> None:
    wave = (8000 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate)).astype("<i2").tobytes()
    out = np.array(played(wav(wave, rate=rate)), dtype=float)
    assert 7960 <= len(out) <= 8000
    assert np.sqrt(np.mean(out[100:] ** 2)) == pytest.approx(8000 / np.sqrt(2), rel=0.02)
    crossings = np.count_nonzero(np.diff(np.signbit(out)))
    assert crossings == pytest.approx(1000, abs=12)


def test_a_file_that_is_still_written_is_played_to_its_end() -> None:
    assert parse_wav(open_header(8000) + b"\1\2\3\4\5") == Wav(b"\1\2\3\4", 1, 2, 8000)


def test_a_looped_source_never_ends_and_has_no_gap() -> None:
    source = WavSource(parse_wav(wav(struct.pack("<3h", 1, 2, 3))), 8000, loop=True)
    assert struct.unpack("<7h", source.read(7)) == (1, 2, 3, 1, 2, 3, 1)
    assert struct.unpack("<2h", source.read(2)) == (2, 3)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is not a WAV file"),
        (b"ID3\x04 something else", "is not a WAV file"),
        (wav(b""), "holds no sound"),
        (wav(b"\1"), "holds no sound"),
        (wav(b"\0\0", rate=8000)[:36], "holds no sound"),
        (wav(bytes(4), kind=3, width=4), "floating point (format 3)"),
        (wav(bytes(4), kind=0x55, width=1), "compressed"),
        (wav(bytes(12), channels=6), "has 6 channels"),
        (wav(bytes(2), channels=0), "has 0 channels"),
        (wav(bytes(8), width=8), "has 64 bits"),
        (wav(bytes(2), rate=1), "has 1 samples a second"),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", b"\1\0"), "has a damaged header"),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"data", b"\0\0"), "has its sound before"),
    ],
)
def test_what_cannot_be_played_is_said_in_plain_words(data: bytes, text: str) -> None:
    with pytest.raises(WavError, match=text.replace("(", r"\(").replace(")", r"\)")):
        parse_wav(data)


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "some.wav"
    path.write_bytes(wav(b"\1\0"))
    assert read_wav(str(path)).data == b"\1\0"
    with pytest.raises(FileNotFoundError):
        read_wav(str(tmp_path / "other.wav"))


def test_a_file_has_a_name_on_every_system() -> None:
    assert file_name("/home/x/some.wav") == "some.wav"
    assert file_name("C:\\Users\\x\\some.wav") == "some.wav"
    assert file_name("some.wav") == "some.wav"
