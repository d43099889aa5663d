"""The Windows programs of the system tests, built as a company would build them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import environment
from tests.support.process import ROOT

BRANDS = ROOT / "tests/data/brands"
LIMIT_S = 600
# The tests that talk in the meantime come first.
IN_THE_BACKGROUND = ("nice", "-n", "15")
TWO_DAYS_LATER = ("faketime", "-f", "+2d")


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


class Builds:
    """The first program is there when this is made; the others follow in the background, one
    after the other, while tests use the first."""

    def __init__(self, folder: Path, wanted: set[str]) -> None:
        """`wanted`: which of `again`, `globex` and `bare` are needed besides."""
        self.acme = built("acme", folder / "acme")
        self._pool = ThreadPoolExecutor(1)
        makers: dict[str, Callable[[Path], Build]] = {
            "globex": _globex,
            "again": _again,
            "bare": _bare,
        }
        self._others: dict[str, Future[Build]] = {
            name: self._pool.submit(make, folder / name)
            for name, make in makers.items()
            if name in wanted
        }

    def other(self, name: str) -> Build:
        """Waits until it is built."""
        return self._others[name].result(LIMIT_S)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def built(
    brand: str, out: Path, *options: str, root: Path = ROOT, by: tuple[str, ...] = ()
) -> Build:
    """The program of `tests/data/brands/BRAND.toml`, by the command of the checkout `root`."""
    command = [*by, sys.executable, "build/build.py", f"tests/data/brands/{brand}.toml"]
    said = _run([*command, "--out", str(out), *options], root)
    (program,) = out.glob("*.exe")
    return Build(program, said)


def _globex(folder: Path) -> Build:
    """With a pystray that somebody has changed."""
    changed = folder / "changed/pystray"
    shutil.copytree(_installed("pystray"), changed, ignore=shutil.ignore_patterns("__pycache__"))
    with (changed / "__init__.py").open("a", encoding="utf-8") as file:
        file.write('\nCHANGED_BY = "somebody"\n')
    options = ("--with-pystray", str(changed))
    return built("globex", folder / "out", *options, by=IN_THE_BACKGROUND)


def _again(folder: Path) -> Build:
    """The first program once more: by another checkout elsewhere, whose caches are empty and
    whose clock is two days ahead."""
    checkout = folder / "some where else/call-support"
    for name in _tracked():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, checkout / name)
    by = (*IN_THE_BACKGROUND, *TWO_DAYS_LATER)
    return built("acme", folder / "out", root=checkout, by=by)


def _bare(folder: Path) -> Build:
    folder.mkdir()
    said = _run([*IN_THE_BACKGROUND, sys.executable, "build/bare_bundle.py", str(folder)], ROOT)
    return Build(folder / "bare.exe", said)


def _run(command: list[str], root: Path) -> str:
    done = subprocess.run(
        command,
        cwd=root,
        # A false clock stands still for those who wait by it.
        env=os.environ | {"FAKETIME_DONT_FAKE_MONOTONIC": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _tracked() -> Iterator[str]:
    """The files of this checkout that belong to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return (name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def _installed(package: str) -> Path:
    return environment.ROOT / "dist/windows/python/Lib/site-packages" / package
