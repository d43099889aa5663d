"""What the start does not wait for: time that somebody waits would be spent on it."""

import subprocess
import sys

import pytest

from tests.support.ports import free_port

# A start, a registration that nobody answers, and the end, without what is made ready meanwhile.
PROGRAM = """
import sys, applet.threads.core
applet.threads.core.PREPARE_AFTER = 3600
from applet.headless.run import run
run(sys.argv[1:], 0.0)
sys.stderr.write(" ".join(["", *sys.modules, ""]))
"""


@pytest.fixture(scope="module")
def imported() -> set[str]:
    options = ("--bind", "127.0.0.1:0", "--registrar", f"sip:127.0.0.1:{free_port()}")
    account = ("--user", "alice", "--password", "secret")
    command = [sys.executable, "-S", "-c", PROGRAM, *options, *account]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=True)
    assert '"ready"' in done.stdout and "> REGISTER" in done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "module",
    [
        "media.session",
        "phone.call",
        "phone.call_side",
        "phone.services",
        "sdp",
        "sdp.offer_answer",
        "sip.invite",
        "sip.services",
        "threads.media_call",
        "threads.ways",
        "ui.strings",
    ],
)
def test_what_only_a_call_needs_is_not_imported_at_the_start(
    imported: set[str], module: str
) -> None:
    assert "applet.phone.phone" in imported and f"applet.{module}" not in imported


@pytest.mark.parametrize(
    "module",
    [
        "aioice",
        "asyncio",
        "ctypes",
        "dataclasses",
        "dns",
        "getopt",
        "gettext",
        "hashlib",
        "ipaddress",
        "logging",
        "random",
        "ssl",
        "tomllib",
        "typing",
    ],
)
def test_what_is_slow_to_import_waits_for_who_needs_it(imported: set[str], module: str) -> None:
    assert module not in imported
