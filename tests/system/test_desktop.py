"""The real applet on a screen with a tray and a sound card: clicked, heard, held and hung up."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audio_compare import compare
from tests.support.baresip import Baresip
from tests.support.desktop import Desktop
from tests.support.process import ROOT, Program, wait_until
from tests.support.pulse import Pulse
from tests.support.speech import Samples, level_dbfs, read_wav
from tests.system.conftest import Alone, Voice

pytestmark = [pytest.mark.desktop, pytest.mark.peers, pytest.mark.timeout(240)]

GREEN, RED = "#15803d", "#dc2626"
BAD = "#b91c1c"  # of the sentence that says what went wrong
PULSE_LIMITS = {"correlation": 0.85, "level_db": 3.0, "frames": 0.98}
SCREENSHOTS = ROOT / "dist/screenshots"
# The entries of the tray's menu that can be chosen: without a call, and in one.
CALL, HOLD, HANG_UP, QUIT = 1, 2, 3, -1


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: sockets live in it."""
    with tempfile.TemporaryDirectory(prefix="cs") as name:
        yield Path(name)


@pytest.fixture
def desktop(folder: Path) -> Iterator[Desktop]:
    with Desktop(folder) as desktop:
        yield desktop


@pytest.fixture
def pulse(folder: Path) -> Iterator[Pulse]:
    with Pulse(folder) as server:
        yield server


class Applet(Program):
    """The applet with a brand whose support desk is `desk`."""

    def __init__(self, folder: Path, desktop: Desktop, pulse: Pulse, desk: str, tray: str) -> None:
        brand = folder / "brand.toml"
        brand.write_text(
            'product = "Call Support"\ncompany = "Example"\nversion = "1.0"\n'
            f'[support]\nuri = "{desk}"\nfallback_phone = "+44 20 7946 0000"\n'
        )
        variables = desktop.variables | pulse.variables
        variables |= {"PYSTRAY_BACKEND": tray, "XDG_DATA_HOME": str(folder / "data")}
        python = shutil.which("python", path=str(Path(__import__("sys").executable).parent))
        assert python is not None
        command: list[str | Path] = [python, "-m", "applet", "--brand", brand]
        super().__init__(command, variables=variables)


def call_button(desktop: Desktop, timeout_s: float = 10) -> tuple[int, int]:
    """Where the button that calls is, once no call is left. (Meters are green too.)"""
    over = lambda: desktop.find_colour(RED) is None and desktop.steady()  # noqa: E731
    wait_until(over, timeout_s, "the call to be over")
    return desktop.wait_for_colour(GREEN)


def answer(baresip: Baresip) -> None:
    """Let it ring, then pick up."""
    baresip.wait_for("CALL_INCOMING")
    baresip.command("accept")
    baresip.wait_for("CALL_ESTABLISHED")


def keep(desktop: Desktop, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    desktop.picture().save(SCREENSHOTS / f"{name}.png")


@pytest.mark.parametrize("tray", ["xorg", "gtk"])
def test_the_applet_is_clicked_speaks_is_held_and_hung_up(
    folder: Path,
    desktop: Desktop,
    pulse: Pulse,
    ours: Voice,
    theirs: Voice,
    alone: Alone,
    tray: str,
) -> None:
    with (
        Baresip(folder / "baresip", theirs.long_file, answers=False) as baresip,
        Applet(folder, desktop, pulse, baresip.uri, tray) as applet,
    ):
        desktop.wait_for_colour(GREEN)
        desktop.tray_icon()
        keep(desktop, f"{tray}-idle")

        with alone():
            desktop.choose(CALL)
            answer(baresip)
            desktop.wait_for_colour(RED)
            with pulse.recording_speaker() as speaker:
                pulse.play_into_microphone(ours.file)
        keep(desktop, f"{tray}-in-call")
        heard = speaker.samples

        desktop.choose(HOLD)
        wait_until(lambda: level_dbfs(pulse.record_speaker(0.5)) < -60, 5, "silence on hold")
        keep(desktop, f"{tray}-on-hold")
        desktop.choose(HOLD)
        wait_until(lambda: level_dbfs(pulse.record_speaker(0.5)) > -45, 5, "their voice again")

        desktop.choose(HANG_UP)
        baresip.wait_for("CALL_CLOSED")
        said = read_wav(baresip.heard())

        desktop.click(call_button(desktop))
        answer(baresip)
        desktop.click(desktop.wait_for_colour(RED))
        baresip.wait_for("CALL_CLOSED")
        call_button(desktop)
        baresip.stop()
        desktop.click(call_button(desktop))
        wait_until(lambda: desktop.find_colour(BAD, 30), 45, "the sentence of the failure")
        desktop.wait_for_colour(GREEN)
        keep(desktop, f"{tray}-failure")

        desktop.choose(QUIT)
        assert applet.wait(10) == 0, applet.transcript()
        assert not [line for line in applet.errors if "Traceback" in line], applet.transcript()
    compare(theirs.sound, heard).check(**PULSE_LIMITS)
    compare(ours.sound, heard_of(said, ours.sound)).check(**PULSE_LIMITS)


def heard_of(said: Samples, sound: Samples) -> Samples:
    """The part of the recording `said` in which `sound` was spoken, near its beginning."""
    spoken = said[: len(sound) + 8 * 8000]
    start = int(max(0, _onset(spoken) - 800))
    return spoken[start : start + len(sound)]


def _onset(sound: "object") -> int:
    """The sample at which somebody begins to speak."""
    import numpy as np

    loud = np.flatnonzero(np.abs(np.asarray(sound)) > 1000)
    assert len(loud), "nobody spoke"
    return int(loud[0])


def test_closing_the_window_leaves_the_phone_in_the_tray_and_a_click_brings_it_back(
    folder: Path, desktop: Desktop, pulse: Pulse
) -> None:
    with Applet(folder, desktop, pulse, "sip:desk@127.0.0.1:9", "xorg") as applet:
        desktop.wait_for_colour(GREEN)
        icon = desktop.tray_icon()
        desktop.run("wmctrl", "-c", "Call Support")
        wait_until(lambda: desktop.find_colour(GREEN) is None, 5, "the window to hide")
        assert applet.exit_code is None
        desktop.click(icon)
        desktop.wait_for_colour(GREEN)
        desktop.choose(QUIT)
        assert applet.wait(10) == 0
