"""Which delay the jitter buffer should have: what was measured, and what the E-model says of it.

The *transit* of a packet is its arrival minus its timestamp; the *schedule* is the moment a packet
is played minus its timestamp. A packet is late if its transit is longer than the schedule. So the
distribution of the transits of the last seconds says how many packets a schedule would miss, and
the fastest of them how much delay it adds. Which schedule is best is asked of ITU-T G.107, with
the values for G.711 with concealment: delay impairs the call a little, a packet that is late
impairs it much. So steady jitter gets just the delay it needs, and a stray packet does not raise
it; a clock that drifts is followed, because only seconds are remembered.

All lengths are in units of the RTP clock.
"""

from __future__ import annotations

_BINS_PER_S = 400
"""Transits are counted in bins of 2.5 ms."""
_GENERATION_S = 4.0
"""The present generation and the one before it are remembered."""

_DELAY_IMPAIRMENT_PER_S = 24.0
"""Id of G.107: 0.024 of R for each millisecond ..."""
_LONG_DELAY_S = 0.12
_LONG_DELAY_IMPAIRMENT_PER_S = 110.0
"""... and 0.11 more beyond 177.3 ms from mouth to ear, less what path and sound cards take."""
_ALL_LOST_IMPAIRMENT = 95.0
_ROBUSTNESS = 25.1
"""Ie,eff of G.107: 95 * p / (p + Bpl), p in percent."""


class PlayoutDelay:
    """Learns from every packet, and tells by how much the schedule should change."""

    MAX_DELAY_S = 0.4

    __slots__ = ("_bin", "_generation_end", "_now", "_older", "_rate", "_step", "base")

    def __init__(self, clock_rate: int) -> None:
        """`clock_rate`: of the RTP timestamps, in Hz."""
        self._rate = clock_rate
        self._step = clock_rate // 50
        self._bin = clock_rate // _BINS_PER_S
        self._now: dict[int, int] = {}  # bin of transits: packets
        self._older: dict[int, int] = {}
        self._generation_end = 0.0
        self.base = 0
        """The shortest transit remembered."""

    def rebase(self, transit: int) -> None:
        """Transits are from `transit` on now: another source, or its clock was set anew. What is
        known of their distribution stays."""
        shift = transit // self._bin - self.base // self._bin
        self._now = {place + shift: count for place, count in self._now.items()}
        self._older = {place + shift: count for place, count in self._older.items()}
        self.base = transit

    def measure(self, transit: int, now: float) -> None:
        """A packet arrived."""
        if now >= self._generation_end:
            self._older, self._now = self._now, {}
            self._generation_end = now + _GENERATION_S
            self.base = min(min(self._older) * self._bin if self._older else transit, transit)
        elif transit < self.base:
            self.base = transit
        place = transit // self._bin
        self._now[place] = self._now.get(place, 0) + 1

    def change(self, schedule: int, *, grow_only: bool = False, gain: float = 0.0) -> int:
        """By how many whole steps of 20 ms, in clock units, this schedule should change; 0 if
        the gain in R would not exceed `gain`."""
        delay = schedule - self.base
        least = 0 if grow_only else -(max(delay, 0) // self._step * self._step)
        longest = int(self.MAX_DELAY_S * self._rate)
        best = 0
        best_cost = self._impairment(schedule) - gain
        for change in range(least, longest - delay + 1, self._step):
            cost = self._impairment(schedule + change)
            if cost < best_cost:
                best, best_cost = change, cost
        return best

    def _impairment(self, schedule: int) -> float:
        """What G.107 takes off R for the delay and for the packets missed. Packets in the bin of
        the schedule itself are counted as missed: that is the margin."""
        seconds = (schedule - self.base) / self._rate
        delay = _DELAY_IMPAIRMENT_PER_S * seconds
        if seconds > _LONG_DELAY_S:
            delay += _LONG_DELAY_IMPAIRMENT_PER_S * (seconds - _LONG_DELAY_S)
        place = schedule // self._bin
        missed = total = 0
        for generation in (self._now, self._older):
            for needed, count in generation.items():
                total += count
                if needed >= place:
                    missed += count
        percent = 100 * missed / total if total else 0.0
        return delay + _ALL_LOST_IMPAIRMENT * percent / (percent + _ROBUSTNESS)
