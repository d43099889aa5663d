"""The Windows Python that builds the program: this machine's own, or one under Wine."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import environment
import wine
import wine_python

# 2026-01-01: the time that stands in the program, so that equal inputs give equal bytes.
_EPOCH = "1767225600"


class WindowsPython(NamedTuple):
    """`made_on`: what its programs say of themselves in *About*."""

    program: Path
    made_on: str

    def path(self, path: Path) -> str:
        """A path of this machine as this Python names it."""
        return str(path.resolve()) if self.made_on == "windows" else wine.windows_path(path)

    def run(self, *arguments: str) -> None:
        """Run Python to its end; ends the build with Python's own words if it fails."""
        variables = {
            "PYTHONHASHSEED": "0",
            "PYTHONPYCACHEPREFIX": self.path(environment.ROOT / "dist/windows/pycache"),
            "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", _EPOCH),
        }
        command = [str(self.program), *arguments]
        if self.made_on == "wine":
            done = wine.run(*command, more=variables)
        else:
            done = subprocess.run(
                command,
                env=os.environ | variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        if done.returncode != 0:
            sys.exit(done.stdout.strip() or f"{' '.join(arguments)} failed without a word.")


def provide() -> WindowsPython:
    """The one for this machine, with the packages of `windows.txt`."""
    if sys.platform != "win32":
        return WindowsPython(wine_python.provide() / "python.exe", "wine")
    if sys.version_info[:2] != (3, 13):
        sys.exit("The program is built with Python 3.13: py -3.13 build\\build.py brand.toml")
    folder = environment.ROOT / ".venv-windows"
    program = environment.make_locked(folder, sys.executable, wine_python.PACKAGES)
    return WindowsPython(program, "windows")
