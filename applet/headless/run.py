"""Runs one phone from standard input to standard output."""

from __future__ import annotations

import os
import sys
import threading
import time
from queue import Empty

from applet.headless.lines import ready_json, to_json
from applet.headless.options import Options, parse_options
from applet.headless.stdin import CommandLines
from applet.hints import TYPE_CHECKING
from applet.phone.messages import (
    CallState,
    CallStateChanged,
    Dial,
    Event,
    HangUp,
    Logged,
    Quit,
    Ready,
    Reason,
    Register,
    Stopped,
    TransferChanged,
    TransferState,
)
from applet.phone.phone import Phone
from applet.threads.core import BindError, CoreThread
from applet.threads.entropy import SystemRandom
from applet.threads.helpers import Helpers
from applet.threads.media import MediaThread
from applet.threads.sockets import local_ip_for

if TYPE_CHECKING:
    from applet.audio.device import ClockedDevice
    from applet.phone.messages import Command


def run(arguments: list[str], started: float) -> int:
    """Returns the exit code. `started` is the `time.perf_counter()` of the program's start."""
    try:
        options = parse_options(arguments)
        return _Session(options, started).run()
    except (ValueError, BindError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


class _Session:
    """One run: lines of stdin become commands, events become lines of stdout."""

    def __init__(self, options: Options, started: float) -> None:
        self._options = options
        self._started = started
        self._devices = 0
        self._answered = False
        self._followed = 0  # the call of `--call`
        self._next = 0  # the one that may take its place
        self._deadline: float | None = None
        system = SystemRandom()
        media = MediaThread(
            self._device,
            system,
            bind_host=options.bind.host,
            ports=options.ports,
            helpers=Helpers(options.tls_files.ca),
        )
        phone = Phone(options.phone, system, local_ip_for(options.bind.host))
        self._core = CoreThread(
            phone,
            media,
            options.bind,
            name_server=options.name_server,
            tls_files=options.tls_files,
        )

    def run(self) -> int:
        first: list[Command] = []
        if self._options.phone.registrar:
            first.append(Register())
        if self._options.call:
            first.append(Dial(self._options.call, confirmed=True))
        lines = None if sys.stdin is None else CommandLines(0, self._core.events.put)
        self._core.start(first, lines)
        if lines is None:  # it was closed before we began
            self._core.submit(Quit())
        elif not self._core.reads_commands:
            threading.Thread(target=self._read_lines, args=(lines,), daemon=True).start()
        try:
            self._pump()
        except KeyboardInterrupt:
            self._core.submit(Quit())
        finally:
            self._core.stop()
        return 1 if self._options.call and not self._answered else 0

    def _device(self, call: int) -> ClockedDevice:
        """Every call has the microphone of the command line, the first one its recording too; a
        name with %d in it is one of a recording for each call."""
        # As a rule it is imported by now.
        from applet.audio.file import FileDevice, parse_source

        self._devices += 1
        options = self._options
        out = options.audio_out
        if out is not None and "%d" in out:
            out = out.replace("%d", str(call))
        elif self._devices > 1:
            out = None
        return FileDevice(parse_source(options.audio_in), out, options.loop)

    def _read_lines(self, lines: CommandLines) -> None:
        while not lines.over:
            for command in lines.read():
                self._core.submit(command)

    def _pump(self) -> None:
        """Until the last event."""
        while True:
            wait = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
            try:
                event = self._core.events.get(timeout=wait)
            except Empty:
                self._deadline = None
                self._core.submit(HangUp(0))
                continue
            if isinstance(event, Stopped):
                return
            self._tell(event)
            if self._options.call:
                self._follow(event)

    def _tell(self, event: Event) -> None:
        if isinstance(event, Logged):
            os.write(2, f"{event.line}\n".encode())
            return
        if isinstance(event, Ready):
            milliseconds = int((time.perf_counter() - self._started) * 1000)
            _print(ready_json(event.address, milliseconds))
            return
        line = to_json(event)
        if line is not None:
            _print(line)

    def _follow(self, event: Event) -> None:
        """`--call`: hang up after `--duration` from the answer (or from the call, while it is not
        answered), and end with the call, or with the one that has taken its place."""
        if isinstance(event, TransferChanged) and event.call == self._followed:
            self._next = 0 if event.state is TransferState.FAILED else event.other
            if event.state is TransferState.DONE and event.other:
                self._followed = event.other
        if not isinstance(event, CallStateChanged):
            return
        if event.state is CallState.ENDED:
            if event.call != self._followed:
                return
            if event.reason is Reason.TRANSFERRED and self._next:
                self._followed = self._next
            else:
                self._core.submit(Quit())
        elif event.state is CallState.DIALLING or not self._answered:
            self._followed = self._followed or event.call
            if event.state in (CallState.CONNECTED, CallState.ON_HOLD):
                self._answered = True
            if self._options.duration is not None:
                self._deadline = time.monotonic() + self._options.duration


def _print(line: str) -> None:
    os.write(1, f"{line}\n".encode())
