"""Was it heard? A recording is compared with the speech that was sent.

The recording starts at an unknown point of the (looped) speech, and a jitter buffer may move it
by some milliseconds in mid-call, so it is aligned as a whole and then second by second.
"""

from typing import NamedTuple

import numpy as np

from tests.support.speech import RATE, Samples, level_dbfs

FRAME = RATE // 50
WINDOW = RATE // 2
# How far the playout may wander from one window to the next: 60 ms.
WANDER = 3 * FRAME
# A frame of the speech counts if it is loud enough to be missed.
AUDIBLE_DBFS = -42.0


class Heard(NamedTuple):
    """How much of the speech the recording holds. `delay_s`: where in the looped speech the
    recording starts; `level_db`: the recording's level less the speech's."""

    correlation: float
    level_db: float
    frames_present: float
    delay_s: float
    seconds: float

    def check(self, correlation: float = 0.95, level_db: float = 1.0, frames: float = 0.98) -> None:
        """Fail unless the speech was heard well; the defaults are those for file devices."""
        assert self.seconds >= 2, f"too short to judge: {self}"
        assert self.correlation >= correlation, self
        assert abs(self.level_db) <= level_db, self
        assert self.frames_present >= frames, self


def compare(speech: Samples, recording: Samples) -> Heard:
    """Compare `recording` with `speech`, which was sent in a loop; both 8 kHz."""
    recording = _without_silent_ends(recording)
    if len(recording) < 2 * WINDOW:
        return Heard(0, -120, 0, 0, len(recording) / RATE)
    looped = np.tile(speech, 2 + len(recording) // len(speech))
    lag = _best_lag(recording[: 6 * RATE], looped) % len(speech)
    sent = looped[lag : lag + len(recording) // WINDOW * WINDOW]
    shifts = _shifts(sent, recording)
    got = np.concatenate(
        [_found(sent, recording, start, shifts) for start in range(0, len(sent), FRAME)]
    )
    return Heard(
        correlation=_correlation(sent, got),
        level_db=level_dbfs(got) - level_dbfs(sent),
        frames_present=_frames_present(sent, got),
        delay_s=lag / RATE,
        seconds=len(sent) / RATE,
    )


def cross_talk(other: Samples, recording: Samples) -> float:
    """How much the recording resembles speech it must not hold: 0 (nothing) to 1 (the same)."""
    longer, shorter = sorted((np.asarray(other), np.asarray(recording)), key=len, reverse=True)
    if level_dbfs(shorter) < -90:
        return 0.0
    looped = np.tile(longer, 2)
    energy = np.sqrt(np.sum(shorter**2) * np.sum(longer**2))
    return float(np.max(np.abs(_correlations(shorter, looped))) / energy)


def check_both(sent: Samples, heard: Samples, other: Samples, **limits: float) -> None:
    """`heard` holds what was `sent` and nothing of the `other` direction."""
    compare(sent, heard).check(**limits)
    assert cross_talk(other, heard) < 0.15, "one direction holds the other's signal"


def frame_levels(sound: Samples) -> Samples:
    """The level of each 20 ms in dBFS."""
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    levels: Samples = 10 * np.log10(np.maximum(np.mean(frames**2, 1) / 32768**2, 1e-12))
    return levels


def _without_silent_ends(sound: Samples) -> Samples:
    loud = np.flatnonzero(frame_levels(sound) > AUDIBLE_DBFS)
    return sound[loud[0] * FRAME : (loud[-1] + 1) * FRAME] if len(loud) else sound[:0]


def _correlations(short: Samples, long: Samples) -> Samples:
    """The inner products of `short` with `long` at every place of `long` (by FFT)."""
    size = 1 << (len(short) + len(long)).bit_length()
    product = np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size))
    result: Samples = np.fft.irfft(product, size)[: len(long) - len(short) + 1]
    return result


def _best_lag(short: Samples, long: Samples) -> int:
    return int(np.argmax(_correlations(short, long)))


def _shifts(sent: Samples, recording: Samples) -> list[int]:
    """For each window of `sent`: how far the recording lies behind it, in samples."""
    shifts = [0]
    for start in range(0, len(sent), WINDOW):
        piece = sent[start : start + WINDOW]
        place = _at(recording, start + shifts[-1] - WANDER, WINDOW + 2 * WANDER)
        audible = level_dbfs(piece) > AUDIBLE_DBFS
        shifts.append(shifts[-1] + (_best_lag(piece, place) - WANDER if audible else 0))
    return shifts[1:]


def _at(sound: Samples, start: int, count: int) -> Samples:
    """`count` samples from `start` on, with silence where there are none."""
    piece = np.zeros(count)
    inside = sound[max(start, 0) : max(start + count, 0)]
    first = max(-start, 0)
    piece[first : first + len(inside)] = inside
    return piece


def _correlation(first: Samples, second: Samples) -> float:
    energy = np.sqrt(np.sum(first**2) * np.sum(second**2))
    return float(np.sum(first * second) / energy) if energy else 0.0


def _found(sent: Samples, recording: Samples, start: int, shifts: list[int]) -> Samples:
    """The recording's version of the frame at `start`. The playout may have moved inside a window,
    so a frame may also lie where the window before or behind it lies."""
    frame = sent[start : start + FRAME]
    window = start // WINDOW
    near = {*shifts[max(window - 1, 0) : window + 2]}
    places = [_at(recording, start + shift, FRAME) for shift in near]
    return max(places, key=lambda place: _correlation(frame, place))


def _frames_present(sent: Samples, got: Samples) -> float:
    """The share of the audible frames of the speech that were found."""
    wanted, found = sent.reshape(-1, FRAME), got.reshape(-1, FRAME)
    audible = frame_levels(sent) > AUDIBLE_DBFS
    near = np.abs(frame_levels(got) - frame_levels(sent)) < 6
    alike = [_correlation(one, other) > 0.5 for one, other in zip(wanted, found, strict=True)]
    return float(np.mean((near & alike)[audible])) if audible.any() else 0.0
