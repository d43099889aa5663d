"""Which tests run where, and when a test that did not run is a failure.

Tests that need real peers, a screen, network namespaces or Wine carry a mark. Where what the mark
needs is absent they are deselected, and so counted in pytest's last line. With CI=true nothing may
be left out: a skipped or deselected test fails the run. Windows has none of these programs, so
there the marked tests are left out in any case.

With several workers (`-n 2`) a file stays on one of them, and so do all tests that share what
there is only once: the kernel's network settings, the built executable. The longest come first.
While one is in the part of a test that is to be alone, the others wait.
"""

import os
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.turns import Turns

NEEDED_PROGRAMS = {
    "peers": ("baresip", "sipp", "linphonec", "kamailio", "espeak-ng", "openssl"),
    "desktop": ("Xvfb", "openbox", "tint2", "xdotool", "dbus-launch", "pulseaudio", "pactl"),
    "netns": ("ip", "nft", "conntrack", "ethtool", "openssl", "turnserver", "miniupnpd"),
    "wine": (
        *("wine", "x86_64-w64-mingw32-gcc", "Xvfb", "openbox", "xdotool", "pulseaudio"),
        *("faketime", "osslsigncode"),
    ),
}
TOGETHER = ("netns", "wine")
"""Marks whose tests run one after the other, on one worker."""
ON_WINDOWS = sys.platform == "win32"
collect_ignore = ["test_turns.py"] if ON_WINDOWS else []


# No test depends on how fast the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--units",
        action="store_true",
        help="leave the tests with marks to another run: they are not even counted",
    )


@pytest.hookimpl(tryfirst=True)  # before the workers' plug-in reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    absent = {mark: _absent(programs) for mark, programs in NEEDED_PROGRAMS.items()}
    units_only = config.getoption("--units")
    kept, left_out = [], []
    for item in items:
        marks = [mark.name for mark in item.iter_markers() if mark.name in NEEDED_PROGRAMS]
        if any(absent[mark] for mark in marks):
            left_out.append(item)
        elif not (units_only and marks):
            kept.append(item)
    items[:] = sorted(kept, key=_place)
    for item in kept:
        item.add_marker(pytest.mark.xdist_group(_lane(item)))
    if left_out and not units_only:
        config.hook.pytest_deselected(items=left_out)


def _lane(item: pytest.Item) -> str:
    shared = [mark for mark in TOGETHER if item.get_closest_marker(mark)]
    return shared[0] if shared else item.location[0]


def _place(item: pytest.Item) -> int:
    """What is shared first, then what needs programs, then the units; each as it was found."""
    marks = {mark.name for mark in item.iter_markers()}
    if not marks.isdisjoint(TOGETHER):
        return 0
    return 1 if not marks.isdisjoint(NEEDED_PROGRAMS) else 2


@cache
def _turns() -> "Turns | None":
    """None without workers."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return None
    from tests.support.turns import Turns  # workers are a matter of Linux

    return Turns(run)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # no test's time limit counts while it waits
def pytest_runtest_protocol() -> Generator[None, object, object]:
    turns = _turns()
    with nullcontext() if turns is None else turns.beside_others():
        return (yield)


@pytest.fixture
def alone() -> Callable[[], AbstractContextManager[None]]:
    """For the part of a test that is about sound in real time: `with alone():`."""
    turns = _turns()
    return nullcontext if turns is None else turns.alone


def pytest_report_header() -> list[str]:
    absent = _all_absent()
    if not absent:
        return []
    return [f"not installed, so the tests that need them are left out: {', '.join(absent)}"]


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Generator[None]:
    yield
    if left_out := _left_out(config):
        terminalreporter.write_line(f"CI is set: {left_out} is a failure.", red=True)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _left_out(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _left_out(config: pytest.Config) -> str:
    """What did not run although CI wants everything, such as "2 skipped"; empty if all is well."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None:
        return ""
    kinds = ("skipped", "xfailed") if ON_WINDOWS else ("skipped", "xfailed", "deselected")
    counts = {kind: len(reporter.stats.get(kind, [])) for kind in kinds}
    if config.getoption("numprocesses") and not config.getoption("--units"):
        counts["missing programs"] = len(_all_absent())  # workers do not tell what they left out
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def _all_absent() -> list[str]:
    return sorted({name for programs in NEEDED_PROGRAMS.values() for name in _absent(programs)})


def _absent(programs: tuple[str, ...]) -> list[str]:
    return [name for name in programs if ON_WINDOWS or shutil.which(name) is None]
