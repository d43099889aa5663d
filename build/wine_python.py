"""A real Windows CPython 3.13 on Debian, put together under `dist/windows/python`, for Wine.

Debian has no Windows interpreter, but the panda3d wheel for Windows carries the unmodified
python313.dll with every extension module and Tcl/Tk. The pure-Python library comes from a CPython
3.13 of this machine, the scripts of Tcl/Tk from Debian; `python.exe` and the forwarder
`python3.dll` (which stable-ABI extensions ask for) are made here. What is there already is kept:
a second call with the same inputs does nothing.
"""

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import debian
import environment

HERE = Path(__file__).resolve().parent
FOLDER = environment.ROOT / "dist/windows"
PACKAGES = HERE / "windows.txt"
PANDA = (
    "panda3d==1.10.16 "
    "--hash=sha256:0e505261bb58d8402d0099c291f1a3459acfdd38f3e7d666e72aa2e1ea5dc46f"
)
TCL_VERSION = "8.6.15"
TARGET = (
    *("--platform", "win_amd64", "--python-version", "3.13", "--implementation", "cp"),
    *("--no-deps", "--require-hashes", "--ignore-requires-python", "-qq"),
)
# Not in the product, and not for building it: tests of CPython itself, its editor, its installer.
_LIBRARY_WITHOUT = (
    *("site-packages", "lib-dynload", "test", "idlelib", "ensurepip", "turtledemo"),
    *("config-*", "__pycache__"),
)
_MINGW = "x86_64-w64-mingw32-"


def provide() -> Path:
    """The folder of the interpreter, made if its inputs changed; `python.exe` lies in it."""
    library = _library()
    python = FOLDER / "python"
    stamp = python / "made-from.txt"
    inputs = _inputs(library)
    if stamp.exists() and stamp.read_text("utf-8") == inputs:
        return python
    if absent := debian.provide(debian.WINDOWS):
        sys.exit(f"Cannot build for Windows without {', '.join(absent)}.")
    print("Assembling a Windows Python for Wine", flush=True)
    shutil.rmtree(python, ignore_errors=True)
    _unpack(_wheel(), python)
    shutil.copytree(library, python / "Lib", ignore=shutil.ignore_patterns(*_LIBRARY_WITHOUT))
    _provide_tcl(python / "tcl")
    _compile_program(python)
    _forward_stable_abi(python)
    install(python / "Lib/site-packages")
    stamp.write_text(inputs, "utf-8")
    return python


def install(folder: Path) -> None:
    """The packages of `windows.txt`, for Windows, into `folder`."""
    _pip("install", *TARGET, "--no-compile", "--target", str(folder), "-r", str(PACKAGES))


def _inputs(library: Path) -> str:
    own = b"".join(
        path.read_bytes() for path in (Path(__file__), PACKAGES, HERE / "windows/python.c")
    )
    return f"{library}\n{hashlib.sha256(own).hexdigest()}\n"


def _library() -> Path:
    """The pure-Python standard library of a CPython 3.13 of this machine."""
    found = environment.find_python("3.13")
    if found is None:
        sys.exit(
            "Building for Windows on Debian needs the library of a CPython 3.13, and none was "
            "found on the path, in pyenv or by uv: install one with `pyenv install 3.13` or "
            "`uv python install 3.13`."
        )
    script = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    return Path(_output(found, "-c", script).strip())


def _wheel() -> Path:
    downloads = FOLDER / "wheels"
    found = list(downloads.glob("panda3d-1.10.16-*.whl"))
    if not found:
        downloads.mkdir(parents=True, exist_ok=True)
        wanted = downloads / "panda3d.txt"
        wanted.write_text(PANDA, "utf-8")
        _pip("download", *TARGET, "-d", str(downloads), "-r", str(wanted))
        found = list(downloads.glob("panda3d-1.10.16-*.whl"))
    return found[0]


def _unpack(wheel: Path, python: Path) -> None:
    """CPython's own files out of the wheel: libraries beside python.exe, modules in DLLs/."""
    beside = ("python313.dll", "VCRUNTIME140.dll", "VCRUNTIME140_1.dll")
    libraries = ["libffi-8", "libcrypto-3", "libssl-3", "sqlite3", "tcl86t", "tk86t", "zlib1"]
    dlls = {f"{name}.dll" for name in libraries}
    (python / "DLLs").mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            folder, _, name = member.rpartition("/")
            if folder != "deploy_libs" or "cp313t" in name:
                continue
            # Wine 8 lacks a function that _wmi needs: `platform` would hang in it.
            if name in dlls or (name.endswith(".pyd") and name != "_wmi.pyd"):
                (python / "DLLs" / name).write_bytes(archive.read(member))
            elif name in beside:
                (python / name).write_bytes(archive.read(member))


def _provide_tcl(folder: Path) -> None:
    """Debian's scripts of Tcl and Tk 8.6, made to accept the wheel's patch level."""
    for name in ("tcl8.6", "tk8.6"):
        shutil.copytree(Path("/usr/share/tcltk", name), folder / name)
    for script, package in ((folder / "tcl8.6/init.tcl", "Tcl"), (folder / "tk8.6/tk.tcl", "Tk")):
        text = script.read_text("utf-8")
        asked = rf"-exact {package}( +)8\.6\.[0-9]+"
        script.write_text(re.sub(asked, rf"-exact {package}\g<1>{TCL_VERSION}", text), "utf-8")


def _compile_program(python: Path) -> None:
    source, program = HERE / "windows/python.c", python / "python.exe"
    _run(f"{_MINGW}gcc", "-municode", "-O2", "-s", "-o", str(program), str(source))


def _forward_stable_abi(python: Path) -> None:
    """python3.dll: every export of python313.dll under the name that abi3 extensions load."""
    table = _output(f"{_MINGW}objdump", "-p", str(python / "python313.dll"))
    names = re.findall(r"^\s*\[ *\d+\] (?:\+base\[ *\d+\] +[0-9a-f]+ +)?(\w+)$", table, re.M)
    if "PyArg_Parse" not in names:
        sys.exit(f"objdump shows no exports of {python / 'python313.dll'}.")
    lines = [f"    {name} = python313.{name}" for name in sorted(set(names))]
    definition = python / "python3.def"
    definition.write_text("\n".join(["LIBRARY python3", "EXPORTS", *lines, ""]), "utf-8")
    # Without a base of its own the linker makes one up from the name of the folder.
    plain = "-Wl,--entry,0,--no-insert-timestamp,--image-base,0x180000000"
    options = ("-shared", "-nostdlib", plain)
    _run(f"{_MINGW}gcc", *options, "-o", str(python / "python3.dll"), str(definition))
    definition.unlink()


def _pip(*arguments: str) -> None:
    has_pip = importlib.util.find_spec("pip") is not None  # Debian's own Python has none
    python = sys.executable if has_pip else str(environment.setup(tests=False))
    _run(python, "-m", "pip", *arguments)


def _output(*command: str) -> str:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def _run(*command: str) -> None:
    if subprocess.run(command, stdin=subprocess.DEVNULL).returncode != 0:
        sys.exit(f"This failed: {' '.join(command)}")


if __name__ == "__main__":
    print(provide())
