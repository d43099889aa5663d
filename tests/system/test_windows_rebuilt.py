"""The executable beside others of its kind: made again elsewhere, another brand's, a bare one.

They are built in the background while the first one is clicked, so these tests come last.
"""

import json

import pytest

import parts
from tests.support.archive import Archive
from tests.support.exe import Build

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
