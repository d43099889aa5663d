"""The tray icon on Windows: pystray's, with what it leaves out.

A menu as fresh as the click, balloons that can be clicked, a tray that is not there yet, and a
log-off that is not held up.
"""

import ctypes
from collections.abc import Callable
from typing import Any

from pystray._util import win32
from pystray._win32 import Icon

from applet.ui.view import Act, Request

_BALLOON_CLICKED = 0x0405
_WM_QUERYENDSESSION = 0x0011
_WM_ENDSESSION = 0x0016


class Win32Icon(Icon):  # type: ignore[misc]
    ask: Callable[[Request], None]

    def __init__(self, name: str, icon: Any, title: str, menu: Any) -> None:
        super().__init__(name, icon, title, menu)
        self._added = False
        self._message_handlers[_WM_QUERYENDSESSION] = lambda *_: 1
        self._message_handlers[_WM_ENDSESSION] = self._on_end_session

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

    def _on_notify(self, wparam: int, lparam: int) -> None:
        if lparam == _BALLOON_CLICKED:
            self.ask(Request(Act.SHOW))
            return
        if lparam == win32.WM_RBUTTONUP:
            self.ask(Request(Act.LIST_DEVICES))
            self.update_menu()
        super()._on_notify(wparam, lparam)

    def _on_end_session(self, ending: int, _: int) -> None:
        if ending:
            self.ask(Request(Act.QUIT))
