"""Starts the phone: one for each user, and the tray icon first.

The icon needs little of the program, so it is on its way while the rest is still being imported.
"""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue

from applet import brand as brands
from applet.brand import BrandError
from applet.hints import TYPE_CHECKING
from applet.ui.tray import start_tray
from applet.visitor import RunningAlreadyError, only_one
from applet.windows import message
from applet.windows.command_line import Run
from applet.windows.dpi import be_sharp

if TYPE_CHECKING:
    from applet.ui.view import Request


def run_app(start: Run = Run()) -> int:  # noqa: B008  (a value)
    """The whole phone until the person quits; or, where it runs already, what it was started for
    is done there. Returns the exit code."""
    try:
        brand = brands.load(Path(start.brand_file) if start.brand_file else brands.BRAND_FILE)
    except BrandError as error:
        message.tell("", str(error))
        return 2
    requests: SimpleQueue[Request] = SimpleQueue()
    try:
        with only_one(brand.product, start.order, requests.put):
            be_sharp()
            tray = start_tray(brand, requests.put)
            try:
                from applet.app import run_or_explain

                return run_or_explain(brand, start, requests, tray)
            finally:
                tray.stop()
    except RunningAlreadyError as running:
        if running.answers:
            return 0
        message.tell(brand.product, f"{brand.product} is running already, but does not answer.")
        return 1
