"""The far end of the sound, independent of the product: it speaks, listens and notes the times.

SIPp does the signalling beside it and names `RtpPeer.port` in its SDP.
"""

import os
import select
import socket
import struct
import threading
import time
from typing import NamedTuple, Self

import numpy as np

from tests.support.ports import free_ports
from tests.support.process import MAY_HURRY, wait_until
from tests.support.speech import RATE, Samples

FRAME = RATE // 50
FRAME_S = 0.02
PCMU, EVENTS = 0, 101
DIGITS = "0123456789*#ABCD"
HEADER = struct.Struct("!BBHII")
EVENT = struct.Struct("!BBH")


class Packet(NamedTuple):
    """One received RTP packet; `at` is `time.monotonic()`."""

    at: float
    payload_type: int
    sequence: int
    timestamp: int
    payload: bytes


class RtpPeer:
    """Sends `speech` in a loop as PCMU once `talk_to` has said where to, and keeps what comes."""

    def __init__(self, speech: Samples) -> None:
        self.port = free_ports(2)
        self.packets: list[Packet] = []
        self.reports: list[tuple[float, bytes]] = []
        self._coded = encode_mulaw(speech[: len(speech) // FRAME * FRAME])
        self._sockets = [_bound(self.port), _bound(self.port + 1)]
        self._remote: tuple[str, int] | None = None
        self._events: list[bytes] = []
        self._digit, self._digit_began = b"", 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def talk_to(self, address: str) -> None:
        """Send to `address`, such as 127.0.0.1:20000, from now on."""
        host, _, port = address.rpartition(":")
        self._remote = (host, int(port))

    def be_silent(self) -> None:
        self._remote = None

    def send_digits(self, digits: str) -> None:
        """RFC 4733: 100 ms each, with 60 ms between."""
        for digit in digits:
            code = DIGITS.index(digit)
            durations = range(FRAME, 5 * FRAME + 1, FRAME)
            self._events += [EVENT.pack(code, 10, duration) for duration in durations]
            self._events += [EVENT.pack(code, 0x80 | 10, 5 * FRAME)] * 3
            self._events += [b""] * 3  # speech in between

    def wait_for_sound(self, seconds: float) -> None:
        """Wait until that many more seconds of sound have come."""
        wanted = len(self.packets) + round(seconds / FRAME_S)
        wait_until(lambda: len(self.packets) >= wanted, seconds + 5, f"{seconds} s of sound")

    def digits(self) -> str:
        """The digits received: one for each different time stamp of an event."""
        events = {p.timestamp: p.payload[0] for p in self.packets if p.payload_type == EVENTS}
        return "".join(DIGITS[code] for _, code in sorted(events.items()))

    def heard(self, since: float = 0.0, until: float = float("inf")) -> Samples:
        """What came between two moments, each packet at the place that its time stamp says."""
        kept = [p for p in self.packets if p.payload_type == PCMU and since <= p.at < until]
        if not kept:
            return np.zeros(0)
        first = min(packet.timestamp for packet in kept)
        sound = np.zeros(max(packet.timestamp for packet in kept) - first + FRAME)
        for packet in kept:
            place = packet.timestamp - first
            samples = decode_mulaw(packet.payload)
            sound[place : place + len(samples)] = samples[: len(sound) - place]
        return sound

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5)
        for each in self._sockets:
            each.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        if MAY_HURRY:  # on Linux each thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -15)
        started, number = time.monotonic(), 0
        while not self._stopping.is_set():
            due = started + number * FRAME_S
            self._take(max(due - time.monotonic(), 0))
            if time.monotonic() >= due:
                self._send(number)
                number += 1

    def _take(self, wait_s: float) -> None:
        readable, _, _ = select.select(self._sockets, [], [], wait_s)
        for each in readable:
            data, now = each.recv(2048), time.monotonic()
            if each is self._sockets[1]:
                self.reports.append((now, data))
            elif len(data) >= HEADER.size:
                _, kind, sequence, timestamp, _ = HEADER.unpack_from(data)
                body = data[HEADER.size :]
                self.packets.append(Packet(now, kind & 127, sequence, timestamp, body))

    def _send(self, number: int) -> None:
        remote = self._remote
        if remote is None:
            return
        event = self._events.pop(0) if self._events else b""
        place = number * FRAME % len(self._coded)
        payload = event or self._coded[place : place + FRAME]
        if event[:1] != self._digit:
            self._digit, self._digit_began = event[:1], number * FRAME
        # All packets of an event carry the time stamp of its beginning.
        timestamp = self._digit_began if event else number * FRAME
        header = HEADER.pack(0x80, EVENTS if event else PCMU, number & 0xFFFF, timestamp, 0x1234)
        self._sockets[0].sendto(header + payload, remote)


def _bound(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("127.0.0.1", port))
    return opened


def encode_mulaw(sound: Samples) -> bytes:
    """G.711 mu-law, by its definition with segments."""
    clipped = np.clip(np.round(sound), -32635, 32635).astype(np.int64)
    size = np.abs(clipped) + 132
    segment = np.floor(np.log2(size)).astype(np.int64) - 7
    code = (segment << 4) | ((size >> (segment + 3)) & 15) | np.where(clipped < 0, 128, 0)
    return bytes((~code & 255).astype(np.uint8))


def decode_mulaw(coded: bytes) -> Samples:
    """The inverse of `encode_mulaw`."""
    code = ~np.frombuffer(coded, np.uint8).astype(np.int64) & 255
    size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return np.where(code & 128, -size, size).astype(float)
