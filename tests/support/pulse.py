"""A PulseAudio of our own on a machine without a sound card: a loudspeaker that can be recorded and
a microphone into which sound can be played."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.support.process import Program, wait_until
from tests.support.speech import Samples, resampled

CARD_RATE = 48000
SPEAKER = "speaker"
MICROPHONE_FEED = "micfeed"
_SCRIPT = f"""
load-module module-native-protocol-unix auth-anonymous=1 socket=%s
load-module module-null-sink sink_name={SPEAKER} rate={CARD_RATE} channels=2 \
sink_properties=device.description=LabSpeaker
load-module module-null-sink sink_name={MICROPHONE_FEED} rate={CARD_RATE} channels=1 \
channel_map=mono sink_properties=device.description=LabMicFeed
load-module module-remap-source source_name=mic master={MICROPHONE_FEED}.monitor \
source_properties=device.description=LabMic
set-default-sink {SPEAKER}
set-default-source mic
"""


class SpeakerRecording:
    """What the loudspeaker plays, recorded until the `with` block ends."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def seconds(self) -> float:
        return self.path.stat().st_size / (2 * CARD_RATE)

    @property
    def samples(self) -> Samples:
        """All so far, at 8 kHz."""
        raw = np.frombuffer(self.path.read_bytes()[: int(self.seconds * CARD_RATE) * 2], np.int16)
        return resampled(raw.astype(float), CARD_RATE)


class Pulse(Program):
    """`variables` is what a program needs in its environment to use this sound server (and no
    other); its default devices are the loudspeaker and the microphone."""

    def __init__(self, folder: Path) -> None:
        """Start it with its files in `folder`, which must have a short path (sockets)."""
        runtime = folder / "pulse"
        runtime.mkdir(mode=0o700)
        socket = runtime / "native"
        script = folder / "lab.pa"
        script.write_text(_SCRIPT % socket)
        self.folder = folder
        self.variables = {"XDG_RUNTIME_DIR": str(folder), "PULSE_SERVER": f"unix:{socket}"}
        options = "-n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --realtime=no"
        more = "--high-priority=no --log-target=stderr -F"
        super().__init__(
            ["pulseaudio", *options.split(), *more.split(), script],
            variables=self.variables,
            without=("PULSE_LATENCY_MSEC",),
        )
        self._keepers: list[subprocess.Popen[bytes]] = []
        self._recordings = 0
        self.wait_ready(self._answers, "PulseAudio with its default devices")
        self._keep_awake(SPEAKER, MICROPHONE_FEED)
        kinds = ("sink-inputs", "source-outputs")
        self._not_theirs = dict.fromkeys(kinds, 0)
        self._not_theirs = {kind: self.streams(kind) for kind in kinds}

    def play_into_microphone(self, wav: Path, wait: bool = True) -> subprocess.Popen[bytes]:
        """Play a WAV file as if the person said it; with `wait` until it is over."""
        player = self._start("paplay", "-d", MICROPHONE_FEED, wav)
        if wait:
            assert player.wait(60) == 0
        return player

    @contextmanager
    def recording_speaker(self, sink: str = SPEAKER) -> Iterator[SpeakerRecording]:
        """Record while the block runs; starts when sound (or silence) really comes in."""
        self._recordings += 1
        recording = SpeakerRecording(self.folder / f"recorded-{self._recordings}.raw")
        with recording.path.open("wb") as file:
            recorder = self._record(sink, file.fileno())
            try:
                wait_until(lambda: recording.seconds > 0, 5, f"sound from {sink}")
                yield recording
            finally:
                _end(recorder)

    def record_speaker(self, seconds: float) -> Samples:
        """The next `seconds` of the loudspeaker at 8 kHz."""
        with self.recording_speaker() as recording:
            wait_until(lambda: recording.seconds >= seconds, seconds + 5, "the recording")
        return recording.samples[: int(seconds * 8000)]

    def load_sink(self, name: str) -> str:
        """Plug in another loudspeaker; the module's number, for `unload`."""
        number = self.pactl("load-module", "module-null-sink", f"sink_name={name}")
        self._keep_awake(name)
        self._not_theirs["source-outputs"] += 1
        return number

    def unload(self, module: str) -> None:
        """Pull out what `load_sink` plugged in, or a module of `module_of`."""
        self.pactl("unload-module", module)

    def module_of(self, name: str) -> str:
        """The module of a sink or source, such as `speaker` or `mic`."""
        for line in self.pactl("list", "short", "modules").splitlines():
            if f"_name={name}" in line:
                return line.split()[0]
        raise AssertionError(f"no module makes {name}")

    def streams(self, kind: str = "sink-inputs") -> int:
        """How many programs play (`sink-inputs`) or record (`source-outputs`); those of this
        fixture are not counted, but for recordings that run."""
        return len(self.pactl("list", "short", kind).splitlines()) - self._not_theirs[kind]

    def pactl(self, *words: str) -> str:
        """Any command of `pactl`, and what it prints."""
        done = subprocess.run(
            ["pactl", *words], env=self._environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"pactl {' '.join(words)}: {done.stderr}"
        return done.stdout.strip()

    def stop(self, timeout_s: float = 3) -> None:
        for keeper in self._keepers:
            _end(keeper)
        super().stop(timeout_s)

    def _answers(self) -> bool:
        info = subprocess.run(
            ["pactl", "info"], env=self._environment(), capture_output=True, text=True, check=False
        )
        return f"Default Sink: {SPEAKER}" in info.stdout and "Default Source: mic" in info.stdout

    def _keep_awake(self, *sinks: str) -> None:
        """A null sink to which nobody listens closely does its work two seconds ahead, which no
        real sound card does: streams would seem to hang at their start."""
        paths = [self.folder / f"{sink}-kept-awake.raw" for sink in sinks]
        for sink, path in zip(sinks, paths, strict=True):
            with path.open("wb") as file:
                self._keepers.append(self._record(sink, file.fileno()))
        wait_until(lambda: all(path.stat().st_size for path in paths), 5, f"{sinks} to be awake")

    def _record(self, sink: str, out: int) -> subprocess.Popen[bytes]:
        # --latency-msec makes it come in small pieces; `timeout` ends it whatever happens to us.
        words = f"timeout 600 parec -d {sink}.monitor --rate={CARD_RATE} --channels=1"
        words += " --format=s16le --raw --latency-msec=20"
        return subprocess.Popen(
            words.split(), env=self._environment(), stdout=out, stderr=subprocess.DEVNULL
        )

    def _start(self, *words: str | Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*map(str, words)], env=self._environment())

    def _environment(self) -> dict[str, str]:
        return os.environ | self.variables


def _end(program: subprocess.Popen[bytes]) -> None:
    program.terminate()
    try:
        program.wait(3)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait(3)
