"""The media thread: every MediaSession and every RTP and RTCP socket, served together."""

from __future__ import annotations

import gc
import heapq
import itertools
import sys
import threading
from functools import cached_property

from applet.audio.device import TICK, AudioDevice, AudioReport, DeviceFactory, SoundControl
from applet.hints import TYPE_CHECKING
from applet.pattern import compile_all
from applet.phone.messages import FilePlaying, Levels, Reason, Trouble
from applet.phone.orders import (
    CloseMedia,
    HoldMedia,
    HurryWay,
    InjectFile,
    KeepWay,
    ListAudio,
    MuteMedia,
    OpenMedia,
    OpenMicrophone,
    OpenWay,
    Order,
    PlayTone,
    RequestMediaStatistics,
    SelectAudio,
    SendMediaDigits,
    SetGains,
    TryAudio,
    UpdateMedia,
)
from applet.randomness import Randomness, token
from applet.threads.core_inbox import (
    AudioHappened,
    MappingMoved,
    MediaAnswer,
    MediaCounted,
    MediaHappened,
    WayOpened,
)
from applet.threads.helpers import Helpers
from applet.threads.loop import Loop, clock
from applet.threads.media_inbox import FileRead, FromRelay, Tried
from applet.threads.mishap import Mishaps
from applet.threads.sockets import MediaPorts, MediaSockets
from applet.threads.sockets import PortRange as PortRange
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.media.events import MediaEvent
    from applet.nat.strategy import OpenedWay
    from applet.threads.media_call import LiveCall, MediaCall
    from applet.threads.ways import Ways

GRID = 0.0025
"""Seconds: with many calls their ticks fall together on this grid, and share a wake."""
CALLS_OFF_GRID = 8
LATEST = 0.1
"""Seconds: ticks that are later than this are left out, those less late are made up for."""
JOIN_LIMIT = 2.0
SWITCH_INTERVAL = 0.001
"""Seconds after which Python takes its lock from another thread; 5 ms would be heard."""


class OpenedMedia(NamedTuple):
    """The sockets of one call, on their way to the media thread."""

    call: int
    sockets: MediaSockets


class _Recorded(NamedTuple):
    call: LiveCall


class _Prepare(NamedTuple):
    bind_ahead: bool


class _Stop(NamedTuple):
    pass


class MediaThread:
    """`device_factory`: call id -> device, called in this thread when the call's media opens.

    `bind_host`: a specific IP, or a wildcard (`0.0.0.0`, `::`, empty) to bind to any and advertise
    the address that faces the other side. `levels`: report `Levels` ten times a second.
    `sound`: who carries out SelectAudio, ListAudio and TryAudio (None: they are ignored).

    Until `OpenMicrophone` a session is given silence. The clock of a call starts with its first
    tone, and anew with its first parameters, so that the first packet leaves at once.
    """

    def __init__(
        self,
        device_factory: DeviceFactory,
        random: Randomness,
        *,
        bind_host: str = "",
        ports: PortRange | None = None,
        levels: bool = False,
        sound: SoundControl | None = None,
        helpers: Helpers | None = None,
    ) -> None:
        self._device_factory = device_factory
        self._random = random
        self._cname = token(random)
        self._ports = MediaPorts(bind_host, ports)
        self._levels = levels
        self._sound = sound
        self.helpers = helpers or Helpers()
        self._gains = SetGains(0.0, 0.0)
        self._calls: dict[int, MediaCall] = {}
        self._ticks: list[tuple[float, int, MediaCall]] = []  # (due, serial number, call)
        self._serial = itertools.count()
        self._running = False
        self._thread: threading.Thread | None = None

    @cached_property
    def _ways(self) -> Ways:
        from applet.threads.call_parts import Ways

        return Ways(self._loop.post, self.helpers)

    def start(self, answer: Callable[[MediaAnswer], None]) -> None:
        """`answer` is called in this thread (and in the sound worker's) and must not wait."""
        self._answer = answer
        self._mishaps = Mishaps("media", answer)
        self._loop = Loop(self._posted, self._mishaps.caught)
        self.helpers.report_to(answer)
        if self._sound is not None:
            self._sound.report_to(self._sound_reported)
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._running = True
        self._thread = threading.Thread(target=self._run, name="media", daemon=True)
        self._thread.start()

    def prepare(self, *, bind_ahead: bool = True) -> None:
        """Once the start is over: have ready what only a call needs; with `bind_ahead` the sockets
        of the first one too. Any thread."""
        self._loop.post(_Prepare(bind_ahead))

    def open(self, call: int, remote_host: str) -> OpenedMedia:
        """Bind the call's RTP and RTCP sockets; any thread. `adopt` hands them over. Raises
        OSError when no pair of ports is free."""
        return OpenedMedia(call, self._ports.bind(remote_host))

    def adopt(self, opened: OpenedMedia) -> None:
        """From now on the sockets belong to the media thread; before any order for this call."""
        self._loop.post(opened)

    def submit(self, order: Order) -> None:
        """Every order of `phone.orders` that names a call, SetGains and those about the sound as a
        whole; any thread; carried out in order. Orders for unknown calls are ignored."""
        self._loop.post(order)

    def stop(self) -> None:
        """Close all calls, sockets and devices and join; idempotent; two seconds at most."""
        if self._thread is None:
            return
        self._loop.post(_Stop())
        self._thread.join(JOIN_LIMIT)

    # --- the thread

    def _run(self) -> None:
        ticks = self._ticks
        while self._running:
            try:
                now = self._loop.wait(ticks[0][0] if ticks else None)
                while ticks and ticks[0][0] <= now:
                    self._tick(now)
            except Exception as error:
                self._mishaps.caught(error, clock())
        self._close(clock())

    def _tick(self, now: float) -> None:
        """Serve the call whose tick is due first, and put it back behind the others."""
        ticks = self._ticks
        due, serial, call = ticks[0]
        if call.closed or due != call.due:
            heapq.heappop(ticks)
            return
        try:
            if now - due > LATEST:
                call.due = due + (now - due) // TICK * TICK
            call.tick(now)
        except Exception as error:
            call.due = max(call.due, due + TICK)
            self._mishaps.caught(error, now)
        heapq.heapreplace(ticks, (call.due, serial, call))

    def _close(self, now: float) -> None:
        for call in list(self._calls.values()):
            try:
                self._close_call(call, now)
            except Exception as error:
                self._mishaps.caught(error, now)
        if self._sound is not None:
            self._sound.stop()
        self.helpers.stop()
        self._ports.close()
        self._loop.close()

    def _posted(self, value: object, now: float) -> None:
        match value:
            case _Recorded(call=recording):
                recording.recorded(now)
            case Tried(call=number) if number not in self._calls:
                self._ways.unwanted(value)
            case OpenedMedia():
                self._opened(value)
            case FileRead(call=number) if number in self._calls:
                self._file_read(self._calls[number], value)
            case SetGains():
                self._gains = value
                for each in self._calls.values():
                    with each.lock:
                        each.session.set_gain(*value)
            case SelectAudio() | ListAudio() | TryAudio():
                self._control_sound(value)
            case _Prepare(bind_ahead=bind_ahead):
                if bind_ahead:
                    self._ports.bind_ahead()
                self._get_ready()
            case _Stop():
                self._running = False
            case _:
                call = self._calls.get(getattr(value, "call", 0))
                if call is not None:
                    self._carry_out(call, value, now)

    def _get_ready(self) -> None:
        """What is there afterwards stays: looking through it for garbage again and again (10 ms
        each time) would be heard as a late packet. Until now nobody looked (`applet.cli`)."""
        try:
            from applet.threads import call_parts

            compile_all()
            call_parts.rehearse(self._random)
        finally:
            gc.freeze()
            gc.enable()

    def _carry_out(self, call: MediaCall, order: object, now: float) -> None:
        session = call.session
        with call.lock:
            match order:
                case HoldMedia(on=on):
                    session.hold_locally(on)
                case MuteMedia(on=on):
                    session.mute(on)
                case SendMediaDigits(digits=digits, as_tones=as_tones):
                    session.send_digits(digits, now, as_tones)
                case PlayTone(tone=tone):
                    session.play_tone(tone)
        match order:
            case UpdateMedia():
                first = not call.agreed
                call.update(order, now)
                self._start_clock(call, now, anew=first)
            case PlayTone(tone=tone) if tone is not None:
                self._start_clock(call, now)
            case OpenMedia() | OpenWay() | HurryWay() | KeepWay() | Tried():
                self._change_way(call, order)
            case MappingMoved() if call.paths.is_mapped:
                self._answer(order)
            case FromRelay() if call.paths.has_relay(order.opening):
                call.relayed(order.which, order.data, order.source, now)
            case OpenMicrophone():
                call.open_microphone()
            case InjectFile(path=path):
                self._inject(call, path)
            case RequestMediaStatistics():
                self._count(call, now, final=False)
            case CloseMedia():
                self._close_call(call, now)

    def _opened(self, opened: OpenedMedia) -> None:
        from applet.threads import call_parts  # already imported, but for a call at once

        number, sockets = opened
        device = self._make_device(number)
        session = call_parts.MediaSession(self._random, self._cname)
        session.set_gain(*self._gains)
        ice = call_parts.IcePath(self._random)
        parts = call_parts.Parts(number, session, sockets, ice, self._told, self._levels)
        call = call_parts.make_call(parts, device, self._recorded)
        self._loop.paced = self._loop.paced or call.paced
        self._calls[number] = call
        self._ports.bind_ahead()
        self._loop.watch(call.rtcp, call.rtcp_readable)
        self._loop.watch(call.rtp.sock, call.rtp_readable)

    def _change_way(
        self, call: MediaCall, order: OpenMedia | OpenWay | HurryWay | KeepWay | Tried
    ) -> None:
        opened: OpenedWay | None = None
        match order:
            case OpenMedia(ways=ways, every=every):
                opened = self._ways.open(call, ways, every=every)
            case OpenWay(ways=ways, local=local):
                opened = self._ways.open(call, ways, local=local, anew=True)
            case HurryWay(take=take):
                opened = self._ways.hurry(call, take)
            case KeepWay(refused=refused):
                call.paths.refuse(refused)
            case _:  # Tried
                opened = self._ways.tried(call, order)
        if opened is not None:
            self._answer(WayOpened(call.number, opened))

    def _make_device(self, number: int) -> AudioDevice:
        try:
            return self._device_factory(number)
        except Exception as error:
            from applet.threads.call_parts import NullDevice

            self._mishaps.caught(error, clock())
            return NullDevice()

    def _start_clock(self, call: MediaCall, now: float, anew: bool = False) -> None:
        if call.clock_runs and not anew:
            return
        if len(self._calls) > CALLS_OFF_GRID:
            now = (now // GRID + 1) * GRID
        call.start_clock(now)
        if call.paced and call.rtp.stamped:
            self._loop.forget(call.rtp.sock)
        heapq.heappush(self._ticks, (call.due, next(self._serial), call))

    def _close_call(self, call: MediaCall, now: float) -> None:
        del self._calls[call.number]
        self._ways.forget(call.number)
        self._loop.forget(call.rtcp)
        self._loop.forget(call.rtp.sock)
        self._loop.paced = any(each.paced for each in self._calls.values())
        self._count(call, now, final=True)
        call.close(now)

    def _count(self, call: MediaCall, now: float, final: bool) -> None:
        with call.lock:
            statistics = call.session.statistics(now)
        self._answer(MediaCounted(call.number, statistics, final))

    def _told(self, call: MediaCall, event: MediaEvent | Levels) -> None:
        match event:
            case Levels():
                self._answer(event)
            case _:
                self._answer(MediaHappened(call.number, event))

    def _recorded(self, call: LiveCall) -> None:
        """From the sound card's thread."""
        self._loop.post(_Recorded(call))

    # --- sound and files

    def _control_sound(self, order: SelectAudio | ListAudio | TryAudio) -> None:
        if self._sound is None:
            return
        match order:
            case SelectAudio():
                self._sound.select(order.microphone, order.speaker)
            case ListAudio():
                self._sound.list()
            case TryAudio():
                self._sound.try_out()

    def _sound_reported(self, report: AudioReport) -> None:
        self._answer(AudioHappened(report))

    def _inject(self, call: MediaCall, path: str) -> None:
        if not path:
            with call.lock:
                call.session.inject(None)
            return
        from applet.threads.call_parts import read_file

        read_file(self._loop.post, call.number, path, call.session.sample_rate)

    def _file_read(self, call: MediaCall, read: FileRead) -> None:
        if read.source is None:
            trouble = Trouble(call.number, Reason.FILE_NOT_PLAYABLE, read.mistake)
            self._answer(AudioHappened(trouble))
            return
        with call.lock:
            call.session.inject(read.source)
        self._answer(AudioHappened(FilePlaying(call.number, read.path, on=True)))
