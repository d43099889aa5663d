"""Makes the executable; runs in the Windows Python (on Windows, or under Wine).

`python bundle.py JOB.json`: `build.py` writes the job, PyInstaller reads `applet.spec`, and the
spec calls back here for what only the finished list of contents tells: the parts and their terms.
"""

import importlib.metadata
import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

import brand_pictures
import parts
import version_resource
from applet import brand as brands
from applet.brand import Brand
from job import Job
from parts import Part

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

JOB = "BUNDLE_JOB"


class Contents(NamedTuple):
    """What PyInstaller found, as lists of (name in the program, path here, kind)."""

    modules: list[tuple[str, str, str]]
    binaries: list[tuple[str, str, str]]
    datas: list[tuple[str, str, str]]


def main(path: str) -> int:
    job = Job.read(Path(path))
    brand = brands.load(Path(job.brand))
    work = Path(job.work)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    brand_pictures.draw(work / "icons", brand)
    (work / "built.txt").write_text(f"{job.made_on}\n", "utf-8")
    (work / "brand.toml").write_text(_frozen_brand(Path(job.brand)), "utf-8", newline="\n")
    os.environ |= {JOB: path, "PYINSTALLER_CONFIG_DIR": str(work / "cache")}
    from PyInstaller.__main__ import run

    options = ("--noconfirm", "--log-level", "WARN", "--workpath", str(work / "pyinstaller"))
    run([*options, "--distpath", job.out, str(HERE / "applet.spec")])
    return 0


def _frozen_brand(path: Path) -> str:
    """The brand file as it lies in the program, where the icon is in the pictures already."""
    import tomllib

    import tomli_w

    table = tomllib.loads(path.read_text("utf-8"))
    table.pop("icon", None)
    return tomli_w.dumps(table)


# --- called by the spec ---------------------------------------------------------------------


def job() -> Job:
    return Job.read(Path(os.environ[JOB]))


def version(brand: Brand, file_name: str) -> Any:
    return version_resource.make(brand, file_name)


def list_parts(contents: Contents) -> list[tuple[str, str, str]]:
    """Write the bill of materials beside the program; returns the data file with all terms.

    Ends the build with plain lines when a part may not be inside.
    """
    plan = job()
    brand = brands.load(Path(plan.brand))
    own = Part(brand.product, brand.version, "MIT", (ROOT / "LICENSE").read_text("utf-8"))
    try:
        found = _parts(contents, plan)
    except parts.UnknownPartError as error:
        sys.exit(f"The executable is not built: {error}.")
    if lines := parts.refused(found):
        sys.exit("\n".join(["The executable is not built:", *lines]))
    work = Path(plan.work)
    terms = work / "licences.txt"
    terms.write_text(parts.licence_texts(own, found), "utf-8", newline="\n")
    bill = Path(plan.out, f"{brand.product}.cdx.json")
    bill.parent.mkdir(parents=True, exist_ok=True)
    bill.write_text(parts.bill_of_materials(own, found), "utf-8", newline="\n")
    return [("applet/licences.txt", str(terms), "DATA")]


def _parts(contents: Contents, plan: Job) -> list[Part]:
    """Every file that goes in belongs to us, to an installed package, to CPython or to a library
    in C that came with it."""
    site_packages = Path(sysconfig.get_path("purelib"))
    foreign = Path(plan.pystray) if plan.pystray else None
    installed: list[Path] = []
    changed = False
    files = [*contents.binaries, *contents.datas]
    for _, text, _ in [*contents.modules, *files]:
        path = Path(text)
        if foreign is not None and path.is_relative_to(foreign):
            changed = True
        elif path.is_relative_to(site_packages) and not _starts_programs(path, site_packages):
            installed.append(path)
    found = parts.python_parts(installed, site_packages)
    if changed:
        found = [part for part in found if part.name != "pystray"]
        found.append(_changed_pystray(site_packages))
    found += parts.c_parts((name for name, _, _ in files), _versions())
    pyinstaller = importlib.metadata.distribution("pyinstaller")
    return found + parts.python_itself(platform.python_version(), pyinstaller)


def _starts_programs(path: Path, site_packages: Path) -> bool:
    """PyInstaller's start-up code, which comes on the terms of its bootloader."""
    folders = ("loader", "fake-modules", "hooks/rthooks")
    return any(path.is_relative_to(site_packages / "PyInstaller" / name) for name in folders)


def _changed_pystray(site_packages: Path) -> Part:
    original = next((site_packages / "pystray").glob("__init__.py"))
    (part,) = parts.python_parts([original], site_packages)
    return part._replace(version=f"{part.version} (changed)", purl="")


def _versions() -> dict[str, str]:
    """Of the libraries in C, as far as they tell."""
    import ssl
    import tkinter

    import pyaudio

    tcl = str(tkinter.Tcl().eval("info patchlevel"))
    portaudio = pyaudio.get_portaudio_version_text().split(",")[0].removeprefix("PortAudio ")
    return {
        "OpenSSL": ssl.OPENSSL_VERSION.split()[1],
        "Tcl": tcl,
        "Tk": tcl,
        "PortAudio": portaudio,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
