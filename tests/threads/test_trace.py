"""SIP messages on their way into the log."""

import pytest

from applet.phone.messages import Logged
from applet.phone.orders import TraceMessage
from applet.threads.trace import BURST, LONGEST, PATIENCE, PER_SECOND, TraceLog

OPTIONS = b"OPTIONS sip:alice@192.0.2.1 SIP/2.0\r\nCall-ID: 1\r\n\r\n"
TRACED = TraceMessage(False, OPTIONS, "192.0.2.2:5060")


def written(log: TraceLog, traced: TraceMessage, now: float, times: int = 1) -> list[Logged]:
    for _ in range(times):
        log.note(traced, now)
    lines = []
    while log.due is not None:
        lines += log.written()[1]
    return lines


def test_a_message_is_one_line_with_the_redacted_whole_behind_it() -> None:
    (logged,) = written(TraceLog(), TRACED, 5.0)
    assert logged.line == "< OPTIONS sip:***@192.0.2.1 (192.0.2.2:5060)"
    assert logged.detail.splitlines()[:2] == [
        "OPTIONS sip:***@192.0.2.1 SIP/2.0", "Call-ID: 1",
    ]  # fmt: skip


def test_it_is_written_down_once_the_answers_to_it_have_had_their_time() -> None:
    log = TraceLog()
    assert log.due is None
    log.note(TRACED, 5.0)
    log.note(TRACED, 5.01)
    assert log.due == pytest.approx(5.0 + PATIENCE)
    at, lines = log.written()
    assert at == 5.0 and len(lines) == 1
    assert log.due == pytest.approx(5.01 + PATIENCE)


def test_a_response_is_named_by_its_status() -> None:
    traced = TraceMessage(True, b"SIP/2.0 200 OK\r\n\r\n", "192.0.2.2:5060")
    assert written(TraceLog(), traced, 5.0)[0].line == "> 200 OK (192.0.2.2:5060)"


def test_a_message_that_is_too_long_to_be_read_is_cut() -> None:
    long = b"INVITE sip:" + b"h" * 30_000 + b" SIP/2.0\r\nX: " + b"y" * 30_000 + b"\r\n\r\n"
    (logged,) = written(TraceLog(), TraceMessage(False, long, "192.0.2.2:5060"), 5.0)
    assert len(logged.line) < 250 and len(logged.detail) <= LONGEST


def test_of_a_flood_so_many_are_written_down_and_the_rest_is_counted() -> None:
    log = TraceLog()
    assert len(written(log, TRACED, 5.0, BURST + 1000)) == BURST
    later = [line.line for line in written(log, TRACED, 5.0 + 1.5 / PER_SECOND)]
    assert later == [
        "1000 messages came too fast to be noted",
        "< OPTIONS sip:***@192.0.2.1 (192.0.2.2:5060)",
    ]
    assert written(log, TRACED, 5.0 + 1.5 / PER_SECOND) == []
    assert len(written(log, TRACED, 100.0, BURST + 1)) == BURST + 1


def test_of_a_flood_that_does_not_end_no_more_than_a_burst_ever_waits() -> None:
    log = TraceLog()
    told, now = [], 5.0
    for _ in range(40_000):
        now += 0.002
        log.note(TRACED, now)
        if now % 0.064 < 0.002:
            told += log.written()[1]
    waiting = 0
    while log.due is not None:
        told += log.written()[1]
        waiting += 1
    assert waiting <= BURST
    left_out = sum(int(line.line.split()[0]) for line in told if "too fast" in line.line)
    noted = sum("OPTIONS" in line.line for line in told)
    assert noted < 40_000 and noted + left_out > 40_000 - 64


def test_a_line_waits_for_the_messages_before_it_and_for_nothing_else() -> None:
    log, line = TraceLog(), Logged("! unexpected", "Traceback")
    log.put(line, 4.0)
    assert log.due == 4.0 and log.written() == (4.0, [line])
    log.note(TRACED, 5.0)
    log.put(line, 5.01)
    assert log.due == pytest.approx(5.0 + PATIENCE)
    assert "OPTIONS" in log.written()[1][0].line
    assert log.due == 5.01
    assert log.written() == (5.01, [line])
    assert log.due is None
