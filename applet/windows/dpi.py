"""Sharp windows: tell Windows that this program scales itself."""

from __future__ import annotations

import contextlib
import ctypes
import sys

_SYSTEM_AWARE = 1


def be_sharp() -> None:
    """To be called before the first window; does nothing elsewhere.

    System awareness, not per monitor: Tk 8.6 does not follow a change of monitor, so Windows
    scales the window there, a little blurred but of the right size.
    """
    if sys.platform == "win32":
        with contextlib.suppress(OSError):  # the program's manifest has said it already
            ctypes.windll.shcore.SetProcessDpiAwareness(_SYSTEM_AWARE)
