"""Which tests run where, and when a test that did not run is a failure.

Tests that need real peers, a screen, network namespaces or Wine carry a mark. Where what the mark
needs is absent they are deselected, and so counted in pytest's last line. With CI=true nothing may
be left out: a skipped or deselected test fails the run. Windows has none of these programs, so
there the marked tests are left out in any case.
"""

import os
import shutil
import sys
from collections.abc import Generator

import pytest

NEEDED_PROGRAMS = {
    "peers": ("baresip", "sipp", "linphonec", "kamailio", "espeak-ng"),
    "desktop": ("Xvfb", "openbox", "trayer", "xdotool", "dbus-launch", "pulseaudio", "pactl"),
    "netns": ("ip", "nft", "conntrack", "turnserver", "miniupnpd"),
    "wine": ("wine", "x86_64-w64-mingw32-gcc", "Xvfb", "trayer", "xdotool", "pulseaudio"),
}
ON_WINDOWS = sys.platform == "win32"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--units",
        action="store_true",
        help="leave the tests with marks to another run: they are not even counted",
    )


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
    items[:] = kept
    if left_out and not units_only:
        config.hook.pytest_deselected(items=left_out)


def pytest_report_header() -> list[str]:
    absent = {name for programs in NEEDED_PROGRAMS.values() for name in _absent(programs)}
    if not absent:
        return []
    return [f"not installed, so the tests that need them are left out: {', '.join(sorted(absent))}"]


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
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def _absent(programs: tuple[str, ...]) -> list[str]:
    return [name for name in programs if ON_WINDOWS or shutil.which(name) is None]
