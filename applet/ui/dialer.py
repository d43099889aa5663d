"""The window: draws what the presenter says and passes on every click and key."""

from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from applet.phone.messages import Command, Event
from applet.ui.presenter import Presenter


def run_dialer(
    presenter: Presenter,
    submit: Callable[[Command], None],
    events: "SimpleQueue[Event]",
    settings_folder: Path,
    *,
    tray: bool = True,
) -> None:
    """Show window and tray icon until the person quits; returns after `Stopped` (or 4 s after
    Quit). Runs in the main thread; `submit` must not block. `tray=False` shows no icon.
    Raises `tkinter.TclError` when there is no display."""
