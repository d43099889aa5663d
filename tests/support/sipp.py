"""SIPp as a peer on loopback: it plays one of our scenarios, or one of its own."""

from pathlib import Path

from tests.support.ports import free_port, free_ports
from tests.support.process import ROOT, Program

SCENARIOS = ROOT / "tests/system/scenarios"
SUCCESS = 0
LONGEST_S = 100


class Sipp(Program):
    """`scenario` is a file of `SCENARIOS` without its ending, or the name of one that SIPp brings
    along. `target` is `host:port` for a scenario that calls. `keys` fill its [words]."""

    def __init__(
        self,
        scenario: str,
        folder: Path,
        *options: str,
        target: str = "",
        calls: int = 1,
        **keys: object,
    ) -> None:
        self.port = free_port()
        self.uri = f"sip:sipp@127.0.0.1:{self.port}"
        self._errors_file = folder / f"sipp-{self.port}.log"
        own = SCENARIOS / f"{scenario}.xml"
        command: list[str | Path] = ["sipp", *([target] if target else [])]
        command += ["-sf", own] if own.exists() else ["-sn", scenario]
        command += ["-i", "127.0.0.1", "-p", str(self.port)]
        command += ["-mi", "127.0.0.1", "-mp", str(free_ports(6)), "-m", str(calls)]
        command += ["-timeout", str(LONGEST_S), "-timeout_error", "-nostdin"]
        command += ["-trace_err", "-error_file", self._errors_file, *options]
        for name, value in keys.items():
            command += ["-key", name, str(value)]
        super().__init__(command, folder=folder)

    def check(self, timeout_s: float = 20) -> None:
        """Fail unless all its calls went as its scenario says."""
        assert self.wait(timeout_s) == SUCCESS, self.transcript()

    def transcript(self, most: int = 60) -> str:
        errors = self._errors_file.read_text() if self._errors_file.exists() else ""
        return f"{super().transcript(most)}\n{errors[-3000:]}"
