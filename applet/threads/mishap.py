"""A mistake of ours at the top of a thread: told with its traceback, never a silent death."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import Logged, Reason, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 1.0
"""At most one report a second: a mistake in a loop must not drown everything else."""


class Mishaps:
    """`report` gets a `Logged` with the traceback and a `Trouble(INTERNAL)` for the person."""

    __slots__ = ("_next", "_report", "_thread", "_unreported")

    def __init__(self, thread: str, report: Callable[[Logged | Trouble], None]) -> None:
        self._thread = thread
        self._report = report
        self._next = 0.0
        self._unreported = 0

    def caught(self, error: Exception, now: float) -> None:
        if now < self._next:
            self._unreported += 1
            return
        more = f" ({self._unreported} more before it)" if self._unreported else ""
        self._next = now + PAUSE
        self._unreported = 0
        from applet.redaction import redacted_traceback  # on a bad day

        name = type(error).__name__
        self._report(
            Logged(
                f"! unexpected {name} in the {self._thread} thread{more}",
                redacted_traceback(error),
            )
        )
        self._report(Trouble(0, Reason.INTERNAL, name))
