"""Which parts are in the executable, and on what terms."""

import json
import sysconfig
from pathlib import Path

import pytest

import parts
from parts import Part

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
OWN = Part("Call Support", "1.0", "MIT", "Do as you like.")


def test_files_of_installed_packages_are_known_by_their_package() -> None:
    files = [
        SITE_PACKAGES / name for name in ("PIL/Image.py", "pystray/_base.py", "pystray/_xorg.py")
    ]
    found = {part.name: part for part in parts.python_parts(files, SITE_PACKAGES)}
    assert set(found) == {"pillow", "pystray"}
    assert found["pystray"].licence == parts.LGPL
    assert found["pystray"].purl == "pkg:pypi/pystray@0.19.5"
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in found["pystray"].text
    assert "GNU GENERAL PUBLIC LICENSE" in found["pystray"].text, "which the LGPL builds on"


def test_a_file_that_no_package_owns_is_refused() -> None:
    with pytest.raises(parts.UnknownPartError, match=r"stray\.py belongs to no installed package"):
        parts.python_parts([SITE_PACKAGES / "stray.py"], SITE_PACKAGES)


def test_libraries_in_c_are_known_by_their_files() -> None:
    names = [r"libcrypto-3.dll", r"pyaudio\_portaudio.cp313-win_amd64.pyd", r"_tk_data\tk.tcl"]
    found = {part.name: part for part in parts.c_parts(names, {"OpenSSL": "3.0.18"})}
    assert set(found) == {"OpenSSL", "PortAudio", "Tk"}
    assert found["OpenSSL"].version == "3.0.18"
    assert all(part.text for part in found.values())


def test_the_gpl_is_refused_and_so_is_a_part_without_its_terms() -> None:
    gpl = Part("pyinstaller", "6", "GPL-2.0-or-later", "GPL")
    lesser = Part("other", "1", parts.LGPL, "LGPL")
    silent = Part("silent", "1", "MIT", " ")
    assert parts.refused([OWN, gpl, lesser, silent]) == [
        "pyinstaller: GPL-2.0-or-later is not among the allowed licences",
        f"other: {parts.LGPL} is not among the allowed licences",
        "silent: its licence text is missing; put it into build/licences",
    ]


def test_only_pystray_may_come_by_the_lgpl() -> None:
    assert parts.refused([Part("pystray", "0.19.5", parts.LGPL, "LGPL")]) == []


def test_every_licence_in_the_folder_belongs_to_a_part() -> None:
    known = {text for _, _, text, _ in parts._IN_C} | {"python", "miniupnpc"}
    assert {path.stem for path in parts.TEXTS.iterdir()} == known


def test_the_terms_of_all_parts_stand_in_one_text_in_order() -> None:
    text = parts.licence_texts(
        OWN, [Part("zlib", "1.3", "Zlib", "Z"), Part("Abc", "2", "MIT", "A")]
    )
    assert text.startswith(
        "Call Support 1.0 is made of these parts:\n\n  Abc 2: MIT\n  zlib 1.3: Zlib\n"
    )
    assert text.index("Do as you like.") < text.index("\nA\n") < text.index("\nZ\n")


def test_the_bill_of_materials_is_cyclonedx_and_the_same_each_time() -> None:
    listed = [Part("zlib", "1.3", "Zlib", "Z"), Part("b", "2", parts.RUNTIME, "B", "pkg:pypi/b@2")]
    bill = json.loads(parts.bill_of_materials(OWN, listed))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "Call Support"
    first, second = bill["components"]
    assert first["purl"] == first["bom-ref"] == "pkg:pypi/b@2"
    assert first["licenses"] == [{"expression": parts.RUNTIME}]
    assert second["licenses"] == [{"license": {"id": "Zlib"}}]
    again = parts.bill_of_materials(OWN, reversed(listed))
    assert again == parts.bill_of_materials(OWN, listed)
