"""Every failure status, cause and warning has a reason that a person can understand."""

import pytest

from applet.phone.messages import Reason
from applet.phone.reasons import (
    Why,
    reason_for_status,
    why_cancelled,
    why_hung_up,
    why_refused,
)
from applet.sip.message import Response


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (301, Reason.MOVED),
        (302, Reason.MOVED),
        (401, Reason.WRONG_CREDENTIALS),
        (407, Reason.WRONG_CREDENTIALS),
        (403, Reason.FORBIDDEN),
        (404, Reason.NOT_FOUND),
        (408, Reason.SERVER_SILENT),
        (420, Reason.REFUSED),
        (480, Reason.UNAVAILABLE),
        (486, Reason.BUSY),
        (488, Reason.NO_COMMON_CODEC),
        (500, Reason.SERVER_TROUBLE),
        (503, Reason.SERVER_TROUBLE),
        (600, Reason.BUSY),
        (603, Reason.DECLINED),
        (699, Reason.REFUSED),
    ],
)
def test_a_status_becomes_a_reason(status: int, reason: Reason) -> None:
    assert reason_for_status(status) is reason


def _response(*headers: tuple[str, str]) -> Response:
    return Response(480, "", list(headers))


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([], Why(Reason.UNAVAILABLE)),
        ([("Reason", "Q.850;cause=17")], Why(Reason.BUSY)),
        ([("Reason", 'Q.850 ;cause=19;text="No answer from user"')], Why(Reason.NO_ANSWER)),
        ([("Reason", "q.850;cause=34")], Why(Reason.LINES_BUSY)),
        ([("Reason", "Q.850;cause=16")], Why(Reason.UNAVAILABLE)),
        ([("Reason", "Q.850;cause=99999999999")], Why(Reason.UNAVAILABLE)),
        ([("Reason", "Q.850")], Why(Reason.UNAVAILABLE)),
        ([("Reason", "SIP;cause=486, Q.850;cause=21")], Why(Reason.DECLINED)),
        ([("Reason", "SIP;cause=486")], Why(Reason.UNAVAILABLE)),
        ([("Reason", 'X;cause=1;text="Back at 2 pm"')], Why(Reason.UNAVAILABLE, "Back at 2 pm")),
        ([("Reason", ";;")], Why(Reason.UNAVAILABLE)),
        ([("Warning", '399 pbx "Out to lunch"')], Why(Reason.UNAVAILABLE, "Out to lunch")),
        ([("Warning", '399 [::1]:5060 "A \\"b\\""')], Why(Reason.UNAVAILABLE)),
        ([("Warning", '399 pbx:5060 "A \\"b\\""')], Why(Reason.UNAVAILABLE, 'A "b"')),
        ([("Warning", '399 pbx "17"')], Why(Reason.UNAVAILABLE)),
        ([("Warning", "nonsense")], Why(Reason.UNAVAILABLE)),
        ([("Warning", '305 pbx "Incompatible media format"')], Why(Reason.NO_COMMON_CODEC)),
        ([("Warning", '370 pbx "Insufficient bandwidth"')], Why(Reason.LINE_TOO_NARROW)),
        ([("Retry-After", "120;duration=60")], Why(Reason.UNAVAILABLE, "", 120)),
        ([("Retry-After", "90000")], Why(Reason.UNAVAILABLE)),
        ([("Retry-After", "soon")], Why(Reason.UNAVAILABLE)),
    ],
)
def test_what_a_refusal_says_beside_its_status(headers: list[tuple[str, str]], why: Why) -> None:
    assert why_refused(480, _response(*headers)) == why


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], Reason.HUNG_UP_THERE),
        ([("Reason", 'Q.850;cause=16;text="Normal call clearing"')], Reason.HUNG_UP_THERE),
        ([("Reason", "Q.850;cause=41")], Reason.SERVER_TROUBLE),
        ([("Reason", "SIP;cause=408")], Reason.SERVER_SILENT),
        ([("Reason", "SIP;cause=200")], Reason.HUNG_UP_THERE),
    ],
)
def test_why_they_hung_up(headers: list[tuple[str, str]], reason: Reason) -> None:
    assert why_hung_up(_response(*headers)).reason is reason


def test_without_a_message_there_is_only_the_status() -> None:
    assert why_refused(486, None) == Why(Reason.BUSY)
    assert why_hung_up(None) == Why(Reason.HUNG_UP_THERE)
    assert why_cancelled(None) == Why(Reason.CALLER_GAVE_UP)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('SIP;cause=200;text="Call completed elsewhere"', Reason.ANSWERED_ELSEWHERE),
        ("Q.850;cause=26", Reason.ANSWERED_ELSEWHERE),
        ("SIP;cause=2000", Reason.CALLER_GAVE_UP),
        ("SIP;cause=487", Reason.CALLER_GAVE_UP),
    ],
)
def test_why_it_stopped_ringing(line: str, reason: Reason) -> None:
    assert why_cancelled(_response(("Reason", line))).reason is reason
