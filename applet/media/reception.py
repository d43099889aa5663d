"""How well a source is received: RFC 3550 appendix A.3 (loss) and A.8 (jitter)."""

from __future__ import annotations

from applet.media.rtcp import ReportBlock, compact_ntp
from applet.media.rtp import SequenceTracker

_MODULUS = 1 << 32
_HALF = 1 << 31
_RESTART_SECONDS = 10
"""Timestamps that jump further against the clock were set anew; that is no jitter."""


class ReceptionStatistics:
    """Counts one source, from its first packet on, and makes the report blocks about it.

    Who the source is was judged before (by address and payload type), so it is on no probation.
    """

    __slots__ = (
        "_clock_rate",
        "_jitter_16",
        "_last_sr",
        "_last_sr_at",
        "_prior_expected",
        "_prior_received",
        "_restarts",
        "_timestamp",
        "_transit",
        "sequence",
        "ssrc",
    )

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        """`clock_rate`: of the RTP timestamps, in Hz."""
        self.ssrc = ssrc
        self.sequence = SequenceTracker(min_sequential=1)
        self._clock_rate = clock_rate
        self._jitter_16 = 0
        self._timestamp = -1
        self._transit = 0
        self._prior_expected = 0
        self._prior_received = 0
        self._restarts = 0
        self._last_sr = 0
        self._last_sr_at = 0.0

    def packet(self, sequence: int, timestamp: int, now: float) -> int | None:
        """Count a packet; its extended sequence number, or None for one not to be believed."""
        extended = self.sequence.update(sequence)
        if self.sequence.restarts != self._restarts:
            self._restarts = self.sequence.restarts
            self._prior_expected = self._prior_received = 0
        # Packets of one event share a timestamp: their distance is no jitter (RFC 4733).
        if extended is not None and timestamp != self._timestamp:
            self._measure_jitter(timestamp, now)
        return extended

    def _measure_jitter(self, timestamp: int, now: float) -> None:
        transit = (round(now * self._clock_rate) - timestamp) % _MODULUS
        if self._timestamp >= 0:
            difference = (transit - self._transit) % _MODULUS
            if difference >= _HALF:
                difference = _MODULUS - difference
            if difference <= _RESTART_SECONDS * self._clock_rate:
                self._jitter_16 += difference - ((self._jitter_16 + 8) >> 4)
        self._timestamp = timestamp
        self._transit = transit

    @property
    def jitter(self) -> int:
        """Mean deviation of the packets' spacing, in timestamp units."""
        return self._jitter_16 >> 4

    @property
    def jitter_ms(self) -> float:
        return self.jitter * 1000 / self._clock_rate

    @property
    def received(self) -> int:
        return self.sequence.received

    @property
    def lost(self) -> int:
        """Expected less received; negative when duplicates outnumber the losses."""
        return self.sequence.expected - self.sequence.received

    def sender_report(self, ntp: int, now: float) -> None:
        """The source sent a report stamped `ntp`; the next block echoes it."""
        self._last_sr = compact_ntp(ntp)
        self._last_sr_at = now

    def report_block(self, now: float) -> ReportBlock:
        """The block of one report; `fraction_lost` covers the time since the call before."""
        expected = self.sequence.expected - self._prior_expected
        lost = expected - (self.sequence.received - self._prior_received)
        self._prior_expected = self.sequence.expected
        self._prior_received = self.sequence.received
        delay = round((now - self._last_sr_at) * 65_536) if self._last_sr else 0
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=min((lost << 8) // expected, 255) if lost > 0 and expected > 0 else 0,
            cumulative_lost=max(-0x800000, min(self.lost, 0x7FFFFF)),
            highest_sequence=self.sequence.highest % _MODULUS,
            jitter=self.jitter,
            last_sr=self._last_sr,
            delay_since_last_sr=min(delay, _MODULUS - 1),
        )
