"""Running Windows programs under Wine, with a prefix of the project's own in `dist/windows`."""

import os
import subprocess
import sys
from pathlib import Path

import environment

PREFIX = environment.ROOT / "dist/windows/prefix"
# No .NET, no HTML engine, and no entries in the menus of the real desktop.
_WITHOUT = "mscoree=;mshtml=;winemenubuilder.exe=d"


def variables(prefix: Path = PREFIX) -> dict[str, str]:
    """The environment for Wine; programs in it see no packages of the host's Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {
        "WINEPREFIX": str(prefix),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": _WITHOUT,
    }


def provide_prefix(prefix: Path = PREFIX) -> Path:
    """A Windows for Wine in `prefix`; takes 16 s the first time."""
    if not (prefix / "system.reg").exists():
        print("Making a Windows for Wine", flush=True)
        prefix.mkdir(parents=True, exist_ok=True)
        wineboot = ["wine", "wineboot", "-u"]
        made = subprocess.run(
            wineboot,
            env=variables(prefix),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait(prefix)
        if made.returncode != 0 or not (prefix / "system.reg").exists():
            sys.exit(f"Wine could not make {prefix}: run `wineboot -u` by hand to see why.")
    return prefix


def run(
    *command: str | Path, more: dict[str, str] | None = None, prefix: Path = PREFIX
) -> subprocess.CompletedProcess[str]:
    """Run a Windows program to its end, with `more` variables; `stdout` holds both outputs.

    They go through a pipe: under Wine 8 a regular file as standard output raises WinError 6.
    """
    provide_prefix(prefix)
    return subprocess.run(
        ["wine", *map(str, command)],
        env=variables(prefix) | (more or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def wait(prefix: Path = PREFIX) -> None:
    """Until the last program in `prefix` has ended and everything is written."""
    subprocess.run(["wineserver", "-w"], env=variables(prefix), stdin=subprocess.DEVNULL)


def windows_path(path: Path) -> str:
    """A path of this machine as a program under Wine names it."""
    return "Z:" + str(path.resolve()).replace("/", "\\")


def end(prefix: Path = PREFIX) -> None:
    """End all programs in `prefix` by force. Its desktop stays on the screen on which the first
    of them was started, so whoever shows windows begins with this."""
    subprocess.run(["wineserver", "-k"], env=variables(prefix), stdin=subprocess.DEVNULL)
