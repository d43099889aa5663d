"""The tray icon on Windows: pystray's, with what it leaves out.

A menu as fresh as the click, balloons that can be clicked, a tray that is not there yet, a picture
of the very size that is shown, a log-off that is not held up longer than a farewell takes, and
mistakes that are told in place of being swallowed.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import tempfile
from pathlib import Path

from pystray._util import win32
from pystray._win32 import Icon

from applet.hints import TYPE_CHECKING
from applet.redaction import redacted_traceback
from applet.ui.view import Act, Request

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from applet.hints import Any

FAREWELL = 4.0  # seconds at log-off for ending the call; Windows waits for five
_BALLOON_CLICKED = 0x0405
_WM_QUERYENDSESSION = 0x0011
_WM_ENDSESSION = 0x0016
_SM_CXSMICON = 49


class Win32Icon(Icon):  # type: ignore[misc]
    """`stopping` is set when the phone has said farewell."""

    ask: Callable[[Request], None]
    stopping: threading.Event
    _icon_handle: Any

    def __init__(self, name: str, icon: Any, title: str, menu: Any) -> None:
        super().__init__(name, icon, title, menu)
        self._added = False
        self._menu_is_open = False
        self._message_handlers[_WM_QUERYENDSESSION] = lambda *_: 1
        self._message_handlers[_WM_ENDSESSION] = self._on_end_session
        for code, handler in self._message_handlers.items():
            self._message_handlers[code] = self._telling(handler)

    def docked(self) -> bool:
        return self._added

    def can_notify(self) -> bool:
        return True

    def menu_changed(self) -> None:
        """Nothing to do: it is built when it opens. (Changing it here, on another thread, could
        take an open menu away.)"""

    def look_after(self) -> None:
        """Nothing to do: Windows tells when Explorer starts again, and pystray listens."""

    def _message(self, code: int, flags: int, **values: Any) -> None:
        """As pystray's, but it notes whether the shell took the icon."""
        taken = win32.Shell_NotifyIcon(
            code,
            win32.NOTIFYICONDATAW(
                cbSize=ctypes.sizeof(win32.NOTIFYICONDATAW),
                hWnd=self._hwnd,
                hID=id(self),
                uFlags=flags,
                **values,
            ),
        )
        if code == win32.NIM_ADD:
            self._added = bool(taken)

    def _assert_icon_handle(self) -> None:
        """pystray hands over a picture of 32 pixels, which the shell makes smaller, blurred."""
        if self._icon_handle:
            return
        from PIL.Image import Resampling

        size = small_icon_size()
        picture = self.icon.resize((size, size), Resampling.LANCZOS)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder, "tray.ico")
            picture.save(path, "ICO", sizes=[(size, size)])
            self._icon_handle = win32.LoadImage(
                None, str(path), win32.IMAGE_ICON, size, size, win32.LR_LOADFROMFILE
            )

    def _on_notify(self, wparam: int, lparam: int) -> None:
        if lparam == _BALLOON_CLICKED:
            self.ask(Request(Act.SHOW))
        elif lparam != win32.WM_RBUTTONUP:
            super()._on_notify(wparam, lparam)
        elif not self._menu_is_open:  # another click comes in while it is
            self._menu_is_open = True
            try:
                self.ask(Request(Act.LIST_DEVICES))
                self.update_menu()
                super()._on_notify(wparam, lparam)
            finally:
                self._menu_is_open = False

    def _on_end_session(self, ending: int, _: int) -> None:
        """Windows ends the process as soon as this returns."""
        if ending:
            self.ask(Request(Act.QUIT))
            self.stopping.wait(FAREWELL)

    def _telling(self, handler: Callable[[int, int], object]) -> Callable[[int, int], object]:
        """pystray would write what goes wrong to a standard error that is not there."""

        def handle(wparam: int, lparam: int) -> object:
            try:
                return handler(wparam, lparam)
            except Exception as error:
                with contextlib.suppress(AttributeError):  # not before `ask` is there
                    self.ask(Request(Act.FAILED, redacted_traceback(error)))
                return 0

        return handle


def small_icon_size() -> int:
    """The width of an icon in the tray, in pixels: 16 at 100 %, 32 at 200 %."""
    if sys.platform == "win32":
        return max(16, int(ctypes.windll.user32.GetSystemMetrics(_SM_CXSMICON)))
    return 16
