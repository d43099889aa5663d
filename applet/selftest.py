"""The program tries itself out: what a machine must give it, and one whole call with itself.

The result is a JSON file, because a windowed program on Windows may have no standard output. No
step needs a network, a server or a person.
"""

from __future__ import annotations

import importlib
import json
import platform
import sys
import tempfile
import time
from pathlib import Path
from queue import SimpleQueue

from applet import log, settings
from applet.address import Address
from applet.desk.caller import HOST, caller, is_state, next_event
from applet.desk.server import DeskServer
from applet.hints import TYPE_CHECKING
from applet.phone.messages import (
    CallState,
    Command,
    Dial,
    Event,
    HangUp,
    Levels,
    RequestStatistics,
    Statistics,
)
from applet.redaction import redacted_traceback
from applet.windows import credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.brand import Brand
    from applet.threads.core import CoreThread

PATIENCE = 10.0  # seconds for each thing that is waited for
HEARD_DBFS = -45.0
# What is loaded only when it is needed: the program starts without it, so the test must not.
MODULES = (
    *("PIL.Image", "PIL.ImageDraw", "PIL.ImageTk", "pyaudio", "stun", "audioop", "sv_ttk"),
    *("ssl", "truststore", "dns.resolver", "aioice", "miniupnpc", "platformdirs", "tomli_w"),
    *("tkinter.filedialog", "applet.ui.help_window", "applet.ui.toast"),
)
MODULES_ON_WINDOWS = ("pystray._win32", "applet.windows.channel_win32", "applet.windows.shortcut")


class SelfTestError(Exception):
    """A step found something missing; `str()` is one plain line."""


def self_test(brand: Brand, report: str) -> int:
    """Write the result to `report`; 0 if everything works, 1 if not, 2 if nothing can be
    written there."""
    steps: tuple[Callable[[Brand], str], ...] = (
        *(imports, icons, theme, devices, call, kept_settings, secrets),
    )
    results = [_try(step, brand) for step in steps]
    works = all(result["works"] for result in results)
    told = {
        "product": brand.product,
        "version": brand.version,
        "python": platform.python_version(),
        "works": works,
        "steps": results,
    }
    try:
        Path(report).write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    except OSError:
        return 2
    return 0 if works else 1


def _try(step: Callable[[Brand], str], brand: Brand) -> dict[str, object]:
    began = time.monotonic()
    try:
        works, found = True, step(brand)
    except Exception as error:
        works = False
        found = str(error) if isinstance(error, SelfTestError) else redacted_traceback(error)
    took = round(1000 * (time.monotonic() - began))
    return {"step": step.__name__, "works": works, "found": found, "ms": took}


def imports(_: Brand) -> str:
    modules = MODULES + (MODULES_ON_WINDOWS if sys.platform == "win32" else ())
    for name in modules:
        importlib.import_module(name)
    return f"{len(modules)} modules"


def icons(_: Brand) -> str:
    from PIL import Image

    from applet.ui.pictures import ICONS
    from applet.ui.view import Icon

    for icon in Icon:
        with Image.open(ICONS / f"{icon.value}.png") as picture:
            if min(picture.size) < 64:
                raise SelfTestError(f"the icon {icon.value} has only {picture.size} pixels")
            picture.resize((16, 16)).save(Path(tempfile.gettempdir(), "self-test.ico"), "ICO")
    Path(tempfile.gettempdir(), "self-test.ico").unlink()
    return f"{len(Icon)} pictures"


def theme(brand: Brand) -> str:
    """The real window, drawn once."""
    from applet.ui.dialer import Dialer
    from applet.ui.presenter import Presenter

    commands: list[Command] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        dialer = Dialer(Presenter(brand), commands.append, SimpleQueue(), Path(folder))

        def drawn() -> bool:
            dialer.root.update()
            return bool(dialer.root.winfo_viewable())

        try:
            _wait(drawn, "the window")
            return f"{dialer.root.winfo_width()} x {dialer.root.winfo_height()} pixels"
        finally:
            dialer.root.destroy()


def devices(_: Brand) -> str:
    """A machine without a sound card is not the program's fault."""
    from applet.audio.portaudio import Direction, PortAudio

    audio = PortAudio()
    try:
        names = [f"{d.name.lower()}: {', '.join(audio.names(d)) or 'none'}" for d in Direction]
    finally:
        audio.close()
    return "; ".join(names)


def call(_: Brand) -> str:
    """To the embedded desk on this machine: a tone goes out, its voice comes in."""
    desk = DeskServer(Address(HOST, 0), lambda text: None)
    core = caller()
    try:
        uri = f"sip:desk@{desk.start()}"
        core.start()
        core.submit(Dial(uri, confirmed=True))
        _event(core, is_state(CallState.CONNECTED), "the answer")
        heard = _event(core, _two_way, "sound in both directions")
        core.submit(RequestStatistics(0))
        numbers = _event(core, lambda event: isinstance(event, Statistics), "the numbers")
        core.submit(HangUp(0))
        _event(core, is_state(CallState.ENDED), "the end of the call")
    finally:
        core.stop()
        desk.stop()
    assert isinstance(heard, Levels)
    assert isinstance(numbers, Statistics)
    return (
        f"said {heard.microphone:.0f} dBFS, heard {heard.speaker:.0f} dBFS, "
        f"{numbers.received} packets received, {numbers.lost} lost, MOS {numbers.mos:.1f}"
    )


def kept_settings(brand: Brand) -> str:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name, brand.product)
        chosen = settings.Settings(microphone="A microphone", speaker_db=-3.0)
        if not settings.save(folder, chosen) or settings.load(folder).settings != chosen:
            raise SelfTestError("settings do not come back as they were written")
        log_file = log.LogFile(folder / "logs")
        log_file.write("a line")
        if not log_file.newest().read_text("utf-8").endswith(" a line\n"):
            raise SelfTestError("the log does not come back as it was written")
    return "written and read"


def secrets(brand: Brand) -> str:
    if sys.platform != "win32":
        return "not on this system"
    product, wanted = f"{brand.product} self-test", credentials.Credential("somebody", "ünread")
    credentials.save(product, wanted)
    try:
        if credentials.load(product) != wanted:
            raise SelfTestError("a password does not come back as it was written")
    finally:
        credentials.forget(product)
    return "written, read and forgotten"


def _two_way(event: Event) -> bool:
    return isinstance(event, Levels) and min(event.microphone, event.speaker) > HEARD_DBFS


def _event(core: CoreThread, wanted: Callable[[Event], bool], what: str) -> Event:
    event = next_event(core, wanted, PATIENCE)
    if event is None:
        raise SelfTestError(f"{what} did not come within {PATIENCE:.0f} s")
    return event


def _wait(condition: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise SelfTestError(f"{what} did not come within {PATIENCE:.0f} s")
        time.sleep(0.01)
