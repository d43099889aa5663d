"""The tray icon of Windows, really run: Wine shows it in an X tray, where it is clicked."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import wine
import wine_python
from tests.support.desktop import STILL_TRAY, Desktop
from tests.support.process import ROOT, Program, wait_until
from tests.support.windows import PREFIX, WineMenu, seen_icon

pytestmark = [pytest.mark.wine, pytest.mark.timeout(240)]

PATIENCE = 30.0
GREEN, RED = "#15803d", "#dc2626"


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    wine.end(PREFIX)
    with Desktop(tmp_path_factory.mktemp("tray"), tray=STILL_TRAY) as desktop:
        yield desktop
        wine.end(PREFIX)


@pytest.fixture(scope="module")
def program(desktop: Desktop) -> Iterator[Program]:
    python = wine_python.provide() / "python.exe"
    wine.provide_prefix(PREFIX)
    variables = wine.variables(PREFIX) | desktop.variables
    variables["PYTHONPATH"] = wine.windows_path(ROOT)
    command: list[str | Path] = ["wine", python, "-m", "tests.windows.tray_program"]
    with Program(command, variables=variables) as program:
        program.wait_for_line("tray_ready", PATIENCE)
        seen_icon(desktop)
        yield program
        program.close_stdin()
        assert program.wait(PATIENCE) == 0
        assert program.lines[-1] == "stopped"
        assert not [line for line in program.errors if "Traceback" in line]


@pytest.fixture
def tray(program: Program) -> Program:
    """Whatever it has said before does not count."""
    program.lines.clear()
    return program


def turns(desktop: Desktop, tray: Program, state: str, colour: str) -> None:
    tray.send(f"show {state}")
    wait_until(lambda: shows(desktop, colour), PATIENCE, f"{colour} in the tray")


def shows(desktop: Desktop, colour: str) -> bool:
    """Whether the corner of the tray has this colour, but for what scaling does to it."""
    wanted = np.array(tuple(bytes.fromhex(colour.removeprefix("#"))))
    pixels = np.asarray(desktop.picture())[-40:, -40:].astype(int)
    return bool((abs(pixels - wanted).max(axis=2) < 12).sum() > 8)


def test_the_icon_is_clicked_follows_the_state_and_its_menu_is_fresh(
    desktop: Desktop, tray: Program
) -> None:
    desktop.click(desktop.tray_icon())
    tray.wait_for_line("^show ", PATIENCE)
    turns(desktop, tray, "connected", GREEN)
    WineMenu(desktop, "python.exe").choose(1)
    tray.wait_for_line("list_devices", PATIENCE)
    tray.wait_for_line("^call ", PATIENCE)
    turns(desktop, tray, "trouble", RED)


def test_when_explorer_starts_again_the_icon_is_back(desktop: Desktop, tray: Program) -> None:
    turns(desktop, tray, "trouble", RED)
    tray.send("forget")
    wait_until(lambda: not shows(desktop, RED), PATIENCE, "the icon to go")
    tray.send("explorer")
    seen_icon(desktop)
    wait_until(lambda: shows(desktop, RED), PATIENCE, "the icon to be back")


def test_log_off_is_not_held_up_and_waits_for_the_farewell(desktop: Desktop, tray: Program) -> None:
    tray.send("logoff")
    assert tray.wait_for_line("^query", PATIENCE) == "query 1"
    assert tray.wait_for_line("^cancelled", PATIENCE) == "cancelled 0"
    tray.wait_for_line("^quit ", PATIENCE)
    assert tray.lines.count("quit ") == 1  # not when the log-off was called off


def test_the_picture_is_as_large_as_it_is_shown(desktop: Desktop, tray: Program) -> None:
    tray.send("size")
    wanted, got = tray.wait_for_line("^size", PATIENCE).split()[1:]
    assert wanted == got == "16"


def test_a_mistake_is_told_and_does_not_take_the_icon_with_it(
    desktop: Desktop, tray: Program
) -> None:
    tray.send("break")
    tray.wait_for_line("failed", PATIENCE)
    turns(desktop, tray, "trouble", RED)
    assert not [line for line in tray.lines if line.startswith("tray_missing")]


def test_a_balloon_as_long_as_allowed_is_shown_and_clicked(desktop: Desktop, tray: Program) -> None:
    tray.send("note")
    tray.send("click")  # Wine 8 does not tell its programs
    tray.wait_for_line("^show ", PATIENCE)
    assert not [line for line in tray.lines if line.startswith("failed")]


def test_at_log_on_the_tray_is_asked_until_it_takes_the_icon(desktop: Desktop) -> None:
    variables = wine.variables(PREFIX) | desktop.variables
    variables["PYTHONPATH"] = wine.windows_path(ROOT)
    python = wine_python.provide() / "python.exe"
    command: list[str | Path] = ["wine", python, "-m", "tests.windows.tray_program", "late"]
    with Program(command, variables=variables) as late:
        late.wait_for_line("tray_ready", PATIENCE)
        assert late.lines.count("refused") == 2
        late.close_stdin()
        assert late.wait(PATIENCE) == 0


SCALE = r"HKCU\Control Panel\Desktop"
MEASURE = """
from PIL import Image
from applet.ui.pictures import ICONS
from applet.ui.tray_win32 import Win32Icon
from applet.windows.dpi import be_sharp
from tests.windows.tray_program import picture_width
be_sharp()
icon = Win32Icon("x", Image.open(ICONS / "idle.png").convert("RGBA"), "x", None)
icon._assert_icon_handle()
print("pixels", picture_width(icon._icon_handle))
"""


def test_the_picture_is_sharp_at_twice_the_scale(desktop: Desktop) -> None:
    python = wine_python.provide() / "python.exe"
    more = desktop.variables | {"PYTHONPATH": wine.windows_path(ROOT)}
    change = ("wine", "reg", "add", SCALE, "/v", "LogPixels", "/t", "REG_DWORD", "/f", "/d")
    try:
        wine.run(*change[1:], "192", more=more, prefix=PREFIX)
        said = wine.run(python, "-c", MEASURE, more=more, prefix=PREFIX).stdout
    finally:
        wine.run(*change[1:], "96", more=more, prefix=PREFIX)
    assert "pixels 32\n" in said
