"""A sender, a network and a loudspeaker in virtual time, for the tests of the incoming sound."""

import math
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from applet.media.codec import create
from applet.media.playout import Playout

RATE = 8000
FRAME_BYTES = 320
CODEC = create("PCMU")


def tone(milliseconds: int, frequency: float = 200.0, level: float = 8000.0) -> bytes:
    """A voiced sound of the simplest kind: PCM of a sine and two harmonics."""
    samples = []
    for i in range(RATE * milliseconds // 1000):
        angle = 2 * math.pi * frequency * i / RATE
        wave = math.sin(angle) + 0.5 * math.sin(2 * angle) + 0.25 * math.sin(3 * angle)
        samples.append(int(level * wave / 1.75))
    return array("h", samples).tobytes()


def noise(milliseconds: int, level: int = 3000) -> bytes:
    state = 7
    samples = []
    for _ in range(RATE * milliseconds // 1000):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
        samples.append((state >> 8) % (2 * level) - level)
    return array("h", samples).tobytes()


class Arrival(NamedTuple):
    at: float
    sequence: int
    timestamp: int
    payload: bytes


def stream(pcm: bytes, packet_ms: int = 20, start: float = 100.0) -> list[Arrival]:
    """The packets of a sender on a perfect network, arriving when they are sent."""
    size = 2 * RATE * packet_ms // 1000
    return [
        Arrival(
            start + i * packet_ms / 1000,
            1000 + i,
            40_000 + i * size // 2,
            CODEC.encode(pcm[at : at + size]),
        )
        for i, at in enumerate(range(0, len(pcm) - size + 1, size))
    ]


def playing() -> Playout:
    playout = Playout()
    playout.use({0: create("PCMU"), 8: create("PCMA")}, 13)
    return playout


def ticks(seconds: float, start: float = 100.005, period: float = 0.020) -> Iterator[float]:
    for i in range(round(seconds / period)):
        yield start + i * period


def heard(playout: Playout, arrivals: Iterable[Arrival], clock: Iterable[float]) -> list[bytes]:
    """What the loudspeaker plays at each tick of `clock`."""
    waiting = sorted(arrivals, reverse=True)
    frames = []
    for now in clock:
        while waiting and waiting[-1].at <= now:
            at, sequence, timestamp, payload = waiting.pop()
            playout.buffer.push(sequence, timestamp, 0, payload, at)
        frames.append(playout.frame(now))
    return frames
