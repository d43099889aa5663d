"""What is left out of the executable, and what is not."""

import zipfile
from pathlib import Path

import pytest

import contents


@pytest.mark.parametrize(
    "name",
    [
        r"_tcl_data\tzdata\Europe\Paris",
        r"_tcl_data\msgs\fr.msg",
        r"_tcl_data\encoding\big5.enc",
        r"_tk_data\demos\widget",
        r"tcl8\8.5\msgcat-1.6.1.tm",
        "api-ms-win-crt-heap-l1-1-0.dll",
        "ucrtbase.dll",
    ],
)
def test_left_out(name: str) -> None:
    assert contents.files([(name, f"C:\\{name}", "DATA")]) == []


@pytest.mark.parametrize(
    "name",
    [
        r"_tcl_data\init.tcl",
        r"_tcl_data\encoding\cp1252.enc",
        r"_tcl_data\encoding\cp932.enc",
        r"_tk_data\ttk\vistaTheme.tcl",
        r"sv_ttk\theme\dark.tcl",
        "VCRUNTIME140.dll",
        r"applet\brand.toml",
    ],
)
def test_kept(name: str) -> None:
    entry = (name, f"C:\\{name}", "DATA")
    assert contents.files([entry]) == [entry]


def test_dnspython_keeps_the_records_that_are_asked_for() -> None:
    names = ["dns.rdtypes.IN.SRV", "dns.rdtypes.ANY.LOC", "dns.rdtypes.util", "dns.name"]
    kept = contents.modules((name, name, "PYMODULE") for name in names)
    assert [name for name, _, _ in kept] == ["dns.name", "dns.rdtypes.IN.SRV", "dns.rdtypes.util"]


def test_the_order_does_not_depend_on_the_disk() -> None:
    entries = [("b", "2", "DATA"), ("a", "1", "DATA")]
    assert contents.files(entries) == contents.files(reversed(entries))
    assert contents.modules(entries) == contents.modules(reversed(entries))


def test_the_library_for_starting_is_the_same_in_whatever_order_it_was_written(
    tmp_path: Path,
) -> None:
    written = []
    for number, names in enumerate(
        (("re/__init__.pyc", "abc.pyc"), ("abc.pyc", "re/__init__.pyc"))
    ):
        path = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, f"code of {name}")
        contents.sort_library(
            [("base_library.zip", str(path), "DATA"), ("other", "absent", "DATA")]
        )
        written.append(path.read_bytes())
        assert zipfile.ZipFile(path).read("abc.pyc") == b"code of abc.pyc"
    assert written[0] == written[1]


def test_start_up_code_keeps_its_order() -> None:
    names = ["struct", "pyi_rth_inspect", "pyi_rth__tkinter", "launcher"]
    kept = contents.scripts((name, name, "PYSOURCE") for name in names)
    assert [name for name, _, _ in kept] == ["struct", "pyi_rth__tkinter", "launcher"]
