"""Programs that a test starts: their lines are waited for, and they always end with the test.

Waiting is for something, never for a time: each wait has a limit and says what it was waiting for.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

ROOT = Path(__file__).resolve().parent.parent.parent
GRAIN_S = 0.005
# Only root may take precedence over others.
MAY_HURRY = sys.platform == "linux" and os.geteuid() == 0


def wait_until(
    condition: Callable[[], object], timeout_s: float, what: str, more: Callable[[], str] = str
) -> None:
    """Return as soon as `condition()` is true; fail after `timeout_s` seconds, saying `what` was
    waited for, and `more()` that is known by then."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}\n{more()}"
        pause.wait(GRAIN_S)


class Program:
    """A child process whose output is read line by line, in the background, as it comes."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path = ROOT,
        variables: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
    ) -> None:
        """Start `command` in `folder`, with `variables` added to the environment and those named
        in `without` taken away."""
        kept = {name: value for name, value in os.environ.items() if name not in without}
        # A tester that is killed leaves no peer behind: baresip and linphonec spin at the end of
        # their stdin. And where it is allowed, sound is sent in time on a busy machine too.
        guard = ["setpriv", "--pdeathsig", "KILL"] if sys.platform == "linux" else []
        guard += ["nice", "-n", "-15"] if MAY_HURRY else []
        self.name = Path(command[0]).name
        self._process = subprocess.Popen(
            [*guard, *map(str, command)],
            cwd=folder,
            env=kept | dict(variables or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            errors="replace",
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            self._read(self._process.stdout, self.lines),
            self._read(self._process.stderr, self.errors),
        ]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def send(self, line: str) -> None:
        """Write one line to its stdin."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def close_stdin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait_ready(self, condition: Callable[[], object], what: str) -> None:
        """Wait until it can be used; a program that cannot is ended before the test fails."""
        try:
            wait_until(lambda: condition() or self.exit_code is not None, 20, what, self.transcript)
            assert self.exit_code is None, f"{self.name} ended at once\n{self.transcript()}"
        except AssertionError:
            self.stop()
            raise

    def wait_for_line(self, pattern: str, timeout_s: float = 5) -> str:
        """The first line of stdout that matches the regular expression `pattern`."""
        found = re.compile(pattern)
        wait_until(
            lambda: any(map(found.search, self.lines)) or self.exit_code is not None,
            timeout_s,
            f"a line like {pattern} from {self.name}",
            self.transcript,
        )
        self._readers[0].join(1 if self.exit_code is not None else 0)
        matching = list(filter(found.search, self.lines))
        assert matching, f"{self.name} ended without a line like {pattern}\n{self.transcript()}"
        return matching[0]

    def wait(self, timeout_s: float = 10) -> int:
        """Its exit code, once it has ended by itself."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end\n{self.transcript()}") from None
        for reader in self._readers:
            reader.join(5)
        return self._process.returncode

    def stop(self, timeout_s: float = 3) -> None:
        """End it, with force if it does not end when asked to."""
        self._ask_to_end()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        for reader in self._readers:
            reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                _close(pipe)

    def transcript(self, most: int = 60) -> str:
        """The last lines of what it said, for the message of a failed test."""
        return "\n".join(
            [*self.lines[-most:], *(f"stderr: {line}" for line in self.errors[-most:])]
        )

    def _ask_to_end(self) -> None:
        if self.exit_code is None:
            self._process.send_signal(signal.SIGTERM)

    def _read(self, pipe: IO[str] | None, lines: list[str]) -> threading.Thread:
        assert pipe is not None
        opened = pipe

        def read() -> None:
            for line in opened:
                self.took(lines, line.rstrip("\n"))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def took(self, lines: list[str], line: str) -> None:
        """A line has come, on the reader's thread."""
        lines.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _close(pipe: IO[str]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return  # the rest of what we wanted to tell a program that has ended
