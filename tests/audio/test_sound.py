"""The sound card for real: PyAudio on a PulseAudio of our own, and on no sound system at all."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
import pytest

from applet.audio.device import AudioReport, Playout
from applet.audio.sound import Sound, SoundDevice
from applet.phone.messages import DevicesListed, Reason, SoundTried, Trouble
from tests.support.audio_compare import compare
from tests.support.process import ROOT, wait_until
from tests.support.pulse import SPEAKER, Pulse
from tests.support.speech import Samples, level_dbfs, read_wav, synthetic_speech, write_wav

NO_SOUND_SYSTEM = """
import sys
from queue import SimpleQueue
from applet.audio.sound import Sound
sound, reports = Sound(), SimpleQueue()
sound.report_to(reports.put)
device = sound.device(7)
device.open_speaker(lambda: bytes(320))
device.open_microphone(lambda: None)
print(reports.get(timeout=10))
print(reports.get(timeout=10))
sound.list()
print(reports.get(timeout=10))
device.close()
sound.stop()
"""


@pytest.fixture(scope="module")
def pulse() -> Iterator[Pulse]:
    folder = Path(tempfile.mkdtemp(prefix="cs-"))
    before = {name: os.environ.get(name) for name in ("XDG_RUNTIME_DIR", "PULSE_SERVER")}
    with Pulse(folder) as server:
        os.environ.update(server.variables)
        yield server
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    shutil.rmtree(folder)


class Card:
    """The sound of one test, and what it reported."""

    def __init__(self) -> None:
        self.reports: SimpleQueue[AudioReport] = SimpleQueue()
        self.sound = Sound()
        self.sound.report_to(self.reports.put)

    def device(self, call: int = 1) -> SoundDevice:
        return self.sound.device(call)

    def reported(self) -> list[AudioReport]:
        reports: list[AudioReport] = []
        while True:
            try:
                reports.append(self.reports.get_nowait())
            except Empty:
                return reports


@pytest.fixture
def card(pulse: Pulse) -> Iterator[Card]:
    card = Card()
    yield card
    card.sound.stop()
    wait_until(lambda: streams(pulse) == (0, 0), 5, "the streams to end")
    assert not [thread for thread in threading.enumerate() if thread.name == "sound"]


def streams(pulse: Pulse) -> tuple[int, int]:
    return pulse.streams("sink-inputs"), pulse.streams("source-outputs")


def tone() -> Playout:
    """440 Hz at -12 dBFS without a seam."""
    second = (8192 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)).astype("<i2").tobytes()
    position = 0

    def play() -> bytes:
        nonlocal position
        position = (position + 320) % len(second)
        return second[position - 320 : position] if position else second[-320:]

    return play


def apart_from_440_hz(wave: Samples) -> float:
    """The loudest thing in any 50 ms that is not the tone, in dBFS."""
    pieces = wave[: len(wave) // 400 * 400].reshape(-1, 400)
    n = 2 * np.pi * 440 * np.arange(400) / 8000
    basis = np.stack([np.sin(n), np.cos(n), np.ones(400)], axis=1)
    return max(
        level_dbfs(piece - basis @ np.linalg.lstsq(basis, piece, rcond=None)[0]) for piece in pieces
    )


@pytest.mark.desktop
def test_what_is_played_is_heard_without_a_glitch(pulse: Pulse, card: Card) -> None:
    device = card.device()
    device.open_speaker(tone())
    wait_until(lambda: pulse.streams() == 1, 5, "the loudspeaker to open")
    with pulse.recording_speaker() as recording:
        wait_until(
            lambda: level_dbfs(recording.samples[-4000:]) > -20, 10, "the tone at the loudspeaker"
        )
        heard_from = len(recording.samples) - 1600
        wait_until(lambda: len(recording.samples) > heard_from + 24000, 10, "3 s of tone")
    wave = recording.samples[heard_from:-800]
    assert level_dbfs(wave) == pytest.approx(-15.05, abs=0.3)
    assert apart_from_440_hz(wave) < -55
    device.close()
    assert card.reported() == []


@pytest.mark.desktop
def test_what_is_said_arrives_in_frames_of_20_ms(pulse: Pulse, card: Card, tmp_path: Path) -> None:
    speech = synthetic_speech(5, 4.0)
    write_wav(tmp_path / "said.wav", speech)
    frames: list[bytes] = []
    device = card.device()

    def wake() -> None:
        while frame := device.take():
            frames.append(frame)

    device.open_microphone(wake)
    wait_until(lambda: frames, 5, "the microphone to run")
    pulse.play_into_microphone(tmp_path / "said.wav")
    count = len(frames)
    wait_until(lambda: len(frames) > count + 25, 5, "the end of the speech")
    device.close()
    heard = np.frombuffer(b"".join(frames), "<i2").astype(float)
    # Two rate conversions shift the sound by a fraction of a sample: no correlation of 0.95.
    compare(read_wav(tmp_path / "said.wav"), heard).check(correlation=0.85, level_db=1.0)
    assert card.reported() == []


@pytest.mark.desktop
def test_the_devices_have_names_and_can_be_listed_during_a_call(pulse: Pulse, card: Card) -> None:
    card.sound.list()
    listed = card.reports.get(timeout=10)
    assert isinstance(listed, DevicesListed)
    assert {"pulse", "default"} <= set(listed.microphones)
    assert {"pulse", "default"} <= set(listed.speakers)
    assert (listed.microphone, listed.speaker) == ("", "")
    device = card.device()
    device.open_speaker(tone())
    wait_until(lambda: pulse.streams() == 1, 5, "the loudspeaker to open")
    card.sound.select("pulse", "")
    card.sound.list()
    assert card.reports.get(timeout=10) == listed._replace(microphone="pulse")
    device.close()


@pytest.mark.desktop
def test_another_device_is_used_from_its_choice_on_during_the_call(
    pulse: Pulse, card: Card
) -> None:
    device = card.device()
    played = SimpleQueue[float]()
    play = tone()

    def playout() -> bytes:
        played.put(time.monotonic())
        return play()

    device.open_speaker(playout)
    wait_until(lambda: pulse.streams() == 1, 5, "the loudspeaker to open")
    before = pulse.pactl("list", "short", "sink-inputs").split()[0]
    card.sound.select("", "pulse")
    wait_until(
        lambda: (
            pulse.streams() == 1
            and pulse.pactl("list", "short", "sink-inputs").split()[0] != before
        ),
        5,
        "the other device to open",
    )
    heard = pulse.record_speaker(1.5)
    assert level_dbfs(heard[-4000:]) == pytest.approx(-15, abs=1)
    device.close()
    assert card.reported() == []


@pytest.mark.desktop
def test_a_device_that_is_not_there_is_told_and_the_default_one_used(
    pulse: Pulse, card: Card
) -> None:
    card.sound.select("", "Headset of yesterday")
    device = card.device(call=4)
    device.open_speaker(tone())
    assert card.reports.get(timeout=10) == Trouble(4, Reason.DEVICE_LOST, "Headset of yesterday")
    wait_until(lambda: pulse.streams() == 1, 5, "the default loudspeaker to open")
    device.close()


@pytest.mark.desktop
def test_a_loudspeaker_that_is_pulled_out_is_replaced_by_the_default_one(
    pulse: Pulse, card: Card
) -> None:
    headset = pulse.load_sink("headset")
    pulse.pactl("set-default-sink", "headset")
    device = card.device()
    device.open_speaker(tone())
    wait_until(lambda: pulse.streams() == 1, 5, "the headset to open")
    pulse.pactl("set-default-sink", SPEAKER)
    pulse.unload(headset)
    with pulse.recording_speaker() as recording:
        wait_until(
            lambda: level_dbfs(recording.samples[-4000:]) > -20, 15, "the tone at the loudspeaker"
        )
    assert pulse.streams() == 1
    device.close()


@pytest.mark.desktop
def test_a_card_that_stops_is_told_and_opened_again_until_it_runs(pulse: Pulse, card: Card) -> None:
    device = card.device(call=2)
    device.open_speaker(tone())
    wait_until(lambda: pulse.streams() == 1, 5, "the loudspeaker to open")
    pulse.record_speaker(0.2)
    pulse.pactl("suspend-sink", SPEAKER, "1")
    report = card.reports.get(timeout=15)
    pulse.pactl("suspend-sink", SPEAKER, "0")
    assert isinstance(report, Trouble)
    assert (report.call, report.reason) == (2, Reason.DEVICE_LOST)
    with pulse.recording_speaker() as recording:
        wait_until(
            lambda: level_dbfs(recording.samples[-4000:]) > -20, 15, "the tone at the loudspeaker"
        )
    device.close()
    assert card.reported() == []


@pytest.mark.desktop
def test_a_microphone_that_gives_nothing_but_zeros_is_told_once(pulse: Pulse, card: Card) -> None:
    device = card.device(call=3)
    device.open_microphone(lambda: None)
    report = card.reports.get(timeout=10)
    assert isinstance(report, Trouble)
    assert (report.call, report.reason) == (3, Reason.MICROPHONE_SILENT)
    device.close()


@pytest.mark.desktop
def test_both_ends_run_at_once_and_nothing_is_open_afterwards(pulse: Pulse, card: Card) -> None:
    for call in (1, 2):
        frames: list[bytes] = []
        device = card.device(call)

        def wake(device: SoundDevice = device, frames: list[bytes] = frames) -> None:
            frames.extend(iter(device.take, None))

        device.open_speaker(tone())
        device.open_microphone(wake)
        wait_until(lambda: streams(pulse) == (1, 1), 5, "both ends to open")
        wait_until(lambda frames=frames: len(frames) > 20, 10, "frames of the microphone")  # type: ignore[misc]
        device.close()
        wait_until(lambda: streams(pulse) == (0, 0), 5, "both ends to close")


@pytest.mark.desktop
def test_every_method_returns_at_once(pulse: Pulse, card: Card) -> None:
    begin = time.monotonic()
    device = card.device()
    device.open_speaker(tone())
    device.open_microphone(lambda: None)
    card.sound.select("pulse", "pulse")
    card.sound.list()
    device.close()
    assert time.monotonic() - begin < 0.05


def without_a_sound_system(code: str) -> str:
    """What a program says where there is none."""
    nothing = {"XDG_RUNTIME_DIR": "/nonexistent", "PULSE_SERVER": "unix:/nonexistent/native"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env=os.environ | nothing,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_fault_15_without_any_device_the_person_is_told_once_and_nothing_breaks() -> None:
    said = without_a_sound_system(NO_SOUND_SYSTEM)
    lines = [line for line in said.splitlines() if "(" in line]
    assert "call=7, reason=<Reason.NO_SPEAKER" in lines[0]
    assert "call=7, reason=<Reason.NO_MICROPHONE" in lines[1]
    assert lines[2].startswith("DevicesListed(")


def test_a_device_that_was_closed_before_it_opened_stays_closed() -> None:
    sound = Sound()
    device = sound.device(1)
    device.closed = True
    device.open_speaker(lambda: bytes(320))
    sound.stop()
    device.open_microphone(lambda: None)
    assert device.take() is None


# --- the self-test's trial


def try_out() -> AudioReport:
    """What the sound of this machine reports of its trial, and nothing else."""
    reports: SimpleQueue[AudioReport] = SimpleQueue()
    sound = Sound()
    sound.report_to(reports.put)
    sound.try_out()
    tried = reports.get(timeout=10)
    sound.stop()
    return tried


@pytest.mark.desktop
def test_the_trial_hears_the_microphone_and_plays_a_soft_tone(pulse: Pulse, tmp_path: Path) -> None:
    said = tmp_path / "said.wav"
    write_wav(said, 8000 * np.sin(2 * np.pi * 300 * np.arange(10 * 8000) / 8000))
    player = pulse.play_into_microphone(said, wait=False)
    with pulse.recording_speaker() as recording:
        tried = try_out()
        wait_until(lambda: recording.seconds > 1.5, 5, "the recording")
    player.terminate()
    player.wait(5)
    assert isinstance(tried, SoundTried)
    assert tried.speaker
    assert tried.microphone is not None
    assert -20 < tried.microphone < -5
    assert -45 < level_dbfs(recording.samples) < -15
    wait_until(lambda: streams(pulse) == (0, 0), 5, "the streams to end")
    assert not [thread for thread in threading.enumerate() if thread.name == "sound"]


@pytest.mark.desktop
def test_the_trial_tells_a_microphone_of_pure_zeros(pulse: Pulse) -> None:
    assert try_out() == SoundTried(-90.0, True)


def test_the_trial_without_any_device_is_over_soon() -> None:
    code = "from tests.audio.test_sound import try_out; print(try_out())"
    said = without_a_sound_system(code)
    assert "SoundTried(microphone=None, speaker=False)" in said


@pytest.mark.desktop
def test_one_trial_at_a_time_and_a_call_breaks_it_off(pulse: Pulse) -> None:
    reports: SimpleQueue[AudioReport] = SimpleQueue()
    sound = Sound()
    sound.report_to(reports.put)
    sound.try_out()
    sound.try_out()
    wait_until(lambda: streams(pulse) == (1, 1), 5, "the trial's streams")
    device = sound.device(1)
    device.open_speaker(lambda: bytes(320))
    device.open_microphone(lambda: None)
    wait_until(lambda: device.take() is not None, 5, "the call's microphone")
    assert streams(pulse) == (1, 1)
    sound.list()
    assert isinstance(reports.get(timeout=5), DevicesListed)
    device.close()
    sound.stop()
    assert reports.empty()
