"""Which delay the jitter buffer should have: what was measured, and what the E-model says of it.

* The *transit* of a packet is its arrival minus its timestamp. The *base* is the smallest transit
  of the last seconds, so it follows a clock that drifts. A histogram with forgetting keeps what
  the packets needed beyond the base.
* The *slack* of a packet is how much slower it could have been and yet in time: the moment it is
  taken minus its timestamp minus the base.
* Which slack is best is asked of ITU-T G.107, with the values for G.711 with concealment: delay
  impairs the call a little, every packet that comes too late impairs it much. So steady jitter
  gets just the delay it needs, and one stray packet does not raise it.

All lengths are in units of the RTP clock.
"""

_BINS_PER_S = 400
_BINS = 200
"""2.5 ms each; the last one stands for half a second and more."""
_FORGETTING = 1.002
"""Each packet weighs this much more than the one before: a memory of some 500 packets."""
_RESCALE_AT = 1e9
_BASE_WINDOW_S = 2.0

_DELAY_IMPAIRMENT_PER_S = 24.0
"""Id of G.107: 0.024 of R for each millisecond ..."""
_LONG_DELAY_S = 0.12
_LONG_DELAY_IMPAIRMENT_PER_S = 110.0
"""... and 0.11 more beyond 177.3 ms from mouth to ear, less what path and sound cards take."""
_ALL_LOST_IMPAIRMENT = 95.0
_ROBUSTNESS = 25.1
"""Ie,eff of G.107: 95 * p / (p + Bpl), p in percent."""


class PlayoutDelay:
    """Learns from every packet, and tells by how much the slack should change."""

    MAX_SLACK_S = 0.4

    __slots__ = (
        "_base_now",
        "_base_older",
        "_base_until",
        "_bin",
        "_histogram",
        "_rate",
        "_step",
        "_total",
        "_weight",
        "base",
    )

    def __init__(self, clock_rate: int) -> None:
        """`clock_rate`: of the RTP timestamps, in Hz."""
        self._rate = clock_rate
        self._step = clock_rate // 50
        self._bin = clock_rate // _BINS_PER_S
        self._histogram = [0.0] * _BINS
        self._total = 0.0
        self._weight = 1.0
        self.rebase(0, 0.0)

    def rebase(self, transit: int, now: float) -> None:
        """Forget the base: another source, or its clock was set anew. The distribution stays."""
        self.base = self._base_now = self._base_older = transit
        self._base_until = now + _BASE_WINDOW_S

    def measure(self, transit: int, now: float) -> None:
        """A packet arrived."""
        if now >= self._base_until:
            self._base_older = self._base_now
            self._base_now = transit
            self._base_until = now + _BASE_WINDOW_S
            self.base = min(self._base_older, transit)
        elif transit < self._base_now:
            self._base_now = transit
            self.base = min(self._base_older, transit)
        needed = min((transit - self.base) // self._bin, _BINS - 1)
        weight = self._weight
        self._histogram[needed] += weight
        self._total += weight
        self._weight = weight * _FORGETTING
        if weight > _RESCALE_AT:
            self._histogram = [share / weight for share in self._histogram]
            self._total /= weight
            self._weight = 1.0

    def change(self, slack: int, *, least: int = 0, gain: float = 0.0) -> int:
        """By how many whole steps of 20 ms, in clock units, the slack should change; 0 if the
        gain in R would not exceed `gain`. `least` (0 or below) limits how far down."""
        longest = int(self.MAX_SLACK_S * self._rate)
        best = 0
        best_cost = self._impairment(slack) - gain
        for change in range(least - least % self._step, longest - slack + 1, self._step):
            cost = self._impairment(slack + change)
            if cost < best_cost:
                best, best_cost = change, cost
        return best

    def _impairment(self, slack: int) -> float:
        """What G.107 takes off R for this delay and for the packets that it would miss. Packets
        of the same bin are counted as missed: that is the margin."""
        seconds = slack / self._rate
        delay = _DELAY_IMPAIRMENT_PER_S * seconds
        if seconds > _LONG_DELAY_S:
            delay += _LONG_DELAY_IMPAIRMENT_PER_S * (seconds - _LONG_DELAY_S)
        missed = sum(self._histogram[max(slack, 0) // self._bin :])
        percent = 100 * missed / self._total if self._total else 0.0
        return delay + _ALL_LOST_IMPAIRMENT * percent / (percent + _ROBUSTNESS)
