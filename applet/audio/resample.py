"""Sample rate conversion for speech, in pieces of any length and without seams.

`audioop.ratecv` has no filter: alone it lets 6 kHz alias at full level, and leaves images 33 dB
down. Here it only does the last fractional step, on a signal that is so far oversampled that its
straight lines between samples are 54 dB true. The filtering is done by polyphase FIR filters
(windowed sinc, Kaiser) whose inner loop is `audioop.mul` and `audioop.add` over whole blocks.

The pass band ends at 0.425 of the lower rate (3.4 kHz of 8 kHz), the stop band begins at 0.575
(4.6 kHz) with 60 dB.
"""

from __future__ import annotations

import audioop
from array import array
from functools import cache
from math import ceil, pi, sin, sqrt

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

STOP_DB = 60.0
OVERSAMPLED = 12
"""So many times the lower rate before the straight lines come."""
HEADROOM = 4
"""Partial sums of a filter are larger than its output: samples are kept at a quarter."""


class Resampler:
    """From `rate_in` to `rate_out` Hz (4,000 to 192,000), 16-bit mono. One stream per object."""

    __slots__ = ("_ratecv_state", "_rates", "_stages")

    def __init__(self, rate_in: int, rate_out: int) -> None:
        self._stages, oversampled = _plan(rate_in, rate_out)
        self._rates = (oversampled, rate_out)
        self._ratecv_state: tuple[int, tuple[tuple[int, int], ...]] | None = None

    def process(self, pcm: bytes) -> bytes:
        """All output that the input so far determines; the filters' delay is 2 to 3 ms."""
        if not self._stages:
            return pcm
        wide = audioop.mul(audioop.lin2lin(pcm, 2, 4), 4, 1 / HEADROOM)
        for stage in self._stages:
            wide = stage.process(wide)
        rate, wanted = self._rates
        if rate != wanted:
            wide, self._ratecv_state = audioop.ratecv(wide, 4, 1, rate, wanted, self._ratecv_state)
        rounded = audioop.bias(wide, 4, 0x8000 // HEADROOM)
        return bytes(audioop.lin2lin(audioop.mul(rounded, 4, HEADROOM), 4, 2))


class _Decimator:
    """Low-pass filter, of whose output one sample in `factor` is computed."""

    __slots__ = ("_factor", "_held", "_taps")

    def __init__(self, factor: int, taps: tuple[float, ...]) -> None:
        self._factor = factor
        self._taps = taps
        self._held = bytes(4 * (len(taps) - 1))

    def process(self, wide: bytes) -> bytes:
        held = self._held + wide
        factor = self._factor
        count = (len(held) // 4 - len(self._taps)) // factor + 1
        if count <= 0:
            self._held = held
            return b""
        self._held = held[4 * count * factor :]
        samples = array("i", held)
        phases = [samples[phase::factor].tobytes() for phase in range(factor)]
        return _convolve(
            (
                (phases[tap % factor], tap // factor, weight)
                for tap, weight in enumerate(self._taps)
            ),
            count,
        )


class _Interpolator:
    """`factor` samples for one, through a low-pass filter."""

    __slots__ = ("_factor", "_held", "_taps")

    def __init__(self, factor: int, taps: tuple[float, ...]) -> None:
        length = ceil(len(taps) / factor)
        padded = [weight * factor for weight in taps] + [0.0] * (length * factor - len(taps))
        self._factor = factor
        # One short filter per phase, its weights in the order of the samples they meet.
        self._taps = [padded[phase::factor][::-1] for phase in range(factor)]
        self._held = bytes(4 * (length - 1))

    def process(self, wide: bytes) -> bytes:
        held = self._held + wide
        factor = self._factor
        count = len(held) // 4 - len(self._taps[0]) + 1
        if count <= 0:
            self._held = held
            return b""
        self._held = held[4 * count :]
        out = array("i", bytes(4 * count * factor))
        for phase, taps in enumerate(self._taps):
            terms = ((held, tap, weight) for tap, weight in enumerate(taps))
            out[phase::factor] = array("i", _convolve(terms, count))
        return out.tobytes()


def _convolve(terms: Iterable[tuple[bytes, int, float]], count: int) -> bytes:
    """The sum over all terms of `count` samples from `offset` on, times the weight."""
    mul, add = audioop.mul, audioop.add
    total = bytes(4 * count)
    for samples, offset, weight in terms:
        piece = samples[4 * offset : 4 * (offset + count)]
        total = add(total, mul(piece, 4, weight), 4)
    return total


_Stage = _Decimator | _Interpolator


def _plan(rate_in: int, rate_out: int) -> tuple[list[_Stage], int]:
    """The filters, and the rate at which they leave the signal to `ratecv`."""
    low = min(rate_in, rate_out)
    passed, stopped = 0.425 * low, 0.575 * low
    if rate_in == rate_out:
        return [], rate_out
    if rate_in % rate_out == 0:
        return [_Decimator(rate_in // rate_out, _low_pass(rate_in, passed, stopped))], rate_out
    if rate_out % rate_in == 0:
        return [_Interpolator(rate_out // rate_in, _low_pass(rate_out, passed, stopped))], rate_out
    stages: list[_Stage] = []
    rate: int = rate_in
    rough = int(rate / (1.35 * low))
    if rough > 1 and rate % rough == 0:
        # A short filter brings the rate down to what the sharp one can carry cheaply.
        stages.append(_Decimator(rough, _low_pass(rate, passed, rate / rough - stopped)))
        rate //= rough
    factor = ceil(OVERSAMPLED * low / rate)
    stages.append(_Interpolator(factor, _low_pass(rate * factor, passed, stopped)))
    return stages, rate * factor


@cache
def _low_pass(rate: float, passed: float, stopped: float) -> tuple[float, ...]:
    """Kaiser's design: weights that sum to one, for edges in Hz."""
    beta = 0.1102 * (STOP_DB - 8.7)
    half = ceil((STOP_DB - 8) / (2.285 * 2 * pi * (stopped - passed) / rate) / 2)
    cutoff = (passed + stopped) / rate
    weights = [
        _sinc(cutoff * n) * _bessel(beta * sqrt(1 - (n / (half + 1)) ** 2))
        for n in range(-half, half + 1)
    ]
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def _sinc(x: float) -> float:
    return sin(pi * x) / (pi * x) if x else 1.0


def _bessel(x: float) -> float:
    """The modified Bessel function of order zero."""
    total = term = 1.0
    for k in range(1, 30):
        term *= (x / (2 * k)) ** 2
        total += term
    return total
