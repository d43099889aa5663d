"""Measures the Windows program beside a bare bundle of the same libraries, both under Wine.

Start = creation of the process to the icon in the tray, the median of seven alternating starts in
the same warm state; `window` likewise. From the icon to the INVITE: of a call that was asked for
with the start (`--call`: from then on calls can be placed), and of somebody who clicks on the
button's place again and again. Memory two seconds after the icon; CPU in a call of twenty seconds.
"""

import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

import bare_bundle
import wine
from tests.support.desktop import STILL_TRAY, Desktop, Spot
from tests.support.exe import Build, built
from tests.support.headless import Headless
from tests.support.process import wait_until
from tests.support.pulse import Pulse
from tests.support.screen import Screen
from tests.support.windows import WineProgram

FOLDER = wine.PREFIX.parent / "bench"
RUNS = 7
INVITES = 3
BUTTON = "#1d4ed8"  # the brand's colour for calling
DESK = ("127.0.0.1", 27606)  # whom the brand calls
IN_CALL_S = 20


Programs = dict[str, tuple[Path, str]]
"""By name: the file, and the title of its window."""


class Start(NamedTuple):
    """Seconds from the creation of the process, CPU seconds until the icon, memory in MB."""

    icon: float
    window: float
    cpu: float
    resident: float


class Bench:
    def __init__(self, desktop: Desktop, sound: Pulse) -> None:
        self._desktop = desktop
        self._variables = {**sound.variables, **desktop.variables}
        self._screen = Screen(desktop.variables["DISPLAY"])
        self._prefix = wine.provide_prefix(FOLDER / "prefix")

    def start(self, program: Path, title: str) -> tuple[WineProgram, Start]:
        begun = time.perf_counter()
        running = WineProgram(program, self._prefix, self._variables)
        icon = self._seconds(begun, self._in_tray, f"{title} in the tray")
        cpu = running.cpu_s()
        window = self._seconds(begun, lambda: self._screen.shows(title), f"the window of {title}")
        threading.Event().wait(2)
        return running, Start(icon, window, cpu, running.resident_mb())

    def stop(self, running: WineProgram) -> None:
        running.stop()
        wait_until(lambda: not self._in_tray(), 30, "the icon to go")

    def button(self) -> Spot:
        found: list[Spot] = []

        def look() -> bool:
            """While the window is being drawn, the button comes and goes."""
            spot = self._desktop.find_colour(BUTTON)
            found.extend([spot] if spot else [])
            return bool(found)

        wait_until(look, 10, "the button that calls")
        return found[0]

    def icon_to_invite(self, program: Path, title: str, button: Spot | None = None) -> float:
        """Seconds from the icon to the INVITE: of `--call`, or of clicks on `button`."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
            desk.bind(DESK)
            desk.settimeout(0.05)
            words = () if button else ("--call",)
            running = WineProgram(program, self._prefix, self._variables, *words)
            wait_until(self._in_tray, 60, f"{title} in the tray")
            docked = time.perf_counter()
            while not _invited(desk):
                if button:
                    self.click(button)
            took = time.perf_counter() - docked
        self.stop(running)
        return took

    def click(self, button: Spot) -> None:
        self._desktop.run("xdotool", "mousemove", *map(str, button), "click", "1")

    def _in_tray(self) -> bool:
        return self._screen.tray_icons() == 1

    @staticmethod
    def _seconds(begun: float, condition: Callable[[], bool], what: str) -> float:
        wait_until(condition, 60, what)
        return time.perf_counter() - begun


def _invited(desk: socket.socket) -> bool:
    try:
        return desk.recv(4000).startswith(b"INVITE")
    except TimeoutError:
        return False


def _cpu_in_a_call(bench: Bench, program: Path, title: str, button: Spot) -> float:
    """Seconds of CPU for each minute of a call."""
    address = f"{DESK[0]}:{DESK[1]}"
    options = ("--answer", "auto", "--accept-any-user", "--audio-in", "tone:440")
    desk = Headless(*options, bind=address)
    running, _ = bench.start(program, title)
    bench.click(button)
    desk.wait_for_state("connected", 10)
    threading.Event().wait(2)
    before, begun = running.cpu_s(), time.perf_counter()
    threading.Event().wait(IN_CALL_S)
    used = (running.cpu_s() - before) / (time.perf_counter() - begun)
    bench.stop(running)
    desk.stop()
    return 60 * used


def _programs() -> tuple[Build, Path]:
    bare = FOLDER / "bare.exe"
    if not bare.exists():
        bare_bundle.make(FOLDER)
    return built("acme", FOLDER / "acme"), bare


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    acme, bare = _programs()
    programs: Programs = {"ours": (acme.program, "Acme Helpline"), "bare": (bare, "Bare")}
    starts: dict[str, list[Start]] = {name: [] for name in programs}
    with (
        tempfile.TemporaryDirectory(prefix="bench") as folder,
        Desktop(Path(folder), tray=STILL_TRAY) as desktop,
        Pulse(Path(folder)) as sound,
    ):
        bench = Bench(desktop, sound)
        button = (0, 0)
        for number in range(1 + RUNS):  # the first one warms up
            for name, (program, title) in programs.items():
                running, start = bench.start(program, title)
                if number:
                    starts[name].append(start)
                elif name == "ours":
                    button = bench.button()
                bench.stop(running)
        _report(programs, starts)
        ours = programs["ours"]
        asked = [bench.icon_to_invite(*ours) for _ in range(INVITES)]
        clicked = [bench.icon_to_invite(*ours, button) for _ in range(INVITES)]
        cpu = _cpu_in_a_call(bench, *ours, button)
    print(f"ours: icon to INVITE {statistics.median(asked):.2f} s, ", end="")
    print(f"by clicks {statistics.median(clicked):.2f} s; ", end="")
    print(f"{cpu:.2f} s of CPU for a minute's call")
    return 0


def _report(programs: Programs, starts: dict[str, list[Start]]) -> None:
    for name, (program, _) in programs.items():
        icon, window, cpu, resident = map(statistics.median, zip(*starts[name], strict=True))
        size = program.stat().st_size / 1e6
        print(f"{name}: {size:.1f} MB; icon after {icon:.2f} s ({cpu:.2f} s of CPU), ", end="")
        print(f"window after {window:.2f} s; {resident:.0f} MB in memory")
        print(f"      icons: {' '.join(f'{start.icon:.2f}' for start in starts[name])}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
