"""The Windows program of the system tests, built as a company would build it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.support.process import ROOT

BRANDS = ROOT / "tests/data/brands"


class Build(NamedTuple):
    """What `build/build.py` left behind: `said` is all that it printed."""

    program: Path
    said: str

    @property
    def digest(self) -> str:
        """The SHA-256 that lies beside the program."""
        return Path(f"{self.program}.sha256").read_text("utf-8").split()[0]

    @property
    def bill(self) -> Path:
        return self.program.with_suffix(".cdx.json")


class Building:
    """A build that is going on; several may."""

    def __init__(self, brand: Path, out: Path, *options: str, root: Path = ROOT) -> None:
        self._brand, self._out = brand, out
        command = [sys.executable, "build/build.py", str(brand), "--out", str(out), *options]
        self._process = subprocess.Popen(
            command,
            cwd=root,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def result(self) -> Build:
        """Waits for its end."""
        said, _ = self._process.communicate(timeout=400)
        assert self._process.returncode == 0, said
        (program,) = self._out.glob("*.exe")
        return Build(program, said)
