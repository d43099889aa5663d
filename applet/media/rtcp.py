"""RTCP: RFC 3550 sections 4 (NTP time) and 6 (packets, interval), checked as in appendix A.2.

The interval is simplified: with two participants and a stream of 64 kbit/s the minimum of five
seconds always governs (6.2), and membership never grows, so neither the bandwidth arithmetic nor
the timer reconsideration of 6.3.3 has anything to decide (without it the divisor e - 3/2 that
makes up for it goes too), and a BYE may go at once (6.3.7). The random half on either side stays.
"""

from __future__ import annotations

from struct import Struct

from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from applet.randomness import Randomness

_SENDER_REPORT = 200
_RECEIVER_REPORT = 201
_SOURCE_DESCRIPTION = 202
_GOODBYE = 203
_VERSION_2 = 0x80
_PADDING = 0x20
_COUNT = 0x1F
_CNAME = 1
_MAX_TEXT = 255

_HEADER = Struct("!BBH")
_WORD = Struct("!I")
_SENDER_INFO = Struct("!IQIII")
_BLOCK = Struct("!6I")

_MINIMUM_INTERVAL = 5.0


class RtcpError(ValueError):
    """A datagram that is no RTCP compound packet; the text says what is wrong with it."""


class ReportBlock(NamedTuple):
    """How the source `ssrc` is received (section 6.4.1).

    `fraction_lost` 0-255 in 1/256 since the report before; `cumulative_lost` signed 24 bits;
    `jitter` in timestamp units; `last_sr` the middle 32 bits of the sender report's NTP time and
    `delay_since_last_sr` in 1/65536 s, both 0 before the first.
    """

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay_since_last_sr: int


class SenderReport(NamedTuple):
    """`ntp` 64 bits: seconds in the upper 32, their fraction in the lower."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    blocks: tuple[ReportBlock, ...] = ()


class ReceiverReport(NamedTuple):
    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


class SourceDescription(NamedTuple):
    """`cnames`: (ssrc, canonical name) each, the name empty if none is given; of at most 255
    bytes in UTF-8. Other items are skipped."""

    cnames: tuple[tuple[int, str], ...]


class Goodbye(NamedTuple):
    sources: tuple[int, ...]
    reason: str = ""


RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Goodbye


# --- parsing --------------------------------------------------------------------------------


def parse_rtcp(data: bytes) -> tuple[RtcpPacket, ...]:
    """The packets of one compound packet; APP and unknown ones are skipped. Raises RtcpError."""
    packets: list[RtcpPacket] = []
    start = 0
    while start < len(data):
        if len(data) < start + 4:
            raise RtcpError("an RTCP header is cut off")
        flags, kind, words = _HEADER.unpack_from(data, start)
        end = start + 4 + 4 * words
        if flags & 0xC0 != _VERSION_2:
            raise RtcpError(f"RTCP version {flags >> 6} is not 2")
        if end > len(data):
            raise RtcpError("an RTCP packet is longer than its datagram")
        body = data[start + 4 : end]
        if flags & _PADDING:
            body = _unpadded(body, last=end == len(data))
        packet = _parse_one(kind, flags & _COUNT, body)
        if packet is not None:
            packets.append(packet)
        start = end
    if not data:
        raise RtcpError("an empty datagram is no RTCP")
    return tuple(packets)


def _unpadded(body: bytes, *, last: bool) -> bytes:
    if not last:
        raise RtcpError("padding before the last packet of a compound")
    padding = body[-1] if body else 0
    if not 1 <= padding <= len(body):
        raise RtcpError(f"a padding of {padding} bytes does not fit into the packet")
    return body[:-padding]


def _parse_one(kind: int, count: int, body: bytes) -> RtcpPacket | None:
    if kind == _SENDER_REPORT:
        blocks = _blocks(body, _SENDER_INFO.size, count)
        ssrc, ntp, timestamp, packet_count, octet_count = _SENDER_INFO.unpack_from(body)
        return SenderReport(ssrc, ntp, timestamp, packet_count, octet_count, blocks)
    if kind == _RECEIVER_REPORT:
        blocks = _blocks(body, _WORD.size, count)
        return ReceiverReport(_word(body, 0), blocks)
    if kind == _SOURCE_DESCRIPTION:
        return _source_description(body, count)
    if kind == _GOODBYE:
        return _goodbye(body, count)
    return None


def _blocks(body: bytes, start: int, count: int) -> tuple[ReportBlock, ...]:
    """What follows the blocks is a profile's extension, and skipped."""
    if len(body) < start + count * _BLOCK.size:
        raise RtcpError(f"a report with {count} blocks is cut off")
    return tuple(_block(body, start + i * _BLOCK.size) for i in range(count))


def _block(body: bytes, start: int) -> ReportBlock:
    ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, start)
    cumulative = loss & 0xFFFFFF
    if cumulative >= 0x800000:
        cumulative -= 0x1000000
    return ReportBlock(ssrc, loss >> 24, cumulative, highest, jitter, last_sr, delay)


def _source_description(body: bytes, count: int) -> SourceDescription:
    cnames = []
    position = 0
    for _ in range(count):
        ssrc = _word(body, position)
        cname, position = _items(body, position + 4)
        cnames.append((ssrc, cname))
    return SourceDescription(tuple(cnames))


def _items(body: bytes, position: int) -> tuple[str, int]:
    """One chunk's canonical name and where the next chunk begins (section 6.5)."""
    cname = ""
    while position < len(body) and body[position]:
        text, end = _text(body, position + 1)
        if body[position] == _CNAME:
            cname = text
        position = end
    if position >= len(body):
        raise RtcpError("a source description does not end")
    return cname, (position + 4) & ~3


def _goodbye(body: bytes, count: int) -> Goodbye:
    sources = tuple(_word(body, 4 * i) for i in range(count))
    reason = _text(body, 4 * count)[0] if len(body) > 4 * count else ""
    return Goodbye(sources, reason)


def _text(body: bytes, position: int) -> tuple[str, int]:
    """A text after its length, and where it ends. What is no UTF-8 in it is left out, so that it
    never takes more bytes than it came in."""
    end = position + 1 + body[position] if position < len(body) else 0
    if not 0 < end <= len(body):
        raise RtcpError("a text is cut off")
    return body[position + 1 : end].decode("utf-8", "ignore"), end


def _word(body: bytes, position: int) -> int:
    if len(body) < position + 4:
        raise RtcpError("an RTCP packet is cut off")
    return int.from_bytes(body[position : position + 4])


# --- printing -------------------------------------------------------------------------------


def encode_rtcp(packets: Iterable[RtcpPacket]) -> bytes:
    """A compound packet; RFC 3550 section 6.1 wants a report first and a CNAME in each."""
    return b"".join(map(_encode_one, packets))


def _encode_one(packet: RtcpPacket) -> bytes:
    match packet:
        case SenderReport(ssrc, ntp, timestamp, packet_count, octet_count, blocks):
            info = _SENDER_INFO.pack(ssrc, ntp, timestamp, packet_count, octet_count)
            return _framed(_SENDER_REPORT, len(blocks), info + _encode_blocks(blocks))
        case ReceiverReport(ssrc, blocks):
            return _framed(_RECEIVER_REPORT, len(blocks), _WORD.pack(ssrc) + _encode_blocks(blocks))
        case SourceDescription(cnames):
            body = b"".join(_chunk(ssrc, cname) for ssrc, cname in cnames)
            return _framed(_SOURCE_DESCRIPTION, len(cnames), body)
    body = b"".join(map(_WORD.pack, packet.sources))
    if packet.reason:
        body += _counted(packet.reason)
    return _framed(_GOODBYE, len(packet.sources), body)


def _framed(kind: int, count: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return _HEADER.pack(_VERSION_2 | count, kind, len(body) // 4) + body


def _encode_blocks(blocks: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | block.cumulative_lost & 0xFFFFFF,
            block.highest_sequence,
            block.jitter,
            block.last_sr,
            block.delay_since_last_sr,
        )
        for block in blocks
    )


def _chunk(ssrc: int, cname: str) -> bytes:
    items = bytes([_CNAME]) + _counted(cname) if cname else b""
    return _WORD.pack(ssrc) + items + bytes(4 - len(items) % 4)


def _counted(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > _MAX_TEXT:
        encoded = encoded[:_MAX_TEXT].decode("utf-8", "ignore").encode()  # no half a character
    return bytes([len(encoded)]) + encoded


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram on a port for both is RTCP and not RTP (RFC 5761 section 4); its payload
    types keep out of this range."""
    return len(data) > 1 and data[0] & 0xC0 == _VERSION_2 and 192 <= data[1] <= 223


# --- time -----------------------------------------------------------------------------------


def ntp_timestamp(now: float) -> int:
    """`now` in seconds as 64-bit NTP time.

    Any clock that runs evenly will do: only differences are ever used (section 4).
    """
    return round(now * 4_294_967_296) & 0xFFFF_FFFF_FFFF_FFFF


def compact_ntp(ntp: int) -> int:
    """The middle 32 bits: what a receiver sends back, in 1/65536 s."""
    return ntp >> 16 & 0xFFFF_FFFF


def round_trip(block: ReportBlock, now: float) -> float | None:
    """Seconds from our sender report to its echo `block` and back, without the time it lay there
    (section 6.4.1); `now` on the clock that stamped the report. None: no report echoed yet, or
    the echo is impossible."""
    if block.last_sr == 0:
        return None
    units = compact_ntp(ntp_timestamp(now)) - block.last_sr - block.delay_since_last_sr
    units &= 0xFFFF_FFFF
    return units / 65_536 if units < 0x8000_0000 else None


def report_interval(random: Randomness, *, first: bool) -> float:
    """Seconds until the next report: 2.5 to 7.5, half of that before the first."""
    interval = _MINIMUM_INTERVAL / 2 if first else _MINIMUM_INTERVAL
    return interval * (0.5 + random.random())
