"""The log: files that keep redacted lines for seven days."""

from __future__ import annotations

import contextlib
import time
from threading import Lock

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEPT_DAYS = 7
LARGEST = 5_000_000  # bytes of one day's file; after that the day's log is full


def forget(folder: Path) -> None:
    """Remove the files of `LogFile`, and the folder if nothing else is in it."""
    for path in folder.glob("log-*.txt"):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


class LogFile:
    """One file a day in `folder`; files older than a week are deleted. Safe from any thread;
    a full disk loses lines, never the call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._day = ""

    def write(self, line: str, detail: str = "", age: float = 0.0) -> None:
        """Append `line`, and `detail` indented under it, with the time `age` seconds ago. Both
        are redacted already."""
        now = time.time() - age
        stamp = f"{time.strftime('%H:%M:%S', time.localtime(now))}.{int(now * 1000) % 1000:03}"
        whole = "".join(f"\n    {part}" for part in detail.rstrip().splitlines())
        with self._lock:
            try:
                self._append(
                    time.strftime("%Y-%m-%d", time.localtime(now)), f"{stamp} {line}{whole}\n"
                )
            except OSError:
                self._day = ""  # try the folder again with the next line

    def newest(self) -> Path:
        """The file of today."""
        return self.path(time.strftime("%Y-%m-%d"))

    def path(self, day: str) -> Path:
        """The file of `day`, as `2026-11-30`."""
        return self._folder / f"log-{day}.txt"

    def _append(self, day: str, text: str) -> None:
        path = self.path(day)
        if day != self._day:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._forget_old(day)
            self._day = day
        if path.exists() and path.stat().st_size > LARGEST:
            return
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(text)

    def _forget_old(self, day: str) -> None:
        oldest = time.mktime(time.strptime(day, "%Y-%m-%d")) - (KEPT_DAYS - 1) * 86400
        kept = self.path(time.strftime("%Y-%m-%d", time.localtime(oldest))).name
        for path in self._folder.glob("log-*.txt"):
            if path.name < kept:
                path.unlink(missing_ok=True)
