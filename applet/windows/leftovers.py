"""Folders that earlier starts left in the temporary folder.

The one-file program unpacks itself into `_MEI...` there and clears it away at its end, unless
Windows or the person ended it by force. A folder is ours if the brand file in it names our product,
and left over if nobody holds its `running` file open.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from applet.hints import IO

_RUNNING = "running"
_YOUNG = 600  # seconds within which a start may not have made its file yet


def mark_running(folder: Path) -> IO[bytes]:
    """Say that this folder is in use, as long as what is returned stays open. Raises OSError."""
    return (folder / _RUNNING).open("wb")


def mark_own() -> IO[bytes] | None:
    """Every start does this, whatever it is for: a question to the person may stay open for hours.
    To be held until the process ends. None when it runs from its sources, or if Windows refuses."""
    own = own_folder()
    try:
        return mark_running(own) if own else None
    except OSError:
        return None


def clear(own: Path, brand_file: Path, product: str) -> int:
    """Remove the left-over siblings of `own`, the folder that this process was unpacked into, in
    which `brand_file` lies; the number of them. What cannot be removed stays for the next time."""
    import shutil

    cleared = 0
    for folder in own.parent.glob("_MEI*"):
        theirs = folder / brand_file.relative_to(own)
        if folder != own and _product(theirs) == product and _left_over(folder):
            shutil.rmtree(folder, ignore_errors=True)
            cleared += not folder.exists()
    return cleared


def _product(brand_file: Path) -> object:
    """None if it is somebody else's folder, or another program's."""
    import tomllib

    try:
        return tomllib.loads(brand_file.read_text("utf-8")).get("product")
    except (OSError, ValueError):
        return None


def _left_over(folder: Path) -> bool:
    """Windows does not let a file go that another process holds open."""
    try:
        if folder.stat().st_mtime > time.time() - _YOUNG and not (folder / _RUNNING).exists():
            return False
        (folder / _RUNNING).unlink(missing_ok=True)
    except OSError:
        return False
    return True


def own_folder() -> Path | None:
    """Where this process was unpacked; None if it was not."""
    folder = getattr(sys, "_MEIPASS", None)
    return Path(folder) if folder else None
