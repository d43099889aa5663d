"""Who calls the embedded desk in the demonstration and in the self-test: a phone on loopback, whose
microphone is a tone."""

from __future__ import annotations

import time
from queue import Empty

from applet.address import Address
from applet.audio.file import FileDevice, parse_source
from applet.hints import TYPE_CHECKING
from applet.phone.config import PhoneConfig
from applet.phone.messages import CallState, CallStateChanged, Event
from applet.phone.phone import Phone
from applet.threads.core import CoreThread
from applet.threads.entropy import SystemRandom
from applet.threads.media import MediaThread
from applet.threads.sockets import local_ip_for

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"


def caller() -> CoreThread:
    """Not started yet. It reports levels."""
    system = SystemRandom()
    tone = parse_source("tone:440")
    media = MediaThread(lambda _: FileDevice(tone), system, bind_host=HOST, levels=True)
    config = PhoneConfig(other_addresses=True, incoming=False)
    phone = Phone(config, system, local_ip_for(HOST))
    return CoreThread(phone, media, Address(HOST, 0))


def next_event(core: CoreThread, wanted: Callable[[Event], bool], seconds: float) -> Event | None:
    """The first that is `wanted`; None if none has come in time. Those before it are dropped."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            event = core.events.get(timeout=left)
        except Empty:
            return None
        if wanted(event):
            return event
    return None


def is_state(state: CallState) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, CallStateChanged) and event.state is state
