"""Whose RTP we believe: the address of the SDP, and one latched source (symmetric RTP, RFC 4961).

A peer behind a NAT sends from another address than its SDP names. Its stream is latched onto when
five packets in a row came from one place, with rising sequence numbers and one SSRC, and nobody
we believe already has been heard for two seconds (or since the answer). After that only the same
SSRC may move. Never is anybody replaced who is alive, so that a stranger cannot take a call over.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address

ALIVE_SECONDS = 2.0
PACKETS_IN_A_ROW = 5
_SEQUENCES = 1 << 16
_LONGEST_STEP = 100


class _Candidate(NamedTuple):
    """Somebody who may become our peer: how many packets in a row came, up to `sequence`."""

    address: Address
    ssrc: int
    sequence: int
    in_a_row: int


class RtpSource:
    """`peer` is where we send: the latched source, else the address of the SDP (None: nowhere)."""

    __slots__ = ("_agreed", "_candidate", "_heard_at", "_latched", "_ssrc")

    def __init__(self) -> None:
        self._agreed: Address | None = None
        self._latched: Address | None = None
        self._candidate: _Candidate | None = None
        self._heard_at: float | None = None
        self._ssrc: int | None = None

    def agree(self, address: Address | None) -> None:
        """The SDP names this address, for the first time or again. A new one begins anew, with
        any SSRC; None (on hold by 0.0.0.0) keeps whom we know."""
        if address is None or address == self._agreed:
            return
        self._agreed = address
        self._latched = self._candidate = self._heard_at = self._ssrc = None

    @property
    def peer(self) -> Address | None:
        return self._latched or self._agreed

    @property
    def latched(self) -> bool:
        return self._latched is not None

    def admits(self, address: Address, ssrc: int, sequence: int, now: float) -> bool:
        """Judge a packet with an agreed payload type. True: it is our peer's. The fifth packet
        in a row of a candidate latches, and is the first to be admitted."""
        if address not in (self._latched, self._agreed):
            if not self._proven(address, ssrc, sequence) or not self._may_move(ssrc, now):
                return False
            self._latched = address
            self._candidate = None
        self._heard_at = now
        self._ssrc = ssrc
        return True

    def _may_move(self, ssrc: int, now: float) -> bool:
        if self._heard_at is None:
            return True
        return now - self._heard_at >= ALIVE_SECONDS and ssrc == self._ssrc

    def _proven(self, address: Address, ssrc: int, sequence: int) -> bool:
        before = self._candidate
        count = 1
        if before is not None and before[:2] == (address, ssrc):
            step = (sequence - before.sequence) % _SEQUENCES
            count = before.in_a_row + 1 if 0 < step <= _LONGEST_STEP else 1
        self._candidate = _Candidate(address, ssrc, sequence, count)
        return count >= PACKETS_IN_A_ROW
