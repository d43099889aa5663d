"""Digits as telephone events: RFC 4733 sections 2.3 and 2.5."""

from __future__ import annotations

from struct import Struct

from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.media.rtp import RtpPacket

DIGITS = "0123456789*#ABCD"
"""The event code of a digit is its place here (RFC 4733 section 3.2)."""

_EVENT = Struct("!BBH")
_END = 0x80
_VOLUME = 10
"""-10 dBm0."""
_END_PACKETS = 3
_MAX_DURATION = 0xFFFF
_REMEMBERED_EVENTS = 32
_TIMESTAMPS = 1 << 32


class EventPacket(NamedTuple):
    """What to send in place of a frame of audio: with this `timestamp`, not the frame's own.

    `finished`: the digit whose tone ends with this packet, else empty.
    """

    payload: bytes
    timestamp: int
    marker: bool
    finished: str = ""


class DtmfSender:
    """Asked once for every frame of audio: is there something to send in its place?

    A digit takes `tone_ms`, with a packet for every frame that tells how long it lasts by now;
    the last is sent three times. Then audio (or the rest of a pause without events) follows
    until `pause_ms` after the tone, so that the same digit twice is heard as two.
    """

    __slots__ = ("_digits", "_duration", "_ends_sent", "_pause", "_pause_left", "_start", "_tone")

    def __init__(self, clock_rate: int = 8000, tone_ms: int = 100, pause_ms: int = 60) -> None:
        """`clock_rate` of the telephone events in Hz; `tone_ms` and `pause_ms` from 40 on, the
        tone cut to what the 16 bits of an event's duration hold."""
        self._tone = min(clock_rate * tone_ms // 1000, _MAX_DURATION)
        self._pause = clock_rate * pause_ms // 1000
        self._digits = ""
        self._start: int | None = None
        self._duration = 0
        self._ends_sent = 0
        self._pause_left = 0

    @property
    def busy(self) -> bool:
        """Whether digits, or the pause after one, are still to come."""
        return bool(self._digits) or self._pause_left > 0

    def queue(self, digits: str) -> None:
        """Send these after those that wait; ValueError for anything but `0-9 * # A-D a-d`."""
        digits = digits.upper()
        for digit in digits:
            if digit not in DIGITS:
                raise ValueError(f"{digit!r} is not a digit of a telephone")
        self._digits += digits

    def clear(self) -> None:
        """Forget everything, the digit in the middle too: the stream stopped."""
        self._digits = ""
        self._start = None
        self._ends_sent = self._pause_left = 0

    def packet(self, timestamp: int, samples: int) -> EventPacket | None:
        """In place of the frame that begins at `timestamp` and lasts `samples` units of the
        clock; None: send the audio."""
        if self._pause_left > 0:
            return self._in_pause(samples)
        if not self._digits:
            return None
        marker = self._start is None
        if self._start is None:
            self._start, self._duration = timestamp, 0
        start = self._start
        self._duration = min(self._duration + samples, _MAX_DURATION)
        if self._duration < self._tone:
            return EventPacket(self._payload(0), start, marker)
        self._ends_sent, self._pause_left = 1, self._pause
        return EventPacket(self._payload(_END), start, marker, self._digits[0])

    def _in_pause(self, samples: int) -> EventPacket | None:
        """The end once more, as often as it takes; the digit is over with the pause."""
        packet = None
        if self._ends_sent < _END_PACKETS and self._start is not None:
            self._ends_sent += 1
            packet = EventPacket(self._payload(_END), self._start, marker=False)
        self._pause_left -= samples
        if self._pause_left <= 0:
            self._digits = self._digits[1:]
            self._start = None
        return packet

    def _payload(self, end: int) -> bytes:
        return _EVENT.pack(DIGITS.index(self._digits[0]), end | _VOLUME, self._duration)


class DtmfReceiver:
    """Tells every digit once, at the first of its packets that arrives.

    All packets of an event carry the timestamp of its beginning, so a timestamp seen before is
    the same event, whatever was lost, doubled or overtaken. An event longer than its 16-bit
    duration goes on under a new timestamp without a marker (RFC 4733 section 2.5.1.3).
    """

    __slots__ = ("_duration", "_ended", "_event", "_seen", "_start")

    def __init__(self) -> None:
        self._seen: dict[int, None] = {}
        self._event = -1
        self._start = 0
        self._duration = 0
        self._ended = True

    def receive(self, packet: RtpPacket) -> str | None:
        """The digit that this packet begins; None for a repetition, a flash, or nonsense."""
        if len(packet.payload) < _EVENT.size:
            return None
        event, flags, duration = _EVENT.unpack_from(packet.payload)
        if packet.timestamp in self._seen:
            if packet.timestamp == self._start:
                self._duration = max(self._duration, duration)
                self._ended = self._ended or flags >= _END
            return None
        continued = self._continues(packet, event)
        self._remember(packet.timestamp)
        self._event, self._start, self._duration = event, packet.timestamp, duration
        self._ended = flags >= _END
        return None if continued or event >= len(DIGITS) else DIGITS[event]

    def _continues(self, packet: RtpPacket, event: int) -> bool:
        step = (packet.timestamp - self._start) % _TIMESTAMPS
        return (
            event == self._event
            and not packet.marker
            and not self._ended
            and step in (self._duration, _MAX_DURATION)
        )

    def _remember(self, timestamp: int) -> None:
        self._seen[timestamp] = None
        if len(self._seen) > _REMEMBERED_EVENTS:
            del self._seen[next(iter(self._seen))]
