"""A start imports what it needs and nothing else: everything else is time that somebody waits."""

import subprocess
import sys

import pytest

SLOW = ("typing", "random", "getopt", "gettext", "asyncio", "ssl", "hashlib", "logging", "ctypes")
OF_CALLS = ("sdp", "media.session", "sip.invite", "sip.services", "phone.call", "threads.ways")


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    program = "import sys, applet.headless.run; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True
    )
    return {*ran.stdout.split()}


def test_a_start_leaves_out_the_slow_parts_of_the_library(loaded: set[str]) -> None:
    assert "applet.phone.phone" in loaded
    assert not {*SLOW} & loaded


def test_a_start_leaves_out_what_only_a_call_needs(loaded: set[str]) -> None:
    assert not {f"applet.{name}" for name in OF_CALLS} & loaded
