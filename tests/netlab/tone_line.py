"""One end of a call's sound: it sends a tone and notes when it hears another one.

Independent of the product. PCMU on a socket of its own, with a thread of its own.
"""

import math
import os
import select
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from tests.netlab.namespaces import opened
from tests.netlab.sip_text import Place
from tests.support.process import MAY_HURRY
from tests.support.rtp_peer import decode_mulaw, encode_mulaw
from tests.support.speech import RATE, Samples

FRAME = RATE // 50
FRAME_S = 0.02
AMPLITUDE = 8000.0
AUDIBLE = 300.0
"""Amplitude from which a tone counts as heard: 28 dB under the one that is sent."""
STARVED_S = 0.4
"""So long without a turn on the processor, and what was missed proves nothing."""


class Frame(NamedTuple):
    """A received packet; `tone`: it holds the other end's tone and not ours."""

    at: float
    source: Place
    tone: bool


class ToneLine:
    """Sends `own_hz` to where `aim` says, or, if it latches, to where packets come from."""

    def __init__(self, namespace: str, host: str, port: int, own_hz: int, other_hz: int) -> None:
        self.place = (host, port)
        self.latches = False
        self.frames: list[Frame] = []
        self.starved = False
        self.sent = 0
        self._hz = (other_hz, own_hz)
        self._target: Place | None = None
        self._tone = encode_mulaw(AMPLITUDE * np.sin(2 * np.pi * own_hz * np.arange(RATE) / RATE))
        self._sockets = [opened(namespace, socket.SOCK_DGRAM, host, port + n) for n in (0, 1)]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def aim(self, target: Place | None) -> None:
        """Send to `target` from now on; None: be silent."""
        self._target = target

    def first_tone(self, since: float) -> float | None:
        """When the other end's tone was first heard after `since`."""
        return next((f.at for f in list(self.frames) if f.at >= since and f.tone), None)

    def hears(self, seconds: float, since: float) -> bool:
        """The tone was there in four of five frames of the last `seconds`, all after `since`."""
        wanted = round(seconds / FRAME_S)
        last = [frame.tone for frame in self.frames[-wanted:] if frame.at >= since]
        return len(last) == wanted and sum(last) >= 0.8 * wanted

    def is_silent(self, seconds: float) -> bool:
        """No tone in the last `seconds`."""
        begin = time.monotonic() - seconds
        return not any(frame.tone for frame in self.frames[-200:] if frame.at >= begin)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5)
        for each in self._sockets:
            each.close()

    def _run(self) -> None:
        if MAY_HURRY:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -15)
        started, number = time.monotonic(), 0
        while not self._stopping.is_set():
            self._take(max(started + number * FRAME_S - time.monotonic(), 0))
            late = time.monotonic() - started - number * FRAME_S
            if late >= STARVED_S:
                self.starved = True
                number += int(late / FRAME_S)
            if late >= 0:
                self._send(number)
                number += 1

    def _take(self, wait_s: float) -> None:
        for each in select.select(self._sockets, [], [], wait_s)[0]:
            try:
                data, source = each.recvfrom(2048)
            except ConnectionError:  # an ICMP refusal of what we sent
                continue
            is_rtp = each is self._sockets[0] and len(data) >= 12 and data[0] >> 6 == 2
            if not is_rtp or data[1] & 127 != 0:
                continue
            sound = decode_mulaw(data[12:])
            other, own = (amplitude(sound, hz) for hz in self._hz)
            self.frames.append(Frame(time.monotonic(), source, other > max(AUDIBLE, 3 * own)))
            if self.latches:
                self._latch(source)

    def _latch(self, source: Place) -> None:
        if self._target is not None:
            self._target = source

    def _send(self, number: int) -> None:
        target = self._target
        if target is None:
            return
        place = number * FRAME % RATE
        header = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * FRAME, 0xD35C)
        with suppress(OSError):  # no route to such an address: an end that believes an SDP too much
            self._sockets[0].sendto(header + self._tone[place : place + FRAME], target)
        self.sent += 1


def amplitude(sound: Samples, hz: int) -> float:
    """Of the sine of this frequency in `sound`, by Goertzel's question at one point."""
    if not len(sound):
        return 0.0
    turn = np.exp(-2j * math.pi * hz * np.arange(len(sound)) / RATE)
    return float(2 * abs(np.dot(sound, turn)) / len(sound))
