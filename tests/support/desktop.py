"""A screen with a window manager, a tray and a session bus of our own, and hands to use them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image

from tests.support.process import Program, wait_until

Spot = tuple[int, int]


class Tray(NamedTuple):
    """A program, and the name of its window; `settings` is the text of a file whose path is added
    to the command."""

    window: str
    command: tuple[str, ...]
    settings: str = ""


STILL_TRAY = Tray("still tray", (sys.executable, "-m", "tests.support.still_tray"))
PANEL = Tray(
    "tint2",
    ("tint2", "-c"),
    """
panel_items = S
panel_position = bottom right horizontal
panel_size = 28 28
systray_padding = 0 2 2
systray_icon_size = 24
""",
)
_IN_THE_TRAY = re.compile(r"(\d\d+)x(\d\d+)\+\S+  \+(\d+)\+(\d+)")


class Desktop:
    """Xvfb, openbox, a tray (a panel that is nothing else, but for Wine) and a D-Bus session;
    `variables` is what a program needs in its environment to appear here. Colours are found by
    eye: on a picture of the screen."""

    def __init__(self, folder: Path, size: str = "1024x768x24", tray: Tray = PANEL) -> None:
        self._folder = folder
        self._tray = tray
        self._programs: list[Program] = []
        try:
            self._begin(size)
        except AssertionError:
            self._end()
            raise

    def _begin(self, size: str) -> None:
        screen = self._start(
            "Xvfb", "-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp", "-noreset"
        )
        number = screen.wait_for_line(r"^\d+$", 10)
        self.variables = {"DISPLAY": f":{number}"}
        bus = self._start("dbus-daemon", "--session", "--print-address", "--nofork")
        address = bus.wait_for_line("^unix:")
        self.variables["DBUS_SESSION_BUS_ADDRESS"] = address
        self._start("openbox")
        self._wait_for("xprop", "-root", "_NET_SUPPORTING_WM_CHECK", shows="window id")
        self._start_tray()
        self._put_the_hand_away()

    def _start_tray(self) -> None:
        command = list(self._tray.command)
        if self._tray.settings:
            settings = self._folder / "tray.settings"
            settings.write_text(self._tray.settings)
            command.append(str(settings))
        self._start(*command)
        self._wait_for("xwininfo", "-root", "-tree", shows=f'"{self._tray.window}"')

    def __enter__(self) -> "Desktop":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        for program in reversed(self._programs):
            program.stop()

    # --- eyes

    def picture(self, name: str = "screen") -> PIL.Image.Image:
        """What the screen shows now; kept as a PNG in the folder."""
        path = self._folder / f"{name}.png"
        self.run("import", "-window", "root", str(path))
        return PIL.Image.open(path).convert("RGB")

    def find_colour(self, colour: str, fewest: int = 300) -> Spot | None:
        """The middle of the pixels that have exactly this colour (`#rrggbb`)."""
        wanted = tuple(bytes.fromhex(colour.removeprefix("#")))
        pixels = np.asarray(self.picture())
        rows, columns = np.nonzero((pixels == wanted).all(axis=2))
        if len(rows) < fewest:
            return None
        return int(np.median(columns)), int(np.median(rows))

    def wait_for_colour(self, colour: str, timeout_s: float = 10) -> Spot:
        found: list[Spot] = []

        def look() -> bool:
            spot = self.find_colour(colour)
            found.extend([spot] if spot else [])
            return spot is not None

        wait_until(look, timeout_s, f"{colour} on the screen")
        return found[0]

    def tray_icon(self) -> Spot:
        """The middle of the only icon in the tray."""
        found: list[re.Match[str]] = []
        look_at_tray = ("xwininfo", "-name", self._tray.window, "-tree")

        def look() -> bool:
            found[:] = _IN_THE_TRAY.finditer(self.run(*look_at_tray))
            return bool(found)

        wait_until(look, 15, "an icon in the tray")
        width, height, left, top = map(int, found[0].groups())
        return left + width // 2, top + height // 2

    # --- hands

    def click(self, spot: Spot, button: int = 1) -> None:
        self.press(spot, button)
        self._put_the_hand_away()

    def keys(self, *names: str) -> None:
        """Press keys one after the other, such as `Down` or `Return`."""
        self.run("xdotool", "key", "--delay", "60", *names)

    def open_menu(self) -> None:
        """Right click on the tray icon."""
        before = self.windows()
        self.press(self.tray_icon(), button=3)
        wait_until(lambda: self.windows() > before, 5, "the menu")
        wait_until(self.steady, 5, "the menu to be drawn")

    def choose(self, entry: int) -> None:
        """Right click on the tray icon and choose the entry with this number, counted from 1
        among those that can be chosen; a negative one counts from the end."""
        self.open_menu()
        # The first key always lands on the first entry; from there Up goes round to the last.
        self.keys(*["Down"] * max(entry, 1), *["Up"] * -entry, "Return")
        self._put_the_hand_away()

    def run(self, *words: str) -> str:
        done = subprocess.run(
            ["env", *(f"{name}={value}" for name, value in self.variables.items()), *words],
            capture_output=True,
            text=True,
            errors="replace",  # names of windows come in any coding
            timeout=20,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
        return done.stdout

    # --- inside

    def press(self, spot: Spot, button: int) -> None:
        x, y = spot
        self.run("xdotool", "mousemove", "--sync", str(x), str(y), "sleep", "0.7")
        # No hand is faster; and after a call the button rests for half a second.
        self.run("xdotool", "click", str(button), "sleep", "0.2")

    def _put_the_hand_away(self) -> None:
        """Under the pointer things change their colour."""
        self.run("xdotool", "mousemove", "2", "2")

    def _start(self, *words: str) -> Program:
        variables = getattr(self, "variables", {})
        program = Program(list(words), variables=variables)
        self._programs.append(program)
        return program

    def _wait_for(self, *words: str, shows: str) -> None:
        def look() -> bool:
            variables = [f"{name}={value}" for name, value in self.variables.items()]
            done = subprocess.run(["env", *variables, *words], capture_output=True, text=True)
            return shows in done.stdout

        wait_until(look, 15, f"{' '.join(words)} to show {shows!r}")

    def windows(self) -> int:
        """How many windows can be seen; an open menu is one more."""
        return self.tree().count("+") and len(
            self.run("xdotool", "search", "--onlyvisible", "--name", ".*").split()
        )

    def tree(self) -> str:
        """Every window there is, as xwininfo lists them."""
        return self.run("xwininfo", "-root", "-tree")

    def steady(self) -> bool:
        """Whether nothing moves beside the window."""
        return self._beside("before") == self._beside("after")

    def _beside(self, name: str) -> bytes:
        """The part of the screen beside the window, whose meters always move: the tray's menu."""
        picture = self.picture(name)
        return picture.crop((picture.width * 7 // 10, 0, *picture.size)).tobytes()
