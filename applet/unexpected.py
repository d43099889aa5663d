"""Unexpected errors, on whatever thread: into the log, and to the person as one plain sentence.
None of them ends the program or takes the tray icon away."""

from __future__ import annotations

import sys
import threading

from applet.hints import TYPE_CHECKING
from applet.redaction import redacted_traceback

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from applet.log import LogFile


class Unexpected:
    """`tell` is called with the redacted traceback, on the thread of the error."""

    def __init__(self, log: LogFile, tell: Callable[[str], None]) -> None:
        self._log = log
        self._tell = tell

    def caught(self, where: str, error: BaseException) -> None:
        trace = redacted_traceback(error)
        self._log.write(f"! unexpected {type(error).__name__} in the {where}", trace)
        self._tell(trace)

    def watch(self) -> None:
        """From now on nothing that no thread of the program catches is lost."""
        sys.excepthook = self._main
        threading.excepthook = self._thread

    def _main(
        self, kind: type[BaseException], error: BaseException, _: TracebackType | None
    ) -> None:
        self.caught("main thread", error)

    def _thread(self, happened: threading.ExceptHookArgs) -> None:
        if happened.exc_value is not None:
            name = happened.thread.name if happened.thread else "nameless"
            self.caught(f"{name} thread", happened.exc_value)
