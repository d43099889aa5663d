"""The program tries itself out, here from its sources."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.desktop import Desktop
from tests.support.process import Program

pytestmark = pytest.mark.desktop


def report(tmp_path: Path, file: str, expected: int) -> dict[str, object]:
    with Desktop(tmp_path) as desktop:
        command = [sys.executable, "-m", "applet", "--selftest", "--report", file]
        with Program(command, variables=desktop.variables) as program:
            assert program.wait(60) == expected, program.transcript()
    found: dict[str, object] = json.loads(Path(file).read_text("utf-8")) if expected < 2 else {}
    return found


def test_every_step_works_and_is_reported(tmp_path: Path) -> None:
    told = report(tmp_path, str(tmp_path / "report.json"), 0)
    assert told["works"] is True
    assert told["product"] == "Call Support"
    steps = told["steps"]
    assert isinstance(steps, list)
    found = {step["step"]: step["found"] for step in steps}
    assert list(found) == [
        *("imports", "icons", "theme", "devices", "call", "kept_settings", "secrets"),
    ]
    assert "packets received" in found["call"]


def test_a_report_that_cannot_be_written_is_a_failure_too(tmp_path: Path) -> None:
    report(tmp_path, str(tmp_path / "nowhere/report.json"), 2)
