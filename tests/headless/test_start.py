"""What the start does not wait for."""

import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """With the program, before anything is done."""
    code = "import applet.headless.run, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "applet.sip.invite",
        "applet.phone.call",
        "applet.phone.call_side",
        "applet.sdp.offer_answer",
        "applet.media.session",
        "applet.threads.media_call",
        "applet.ui.strings",
    ],
)
def test_what_only_a_call_needs_is_not_imported_with_the_program(
    imported: set[str], module: str
) -> None:
    assert "applet.phone.phone" in imported and module not in imported


@pytest.mark.parametrize(
    "module",
    [
        "aioice",
        "asyncio",
        "dataclasses",
        "dns",
        "hashlib",
        "ipaddress",
        "logging",
        "ssl",
        "tomllib",
    ],
)
def test_what_is_slow_to_import_waits_for_who_needs_it(imported: set[str], module: str) -> None:
    assert module not in imported
