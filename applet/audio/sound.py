"""The sound card of the machine: opened for calls, watched, reopened, changed during a call.

One worker thread makes every call to PortAudio, because any of them may block for seconds (a
Bluetooth headset, a hung sound server) and none may run in a callback. It watches: a stream that
gives no sign of life for half a second is reopened, on a fresh list of devices if no other stream
runs (the list is frozen as long as one does); and all are reopened when the system's preferred
device changes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from functools import partial
from queue import Empty, SimpleQueue

from applet.audio.default_device import preferred_devices
from applet.audio.device import AudioReport, LiveDevice, Playout, SoundControl
from applet.audio.portaudio import Direction, Opened, PortAudio
from applet.audio.stream import RING_FRAMES, Format, MicrophoneFeed, SpeakerFeed
from applet.audio.trial import Trial
from applet.hints import TYPE_CHECKING
from applet.phone.messages import DevicesListed, Reason, SoundTried, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

WATCH_EVERY = 0.25
DEAD_AFTER = 0.5
START_LIMIT = 3.0
"""Seconds without a callback: while a stream runs, and after its start (Bluetooth headsets need
two seconds to change over)."""
RETRY_AFTER = 2.0
SILENT_AFTER = 3.0
"""Seconds of pure zeros after which the person is told that the microphone is silent."""
JOIN_LIMIT = 2.0


class _End:
    """One end (microphone or loudspeaker) of one call's device. The worker's alone."""

    def __init__(
        self,
        device: SoundDevice,
        direction: Direction,
        make: Callable[[Format], MicrophoneFeed | SpeakerFeed],
    ) -> None:
        self.device = device
        self.direction = direction
        self.opened: Opened | None = None
        self.feed: MicrophoneFeed | SpeakerFeed | None = None
        self.name = ""
        self.opened_at = self.retry_at = 0.0
        self.told: set[Reason] = set()
        self._make = make

    def open(self, audio: PortAudio, name: str) -> None:
        """Raises OSError."""
        self.opened = audio.open(self.direction, name, self._feed)
        self.name = self.opened.name
        self.opened_at = time.monotonic()

    def close(self) -> None:
        opened, self.opened = self.opened, None
        if opened is not None:
            try:
                opened.stream.close()
            except OSError:
                return  # it was broken, and is gone all the same

    def is_dead(self, now: float) -> bool:
        if self.opened is None or self.feed is None:
            return False
        return now > max(self.feed.last_call + DEAD_AFTER, self.opened_at + START_LIMIT)

    def never_ran(self) -> bool:
        """It was opened, but came to nothing."""
        return self.feed is None or self.feed.last_call < self.opened_at + DEAD_AFTER

    def _feed(self, form: Format) -> Callable[..., tuple[bytes | None, int]]:
        self.feed = self._make(form)
        return self.feed.callback


class SoundDevice(LiveDevice):
    """One call's two ends at the sound card. Every method returns at once. `report`: who is told
    of its troubles in place of the receiver of all reports; it is on trial then."""

    def __init__(
        self, sound: Sound, call: int, report: Callable[[AudioReport], None] | None = None
    ) -> None:
        self.call = call
        self.report = report
        self.closed = False
        self._sound = sound
        self._ring: deque[bytes] = deque(maxlen=RING_FRAMES)

    @property
    def on_trial(self) -> bool:
        return self.report is not None

    def open_speaker(self, playout: Playout) -> None:
        self._sound.open(_End(self, Direction.SPEAKER, lambda form: SpeakerFeed(playout, form)))

    def open_microphone(self, wake: Callable[[], None]) -> None:
        ring = self._ring
        self._sound.open(
            _End(self, Direction.MICROPHONE, lambda form: MicrophoneFeed(ring, wake, form))
        )

    def take(self) -> bytes | None:
        try:
            return self._ring.popleft()
        except IndexError:
            return None

    def close(self) -> None:
        self.closed = True
        self._sound.close(self)


class Sound(SoundControl):
    """The machine's sound.

    Reports `DevicesListed`, `SoundTried` and, each once per call and end, `Trouble`:
    NO_MICROPHONE, NO_SPEAKER (none could be opened), DEVICE_LOST (the one in use is gone, with its
    name; if there is another one the call goes on with that), MICROPHONE_SILENT.
    """

    def __init__(self, microphone: str = "", speaker: str = "") -> None:
        """The names to use; empty follows the system's default."""
        self._wanted = {Direction.MICROPHONE: microphone, Direction.SPEAKER: speaker}
        self._report: Callable[[AudioReport], None] = lambda report: None
        self._requests: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._trial: Trial | None = None
        self._stopped = False
        self._audio: PortAudio | None = None
        self._ends: list[_End] = []
        self._preferred: tuple[str, ...] = ()

    def device(self, call: int) -> SoundDevice:
        """The device of a call: the `DeviceFactory` of the applet."""
        return SoundDevice(self, call)

    def report_to(self, report: Callable[[AudioReport], None]) -> None:
        self._report = report

    def select(self, microphone: str, speaker: str) -> None:
        self._ask(lambda: self._select(microphone, speaker))

    def list(self) -> None:
        self._ask(self._list)

    def try_out(self) -> None:
        """One trial at a time; a call that begins meanwhile ends it."""
        self._ask(self._begin_trial)

    def open(self, end: _End) -> None:
        """For `SoundDevice`."""
        self._ask(lambda: self._add(end))

    def close(self, device: SoundDevice) -> None:
        """For `SoundDevice`."""
        self._ask(lambda: self._remove(device))

    def stop(self) -> None:
        self._stopped = True
        if self._thread is not None:
            self._requests.put(None)
            self._thread.join(JOIN_LIMIT)

    def _ask(self, request: Callable[[], None]) -> None:
        if self._stopped:
            return
        self._requests.put(request)
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="sound", daemon=True)
                self._thread.start()

    # --- the worker

    def _work(self) -> None:
        while True:
            try:
                request = self._requests.get(timeout=WATCH_EVERY if self._ends else None)
            except Empty:
                request = self._watch
            if request is None:
                break
            try:
                request()
            except Exception as error:
                self._report(Trouble(0, Reason.INTERNAL, type(error).__name__))
        self._close_streams()

    def _add(self, end: _End) -> None:
        if end.device.closed or (end.device.on_trial and self._trial is None):
            return
        if not end.device.on_trial:
            self._break_off_trial()
        self._ends.append(end)
        self._try(end)

    def _remove(self, device: SoundDevice) -> None:
        for end in [end for end in self._ends if end.device is device]:
            end.close()
            self._ends.remove(end)
        if not self._ends:
            # The next call looks at the devices afresh.
            self._close_streams()

    def _select(self, microphone: str, speaker: str) -> None:
        wanted = {Direction.MICROPHONE: microphone, Direction.SPEAKER: speaker}
        changed = [
            end for end in self._ends if wanted[end.direction] != self._wanted[end.direction]
        ]
        self._wanted = wanted
        for end in changed:
            end.close()
            end.told.discard(Reason.DEVICE_LOST)
            self._try(end)

    def _list(self) -> None:
        try:
            audio = self._audio or PortAudio()
        except OSError:
            names: tuple[tuple[str, ...], ...] = ((), ())
        else:
            names = audio.names(Direction.MICROPHONE), audio.names(Direction.SPEAKER)
            if audio is not self._audio:
                audio.close()
        microphone, speaker = self._wanted.values()
        self._report(DevicesListed(names[0], names[1], microphone, speaker))

    def _watch(self) -> None:
        now = time.monotonic()
        if preferred_devices() != self._preferred:
            self._close_streams()
            for end in self._ends:
                end.retry_at = now
        for end in self._ends:
            if end.is_dead(now):
                self._bury(end, now)
            self._check_silence(end, now)
        for end in self._ends:
            if end.opened is None and now >= end.retry_at:
                if not any(other.opened for other in self._ends):
                    self._close_streams()
                self._try(end)

    def _bury(self, end: _End, now: float) -> None:
        end.close()
        end.retry_at = now
        if end.never_ran():
            # Another try at once would end like this one.
            end.retry_at = now + RETRY_AFTER
            self._tell(end, Reason.DEVICE_LOST, end.name)

    def _check_silence(self, end: _End, now: float) -> None:
        feed = end.feed
        if (
            end.opened is not None
            and isinstance(feed, MicrophoneFeed)
            and feed.silent_since is not None
            and now - feed.silent_since >= SILENT_AFTER
        ):
            self._tell(end, Reason.MICROPHONE_SILENT, end.name)

    def _try(self, end: _End) -> None:
        """Open one end; if that fails, tell once and try again later."""
        wanted = self._wanted[end.direction]
        try:
            if self._audio is None:
                self._preferred = preferred_devices()
                self._audio = PortAudio()
            end.open(self._audio, wanted)
        except OSError:
            end.retry_at = time.monotonic() + RETRY_AFTER
            if end.name:
                self._tell(end, Reason.DEVICE_LOST, end.name)
            elif end.direction is Direction.MICROPHONE:
                self._tell(end, Reason.NO_MICROPHONE, wanted)
            else:
                self._tell(end, Reason.NO_SPEAKER, wanted)
        else:
            if not wanted.startswith(end.name) and wanted:
                self._tell(end, Reason.DEVICE_LOST, wanted)

    def _close_streams(self) -> None:
        for end in self._ends:
            end.close()
        audio, self._audio = self._audio, None
        if audio is not None:
            audio.close()

    def _tell(self, end: _End, reason: Reason, detail: str) -> None:
        if reason not in end.told:
            end.told.add(reason)
            report = end.device.report or self._report
            report(Trouble(end.device.call, reason, detail))

    # --- the trial

    def _begin_trial(self) -> None:
        if self._trial is None and not self._ends:
            self._trial = Trial()
            run = partial(self._run_trial, self._trial)
            threading.Thread(target=run, name="trial", daemon=True).start()

    def _run_trial(self, trial: Trial) -> None:
        tried = trial.run(SoundDevice(self, 0, trial.told))
        self._ask(lambda: self._end_trial(trial, tried))

    def _end_trial(self, trial: Trial, tried: SoundTried) -> None:
        if self._trial is trial:
            self._trial = None
            self._report(tried)

    def _break_off_trial(self) -> None:
        """A call needs the devices, which may serve one at a time only."""
        self._trial = None
        for end in [end for end in self._ends if end.device.on_trial]:
            end.close()
            self._ends.remove(end)
