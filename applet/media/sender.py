"""Our own stream: frames of sound and digits become RTP packets (RFC 3550 section 5, RFC 4733).

The timestamp goes on with the clock, whether something is sent or not; the marker bit tells the
first packet after a gap (RFC 3551 section 4.1).
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.media.dtmf import DtmfSender
from applet.media.rtp import RtpPacket

if TYPE_CHECKING:
    from applet.media.codec import AudioCodec
    from applet.randomness import Randomness

_FRAME_MS = 20
_STALL_SECONDS = 0.1
"""Frames that are this late were not late: there was no sound, and the clock went on."""
_TIMESTAMPS = 1 << 32
_SEQUENCES = 1 << 16


class RtpSender:
    """`frame` is asked every 20 ms, `skip` in its place when nothing may be sent."""

    __slots__ = (
        "_codec",
        "_frame_units",
        "_last_frame_at",
        "_marker",
        "_payload_type",
        "_pending",
        "_pending_timestamp",
        "_piece",
        "_sequence",
        "digits",
        "finished_digit",
        "octets",
        "packets",
        "ssrc",
        "timestamp",
    )

    def __init__(self, random: Randomness, clock_rate: int) -> None:
        """`clock_rate`: of the RTP timestamps, in Hz."""
        self.ssrc = random.getrandbits(32)
        self.timestamp = random.getrandbits(32)
        self.packets = 0
        self.octets = 0
        self.digits = DtmfSender(clock_rate)
        self.finished_digit = ""
        """The digit whose tone ended with the last frame; whoever reads it empties it."""
        self._sequence = random.getrandbits(15)  # no wrap in the first minutes
        self._frame_units = clock_rate * _FRAME_MS // 1000
        self._codec: AudioCodec | None = None
        self._payload_type = 0
        self._piece = 0  # bytes of PCM in one packet
        self._pending = b""
        self._pending_timestamp = 0
        self._marker = True
        self._last_frame_at: float | None = None

    def use(self, codec: AudioCodec, payload_type: int, ptime_ms: int) -> None:
        """What to send from now on, `ptime_ms` (10, 20, 40, 60) of sound in a packet."""
        self._codec = codec
        self._payload_type = payload_type
        self._piece = 2 * codec.sample_rate * ptime_ms // 1000
        self._pending = b""

    def skip(self, now: float) -> None:
        """20 ms in which nothing is sent."""
        self._clock(now)
        self._marker = True
        self._pending = b""

    def frame(self, pcm: bytes, now: float, dtmf_payload_type: int | None) -> list[bytes]:
        """The packets for the next 20 ms of sound, or those of a digit in its place."""
        codec = self._codec
        if codec is None:
            return []
        timestamp = self._clock(now)
        if dtmf_payload_type is not None and self.digits.busy:
            event = self.digits.packet(timestamp, self._frame_units)
            if event is not None:
                self._pending = b""
                self._marker = True
                self.finished_digit = event.finished
                packet = (dtmf_payload_type, event.timestamp, event.marker, event.payload)
                return [self._packet(*packet)]
        if not self._pending and len(pcm) == self._piece:
            return [self._sound(timestamp, codec.encode(pcm))]
        return self._pieces(codec, timestamp, pcm)

    def _pieces(self, codec: AudioCodec, timestamp: int, pcm: bytes) -> list[bytes]:
        """Packets that are longer or shorter than a frame."""
        if not self._pending:
            self._pending_timestamp = timestamp
        self._pending += pcm
        packets = []
        while len(self._pending) >= self._piece:
            piece, self._pending = self._pending[: self._piece], self._pending[self._piece :]
            packets.append(self._sound(self._pending_timestamp, codec.encode(piece)))
            units = self._frame_units * len(piece) // len(pcm)
            self._pending_timestamp = (self._pending_timestamp + units) % _TIMESTAMPS
        return packets

    def _sound(self, timestamp: int, payload: bytes) -> bytes:
        marker, self._marker = self._marker, False
        return self._packet(self._payload_type, timestamp, marker, payload)

    def _packet(self, payload_type: int, timestamp: int, marker: bool, payload: bytes) -> bytes:
        self._sequence = (self._sequence + 1) % _SEQUENCES
        self.packets += 1
        self.octets += len(payload)
        sequence, ssrc = self._sequence, self.ssrc
        return RtpPacket(payload_type, sequence, timestamp, ssrc, marker, payload).encode()

    def _clock(self, now: float) -> int:
        """The timestamp of this frame; afterwards `timestamp` is that of the next."""
        last, self._last_frame_at = self._last_frame_at, now
        if last is not None and now - last > _STALL_SECONDS:
            missed = round((now - last) * 1000 / _FRAME_MS) - 1
            self.timestamp = (self.timestamp + missed * self._frame_units) % _TIMESTAMPS
            self._marker = True
        timestamp = self.timestamp
        self.timestamp = (timestamp + self._frame_units) % _TIMESTAMPS
        return timestamp
