"""What a mailbox says of itself (RFC 3842)."""

import pytest

from applet.phone.message_summary import Summary, parse_summary


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        (b"Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n", Summary(2, 8)),
        (b"messages-waiting:no\nvoice-message:0/0\n", Summary(0, 0)),
        (b"Messages-Waiting: no\r\n", Summary(0, 0)),
        (b"Messages-Waiting: yes\r\n", Summary(1, 0)),
        (b"Messages-Waiting: YES\r\nFax-Message: 1/2\r\nText-Message: 3/4\r\n", Summary(4, 6)),
        (b"Fax-Message: 1/2\r\nVoice-Message: 5/6\r\n", Summary(5, 6)),
        (b"Voice-Message: many\r\nMessages-Waiting: yes\r\n", Summary(1, 0)),
        (b"Voice-Message : 7 / 9\r\n\r\nTo: x@y\r\n", Summary(7, 9)),
        (b"Voice-Message: 99999999999/1\r\n", None),
        (b"", None),
        (b"\xff\xfe nonsense", None),
        (b"x" * 5000 + b"\r\nMessages-Waiting: yes\r\n", None),
    ],
)
def test_a_summary(body: bytes, summary: Summary | None) -> None:
    assert parse_summary(body) == summary
