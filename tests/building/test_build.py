"""The company's one command, as far as it goes without Windows."""

import subprocess
import sys
from pathlib import Path

import pytest

import build
import environment
import signing
import version_resource
import wine_python
from applet import brand as brands
from job import Job
from tests.support.exe import BRANDS
from tests.support.process import ROOT


def test_a_job_crosses_to_the_other_python_as_it_is(tmp_path: Path) -> None:
    job = Job("Z:\\a b\\brand.toml", "Z:\\out", "Z:\\work", "wine", "Z:\\pystray")
    job.write(tmp_path / "deep/job.json")
    assert Job.read(tmp_path / "deep/job.json") == job


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("1.0", (1, 0, 0, 0)), ("2.5.1", (2, 5, 1, 0)), ("9.8.7.6", (9, 8, 7, 6))],
)
def test_versions_as_windows_counts_them(version: str, numbers: tuple[int, ...]) -> None:
    assert version_resource.numbers(version) == numbers


def test_the_version_resource_names_product_and_company() -> None:
    texts = version_resource.strings(brands.load(BRANDS / "acme.toml"), "Acme Helpline.exe")
    assert texts["FileDescription"] == texts["ProductName"] == "Acme Helpline"
    assert texts["CompanyName"] == "Acme Ltd"
    assert texts["ProductVersion"] == "2.5.1"
    assert texts["OriginalFilename"] == "Acme Helpline.exe"


def test_a_changed_pystray_is_named_by_its_package_or_by_the_folder_around_it(
    tmp_path: Path,
) -> None:
    package = tmp_path / "lib/pystray"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert build.changed_pystray(package) == build.changed_pystray(tmp_path / "lib")
    assert build.changed_pystray(package) == package.parent
    with pytest.raises(SystemExit, match=r"There is no package pystray in"):
        build.changed_pystray(tmp_path)


@pytest.mark.wine
def test_without_a_python_3_13_one_sentence_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for program in ("uname", "sh"):
        (tmp_path / program).symlink_to(f"/bin/{program}")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.find_python("3.13") is None
    with pytest.raises(SystemExit, match=r"needs the library of a CPython 3\.13") as stopped:
        wine_python.provide()
    assert "`pyenv install 3.13` or `uv python install 3.13`" in str(stopped.value)


def test_an_unusable_certificate_ends_the_build_with_one_sentence(tmp_path: Path) -> None:
    program = tmp_path / "x.exe"
    program.write_bytes(b"MZ")
    with pytest.raises(SystemExit, match=r"There is no certificate .*absent\.pfx"):
        signing.sign(program, tmp_path / "absent.pfx")


def test_the_packages_of_the_executable_are_those_that_the_product_asks_for() -> None:
    """Mend it with `python3 build/dev.py lock`."""
    locked = {
        line.split("==")[0]: line.split("==")[1].split()[0]
        for line in wine_python.PACKAGES.read_text("utf-8").splitlines()
        if "==" in line and not line.startswith(" ")
    }
    for wanted in environment.requirements("build"):
        requirement, _, marker = wanted.partition(";")
        if "linux" in marker:
            continue
        name = requirement.replace("=", " ").replace(">", " ").replace("<", " ").split()[0]
        version = locked.get(name.lower().replace("_", "-"))
        assert version is not None, f"{wanted} is not in build/windows.txt"
        if "==" in requirement and "*" not in requirement:
            assert requirement.endswith(f"=={version}"), wanted


def test_the_windows_python_is_what_is_asked_for_in_the_script() -> None:
    """The hashes of build/windows.txt are checked by pip; that of the wheel with CPython too."""
    assert "--require-hashes" in wine_python.TARGET
    assert "--hash=sha256:" in wine_python.PANDA


def test_the_door_builds_the_executable_too() -> None:
    command = [sys.executable, "build/dev.py", "exe", "absent.toml"]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr == "absent.toml: cannot be read: No such file or directory\n"
