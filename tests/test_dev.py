"""The developers' door, and the rule that in CI a test left out is a failure."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import debian
import environment

ROOT = environment.ROOT


def dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "build/dev.py", *arguments], cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.parametrize("arguments", [(), ("--help",), ("unknown",)])
def test_without_a_known_command_the_door_names_those_there_are(arguments: tuple[str, ...]) -> None:
    answered = dev(*arguments)
    assert answered.returncode == 2
    for command in ("setup", "run", "test", "lint", "icons", "fuzz", "soak", "matrix", "bench"):
        assert f"\n  {command}" in answered.stderr


def test_another_python_is_refused_in_one_plain_sentence() -> None:
    script = (
        "import runpy, sys; sys.version_info = (3, 14, 0); sys.version = '3.14.0 (main)';"
        "runpy.run_path('build/dev.py', run_name='__main__')"
    )
    answered = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True)
    assert answered.returncode == 1
    expected = "Call Support needs Python 3.11, 3.12 or 3.13; this is 3.14.0."
    assert answered.stderr.decode().splitlines() == [expected]


def test_the_door_needs_nothing_but_the_standard_library() -> None:
    script = "import sys; sys.path.insert(0, 'build'); import dev; print(dev.__name__)"
    answered = subprocess.run([sys.executable, "-S", "-I", "-c", script], cwd=ROOT)
    assert answered.returncode == 0


def test_what_running_needs_is_part_of_what_testing_needs() -> None:
    assert set(environment.requirements()) < set(environment.requirements("dev"))
    assert set(debian.needed(tests=False)) < set(debian.needed(tests=True))


def test_pyinstaller_is_only_in_the_group_for_building() -> None:
    assert not any("pyinstaller" in name for name in environment.requirements("dev"))
    assert any("pyinstaller" in name for name in environment.requirements("build"))


def test_an_environment_is_made_when_its_inputs_changed_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tiny_wheel(tmp_path, "first"), tiny_wheel(tmp_path, "second")
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/python").write_text("a broken one, from a machine that is gone")

    monkeypatch.setattr(environment, "requirements", lambda *groups: [first])
    python = environment.make(folder, sys.executable)
    assert "Making .venv with Python" in capsys.readouterr().out
    assert environment.make(folder, sys.executable) == python
    assert capsys.readouterr().out == ""

    monkeypatch.setattr(environment, "requirements", lambda *groups: [first, second])
    environment.make(folder, sys.executable)
    assert capsys.readouterr().out == "Installing Python packages into .venv\n"
    assert subprocess.run([python, "-c", "import first, second"]).returncode == 0
    assert environment.make(folder, sys.executable) == python
    assert capsys.readouterr().out == ""


def tiny_wheel(folder: Path, name: str) -> str:
    """A package that pip can install without asking anybody for anything."""
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(
            f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
        )
        wheel.writestr(f"{name}-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{name}-1.dist-info/RECORD", "")
    return str(path)


def test_debian_packages_that_are_missing_are_found() -> None:
    is_debian = shutil.which("apt-get") and shutil.which("dpkg-query")
    expected = ["no-such-package-at-all"] if is_debian else []
    assert debian.missing(["dpkg", "no-such-package-at-all"]) == expected


def test_without_the_right_to_install_the_exact_command_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(debian, "missing", lambda packages: list(packages))
    monkeypatch.setattr(debian, "root_prefix", lambda: None)
    assert debian.provide(["xvfb", "sox"]) == ["xvfb", "sox"]
    said = capsys.readouterr().out
    assert "sudo apt-get install -y --no-install-recommends xvfb sox" in said


# --- a test left out ------------------------------------------------------------------------


def run_pytest(
    folder: Path, source: str, *options: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """pytest on one file with the project's own conftest and settings."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "tests").mkdir()
    shutil.copy(ROOT / "tests/conftest.py", folder / "tests")
    (folder / "tests/test_it.py").write_text(f"import pytest\n\n{source}\n")
    ours = ("CI", "PATH", "PYTEST_XDIST_TESTRUNUID")
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=clean | variables,
        capture_output=True,
        text=True,
    )


SKIPPED = "def test_a(): pass\n\n@pytest.mark.skipif(True, reason='')\ndef test_b(): pass"
MARKED = "def test_a(): pass\n\n@pytest.mark.peers\ndef test_b(): pass"


def test_a_skipped_test_fails_the_run_in_ci_only(tmp_path: Path) -> None:
    (tmp_path / "desk").mkdir()
    (tmp_path / "ci").mkdir()
    assert run_pytest(tmp_path / "desk", SKIPPED).returncode == 0
    in_ci = run_pytest(tmp_path / "ci", SKIPPED, CI="true")
    assert in_ci.returncode == 1
    assert "CI is set: 1 skipped is a failure." in in_ci.stdout
    assert "1 passed, 1 skipped" in in_ci.stdout.splitlines()[-1]


def test_a_test_whose_peers_are_absent_is_deselected_and_counted(tmp_path: Path) -> None:
    (tmp_path / "desk").mkdir()
    (tmp_path / "ci").mkdir()
    at_the_desk = run_pytest(tmp_path / "desk", MARKED, PATH="")
    assert at_the_desk.returncode == 0
    assert "1 passed, 1 deselected" in at_the_desk.stdout.splitlines()[-1]
    assert "baresip" in at_the_desk.stdout
    in_ci = run_pytest(tmp_path / "ci", MARKED, CI="true", PATH="")
    assert in_ci.returncode == (0 if sys.platform == "win32" else 1)


def test_workers_do_not_hide_that_peers_are_absent(tmp_path: Path) -> None:
    in_ci = run_pytest(tmp_path, MARKED, "-n", "1", CI="true", PATH="")
    assert in_ci.returncode == 1
    assert "missing programs is a failure" in in_ci.stdout


def test_a_run_of_the_units_leaves_marked_tests_to_the_other_run(tmp_path: Path) -> None:
    units = run_pytest(tmp_path, MARKED, "--units", CI="true", PATH="")
    assert units.returncode == 0
    assert "1 passed" in units.stdout.splitlines()[-1]
    assert "deselected" not in units.stdout
