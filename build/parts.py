"""The parts of the executable: which they are, on what terms they came, and the lists of them.

Each file that goes in belongs to one part; a file of an unknown part, and a part on terms that are
not allowed, stop the build.
"""

import csv
import importlib.metadata
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
TEXTS = HERE / "licences"

LGPL = "LGPL-3.0-only"
BOOTLOADER = "GPL-2.0-or-later WITH Bootloader-exception"
RUNTIME = "LicenseRef-Microsoft-Visual-C-Runtime"
ALLOWED = {
    *("MIT", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "ISC", "PSF-2.0", "Python-2.0.1"),
    *("Apache-2.0", "Zlib", "TCL", "HPND", "0BSD", RUNTIME),
}
# Allowed for these parts alone: pystray can be replaced by anybody (`--with-pystray`), and the
# exception lets PyInstaller's bootloader into any program.
ALLOWED_FOR = {"pystray": LGPL, "PyInstaller bootloader": BOOTLOADER}

# Old packages name their terms in words of their own.
_IN_OTHER_WORDS = {
    "MIT License": "MIT",
    "LGPLv3": LGPL,
    "BSD": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


class Part(NamedTuple):
    """`licence` is an SPDX expression, `text` the terms in full."""

    name: str
    version: str
    licence: str
    text: str
    purl: str = ""


class UnknownPartError(Exception):
    """A file that no part is known for, or a part whose terms are not known."""


# Libraries in C that come with others: part, its licence, and the files that hold it.
_IN_C = (
    ("OpenSSL", "Apache-2.0", "openssl", r"lib(crypto|ssl)-3[\w-]*\.dll"),
    ("Tcl", "TCL", "tcl", r"tcl86t\.dll|_tcl_data/.*"),
    ("Tk", "TCL", "tk", r"tk86t\.dll|_tk_data/.*"),
    ("libffi", "MIT", "libffi", r"libffi-8\.dll"),
    ("zlib", "Zlib", "zlib", r"zlib1\.dll"),
    ("PortAudio", "MIT", "portaudio", r".*_portaudio\.[\w-]+\.pyd"),
    ("Visual C++ runtime", RUNTIME, "visual-c-runtime", r"(vcruntime|msvcp)140\w*\.dll"),
)


def python_parts(paths: Iterable[Path], site_packages: Path) -> list[Part]:
    """The installed packages that own `paths`, which lie in `site_packages`."""
    owners: dict[str, importlib.metadata.Distribution] = {}
    for package in importlib.metadata.distributions(path=[str(site_packages)]):
        owners |= dict.fromkeys(_recorded(package), package)
    found: dict[str, Part] = {}
    for path in paths:
        owner = owners.get(os.path.normcase(path.relative_to(site_packages).as_posix()))
        if owner is None:
            raise UnknownPartError(f"{path} belongs to no installed package")
        name = owner.metadata["Name"]
        if name not in found:
            found[name] = _package(owner)
    return list(found.values())


def c_parts(names: Iterable[str], versions: dict[str, str]) -> list[Part]:
    """The libraries in C among the file `names` (as they lie in the program)."""
    wanted = [name.replace("\\", "/").lower() for name in names]
    return [
        Part(part, versions.get(part, ""), licence, _own_text(text))
        for part, licence, text, pattern in _IN_C
        if any(re.fullmatch(pattern, name) for name in wanted)
    ]


def python_itself(version: str, pyinstaller: importlib.metadata.Distribution) -> list[Part]:
    """The two parts that are always there: CPython and what unpacks and starts the program."""
    bootloader = Part(
        "PyInstaller bootloader", pyinstaller.version, BOOTLOADER, _texts(pyinstaller)
    )
    return [Part("Python", version, "PSF-2.0", _own_text("python")), bootloader]


def refused(parts: Iterable[Part]) -> list[str]:
    """One line for each part on terms that are not allowed or not at hand."""
    lines = []
    for part in parts:
        if part.licence not in ALLOWED and ALLOWED_FOR.get(part.name) != part.licence:
            lines.append(f"{part.name}: {part.licence} is not among the allowed licences")
        if not part.text.strip():
            lines.append(f"{part.name}: its licence text is missing; put it into build/licences")
    return lines


def licence_texts(own: Part, parts: Iterable[Part]) -> str:
    """All terms in one text, as *About* shows it."""
    chapters = [_chapter(own), *(_chapter(part) for part in _sorted(parts))]
    names = "\n".join(f"  {part.name} {part.version}: {part.licence}" for part in _sorted(parts))
    return f"{own.name} {own.version} is made of these parts:\n\n{names}\n\n" + "\n\n".join(
        chapters
    )


def bill_of_materials(own: Part, parts: Iterable[Part]) -> str:
    """CycloneDX 1.6 as JSON; without serial number and time, so that equal programs have
    equal bills."""
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _component(own, "application")},
        "components": [_component(part, "library") for part in _sorted(parts)],
    }
    return json.dumps(bill, indent=2, ensure_ascii=False) + "\n"


def _component(part: Part, kind: str) -> dict[str, object]:
    spdx_id = not (" " in part.licence or part.licence.startswith("LicenseRef"))
    licence = {"license": {"id": part.licence}} if spdx_id else {"expression": part.licence}
    component: dict[str, object] = {
        "type": kind,
        "bom-ref": part.purl or part.name,
        "name": part.name,
        "version": part.version,
        "licenses": [licence],
    }
    if part.purl:
        component["purl"] = part.purl
    return component


def _package(package: importlib.metadata.Distribution) -> Part:
    name, version = package.metadata["Name"], package.version
    text = _own_text(name.lower()) or _texts(package)
    return Part(name, version, _licence(package), text, f"pkg:pypi/{name.lower()}@{version}")


def _licence(package: importlib.metadata.Distribution) -> str:
    """What the package says of itself, as SPDX writes it."""
    about = package.metadata
    said = [words for key in ("License-Expression", "License") for words in about.get_all(key, [])]
    said += [
        classifier.rpartition(" :: ")[2]
        for classifier in about.get_all("Classifier", [])
        if classifier.startswith("License :: ")
    ]
    for words in (text.strip().partition("\n")[0] for text in said):  # some give the whole text
        if words in ALLOWED or words in _IN_OTHER_WORDS:
            return _IN_OTHER_WORDS.get(str(words), str(words))
    raise UnknownPartError(f"{about['Name']}: its licence is not known ({', '.join(said)})")


def _recorded(package: importlib.metadata.Distribution) -> list[str]:
    """The files of `package`; not by its `files`, which look each of them up on the disk."""
    rows = csv.reader((package.read_text("RECORD") or "").splitlines())
    return [os.path.normcase(row[0]) for row in rows]


def _texts(package: importlib.metadata.Distribution) -> str:
    """The licence files that were installed with `package`."""
    wanted = re.compile(r"\.dist-info[/\\](licenses[/\\])?[^/\\]*(LICEN[CS]E|COPYING|NOTICE)", re.I)
    files = sorted(file for file in _recorded(package) if wanted.search(file))
    return "\n\n".join(
        Path(str(package.locate_file(file))).read_text("utf-8").strip() for file in files
    )


def _own_text(name: str) -> str:
    path = TEXTS / f"{name}.txt"
    return path.read_text("utf-8") if path.is_file() else ""


def _sorted(parts: Iterable[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: part.name.lower())


def _chapter(part: Part) -> str:
    title = f"{part.name} {part.version} ({part.licence})"
    return f"{'=' * 78}\n{title}\n{'=' * 78}\n\n{part.text.strip()}\n"
