"""Drives `python -m applet headless` (and `desk`) by its line protocol."""

import json
import sys
import time
from pathlib import Path

from tests.support.ports import free_port
from tests.support.process import Program, wait_until


class Headless(Program):
    """The phone without a screen. Its events are taken in order: each wait goes on behind the
    event that the last one returned, so the same event is never taken twice."""

    def __init__(self, *options: str | Path, mode: str = "headless", bind: str = "") -> None:
        """Start it with `options` on `bind`, by default a free port of 127.0.0.1."""
        self.events: list[dict[str, object]] = []
        self._taken = 0
        address = bind or f"127.0.0.1:{free_port()}"
        super().__init__(
            [sys.executable, "-m", "applet", mode, "--bind", address, *options],
            without=("DISPLAY", "WAYLAND_DISPLAY"),
        )
        self.wait_ready(lambda: self.events, "the event ready")
        self.address = str(self.wait_for("ready")["addr"])
        self.uri = f"sip:support@{self.address}"

    def wait_for(self, event: str, timeout_s: float = 5, **fields: object) -> dict[str, object]:
        """The next event of this kind whose fields have these values."""
        found: list[int] = []

        def look() -> bool:
            wanted = {"ev": event, **fields}
            for index in range(self._taken, len(self.events)):
                if wanted.items() <= self.events[index].items():
                    found.append(index)
                    return True
            return self.exit_code is not None

        wait_until(look, timeout_s, f"{event} {fields}", self.transcript)
        if not found:
            self._readers[0].join(5)
            look()
        assert found, f"it ended ({self.exit_code}) without {event} {fields}\n{self.transcript()}"
        self._taken = found[0] + 1
        return self.events[found[0]]

    def wait_for_state(self, state: str, timeout_s: float = 5) -> dict[str, object]:
        return self.wait_for("state", timeout_s, state=state)

    def wait_for_logged(self, text: str, times: int = 1, timeout_s: float = 5) -> None:
        """Until so many lines of its log contain `text`, such as `< UPDATE`."""
        wait_until(
            lambda: sum(text in line for line in list(self.errors)) >= times,
            timeout_s,
            f"{times} x {text!r} in the log",
            self.transcript,
        )

    def call(self, uri: str, timeout_s: float = 10) -> str:
        """Call, wait until it is answered; our RTP address."""
        self.send(f"call {uri}")
        return self.connected(timeout_s)

    def connected(self, timeout_s: float = 10) -> str:
        """Wait until the call is up and its sound is agreed; our RTP address."""
        self.wait_for_state("connected", timeout_s)
        wait_until(self._media, 2, "the event media", self.transcript)
        return str(self._media()[-1]["local"])

    def _media(self) -> list[dict[str, object]]:
        return [event for event in self.events if event["ev"] == "media"]

    def hang_up(self) -> dict[str, object]:
        """Hang up; the event that tells the end."""
        self.send("hangup")
        return self.wait_for_state("ended")

    def stats(self) -> dict[str, object]:
        self.send("stats")
        return self.wait_for("stats")

    def quit(self) -> int:
        """Its exit code after the command `quit`."""
        self.send("quit")
        return self.wait()

    def took(self, lines: list[str], line: str) -> None:
        super().took(lines, line)
        if lines is self.lines:
            self.events.append(json.loads(line))

    def _ask_to_end(self) -> None:
        """The end of stdin hangs up and quits."""
        if self.exit_code is None:
            self.close_stdin()


class Resources:
    """What a process holds, as Linux's /proc tells."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc", str(pid))

    def threads(self) -> int:
        return len(list((self._folder / "task").iterdir()))

    def sockets(self) -> int:
        links = [_target(link) for link in (self._folder / "fd").iterdir()]
        return sum(target.startswith("socket:") for target in links)

    def wait_for_rest(self) -> None:
        """Until it has done all that it makes ready after its start: no processor time for half a
        second."""
        used, since = self._cpu_ticks(), time.monotonic()

        def rests() -> bool:
            nonlocal used, since
            now = self._cpu_ticks()
            if now != used:
                used, since = now, time.monotonic()
            return time.monotonic() > since + 0.5

        wait_until(rests, 10, "the phone to be at rest")

    def memory_kb(self) -> int:
        status = (self._folder / "status").read_text()
        row = next(row for row in status.splitlines() if row.startswith("VmRSS:"))
        return int(row.split()[1])

    def _cpu_ticks(self) -> int:
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # closed since the folder was read
        return ""
