"""The system's own randomness, as the protocols want it."""

from __future__ import annotations

import os


class SystemRandom:
    """What `applet.randomness` asks for, as `random.SystemRandom` gives it: importing `random` with
    all its distributions would take a fiftieth of the start."""

    def getrandbits(self, k: int, /) -> int:
        return int.from_bytes(os.urandom((k + 7) // 8)) >> (-k % 8)

    def random(self) -> float:
        """From 0 up to 1, with the 53 bits that a float holds."""
        return self.getrandbits(53) / (1 << 53)
