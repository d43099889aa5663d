"""The executable beside others of its kind: made again elsewhere, another brand's, a bare one.

They are built in the background while the first one is clicked, so these tests come last.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import parts
import wine
from tests.support.archive import Archive
from tests.support.desktop import Desktop
from tests.support.exe import Build
from tests.support.process import wait_until
from tests.support.screen import Screen
from tests.support.wine_program import WineProgram

pytestmark = [pytest.mark.wine, pytest.mark.timeout(900)]


def test_a_changed_pystray_goes_in_and_the_bill_says_so(globex: Build) -> None:
    inside = Archive(globex.program)
    assert b"CHANGED_BY" in inside.module("pystray")
    listed = json.loads(globex.bill.read_text("utf-8"))["components"]
    (pystray,) = (part for part in listed if part["name"] == "pystray")
    assert pystray["version"] == "0.19.5 (changed)"
    assert "purl" not in pystray
    assert pystray["licenses"] == [{"license": {"id": parts.LGPL}}]


def test_another_checkout_makes_the_same_bytes_two_days_later(acme: Build, again: Build) -> None:
    assert again.program.read_bytes() == acme.program.read_bytes()
    assert again.digest == acme.digest
    assert again.bill.read_bytes() == acme.bill.read_bytes()


def test_it_is_a_fifth_smaller_than_the_bare_bundle_at_least(acme: Build, bare: Build) -> None:
    ours, theirs = (build.program.stat().st_size for build in (acme, bare))
    assert ours <= 0.8 * theirs, (ours, theirs)


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    with Desktop(tmp_path) as desktop:
        yield desktop


def test_programs_of_two_brands_run_side_by_side(
    acme: Build, globex: Build, desktop: Desktop, tmp_path: Path
) -> None:
    prefix = wine.provide_prefix(tmp_path / "prefix")
    screen = Screen(desktop.variables["DISPLAY"])
    with (
        WineProgram(acme.program, prefix, desktop.variables) as first,
        WineProgram(globex.program, prefix, desktop.variables) as second,
    ):
        for title in ("Acme Helpline", "Globex Support"):
            wait_until(lambda title=title: screen.shows(title), 60, f"the window of {title}")  # type: ignore[misc]
        wait_until(lambda: screen.tray_icons() == 2, 30, "an icon for each")
        # Each is a pair: one process unpacks the program and waits, the other one is the phone.
        assert (len(first.pids()), len(second.pids())) == (2, 2)
        second.stop()
        wait_until(lambda: screen.tray_icons() == 1, 30, "the second icon to go")
        assert screen.shows("Acme Helpline")
        assert len(first.pids()) == 2
