"""The executable as a file: what is in it, how large it is, and that it can be made again."""

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

import parts
import signing
from tests.support.archive import Archive
from tests.support.exe import Build
from tests.support.process import ROOT

pytestmark = [pytest.mark.wine, pytest.mark.timeout(900)]

GUI = 2  # the subsystem of programs without a console


@pytest.fixture(scope="module")
def inside(acme: Build) -> Archive:
    return Archive(acme.program)


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def subsystem(program: Path) -> int:
    head = program.read_bytes()[:4096]
    (pe,) = struct.unpack_from("<I", head, 60)
    return int(struct.unpack_from("<H", head, pe + 24 + 68)[0])


def test_the_build_says_where_the_program_is_and_leaves_its_hash_beside_it(acme: Build) -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", f"{acme.program.name}.sha256"],
        cwd=acme.program.parent,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
    assert acme.digest in acme.said
    assert "Warning: tests/data/brands/acme.toml: incoming.enabled: " in acme.said


def test_windows_shows_the_brand_and_asks_for_no_rights(acme: Build) -> None:
    content = acme.program.read_bytes()
    for text in ("Acme Helpline", "Acme Ltd", "2.5.1", "Acme Helpline.exe"):
        assert utf16(text) in content
    assert b'level="asInvoker"' in content
    assert b"<dpiAware" in content
    assert subsystem(acme.program) == GUI


def test_the_brand_and_its_pictures_are_inside(inside: Archive) -> None:
    brand = inside.read("applet/brand.toml").decode()
    assert 'uri = "sip:callee@127.0.0.1:27606"' in brand
    assert "icon" not in brand, "it is in the pictures already"
    assert {"icons/idle.png", "icons/on_hold.png", "icons/glyph_pause.png"} <= inside.files
    assert inside.read("icons/idle.png") != (ROOT / "icons/idle.png").read_bytes()


def test_a_program_made_through_wine_says_so(inside: Archive) -> None:
    assert inside.read("applet/built.txt").decode().strip() == "wine"


def test_the_libraries_that_are_used_are_inside(inside: Archive) -> None:
    for module in ("pystray._win32", "PIL.PngImagePlugin", "pyaudio", "stun", "sv_ttk", "dns.name"):
        assert module in inside.modules, module
    for start in ("pyaudio/_portaudio", "audioop/_audioop", "PIL/_imaging.", "_ssl", "_tk_data/tk"):
        assert any(name.startswith(start) for name in inside.files), start


def test_what_is_not_needed_is_not_inside(inside: Archive) -> None:
    starts = (
        *("_tcl_data/tzdata", "_tcl_data/msgs", "_tk_data/demos", "_tk_data/msgs", "sqlite"),
        *("_wmi", "PIL/_avif", "PIL/_webp", "PIL/_imagingft", "api-ms-win", "_test"),
    )
    assert [name for name in inside.files if name.startswith(starts)] == []
    roots = {name.partition(".")[0] for name in inside.modules}
    assert roots.isdisjoint(
        {"sqlite3", "test", "tests", "unittest", "pydoc", "cryptography", "Xlib"}
    )


def test_nothing_of_pyinstaller_is_inside_but_what_starts_the_program(inside: Archive) -> None:
    roots = {name.partition(".")[0] for name in inside.modules}
    assert roots.isdisjoint({"PyInstaller", "_pyinstaller_hooks_contrib", "altgraph", "pefile"})
    assert roots.isdisjoint({"setuptools", "pkg_resources", "_distutils_hack", "packaging"})


def test_every_part_comes_on_allowed_terms_and_brings_them_along(
    acme: Build, inside: Archive
) -> None:
    terms = inside.read("applet/licences.txt").decode()
    for component in json.loads(acme.bill.read_text("utf-8"))["components"]:
        (licence,) = component["licenses"]
        name, expression = component["name"], licence.get("expression") or licence["license"]["id"]
        assert expression in parts.ALLOWED or parts.ALLOWED_FOR.get(name) == expression, name
        assert f"{name} {component['version']} ({expression})" in terms
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in terms


def test_pystray_is_inside_as_it_was_published(acme: Build) -> None:
    listed = json.loads(acme.bill.read_text("utf-8"))["components"]
    (pystray,) = (part for part in listed if part["name"] == "pystray")
    assert pystray["purl"] == "pkg:pypi/pystray@0.19.5"
    pinned = (ROOT / "build/windows.txt").read_text("utf-8")
    assert "pystray==0.19.5 \\\n    --hash=sha256:" in pinned


def test_it_is_signed_with_a_certificate_and_keeps_what_is_behind_it(
    acme: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Path(shutil.copy(acme.program, tmp_path))
    key, certificate, both = (str(tmp_path / name) for name in ("key.pem", "cert.pem", "both.pfx"))
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    use = ["-subj", "/CN=Acme Ltd", "-addext", "extendedKeyUsage=codeSigning"]
    run(*new, *use, "-keyout", key, "-out", certificate)
    pair = ["-inkey", key, "-in", certificate, "-out", both]
    run("openssl", "pkcs12", "-export", *pair, "-passout", "pass:open sesame")

    monkeypatch.setenv(signing.PASSWORD, "wrong")
    with pytest.raises(SystemExit, match=r"Acme Helpline\.exe is not signed: "):
        signing.sign(program, Path(both))
    assert program.read_bytes() == acme.program.read_bytes()

    monkeypatch.setenv(signing.PASSWORD, "open sesame")
    signing.sign(program, Path(both))
    verified = run("osslsigncode", "verify", "-CAfile", certificate, "-in", str(program))
    assert "Signature verification: ok" in verified
    assert Archive(program).files == Archive(acme.program).files


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
