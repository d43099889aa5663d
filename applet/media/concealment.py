"""What is played in place of a packet that is not there: the voice, continued and faded.

The short-term spectrum of the last sound is taken as a linear predictor, and what the predictor
leaves over (the excitation of the voice) is repeated pitch period by pitch period through it: the
idea of G.711 appendix I, with the synthesis done behind a filter so that periods join smoothly.
When the sound returns it is cross-faded in. Costs nothing while packets come.
"""

from __future__ import annotations

import audioop
from array import array
from math import cos, pi

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ORDER = 8
_ANALYSIS_MS = 15
_MATCH_MS = 8
"""So much of the last sound must fit where a period is looked for."""
_SHORTEST_PERIOD_MS = 5
_LONGEST_PERIOD_MS = 15
_FADE_MS = 120
"""From full to nothing: beyond, a repeated period sounds like a machine."""
_TREND_MS = 20
"""A voice that was fading goes on fading for so long."""
_RETURN_MS = 4
_LONGEST_RETURN_MS = 10
_MAX = 32767


class Concealer:
    """Makes up the sound of a gap, 16-bit mono; one per stream."""

    HISTORY_MS = 40
    """So much of the sound before the gap is looked at."""

    __slots__ = (
        "_excitation",
        "_fade",
        "_made",
        "_match",
        "_periods",
        "_predictor",
        "_return",
        "_state",
        "_trend",
        "_trend_length",
        "_window",
    )

    def __init__(self, sample_rate: int) -> None:
        """`sample_rate` in Hz."""
        per_ms = sample_rate // 1000
        self._match = _MATCH_MS * per_ms
        self._periods = range(_SHORTEST_PERIOD_MS * per_ms, _LONGEST_PERIOD_MS * per_ms + 1)
        self._fade = _FADE_MS * per_ms
        self._return = _RETURN_MS * per_ms
        self._trend_length = _TREND_MS * per_ms
        self._window = _hamming(_ANALYSIS_MS * per_ms)
        self._made = 0
        self._trend = 1.0
        self._excitation: Sequence[float] = ()
        self._predictor: Sequence[float] = ()
        self._state: list[float] = []

    @property
    def active(self) -> bool:
        """A gap is being concealed."""
        return self._made > 0

    def conceal(self, history: bytes, samples: int) -> bytes:
        """The next `samples` of the gap; `history` is what was played before, `HISTORY_MS` or
        more, and only looked at when the gap begins."""
        if self._made >= self._fade:
            return bytes(2 * samples)
        if not self._made:
            self._analyse(history)
        return _pcm(self._next(samples)).tobytes()

    def resume(self, pcm: bytes) -> bytes:
        """The gap is over, and `pcm` follows: the same, with its beginning cross-faded."""
        if self._made >= self._fade:
            self._made = 0
            return pcm
        frames = self._made // self._trend_length
        longest = self._return * _LONGEST_RETURN_MS // _RETURN_MS
        count = min(self._return * max(frames, 1), longest, len(pcm) // 2)
        fading = self._next(count)
        self._made = 0
        samples = array("h", pcm[: 2 * count])
        mixed = [
            old + (new - old) * i / count
            for i, (old, new) in enumerate(zip(fading, samples, strict=True))
        ]
        return _pcm(mixed).tobytes() + pcm[2 * count :]

    def stop(self) -> None:
        """The gap is over, and no sound follows."""
        self._made = 0

    def _analyse(self, history: bytes) -> None:
        needed = 2 * (self._match + 2 * self._periods[-1])
        history = history[-needed:]
        history = bytes(needed - len(history)) + history
        period = self._find_period(history)
        sound = array("h", history)
        length = len(self._window)
        self._predictor = _predictor(
            [a * b for a, b in zip(sound[-length:], self._window, strict=True)]
        )
        self._excitation = _residual(sound[-period - _ORDER :], self._predictor)
        self._state = [float(sample) for sample in sound[-1 : -_ORDER - 1 : -1]]
        last = audioop.rms(history[-2 * period :], 2)
        before = audioop.rms(history[-4 * period : -2 * period], 2)
        ratio = min(1.0, max(0.5, (last + 1) / (before + 1)))
        self._trend = ratio ** (1 / period)

    def _find_period(self, history: bytes) -> int:
        """The lag at which the last sound is most like what came before."""
        match = 2 * self._match
        last = history[-match:]
        end = len(history) - match

        def likeness(lag: int) -> float:
            earlier = history[end - 2 * lag : end - 2 * lag + match]
            level = audioop.rms(earlier, 2)
            return audioop.findfactor(last, earlier) * level if level else 0.0

        return max(self._periods, key=likeness)

    def _next(self, samples: int) -> list[float]:
        """Excitation, repeated, through the predictor; then the fade."""
        excitation = self._excitation
        a1, a2, a3, a4, a5, a6, a7, a8 = self._predictor
        y1, y2, y3, y4, y5, y6, y7, y8 = self._state
        start = self._made
        period = len(excitation)
        turns = [excitation[i % period] for i in range(start, start + samples)]
        sound: list[float] = []
        for excited in turns:
            y = (
                excited
                + a1 * y1
                + a2 * y2
                + a3 * y3
                + a4 * y4
                + a5 * y5
                + a6 * y6
                + a7 * y7
                + a8 * y8
            )
            y8, y7, y6, y5, y4, y3, y2, y1 = y7, y6, y5, y4, y3, y2, y1, y
            sound.append(y)
        self._state = [y1, y2, y3, y4, y5, y6, y7, y8]
        self._made = start + samples
        return self._faded(sound, start)

    def _faded(self, sound: list[float], start: int) -> list[float]:
        step = 1 / self._fade
        fade = 1 - start * step
        trend = self._trend ** min(start, self._trend_length)
        fall = self._trend if start < self._trend_length else 1.0
        faded = []
        for sample in sound:
            faded.append(sample * fade * trend)
            fade -= step
            trend *= fall
        return faded


def _hamming(length: int) -> tuple[float, ...]:
    return tuple(0.54 - 0.46 * cos(2 * pi * i / (length - 1)) for i in range(length))


def _predictor(sound: list[float]) -> list[float]:
    """The coefficients that predict a sample from those before it, the latest first
    (autocorrelation method, Levinson-Durbin recursion: always a stable filter)."""
    correlation = [
        sum(a * b for a, b in zip(sound, sound[lag:], strict=False)) for lag in range(_ORDER + 1)
    ]
    error = correlation[0] * 1.0001 + 1  # a little noise keeps silence and pure tones harmless
    predictor: list[float] = []
    for order in range(1, _ORDER + 1):
        past = correlation[order - 1 : 0 : -1]
        rest = correlation[order] - sum(a * r for a, r in zip(predictor, past, strict=True))
        reflection = rest / error
        predictor = [a - reflection * b for a, b in zip(predictor, predictor[::-1], strict=True)]
        predictor.append(reflection)
        error *= 1 - reflection * reflection
    return predictor


def _residual(sound: Sequence[int], predictor: Sequence[float]) -> list[float]:
    """What the predictor does not explain of `sound`; the first samples only serve as its past."""
    a1, a2, a3, a4, a5, a6, a7, a8 = predictor
    past = [sound[_ORDER - lag : len(sound) - lag] for lag in range(_ORDER + 1)]
    return [
        x - a1 * x1 - a2 * x2 - a3 * x3 - a4 * x4 - a5 * x5 - a6 * x6 - a7 * x7 - a8 * x8
        for x, x1, x2, x3, x4, x5, x6, x7, x8 in zip(*past, strict=True)
    ]


def _pcm(sound: list[float]) -> array[int]:
    return array("h", [max(-_MAX, min(_MAX, int(sample))) for sample in sound])
