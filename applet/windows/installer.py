"""Keeps the program on this computer, and takes it away again: carries out `installation`'s plan.

Every step can be repeated. What is the user's own (other programs' folders, keys and links) is
never touched: files and keys are removed by their names, folders only when they are empty.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from applet.hints import TYPE_CHECKING
from applet.windows.handover import Leave
from applet.windows.installation import plan, version_value

if TYPE_CHECKING:
    from applet.brand import Brand

LEAVE_WITHIN = 12.0  # seconds that the running program has for ending its calls


class StillRunningError(OSError):
    """The running program does not end, so it cannot be replaced or removed."""


if sys.platform == "win32":
    from applet.windows import channel, credentials, registry, shortcut
    from applet.windows.folders import places

    def install(
        brand: Brand, program: Path, *, autostart: bool | None = None, end_running: bool = False
    ) -> Path:
        """Copy `program` to the user's programs and make its entries; the path of the copy.
        `autostart` None leaves it as it is. `end_running`: the kept program is asked to end if it
        runs, so that its file can be replaced. Raises OSError."""
        kept = plan(brand, places(), program.stat().st_size // 1024)
        target = Path(kept.program)
        if not is_same(program, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_suffix(".new")
            shutil.copyfile(program, fresh)
            _replace(fresh, target, brand.product if end_running else "")
        shortcut.make(str(kept.shortcut), str(target), f"Calls {brand.texts.desk}")
        registry.apply(kept, autostart)
        return target

    def uninstall(brand: Brand, program: Path) -> None:
        """Remove everything but settings and logs; `program`, if it is the kept one, goes when it
        has ended. Raises OSError."""
        kept = plan(brand, places())
        Path(kept.shortcut).unlink(missing_ok=True)
        registry.remove(kept)
        credentials.forget(brand.product)
        target = Path(kept.program)
        if is_same(program, target):
            remove_when_ended(target)
        else:
            target.unlink(missing_ok=True)
            remove_if_empty(target.parent)
            remove_if_empty(target.parent.parent)

    def is_kept(brand: Brand, program: Path) -> bool:
        """Whether this version is kept already, or `program` is the kept one. Raises OSError."""
        kept = plan(brand, places())
        return is_same(program, Path(kept.program)) or (
            registry.read(*version_value(brand.product)) == brand.version
            and Path(kept.program).exists()
        )

    def ask_to_leave(product: str) -> None:
        """Have the running program end, if there is one; raises StillRunningError."""
        until = time.monotonic() + LEAVE_WITHIN
        while channel.send(product, Leave()):
            if time.monotonic() > until:
                raise StillRunningError("the running program does not end")
            time.sleep(0.2)

    def _replace(fresh: Path, target: Path, to_end: str) -> None:
        """The file of a program that runs cannot be replaced before it has ended. `to_end`: the
        product whose running program is asked to; empty for none, we may be it."""
        until = time.monotonic() + LEAVE_WITHIN
        while True:
            try:
                fresh.replace(target)
                return
            except PermissionError:
                if time.monotonic() > until:
                    fresh.unlink(missing_ok=True)
                    raise StillRunningError("the kept program is in use") from None
            if to_end:
                ask_to_leave(to_end)
            time.sleep(0.2)

    def remove_when_ended(program: Path) -> None:
        """Leave it to a command processor, which tries again and again for a minute; the folders
        that hold nothing else then go too. Paths travel in the environment: inside quotes, what is
        put in for %NAME% is not looked at again."""
        folder = program.parent
        names = {
            "OWN_FILE": str(program),
            "OWN_FOLDER": str(folder),
            "PROGRAMS": str(folder.parent),
        }
        folders = 'rd "%OWN_FOLDER%" & rd "%PROGRAMS%"'
        attempt = f'del /f /q "%OWN_FILE%" & if not exist "%OWN_FILE%" ({folders} & exit)'
        pause = "ping -n 2 127.0.0.1 >nul"
        subprocess.Popen(
            f'"{os.environ["COMSPEC"]}" /d /s /c "for /l %i in (1,1,60) do ({attempt} & {pause})"',
            env=os.environ | names,
            creationflags=subprocess.CREATE_NO_WINDOW,
            cwd=os.environ.get("SYSTEMROOT", "C:\\"),
            close_fds=True,
        )


def is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
