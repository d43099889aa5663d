"""SIPp as a peer on loopback: it plays one of our scenarios, or one of its own."""

from pathlib import Path

from tests.support.ports import free_port, free_ports, is_bound
from tests.support.process import ROOT, Program
from tests.support.sipp_story import Story

SCENARIOS = ROOT / "tests/system/scenarios"
SUCCESS = 0
LONGEST_S = 100


class Sipp(Program):
    """`scenario` is a story, a file of `SCENARIOS` without its ending, or the name of one that SIPp
    brings along. `target` is `host:port` for a scenario that calls. `keys` fill its [words]."""

    def __init__(
        self,
        scenario: str | Story,
        folder: Path,
        *options: str,
        target: str = "",
        calls: int = 1,
        transport: str = "udp",
        **keys: object,
    ) -> None:
        self.port = free_port()
        self.uri = f"sip:sipp@127.0.0.1:{self.port}"
        self._errors_file = folder / f"sipp-{self.port}.log"
        command: list[str | Path] = ["sipp", *([target] if target else [])]
        command += _scenario_options(scenario, folder / f"sipp-{self.port}.xml", keys)
        command += ["-i", "127.0.0.1", "-p", str(self.port)]
        command += ["-mi", "127.0.0.1", "-mp", str(free_ports(6)), "-m", str(calls)]
        command += ["-timeout", str(LONGEST_S), "-timeout_error", "-nostdin"]
        command += ["-t", "t1" if transport == "tcp" else "u1"]
        command += ["-trace_err", "-error_file", self._errors_file, *options]
        super().__init__(command, folder=folder)
        if not target:
            self.wait_ready(lambda: is_bound(self.port, transport), "SIPp's port")

    def check(self, timeout_s: float = 20) -> None:
        """Fail unless all its calls went as its scenario says."""
        assert self.wait(timeout_s) == SUCCESS, self.transcript()

    def transcript(self, most: int = 60) -> str:
        errors = self._errors_file.read_text() if self._errors_file.exists() else ""
        return f"{super().transcript(most)}\n{errors[-3000:]}"


def _scenario_options(name: str | Story, copy: Path, keys: dict[str, object]) -> list[str | Path]:
    if isinstance(name, Story):
        return ["-sf", name.write(copy.parent, copy.stem)]
    own = SCENARIOS / f"{name}.xml"
    if not own.exists():
        return ["-sn", name]
    # SIPp's own -key comes too late for the status of a response, which it checks beforehand.
    text = own.read_text()
    for key, value in keys.items():
        text = text.replace(f"[{key}]", str(value))
    copy.write_text(text)
    return ["-sf", copy]
