"""The RTCP of a call: when, what, and what is learnt from the other side's."""

import random

import pytest

from applet.media.codec import create
from applet.media.control import ControlChannel
from applet.media.reception import ReceptionStatistics
from applet.media.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    compact_ntp,
    encode_rtcp,
    ntp_timestamp,
    parse_rtcp,
)
from applet.media.sender import RtpSender


def channel() -> tuple[ControlChannel, RtpSender]:
    chance = random.Random(1)
    sender = RtpSender(chance, 8000)
    sender.use(create("PCMU"), 0, 20)
    return ControlChannel(chance, "me@here", sender), sender


def test_nothing_is_due_before_the_call_begins() -> None:
    assert channel()[0].due is None


def test_the_first_report_comes_soon_and_the_next_after_some_seconds() -> None:
    control, _ = channel()
    control.begin(100.0)
    assert control.due is not None and 101.2 < control.due < 103.8
    control.begin(100.5)
    due = control.due
    control.report(None, due)
    assert due + 2.4 < control.due < due + 7.6


def test_who_sends_tells_how_much_and_who_does_not_only_receives() -> None:
    control, sender = channel()
    sender.frame(bytes(320), 0.0, None)
    report, names = parse_rtcp(control.report(None, 5.0))
    assert isinstance(report, SenderReport)
    assert (report.packet_count, report.octet_count, report.ntp) == (1, 160, ntp_timestamp(5.0))
    assert names == SourceDescription(((sender.ssrc, "me@here"),))
    report, _ = parse_rtcp(control.report(None, 10.0))
    assert report == ReceiverReport(sender.ssrc)


def test_the_report_tells_how_we_receive() -> None:
    control, _ = channel()
    reception = ReceptionStatistics(9, 8000)
    for i in (0, 1, 3):
        reception.packet(i, 160 * i, i * 0.02)
    report, _ = parse_rtcp(control.report(reception, 5.0))
    assert isinstance(report, ReceiverReport)
    assert (report.blocks[0].ssrc, report.blocks[0].cumulative_lost) == (9, 1)


def test_the_last_packet_says_goodbye() -> None:
    control, sender = channel()
    control.begin(0.0)
    assert parse_rtcp(control.goodbye(None, 1.0))[-1] == Goodbye((sender.ssrc,))
    assert control.due is None


def test_their_report_tells_how_we_are_heard() -> None:
    control, sender = channel()
    asked = compact_ntp(ntp_timestamp(100.0))
    block = ReportBlock(sender.ssrc, 64, 10, 0, 80, asked, 32_768)
    assert control.receive(encode_rtcp([ReceiverReport(5, (block,))]), None, 100.75)
    assert control.remote_loss == 0.25
    assert control.remote_jitter == 80
    assert control.round_trip == pytest.approx(0.25, abs=0.001)


def test_a_report_about_somebody_else_is_not_about_us() -> None:
    control, sender = channel()
    block = ReportBlock(sender.ssrc ^ 1, 64, 10, 0, 80, 0, 0)
    assert control.receive(encode_rtcp([ReceiverReport(5, (block,))]), None, 1.0)
    assert control.remote_loss is None


def test_their_report_is_echoed_in_ours() -> None:
    control, _ = channel()
    reception = ReceptionStatistics(9, 8000)
    reception.packet(1, 160, 0.0)
    ntp = ntp_timestamp(50.0)
    control.receive(encode_rtcp([SenderReport(9, ntp, 0, 0, 0)]), reception, 2.0)
    report, _ = parse_rtcp(control.report(reception, 3.0))
    assert isinstance(report, ReceiverReport)
    assert report.blocks[0].last_sr == compact_ntp(ntp)
    assert report.blocks[0].delay_since_last_sr == 65_536


@pytest.mark.parametrize("known", [None, 10])
def test_the_report_of_a_stream_that_we_do_not_hear_is_not_echoed(known: int | None) -> None:
    control, _ = channel()
    reception = None if known is None else ReceptionStatistics(known, 8000)
    data = encode_rtcp([SenderReport(9, 1 << 40, 0, 0, 0), SourceDescription(((9, "x"),))])
    assert control.receive(data, reception, 2.0)
    if reception is not None:
        assert reception.report_block(3.0).last_sr == 0


def test_what_is_no_rtcp_is_refused() -> None:
    assert not channel()[0].receive(b"hello", None, 1.0)
