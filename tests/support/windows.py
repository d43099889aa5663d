"""The built Windows program on a screen of our own: started by double click, looked at, ended; and
what it costs."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import wine
import wine_python
from tests.support.desktop import STILL_TRAY, Desktop
from tests.support.process import MAY_HURRY, ROOT, Program, wait_until
from tests.support.pulse import Pulse

PREFIX = wine.PREFIX.with_name("desktop")  # of our own: programs are built in the other one
START_WITHIN = 60.0  # seconds on a busy machine; 2 on a quiet one
END_WITHIN = 30.0
# Keys that every user of a real Windows has, and a new user of Wine's has not.
GIVEN = (r"HKCU\Software\Classes", r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall")
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Windows:
    """Wine's Windows on `desktop`, with the sound of `pulse`. Its user's folders are `local` (for
    programs and settings), `roaming` and `temporary`."""

    def __init__(self, desktop: Desktop, pulse: Pulse) -> None:
        self.variables = wine.variables(PREFIX) | desktop.variables | pulse.variables
        self.variables["PYTHONPATH"] = wine.windows_path(ROOT)
        (user,) = (wine.provide_prefix(PREFIX) / "drive_c/users").glob("[!P]*")
        self.local = user / "AppData/Local"
        self.roaming = user / "AppData/Roaming"
        self.temporary = user / "Temp"
        for key in GIVEN:
            self._wine("reg", "add", key, "/f")

    def double_click(self, program: Path, *words: str) -> None:
        """As the shell starts what is double-clicked; it does not wait for the program."""
        self._wine("start", "/unix", str(program), *words)

    def log_off(self, program: Path) -> None:
        """Tell `program` that the session ends; it must not object."""
        python = str(wine_python.provide() / "python.exe")
        self._wine(python, "-m", "tests.windows.log_off", program.name)

    def run(self, program: Path, *words: str, stdin: str = "") -> int:
        """The program's exit code."""
        command = ["wine", str(program), *words]
        done = subprocess.run(
            command, env=self.variables, input=stdin, text=True, capture_output=True, timeout=120
        )
        return done.returncode

    def registry(self) -> set[str]:
        """Every value of the user's registry, with its key, but for what Wine itself keeps."""
        found, key = set(), ""
        exported = self.temporary / "registry.reg"
        self._wine("reg", "export", r"HKCU\Software", wine.windows_path(exported), "/y")
        for line in exported.read_text("utf-16").splitlines():
            key = line if line.startswith("[") else key
            if r"\Wine" not in key:
                found.add(f"{key} {line}")
        exported.unlink()
        return found

    def files(self) -> set[str]:
        """Everything in the user's folders that programs may leave something in."""
        folders = (self.local, self.roaming)
        return {str(path) for folder in folders for path in folder.rglob("*")}

    def unpacked(self) -> set[Path]:
        return set(self.temporary.glob("_MEI*"))

    def processes(self, program: Path) -> list[int]:
        return processes(program, PREFIX)

    def wait_for_end(self, program: Path) -> None:
        wait_until(lambda: not self.processes(program), END_WITHIN, f"the end of {program.name}")

    def kill(self, program: Path) -> None:
        for number in self.processes(program):
            subprocess.run(["kill", "-9", str(number)], check=False)
        self.wait_for_end(program)

    def _wine(self, *words: str) -> None:
        quiet = subprocess.DEVNULL
        hurry = ["nice", "-n", "-15"] if MAY_HURRY else []  # sound comes in time on a busy machine
        command = [*hurry, "wine", *words]
        done = subprocess.run(
            command, env=self.variables, stdin=quiet, stdout=quiet, stderr=quiet, timeout=60
        )
        assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}"


def seen_icon(desktop: Desktop) -> None:
    """Wait until an icon in the tray is drawn."""
    left, top = desktop.tray_icon()

    def drawn() -> bool:
        corner = desktop.picture().crop((left - 8, top - 8, left + 8, top + 8))
        return len(corner.getcolors() or []) >= 4

    wait_until(drawn, 15, "a picture in the tray")


class WineMenu:
    """The menu of the only tray icon. Wine's menus have no name and never get the keyboard, so
    they are found by their size, and clicked. `program` is the file name of what made it."""

    _ROW = 17  # pixels, all but separators
    _FIRST, _LAST = 11, 12  # pixels from the edge to the middle of the outer rows

    def __init__(self, desktop: Desktop, program: str) -> None:
        self._desktop = desktop
        name = re.escape(program.lower())
        self._found = re.compile(
            rf'has no name\): \("{name}" "{name}"\)  (\d\d+)x(\d\d+)\S*  \+(\d+)\+(\d+)',
            re.IGNORECASE,
        )

    def open(self) -> tuple[int, int, int, int]:
        """Right click on the icon; left, top, width and height of the menu."""
        clicked = 0.0

        def opened() -> bool:
            nonlocal clicked
            if time.monotonic() > clicked + 6:  # the program may have been too busy for it
                self._desktop.press(self._desktop.tray_icon(), button=3)
                clicked = time.monotonic()
            return self._place() is not None

        wait_until(opened, 30, "the menu", self._desktop.tree)
        wait_until(self._desktop.steady, 10, "the menu to be drawn")
        place = self._place()
        assert place is not None
        return place

    def choose(self, entry: int) -> None:
        """Of the first group the one with this number, counted from 1; of the last group with a
        negative one, counted from the end."""
        self.click(self.open(), entry)

    def click(self, place: tuple[int, int, int, int], entry: int) -> None:
        left, top, width, height = place
        down = self._FIRST + self._ROW * (entry - 1)
        up = self._LAST + self._ROW * (-entry - 1)
        self._desktop.click((left + width // 2, top + down if entry > 0 else top + height - up))
        wait_until(lambda: not self._place(), 20, "the menu to close")

    def _place(self) -> tuple[int, int, int, int] | None:
        found = self._found.search(self._desktop.tree())
        if found is None:
            return None
        width, height, left, top = map(int, found.groups())
        return left, top, width, height


@contextmanager
def windows(folder: Path) -> Iterator[tuple[Desktop, Pulse, Windows]]:
    """A screen, a sound card and Wine on them, which is ended before and after."""
    wine.end(PREFIX)
    with Desktop(folder, tray=STILL_TRAY) as desktop, Pulse(folder) as pulse:
        try:
            yield desktop, pulse, Windows(desktop, pulse)
        finally:
            wine.end(PREFIX)


class WineProgram(Program):
    """One program in a prefix of its own, without a shell that starts it. `variables` are those of
    the desktop and the sound server."""

    def __init__(
        self, program: Path, prefix: Path, variables: Mapping[str, str], *arguments: str
    ) -> None:
        self._file, self._prefix = program, prefix
        wine_variables = {
            name: value for name, value in wine.variables(prefix).items() if "WINE" in name
        }
        super().__init__(["wine", program, *arguments], variables={**wine_variables, **variables})

    def resident_mb(self) -> float:
        """Memory in use by all of its processes."""
        pages = (int(_proc(pid, "statm").split()[1]) for pid in self._pids())
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        """CPU time used so far by all of its processes."""
        fields = (_proc(pid, "stat").rpartition(b")")[2].split() for pid in self._pids())
        return sum(int(field[11]) + int(field[12]) for field in fields) / _TICKS

    def stop(self, timeout_s: float = 3) -> None:
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        super().stop(timeout_s)

    def _pids(self) -> list[int]:
        return processes(self._file, self._prefix)


def processes(program: Path, prefix: Path) -> list[int]:
    """Those that run `program` in this prefix, by their numbers on this machine: a bootloader,
    which unpacks it and waits, and its child for each start."""
    numbers = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return [number for number in numbers if _runs(number, program.name, prefix)]


def _runs(number: int, name: str, prefix: Path) -> bool:
    """Wine puts the path of its program first, as it was given: as Windows has it, or as we do."""
    try:
        program = _proc(number, "cmdline").split(b"\0")[0]
        variables = _proc(number, "environ").split(b"\0")
    except OSError:
        return False  # it has just ended
    its_own = re.split(rb"[\\/]", program)[-1] == name.encode()
    return its_own and f"WINEPREFIX={prefix}".encode() in variables


def _proc(number: int, name: str) -> bytes:
    return Path(f"/proc/{number}/{name}").read_bytes()
