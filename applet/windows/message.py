"""One sentence to the person while there is no window: a box on Windows, else a line of text."""

from __future__ import annotations

import ctypes
import os
import sys

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ICON_WARNING, _ICON_INFORMATION, _YES_NO, _TO_THE_FRONT = 0x30, 0x40, 0x4, 0x10000
_YES = 6


def tell(title: str, text: str, *, bad: bool = True) -> None:
    """A windowed program has no standard error on Windows."""
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")
    elif sys.platform == "win32":
        icon = _ICON_WARNING if bad else _ICON_INFORMATION
        ctypes.windll.user32.MessageBoxW(None, text, title, icon | _TO_THE_FRONT)


def offer_log(title: str, log: Path) -> None:
    """The program must end, because of a mistake of its own."""
    sentence = f"Something went wrong inside {title}, and it has to end."
    if sys.stderr is not None or sys.platform != "win32":
        tell(title, f"{sentence} {log} shows what happened.")
    elif ask(title, f"{sentence}\n\nShow log?"):
        os.startfile(log)


def ask(title: str, question: str) -> bool:
    """Yes or no; without anybody to ask it is no."""
    if sys.platform != "win32":
        return False
    flags = _YES_NO | _ICON_INFORMATION | _TO_THE_FRONT
    return bool(ctypes.windll.user32.MessageBoxW(None, question, title, flags) == _YES)
