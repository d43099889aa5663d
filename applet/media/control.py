"""RTCP of one call: our reports, and what theirs say of us (RFC 3550 sections 6.2 to 6.6).

It goes on while the call is held: a report is how both sides know that the other is still there.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.media.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpError,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    encode_rtcp,
    ntp_timestamp,
    parse_rtcp,
    report_interval,
    round_trip,
)

if TYPE_CHECKING:
    from applet.address import Address
    from applet.media.reception import ReceptionStatistics
    from applet.media.sender import RtpSender
    from applet.randomness import Randomness

_FRACTION = 256


class ControlChannel:
    """`round_trip` in seconds, `remote_loss` 0-1 and `remote_jitter` in timestamp units are what
    the other side last told of our stream; None before it did."""

    __slots__ = (
        "_cname",
        "_packets_reported",
        "_peer_packets",
        "_random",
        "_sender",
        "address",
        "due",
        "peer_sends",
        "remote_jitter",
        "remote_loss",
        "round_trip",
    )

    def __init__(self, random: Randomness, cname: str, sender: RtpSender) -> None:
        self.address: Address | None = None
        """Where to send: the address of the SDP, or where their reports really come from."""
        self.due: float | None = None
        """When the next report is to be sent; None before the call has begun."""
        self.round_trip: float | None = None
        self.remote_loss: float | None = None
        self.remote_jitter: int | None = None
        self._random = random
        self._cname = cname
        self._sender = sender
        self._packets_reported = 0
        self._peer_packets = 0
        self.peer_sends = False
        """Whether their last report tells of sound sent since the one before."""

    def begin(self, now: float) -> None:
        """The call has begun; the first report comes soon."""
        if self.due is None:
            self.due = now + report_interval(self._random, first=True)

    def report(self, reception: ReceptionStatistics | None, now: float) -> bytes:
        """A compound packet: SR if we sent since the last one, else RR; and SDES."""
        self.due = now + report_interval(self._random, first=False)
        return encode_rtcp([*self._reports(reception, now)])

    def goodbye(self, reception: ReceptionStatistics | None, now: float) -> bytes:
        """The last compound packet, with BYE (section 6.6)."""
        self.due = None
        return encode_rtcp([*self._reports(reception, now), Goodbye((self._sender.ssrc,))])

    def _reports(self, reception: ReceptionStatistics | None, now: float) -> list[RtcpPacket]:
        sender = self._sender
        blocks = (reception.report_block(now),) if reception is not None else ()
        report: RtcpPacket = ReceiverReport(sender.ssrc, blocks)
        if sender.packets > self._packets_reported:
            self._packets_reported = sender.packets
            ntp = ntp_timestamp(now)
            counts = (sender.packets % (1 << 32), sender.octets % (1 << 32))
            report = SenderReport(sender.ssrc, ntp, sender.timestamp, *counts, blocks)
        return [report, SourceDescription(((sender.ssrc, self._cname),))]

    def receive(self, data: bytes, reception: ReceptionStatistics | None, now: float) -> bool:
        """Learn from a compound packet; False if it is none."""
        try:
            packets = parse_rtcp(data)
        except RtcpError:
            return False
        self.peer_sends = False
        for packet in packets:
            if isinstance(packet, SenderReport | ReceiverReport):
                self._learn(packet.blocks, now)
            if isinstance(packet, SenderReport):
                self.peer_sends = packet.packet_count != self._peer_packets
                self._peer_packets = packet.packet_count
                self._echo(packet, reception, now)
        return True

    def _echo(
        self, report: SenderReport, reception: ReceptionStatistics | None, now: float
    ) -> None:
        """Our next report tells them when theirs came, so that they can measure the way."""
        if reception is not None and report.ssrc == reception.ssrc:
            reception.sender_report(report.ntp, now)

    def _learn(self, blocks: tuple[ReportBlock, ...], now: float) -> None:
        for block in blocks:
            if block.ssrc == self._sender.ssrc:
                self.remote_loss = block.fraction_lost / _FRACTION
                self.remote_jitter = block.jitter
                self.round_trip = round_trip(block, now)
