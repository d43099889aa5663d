"""SIP messages as lines of the log: redacted, cut to a readable length, and bounded in number.

Writing a message down takes longer than reading it. A flood must cost neither the time of the
running call nor the memory of whoever reads the lines later than they come.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import Logged
from applet.redaction import redact, redact_message
from applet.token_bucket import TokenBucket

if TYPE_CHECKING:
    from applet.phone.orders import TraceMessage

LONGEST = 8192
LONGEST_FIRST_LINE = 200
"""Bytes of a message, and characters of its first line, that are written down."""
BURST = 500
PER_SECOND = 100
"""Messages in a row, and on average; further ones are counted only."""


class TraceLog:
    __slots__ = ("_bucket", "_left_out")

    def __init__(self) -> None:
        self._bucket = TokenBucket(BURST, 1 / PER_SECOND)
        self._left_out = 0

    def lines(self, traced: TraceMessage, now: float) -> list[Logged]:
        """The line of one message; before it, if some were left out, how many."""
        if not self._bucket.take(now):
            self._left_out += 1
            return []
        return [*self._gap(), _logged(traced.sent, traced.data, traced.peer)]

    def _gap(self) -> list[Logged]:
        left_out, self._left_out = self._left_out, 0
        return [Logged(f"{left_out} messages came too fast to be noted", "")] if left_out else []


def _logged(sent: bool, data: bytes, peer: str) -> Logged:
    """`> INVITE sip:***@host (192.0.2.1:5060)`, with the whole redacted message behind it."""
    message = data[:LONGEST].decode("utf-8", "replace")
    line = message.partition("\r\n")[0].removeprefix("SIP/2.0 ").removesuffix(" SIP/2.0")
    first = redact(line)[:LONGEST_FIRST_LINE]
    return Logged(f"{'>' if sent else '<'} {first} ({peer})", redact_message(message))
