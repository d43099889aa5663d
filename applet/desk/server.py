"""The embedded desk as a running program: a phone of its own that answers every call."""

from __future__ import annotations

import threading
import time
from queue import Empty

from applet.desk.desk import Desk
from applet.hints import TYPE_CHECKING
from applet.phone.config import PhoneConfig
from applet.phone.messages import Logged, Stopped
from applet.phone.phone import Phone
from applet.threads.core import CoreThread
from applet.threads.entropy import SystemRandom
from applet.threads.media import MediaThread
from applet.threads.sockets import local_ip_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.address import Address

MAX_CALLS = 100


class DeskServer:
    """`say` gets each plain line that the desk has to tell, `log` each redacted log line; both
    are called in the desk's thread."""

    def __init__(
        self,
        bind: Address,
        say: Callable[[str], None],
        log: Callable[[str], None] | None = None,
        max_calls: int = MAX_CALLS,
    ) -> None:
        self._log = log
        self._desk = Desk(say)
        config = PhoneConfig(
            user_agent="Call Support desk",
            display_name="Support desk",
            user="desk",
            answer=180,
            max_calls=max_calls,
        )
        system = SystemRandom()
        media = MediaThread(self._desk.voice, system, bind_host=bind.host)
        phone = Phone(config, system, local_ip_for(bind.host))
        self._core = CoreThread(phone, media, bind)
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)

    def start(self) -> Address:
        """Returns the address to call. Raises BindError."""
        address = self._core.start()
        self._thread.start()
        return address

    def stop(self) -> None:
        """Hang up every call and end; idempotent."""
        self._core.stop()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while True:
            due = self._desk.next_timer()
            wait = None if due is None else max(0.0, due - time.monotonic())
            try:
                event = self._core.events.get(timeout=wait)
            except Empty:
                commands = self._desk.handle_timers(time.monotonic())
            else:
                if isinstance(event, Stopped):
                    return
                if isinstance(event, Logged) and self._log is not None:
                    self._log(event.line)
                commands = self._desk.handle(event, time.monotonic())
            for command in commands:
                self._core.submit(command)
