"""A built program that runs under Wine on a desktop of ours, and what it costs."""

import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import wine
from tests.support.process import Program

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class WineProgram(Program):
    """`variables` are those of the desktop and the sound server. The program is a pair of
    processes: one unpacks it and waits, the other one is the phone."""

    def __init__(
        self, program: Path, prefix: Path, variables: Mapping[str, str], *arguments: str
    ) -> None:
        self._file = program.name.encode()
        self._home = f"WINEPREFIX={prefix}".encode()
        wine_variables = {
            name: value for name, value in wine.variables(prefix).items() if "WINE" in name
        }
        super().__init__(["wine", program, *arguments], variables={**wine_variables, **variables})

    def pids(self) -> list[int]:
        """Its processes; under Wine they are processes of this machine."""
        numbers = (path.name for path in Path("/proc").iterdir() if path.name.isdecimal())
        return [pid for pid in map(int, numbers) if self._is(pid)]

    def resident_mb(self) -> float:
        """Memory in use by all of its processes."""
        pages = (int(_proc(pid, "statm").split()[1]) for pid in self.pids())
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        """CPU time used so far by all of its processes."""
        fields = (_proc(pid, "stat").rpartition(b")")[2].split() for pid in self.pids())
        return sum(int(field[11]) + int(field[12]) for field in fields) / _TICKS

    def stop(self, timeout_s: float = 3) -> None:
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        super().stop(timeout_s)

    def _is(self, pid: int) -> bool:
        """Another prefix may run a program of the same name."""
        try:
            program, home = (
                _proc(pid, "cmdline").split(b"\0")[0],
                _proc(pid, "environ").split(b"\0"),
            )
        except OSError:
            return False  # it has just ended
        return program.endswith(self._file) and self._home in home


def _proc(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()
