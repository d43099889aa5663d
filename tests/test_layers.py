"""The contracts of pyproject.toml bite: a forbidden import anywhere is found, and named."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--no-logo"], cwd=folder, capture_output=True, text=True
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the product that a test may spoil."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "applet", tmp_path / "applet", ignore=ignored)
    return tmp_path


def test_every_contract_is_kept() -> None:
    checked = lint_imports(ROOT)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("sip/spoilt.py", "import socket", "The protocol owns no socket"),
        ("sdp/spoilt.py", "from time import monotonic", "The protocol owns no socket"),
        ("nat/spoilt.py", "def f():\n    import asyncio", "The protocol owns no socket"),
        ("media/spoilt.py", "import random", "The protocol owns no socket"),
        ("phone/spoilt.py", "import os.path", "The protocol owns no socket"),
        ("ui/presenter.py", "import queue", "The presenter is pure"),
        ("sip/spoilt.py", "from applet.sdp import spoilt", "Imports point down the layers"),
        ("media/spoilt.py", "import applet.phone.messages", "Imports point down the layers"),
        ("phone/spoilt.py", "import applet.log", "Imports point down the layers"),
        ("audio/spoilt.py", "import applet.threads", "Imports point down the layers"),
        ("astray.py", "", "Imports point down the layers"),
        ("ui/spoilt.py", "import applet.phone.orders", "The screen knows the phone"),
        ("ui/spoilt.py", "import applet.threads", "The screen knows the phone"),
        ("phone/messages.py", "import applet.address", "The vocabulary of the phone"),
        ("desk/spoilt.py", "import socket", "Sockets live in threads alone"),
        ("audio/spoilt.py", "import PyInstaller", "PyInstaller only builds"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(
    copy: Path, module: str, line: str, broken: str
) -> None:
    (copy / "applet/sdp/spoilt.py").touch()
    (copy / "applet/log.py").touch()
    with (copy / "applet" / module).open("a") as file:
        file.write(f"\n{line}\n")
    checked = lint_imports(copy)
    assert checked.returncode == 1, checked.stdout
    assert any(row.startswith(broken) and " BROKEN" in row for row in rows(checked))


def test_a_forbidden_import_is_found_through_another_module_too(copy: Path) -> None:
    (copy / "applet/helper.py").write_text("import socket\n")
    (copy / "applet/sip/spoilt.py").write_text("import applet.helper\n")
    checked = lint_imports(copy)
    assert checked.returncode == 1
    assert "applet.sip.spoilt -> applet.helper" in checked.stdout
    assert "applet.helper -> socket" in checked.stdout


def rows(checked: subprocess.CompletedProcess[str]) -> list[str]:
    return [row.strip() for row in checked.stdout.splitlines()]


def test_the_phone_starts_without_the_slow_modules() -> None:
    script = "import sys, applet.headless.run; print(*sys.modules)"
    # Without `site`, whose .pth files may load anything; the libraries are found all the same.
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", script],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": sysconfig.get_path("purelib")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    slow = {"asyncio", "dataclasses", "inspect", "logging", "argparse", "tkinter", "pystray", "PIL"}
    slow |= {"pyaudio", "stun", "ssl", "urllib.request", "importlib.metadata"}
    assert slow.isdisjoint(loaded), slow.intersection(loaded)
