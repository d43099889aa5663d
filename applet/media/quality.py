"""How good the call sounds, on the scale of the E-model: ITU-T G.107 (and its annex B), with the
values of G.113 appendix I for G.711 with packet loss concealment."""

from __future__ import annotations

import math

_UNIMPAIRED = 93.2
"""R of a call with all of G.107's default values."""
_ALL_LOST = 95.0
_EQUIPMENT = 0.0
"""Ie of G.711."""
_ROBUSTNESS = 25.1
"""Bpl of G.711 with concealment: the higher, the less a loss is heard."""


def r_factor(
    loss: float,
    burst_ratio: float = 1.0,
    delay_ms: float = 0.0,
    equipment: float = _EQUIPMENT,
    robustness: float = _ROBUSTNESS,
) -> float:
    """The rating R, 0 (useless) to 93.2.

    `loss`: fraction 0-1 of the sound that was not there when its turn came; `burst_ratio`: 1 for
    random losses, more if they come together; `delay_ms`: mouth to ear, one way. `equipment` and
    `robustness` are the codec's Ie and Bpl of G.113.
    """
    percent = 100 * loss
    impairment = equipment + (_ALL_LOST - equipment) * percent / (
        percent / burst_ratio + robustness
    )
    return max(0.0, _UNIMPAIRED - _delay_impairment(delay_ms) - impairment)


def _delay_impairment(delay_ms: float) -> float:
    """Idd of G.107 section 7.4: nothing up to 100 ms. Echo is not judged here."""
    if delay_ms <= 100:
        return 0.0
    x = math.log2(delay_ms / 100)
    return 25 * (math.pow(1 + x**6, 1 / 6) - 3 * math.pow(1 + (x / 3) ** 6, 1 / 6) + 2)


def mean_opinion(r: float) -> float:
    """The mean opinion score, 1 (bad) to 4.5, that people give to a call rated `r` (annex B)."""
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


class QualityStatistics:
    """Counts the frames that were due: packets lost and packets that came too late sound alike."""

    __slots__ = ("_bursts", "_missing", "due", "missed")

    def __init__(self) -> None:
        self.due = 0
        self.missed = 0
        self._bursts = 0
        self._missing = False

    def frame(self, *, heard: bool) -> None:
        """One frame's turn came; `heard`: it was there and was played."""
        self.due += 1
        if not heard:
            self.missed += 1
            if not self._missing:
                self._bursts += 1
        self._missing = not heard

    @property
    def loss(self) -> float:
        """The fraction 0-1 of the frames that was not heard."""
        return self.missed / self.due if self.due else 0.0

    @property
    def burst_ratio(self) -> float:
        """How much longer the gaps are than random losses of that number would make them."""
        if not self._bursts:
            return 1.0
        return max(1.0, self.missed / self._bursts * (1 - self.loss))

    def mean_opinion(self, delay_ms: float) -> float:
        """1 to 4.5, with `delay_ms` from mouth to ear."""
        return mean_opinion(r_factor(self.loss, self.burst_ratio, delay_ms))
