"""The virtual environments: made once, and renewed when what goes into them changes."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import debian

ROOT = Path(__file__).resolve().parent.parent
# The versions the unit tests run on: the oldest, and the one the Windows executable is built with.
TESTED_VERSIONS = ("3.11", "3.13")


def requirements(*groups: str) -> list[str]:
    """The product's own packages and those of dependency groups of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted: list[str] = list(project["project"]["dependencies"])
    for group in groups:
        wanted += project["dependency-groups"][group]
    return wanted


def setup(*, tests: bool) -> Path:
    """Make .venv ready for running, or for testing too; return its interpreter."""
    absent = debian.provide(debian.needed(tests=tests))
    essential = [package for package in debian.needed(tests=False) if package in absent]
    if essential:
        sys.exit(f"Cannot go on without {', '.join(essential)}.")
    python = make(ROOT / ".venv", sys.executable, *(["dev"] if tests else []))
    # Where Python is told to write no bytecode, each start would compile the whole phone anew.
    _run(str(python), "-m", "compileall", "-q", "applet")
    return python


def make(folder: Path, interpreter: str, *groups: str) -> Path:
    """Make or renew the environment `folder` with the product's packages and those of `groups`;
    a second call with the same inputs does nothing."""
    return _make(folder, interpreter, requirements(*groups))


def make_tools(folder: Path, interpreter: str, group: str) -> Path:
    """The same with the packages of one dependency group alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return _make(folder, interpreter, list(project["dependency-groups"][group]))


def make_locked(folder: Path, interpreter: str, lock: Path) -> Path:
    """The same with exactly the packages of a file with versions and hashes."""
    wanted = lock.read_text("utf-8").splitlines()
    return _make(folder, interpreter, wanted, "--require-hashes", "--no-deps", "-r", str(lock))


def _make(folder: Path, interpreter: str, wanted: list[str], *how: str) -> Path:
    """`how`: pip's arguments, if they are not `wanted` itself."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    version = _version(interpreter)
    record = folder / "installed.txt"
    if _version(str(python)) != version:
        print(f"Making {folder.name} with Python {version}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run(interpreter, "-m", "venv", str(folder))
    elif record.exists() and set(wanted) <= set(record.read_text("utf-8").splitlines()):
        return python
    print(f"Installing Python packages into {folder.name}", flush=True)
    _run(str(python), "-m", "pip", "install", "-qq", *(how or wanted))
    _link_gi(folder, version)
    record.write_text("\n".join(wanted), "utf-8")
    return python


def other_pythons() -> dict[str, str | None]:
    """The versions to be tested besides the one that runs this, and where they were found."""
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return {version: find_python(version) for version in TESTED_VERSIONS if version != here}


def find_python(version: str) -> str | None:
    """An interpreter of `version` on the path, in pyenv or known to uv."""
    candidates = [shutil.which(f"python{version}")]
    if shutil.which("pyenv"):
        root = _output("pyenv", "root").strip()
        candidates += map(str, sorted(Path(root, "versions").glob(f"{version}*/bin/python")))
    if shutil.which("uv"):
        offline = ("--no-python-downloads", "--no-project")
        candidates.append(_output("uv", "python", "find", *offline, version).strip())
    # A name on PATH may be pyenv's stand-in for a version that is not switched on: ask it.
    for candidate in candidates:
        if candidate and _version(candidate).startswith(f"{version}."):
            return candidate
    return None


def _version(interpreter: str) -> str:
    """The full version of `interpreter`; empty when it does not run."""
    return _output(interpreter, "-c", "import platform; print(platform.python_version())").strip()


def _link_gi(folder: Path, version: str) -> None:
    """Make Debian's PyGObject visible: pip cannot install it without a compiler and GTK's headers.

    It holds a compiled part, so only the Python version that Debian itself has can use it.
    """
    debians = Path("/usr/lib/python3/dist-packages/gi")
    major, minor, _ = version.split(".", 2)
    link = folder / f"lib/python{major}.{minor}/site-packages/gi"
    if any(debians.glob(f"_gi.cpython-{major}{minor}-*.so")) and not link.exists():
        link.symlink_to(debians)


def _output(*command: str) -> str:
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return ""


def _run(*command: str) -> None:
    if subprocess.run(command, stdin=subprocess.DEVNULL, cwd=ROOT).returncode != 0:
        sys.exit(f"This failed: {' '.join(command)}")
