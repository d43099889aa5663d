"""Bundles `bare.py` as PyInstaller does by itself, nothing left out: `bare_bundle.py FOLDER`."""

import sys
from pathlib import Path

import windows_python

HERE = Path(__file__).resolve().parent


def make(folder: Path) -> Path:
    """The bare program, in `folder`; its work files go there too."""
    python = windows_python.provide()
    where = python.path(folder)
    options = ["--noconfirm", "--onefile", "--windowed", "--log-level", "WARN"]
    options += ["--workpath", f"{where}/work", "--specpath", where, "--distpath", where]
    python.run("-m", "PyInstaller", *options, python.path(HERE / "bare.py"))
    return folder / "bare.exe"


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))
