"""Between decibels and what samples are multiplied with or measure."""

from __future__ import annotations

import math

SILENT = -90.0
_FULL_SCALE = 32768


def factor(decibels: float) -> float:
    """The gain for 16-bit samples, from -40 to +12 dB."""
    return float(10.0 ** (min(12.0, max(-40.0, decibels)) / 20))


def decibels(rms: int) -> float:
    """The level of an RMS of 16-bit samples in dBFS; -90 for silence."""
    return max(SILENT, 20 * math.log10(rms / _FULL_SCALE)) if rms else SILENT
