"""The tray icon in a real tray: it is there, it is clicked, it follows the state, it goes."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from applet.ui.pictures import ICONS
from applet.ui.tray import Tray
from applet.ui.view import SEPARATOR, Act, Entry, Icon, Request, TrayView
from tests.support.desktop import Desktop
from tests.support.process import Program, wait_until

pytestmark = pytest.mark.desktop

PATIENCE = 15.0
PRODUCT = "Ünser Häuschen"
MENU = (
    Entry("Call", Request(Act.CALL)),
    Entry("Hold", Request(Act.HOLD), enabled=False),
    Entry("Mute", Request(Act.MUTE), checked=True),
    SEPARATOR,
    Entry("Microphone", submenu=(Entry("Default", Request(Act.MICROPHONE), checked=True),)),
    Entry("Show", Request(Act.SHOW), default=True),
)
# Shows one icon, prints what is asked for, and ends at the end of stdin.
PROGRAM = """
import sys
from applet.ui.pictures import ICONS
from applet.ui.tray import Tray
from tests.ui.test_tray import MENU, PRODUCT
from applet.ui.view import Icon, TrayView
tray = Tray(PRODUCT, ICONS, None, lambda request: print(request.act.value, flush=True))
tray.show(TrayView(Icon.IDLE, f"{PRODUCT} …", MENU))
tray.start()
for line in sys.stdin:
    tray.show(TrayView(Icon(line.strip()), f"{PRODUCT} …", MENU[:1]))
    tray.notify("Title", "Text")
tray.stop()
print("stopped", flush=True)
"""
# As at the start of the phone, before there is a window.
EARLY_PROGRAM = """
import sys
from applet import brand as brands
from applet.ui.tray import start_tray
brand = brands.load(brands.BRAND_FILE)
tray = start_tray(brand, lambda request: print(request.act.value, flush=True))
sys.stdin.read()
tray.stop()
"""


GREEN, RED = "#15803d", "#dc2626"


def see(desktop: Desktop, colour: str) -> None:
    """Wait until an icon of this colour is in the tray."""
    wait_until(lambda: desktop.find_colour(colour, 60), PATIENCE, f"{colour} in the tray")


class Asked:
    """What the tray has asked for."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[Request] = SimpleQueue()
        self.seen: list[Request] = []

    def has(self, act: Act) -> Request | None:
        try:
            while True:
                self.seen.append(self.queue.get_nowait())
        except Empty:
            return next((request for request in self.seen if request.act is act), None)

    def wait_for(self, act: Act) -> Request:
        wait_until(lambda: self.has(act), PATIENCE, f"{act}; there is {self.seen}")
        request = self.has(act)
        assert request is not None
        self.seen.remove(request)
        return request


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    with Desktop(tmp_path_factory.mktemp("tray")) as desktop:
        yield desktop


@pytest.fixture
def asked(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setenv("DISPLAY", desktop.variables["DISPLAY"])
    monkeypatch.setenv("PYSTRAY_BACKEND", "xorg")
    return Asked()


def test_the_x_window_icon_is_clicked_and_follows_the_state(desktop: Desktop, asked: Asked) -> None:
    tray = Tray(PRODUCT, ICONS, None, asked.queue.put)
    tray.show(TrayView(Icon.IDLE, f"{PRODUCT}: …", MENU))
    tray.start()
    try:
        asked.wait_for(Act.TRAY_READY)
        spot = desktop.tray_icon()
        desktop.click(spot)
        asked.wait_for(Act.SHOW)
        desktop.click(spot, button=3)
        asked.wait_for(Act.LIST_DEVICES)
        assert asked.wait_for(Act.TRAY_MENU).value == f"{spot[0]},{spot[1]}"
        tray.show(TrayView(Icon.CONNECTED, "first", MENU))
        tray.show(TrayView(Icon.TROUBLE, "last", MENU))
        see(desktop, RED)
        tray.notify("nobody", "shows this here")
    finally:
        tray.stop()
    wait_until(lambda: not desktop.find_colour(RED, 60), PATIENCE, "the icon to go")
    assert not [thread for thread in threading.enumerate() if thread.name == "tray"]


def test_the_brands_own_picture_is_the_idle_icon(
    desktop: Desktop, asked: Asked, tmp_path: Path
) -> None:
    from PIL import Image

    own = tmp_path / "own.png"
    Image.new("RGB", (300, 300), "#123456").save(own)
    tray = Tray(PRODUCT, ICONS, own, asked.queue.put)
    tray.show(TrayView(Icon.IDLE, PRODUCT, MENU))
    tray.start()
    try:
        see(desktop, "#123456")
    finally:
        tray.stop()


def test_the_gtk_icon_is_clicked_and_its_menu_works(desktop: Desktop) -> None:
    variables = desktop.variables | {"PYSTRAY_BACKEND": "gtk"}
    with Program([sys.executable, "-c", PROGRAM], variables=variables) as program:
        program.wait_for_line("tray_ready", PATIENCE)
        desktop.click(desktop.tray_icon())
        program.wait_for_line("show", PATIENCE)
        desktop.choose(1)
        program.wait_for_line("list_devices", PATIENCE)
        program.wait_for_line("call", PATIENCE)
        program.send("connected")
        see(desktop, GREEN)
        program.close_stdin()
        program.wait_for_line("stopped", PATIENCE)
        assert program.wait(PATIENCE) == 0
        assert not [line for line in program.errors if "Traceback" in line]


def test_before_there_is_a_window_the_icon_calls_already(desktop: Desktop) -> None:
    variables = desktop.variables | {"PYSTRAY_BACKEND": "gtk"}
    with Program([sys.executable, "-c", EARLY_PROGRAM], variables=variables) as program:
        program.wait_for_line("tray_ready", PATIENCE)
        desktop.choose(1)
        program.wait_for_line("call", PATIENCE)
        program.close_stdin()
        assert program.wait(PATIENCE) == 0


def test_without_a_tray_that_is_told_once_and_stopping_is_quick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Asked()
    monkeypatch.delenv("PYSTRAY_BACKEND", raising=False)
    with Program(["Xvfb", "-displayfd", "1", "-nolisten", "tcp"]) as screen:
        number = screen.wait_for_line(r"^\d+$", PATIENCE)
        monkeypatch.setenv("DISPLAY", f":{number}")
        monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
        tray = Tray(PRODUCT, ICONS, None, asked.queue.put)
        tray.start()
        asked.wait_for(Act.TRAY_MISSING)
        tray.stop()
        assert asked.has(Act.TRAY_MISSING) is None


def test_without_a_screen_the_tray_is_missing_and_nothing_breaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Asked()
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.setenv("PYSTRAY_BACKEND", "gtk-of-another-world")
    tray = Tray(PRODUCT, ICONS, None, asked.queue.put)
    tray.start()
    assert "Traceback" in asked.wait_for(Act.TRAY_MISSING).value
    tray.stop()
