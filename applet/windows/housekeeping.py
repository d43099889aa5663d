"""What the Windows program looks after once it runs, out of the way of its start."""

from __future__ import annotations

import sys
import threading

from applet import brand as brands
from applet.hints import TYPE_CHECKING
from applet.windows import leftovers
from applet.windows.log_off import be_told_first

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from applet.brand import Brand

AFTER = 3.0  # seconds, when window and icon have long been there


def look_after(
    brand: Brand,
    program: Path | None,
    *,
    can_be_kept: Callable[[], None],
    is_blocked: Callable[[], None],
    failed: Callable[[str, BaseException], None],
) -> None:
    """Clear away what earlier starts left; call `can_be_kept` if this program is not kept on the
    computer yet, `is_blocked` if the firewall blocks it. All on a thread of its own."""
    if program is None:
        return
    be_told_first()
    own = leftovers.own_folder()

    def look() -> None:
        try:
            if own is not None:
                leftovers.clear(own, brands.BRAND_FILE, brand.product)
            _ask_windows(brand, program, can_be_kept, is_blocked)
        except Exception as error:
            failed("housekeeping", error)

    timer = threading.Timer(AFTER, look)
    timer.name, timer.daemon = "housekeeping", True
    timer.start()


def _ask_windows(
    brand: Brand, program: Path, can_be_kept: Callable[[], None], is_blocked: Callable[[], None]
) -> None:
    if sys.platform == "win32":
        from applet.windows import firewall, installer

        if not installer.is_kept(brand, program):
            can_be_kept()
        if firewall.is_blocked(str(program)):
            is_blocked()
