"""The switches for administrators and for *Apps*: /install, /uninstall, /quiet, --set-password.

Exit codes: 0 done, 1 it failed, 2 wrong switches, 3 the running program does not end.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from applet import log, settings
from applet.hints import TYPE_CHECKING
from applet.redaction import redact
from applet.windows import credentials, message
from applet.windows.installer import StillRunningError

if TYPE_CHECKING:
    from applet.brand import Brand

DONE, FAILED, WRONG, RUNNING = range(4)
_ONLY_WINDOWS = "This is for the Windows program only."


def program() -> Path | None:
    """The one file that this process is; None where it runs from its sources."""
    return Path(sys.executable) if getattr(sys, "frozen", False) else None


def keep_program(brand: Brand, autostart: bool) -> str:
    """Keep this program on the computer; empty, or why it could not be kept."""
    own = program()
    if sys.platform != "win32" or own is None:
        return _ONLY_WINDOWS
    from applet.windows import installer

    try:
        installer.install(brand, own, autostart=autostart)
    except OSError as error:
        return redact(str(error))
    return ""


def install(brand: Brand, quiet: bool) -> int:
    """Keep this program; without `quiet` start the kept one too."""
    own = program()
    if sys.platform != "win32" or own is None:
        message.tell(brand.product, _ONLY_WINDOWS)
        return FAILED
    from applet.windows import installer

    try:
        kept = installer.install(brand, own, end_running=True)
    except OSError as error:
        return _failed(brand, quiet, "could not be kept on this computer", error)
    if not quiet:
        subprocess.Popen([kept], close_fds=True)
    return DONE


def uninstall(brand: Brand, quiet: bool) -> int:
    """Remove everything that belongs to the program; without `quiet` ask before, and tell."""
    own = program()
    if sys.platform != "win32" or own is None:
        message.tell(brand.product, _ONLY_WINDOWS)
        return FAILED
    from applet.windows import installer

    if not quiet and not message.ask(brand.product, f"Remove {brand.product} from this computer?"):
        return FAILED
    try:
        installer.ask_to_leave(brand.product)
        installer.uninstall(brand, own)
        folder = settings.folder(brand.product)
        log.forget(folder / "logs")
        settings.forget(folder)
    except OSError as error:
        return _failed(brand, quiet, "could not be removed completely", error)
    if not quiet:
        message.tell(brand.product, f"{brand.product} has been removed.", bad=False)
    return DONE


def set_password(brand: Brand, user: str) -> int:
    """Keep an account whose password is the first line of standard input."""
    password = sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else ""
    if not credentials.fits(password):
        longest = credentials.LONGEST_PASSWORD
        message.tell(brand.product, f"Give a password of 1 to {longest} characters as one line.")
        return WRONG
    if sys.platform != "win32":
        message.tell(brand.product, _ONLY_WINDOWS)
        return FAILED
    try:
        credentials.save(brand.product, credentials.Credential(user, password))
    except OSError as error:
        message.tell(brand.product, f"Windows does not keep the password: {error.strerror}.")
        return FAILED
    return DONE


def _failed(brand: Brand, quiet: bool, what: str, error: OSError) -> int:
    """Said to the person, or kept in the log if nobody is there."""
    sentence = f"{brand.product} {what}: {error.strerror or error}."
    if quiet:
        log.LogFile(settings.folder(brand.product) / "logs").write(redact(sentence))
    else:
        message.tell(brand.product, sentence)
    return RUNNING if isinstance(error, StillRunningError) else FAILED
