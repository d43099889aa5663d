"""SIP messages as lines of the log: redacted, cut to a readable length, and bounded in number; and
between them, in the order in which it happened, what else there is to be logged.

Writing a message down takes longer than answering it, so that waits until the answers to it have
come and gone. A flood must cost neither the time of the running call nor the memory of whoever
reads the lines later than they come.
"""

from __future__ import annotations

from collections import deque

from applet.hints import TYPE_CHECKING
from applet.phone.messages import Logged
from applet.token_bucket import TokenBucket
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.phone.orders import TraceMessage

LONGEST = 8192
LONGEST_FIRST_LINE = 200
"""Bytes of a message, and characters of its first line, that are written down."""
BURST = 500
PER_SECOND = 100
"""Messages in a row, that wait at most, and on average; further ones are counted only."""
PATIENCE = 0.05
"""Seconds until a message is written down."""


class _Noted(NamedTuple):
    """A message or a line that is ready, and how many messages before it were left out."""

    at: float
    left_out: int
    what: TraceMessage | Logged


class TraceLog:
    __slots__ = ("_bucket", "_left_out", "_waiting")

    def __init__(self) -> None:
        self._bucket = TokenBucket(BURST, 1 / PER_SECOND)
        self._left_out = 0
        self._waiting: deque[_Noted] = deque()

    def note(self, traced: TraceMessage, now: float) -> None:
        """It is cheap: nothing is read yet."""
        if len(self._waiting) >= BURST or not self._bucket.take(now):
            self._left_out += 1
            return
        if len(traced.data) > LONGEST:
            traced = traced._replace(data=traced.data[:LONGEST])
        self._append(traced, now)

    def put(self, line: Logged, now: float) -> None:
        """What is ready to be told waits only for the messages before it."""
        self._append(line, now)

    def _append(self, what: TraceMessage | Logged, now: float) -> None:
        left_out, self._left_out = self._left_out, 0
        self._waiting.append(_Noted(now, left_out, what))

    @property
    def due(self) -> float | None:
        """When the oldest is to be written down."""
        if not self._waiting:
            return None
        oldest = self._waiting[0]
        return oldest.at if isinstance(oldest.what, Logged) else oldest.at + PATIENCE

    def written(self) -> tuple[float, list[Logged]]:
        """When the oldest happened, and its line; before it, if messages were left out, how
        many."""
        at, left_out, what = self._waiting.popleft()
        lines = [what if isinstance(what, Logged) else _logged(what)]
        if left_out:
            lines.insert(0, Logged(f"{left_out} messages came too fast to be noted", ""))
        return at, lines


def _logged(traced: TraceMessage) -> Logged:
    """`> INVITE sip:***@host (192.0.2.1:5060)`, with the whole redacted message behind it."""
    from applet.redaction import redact, redact_message  # there is time for it now

    message = traced.data.decode("utf-8", "replace")
    line = message.partition("\r\n")[0].removeprefix("SIP/2.0 ").removesuffix(" SIP/2.0")
    first = redact(line)[:LONGEST_FIRST_LINE]
    arrow = ">" if traced.sent else "<"
    return Logged(f"{arrow} {first} ({traced.peer})", redact_message(message))
