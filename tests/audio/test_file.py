"""The devices that need no sound card."""

import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from applet.audio.device import SILENCE
from applet.audio.file import FileDevice, NullDevice, parse_source
from applet.audio.wav import WavError, open_header, parse_wav


def test_silence_is_silent_for_ever() -> None:
    source = parse_source("silence")
    assert source(160) == SILENCE
    assert source(7) == bytes(14)


def test_a_tone_has_its_frequency_and_no_seam() -> None:
    source = parse_source("tone:440")
    wave = np.frombuffer(b"".join(source(160) for _ in range(100)), "<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(wave))
    assert np.argmax(spectrum) == 880
    assert spectrum[880] ** 2 / np.sum(spectrum**2) > 0.99999


@pytest.mark.parametrize("text", ["tone:", "tone:0", "tone:4000", "tone:x", "tone:1.5"])
def test_a_wrong_tone_is_refused(text: str) -> None:
    with pytest.raises(WavError, match="tone:HZ"):
        parse_source(text)


def test_a_file_as_microphone_is_looped(tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    path.write_bytes(open_header(8000) + struct.pack("<3h", 1, 2, 3))
    source = parse_source(str(path))
    assert struct.unpack("<8h", source(8)) == (1, 2, 3, 1, 2, 3, 1, 2)
    assert struct.unpack("<2h", source(2)) == (3, 1)


def test_a_file_of_another_rate_is_looped_too(tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    path.write_bytes(open_header(16000) + struct.pack("<1600h", *([1000] * 1600)))
    source = parse_source(str(path))
    heard = np.frombuffer(source(8000), "<i2")
    assert np.all(np.abs(heard[100:] - 1000) < 20)


def test_a_missing_file_is_told() -> None:
    with pytest.raises(FileNotFoundError):
        parse_source("/nowhere/in.wav")


def test_what_is_heard_is_written_frame_by_frame(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    device = FileDevice(parse_source("silence"), str(path))
    assert path.stat().st_size == 44
    frame = b"\1\2" * 160
    device.write(frame)
    assert path.stat().st_size == 44 + 320
    device.write(frame)
    device.close()
    device.close()
    read = parse_wav(path.read_bytes())
    assert (read.data, read.rate, read.channels, read.width) == (2 * frame, 8000, 1, 2)
    assert device.read(160) == SILENCE


def test_a_looped_device_says_what_it_hears() -> None:
    device = FileDevice(parse_source("silence"), loop=True)
    device.write(b"\1\2" * 160)
    assert device.read(160) == b"\1\2" * 160


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size to run into")
def test_a_recording_that_fails_is_told_once_and_the_device_goes_on(tmp_path: Path) -> None:
    device = FileDevice(parse_source("silence"), str(tmp_path / "out.wav"))
    import resource
    import signal

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (44, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            device.write(SILENCE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    device.write(SILENCE)
    assert device.read(160) == SILENCE


def test_the_null_device_says_and_keeps_nothing() -> None:
    device = NullDevice()
    device.write(SILENCE)
    assert device.read(160) == SILENCE
    device.close()
