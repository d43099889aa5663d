"""SIP messages on their way into the log."""

from applet.phone.orders import TraceMessage
from applet.threads.trace import BURST, LONGEST, PER_SECOND, TraceLog

OPTIONS = b"OPTIONS sip:alice@192.0.2.1 SIP/2.0\r\nCall-ID: 1\r\n\r\n"
TRACED = TraceMessage(False, OPTIONS, "192.0.2.2:5060")


def test_a_message_is_one_line_with_the_redacted_whole_behind_it() -> None:
    (logged,) = TraceLog().lines(TRACED, 5.0)
    assert logged.line == "< OPTIONS sip:***@192.0.2.1 (192.0.2.2:5060)"
    assert logged.detail.splitlines()[:2] == [
        "OPTIONS sip:***@192.0.2.1 SIP/2.0", "Call-ID: 1",
    ]  # fmt: skip


def test_a_response_is_named_by_its_status() -> None:
    traced = TraceMessage(True, b"SIP/2.0 200 OK\r\n\r\n", "192.0.2.2:5060")
    assert TraceLog().lines(traced, 5.0)[0].line == "> 200 OK (192.0.2.2:5060)"


def test_a_message_that_is_too_long_to_be_read_is_cut() -> None:
    long = b"INVITE sip:" + b"h" * 30_000 + b" SIP/2.0\r\nX: " + b"y" * 30_000 + b"\r\n\r\n"
    (logged,) = TraceLog().lines(TraceMessage(False, long, "192.0.2.2:5060"), 5.0)
    assert len(logged.line) < 250 and len(logged.detail) <= LONGEST


def test_of_a_flood_so_many_are_written_down_and_the_rest_is_counted() -> None:
    log = TraceLog()
    assert sum(len(log.lines(TRACED, 5.0)) for _ in range(BURST + 1000)) == BURST
    later = [line.line for line in log.lines(TRACED, 5.0 + 1.5 / PER_SECOND)]
    assert later == [
        "1000 messages came too fast to be noted",
        "< OPTIONS sip:***@192.0.2.1 (192.0.2.2:5060)",
    ]
    assert log.lines(TRACED, 5.0 + 1.5 / PER_SECOND) == []
    assert sum(len(log.lines(TRACED, 100.0)) for _ in range(BURST + 1)) == BURST + 1
