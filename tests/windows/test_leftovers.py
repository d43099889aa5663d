"""Folders of earlier starts: ours are cleared away, and nobody else's."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from applet.windows import leftovers
from tests.support.process import ROOT, wait_until


class Temporary:
    """A temporary folder with unpacked programs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = self.unpack("_MEI1")

    def unpack(self, name: str, product: str = "Acme", brand: str = "", age_s: int = 0) -> Path:
        folder = self.folder / name
        (folder / "applet").mkdir(parents=True)
        (folder / "applet/brand.toml").write_text(brand or f'product = "{product}"\n')
        os.utime(folder, (time.time() - age_s,) * 2)
        return folder

    def clear(self) -> int:
        return leftovers.clear(self.own, self.own / "applet/brand.toml", "Acme")

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def temporary(tmp_path: Path) -> Temporary:
    return Temporary(tmp_path)


def test_a_folder_of_an_earlier_start_is_cleared_away(temporary: Temporary) -> None:
    stale = temporary.unpack("_MEI2")
    leftovers.mark_running(stale).close()
    temporary.unpack("_MEI3", age_s=3600)
    assert temporary.clear() == 2
    assert temporary.names() == ["_MEI1"]


def test_nobody_elses_folder_is_touched(temporary: Temporary) -> None:
    temporary.unpack("_MEI2", product="Other", age_s=3600)
    temporary.unpack("_MEI3", brand="product = ", age_s=3600)
    temporary.unpack("other", age_s=3600)
    (temporary.folder / "_MEI4").mkdir()
    (temporary.folder / "_MEI5").touch()
    names = temporary.names()
    assert temporary.clear() == 0
    assert temporary.names() == names


def test_a_start_that_is_just_unpacking_is_left_alone(temporary: Temporary) -> None:
    temporary.unpack("_MEI2")
    assert temporary.clear() == 0
    assert temporary.names() == ["_MEI1", "_MEI2"]


UNPACKED = """
import runpy, sys
sys._MEIPASS, *sys.argv[1:] = sys.argv[1:]
runpy.run_path("build/launcher.py")
"""


def test_a_start_that_is_no_phone_says_that_its_folder_is_in_use(temporary: Temporary) -> None:
    started = subprocess.Popen(
        [sys.executable, "-c", UNPACKED, temporary.own, "--set-password", "guest"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: (temporary.own / "running").exists(), 30, "the mark")
    started.communicate(b"\n", timeout=30)
    assert started.returncode == 2


def test_where_no_mark_can_be_made_the_start_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path / "absent"), raising=False)
    assert leftovers.mark_own() is None


def test_from_its_sources_nothing_was_unpacked() -> None:
    assert leftovers.own_folder() is None
    assert leftovers.mark_own() is None
