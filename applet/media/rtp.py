"""RTP packets and their sequence numbers: RFC 3550 section 5.1 and appendix A.1."""

from __future__ import annotations

from struct import Struct

from applet.value import NamedTuple

_HEADER = Struct("!BBHII")
_HEADER_SIZE = 12
_VERSION_2 = 0x80
_PADDING = 0x20
_EXTENSION = 0x10
_CSRC_COUNT = 0x0F
_MARKER = 0x80


class RtpError(ValueError):
    """A datagram that is no RTP packet; the text says what is wrong with it."""


class RtpPacket(NamedTuple):
    """One RTP packet; contributing sources and a header extension are skipped when parsing.

    `payload_type` 0-127, `sequence` 0-65535, `timestamp` (in units of the payload's clock) and
    `ssrc` 0-4294967295.
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    marker: bool
    payload: bytes

    def encode(self) -> bytes:
        """The packet as sent: no padding, no extension, no contributing sources."""
        return (
            _HEADER.pack(
                _VERSION_2,
                self.payload_type | _MARKER if self.marker else self.payload_type,
                self.sequence,
                self.timestamp,
                self.ssrc,
            )
            + self.payload
        )


def parse_rtp(data: bytes) -> RtpPacket:
    """Raises RtpError; whether the payload type was negotiated is the caller's question."""
    if len(data) < _HEADER_SIZE:
        raise RtpError(f"{len(data)} bytes are shorter than the RTP header")
    flags, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if flags == _VERSION_2:
        payload = data[_HEADER_SIZE:]
    elif flags & 0xC0 == _VERSION_2:
        payload = _payload(data, flags)
    else:
        raise RtpError(f"RTP version {flags >> 6} is not 2")
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, second >= _MARKER, payload)


def _payload(data: bytes, flags: int) -> bytes:
    start = _HEADER_SIZE + 4 * (flags & _CSRC_COUNT)
    if flags & _EXTENSION:
        if len(data) < start + 4:
            raise RtpError("the header extension is cut off")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    end = len(data)
    if start > end:
        raise RtpError("contributing sources or header extension are longer than the packet")
    if flags & _PADDING:
        padding = data[-1]
        if not 1 <= padding <= end - start:
            raise RtpError(f"a padding of {padding} bytes does not fit into the packet")
        end -= padding
    return data[start:end]


class SequenceTracker:
    """Extends the 16-bit sequence numbers of one source over their wraps (appendix A.1).

    A new source is on probation until `min_sequential` packets came in order. A jump by more
    than `MAX_DROPOUT` forward or `MAX_MISORDER` back is believed only when the next packet
    follows it: then the source has restarted, and the counting with it.
    """

    MAX_DROPOUT = 3000
    MAX_MISORDER = 100
    _MODULUS = 1 << 16
    _NO_BAD_SEQUENCE = _MODULUS + 1

    __slots__ = (
        "_bad_sequence",
        "_min_sequential",
        "_probation",
        "base",
        "highest",
        "received",
        "restarts",
    )

    def __init__(self, min_sequential: int = 2) -> None:
        self._min_sequential = min_sequential
        self._probation = -1
        self._bad_sequence = self._NO_BAD_SEQUENCE
        self.base = 0
        """Extended number of the first packet counted."""
        self.highest = 0
        """Extended highest sequence number received (cycles in the upper 16 bits)."""
        self.received = 0
        """Packets counted since `base`, duplicates and late ones included."""
        self.restarts = 0
        """How often the source began anew with numbers far from the old ones."""

    @property
    def expected(self) -> int:
        """Packets sent since the first one counted, as far as the numbers tell."""
        return self.highest - self.base + 1 if self.received else 0

    def update(self, sequence: int) -> int | None:
        """The extended number of a packet that arrived, or None if it is not to be believed yet.

        A late packet from before the first wrap gets a number below `base`, even below zero.
        """
        if self._probation < 0:
            self._restart(sequence)
            self._probation = self._min_sequential - 1
            return self._count(sequence) if self._probation == 0 else None
        step = (sequence - self.highest) % self._MODULUS
        if self._probation:
            return self._prove(sequence, step)
        if step < self.MAX_DROPOUT:
            self.highest += step
            return self._count(self.highest)
        if step <= self._MODULUS - self.MAX_MISORDER:
            if sequence != self._bad_sequence:
                self._bad_sequence = (sequence + 1) % self._MODULUS
                return None
            self._restart(sequence)
            self.restarts += 1
            return self._count(sequence)
        return self._count(self.highest + step - self._MODULUS)

    def _prove(self, sequence: int, step: int) -> int | None:
        if step != 1:
            self._probation = self._min_sequential - 1
            self.highest = sequence
            return None
        self._probation -= 1
        self.highest = sequence
        if self._probation:
            return None
        self._restart(sequence)
        return self._count(sequence)

    def _restart(self, sequence: int) -> None:
        self.base = self.highest = sequence
        self.received = 0
        self._bad_sequence = self._NO_BAD_SEQUENCE

    def _count(self, extended: int) -> int:
        self.received += 1
        return extended
