"""Every failure status has a reason that a person can understand."""

import pytest

from applet.phone.messages import Reason
from applet.phone.reasons import reason_for_status


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
