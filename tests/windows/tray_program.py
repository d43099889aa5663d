"""One icon in the tray, as `test_tray_win32` drives it under Wine: a line on standard input is an
order, each request of the tray a line on standard output. It ends at the end of its input."""

import ctypes
import itertools
import sys

from pystray._util import win32

from applet.ui.pictures import ICONS
from applet.ui.tray import Tray
from applet.ui.tray_win32 import Win32Icon, small_icon_size
from applet.ui.view import Act, Entry, Icon, Request, TrayView

MENU = (
    Entry("Call", Request(Act.CALL)),
    Entry("Hold", Request(Act.HOLD), enabled=False),
    Entry("Show", Request(Act.SHOW), default=True),
)
_WM_ENDSESSION, _WM_QUERYENDSESSION, _NIM_DELETE = 0x16, 0x11, 2
_BALLOON_CLICKED = 0x405


class Seen(Win32Icon):
    """The icon that the tray has made last."""

    icon_now: "Seen | None" = None

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        Seen.icon_now = self


def say(*words: object) -> None:
    print(*words, flush=True)


def picture_width(handle: int) -> int:
    """The width of an icon's picture, as Windows has it."""

    class Information(ctypes.Structure):
        _fields_ = (
            ("is_icon", ctypes.c_int),
            ("x", ctypes.c_uint),
            ("y", ctypes.c_uint),
            ("mask", ctypes.c_void_p),
            ("colour", ctypes.c_void_p),
        )

    class Bitmap(ctypes.Structure):
        _fields_ = (
            ("kind", ctypes.c_long),
            ("width", ctypes.c_long),
            ("height", ctypes.c_long),
            ("row", ctypes.c_long),
            ("planes", ctypes.c_ushort),
            ("depth", ctypes.c_ushort),
            ("bits", ctypes.c_void_p),
        )

    information, bitmap = Information(), Bitmap()
    windll = ctypes.windll  # type: ignore[attr-defined,unused-ignore]
    windll.user32.GetIconInfo(ctypes.c_void_p(handle), ctypes.byref(information))
    windll.gdi32.GetObjectW(
        ctypes.c_void_p(information.colour), ctypes.sizeof(bitmap), ctypes.byref(bitmap)
    )
    return int(bitmap.width)


def obey(tray: Tray, order: str) -> None:
    word, _, rest = order.partition(" ")
    icon = Seen.icon_now
    user32 = ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]
    assert icon is not None
    if word == "show":
        tray.show(TrayView(Icon(rest), "𝄞" * 63, MENU[:1] if rest == "connected" else MENU))
    elif word == "note":
        tray.notify("T" * 63, "N" * 255)
    elif word == "click":
        user32.PostMessageW(icon._hwnd, win32.WM_NOTIFY, 0, _BALLOON_CLICKED)
    elif word == "forget":  # as an Explorer that ends does
        icon._message(_NIM_DELETE, 0)
        say("forgotten")
    elif word == "explorer":
        code = user32.RegisterWindowMessageW("TaskbarCreated")
        user32.PostMessageW(0xFFFF, code, 0, 0)
    elif word == "logoff":
        say("query", user32.SendMessageW(icon._hwnd, _WM_QUERYENDSESSION, 0, 0))
        say("cancelled", user32.SendMessageW(icon._hwnd, _WM_ENDSESSION, 0, 0))
        user32.PostMessageW(icon._hwnd, _WM_ENDSESSION, 1, 0)
    elif word == "size":
        say("size", small_icon_size(), picture_width(icon._icon_handle))
    elif word == "break":
        tray.show(TrayView("nothing", "", MENU))  # type: ignore[arg-type]


def come_late() -> None:
    """The shell takes no icon before it has been asked three times, as at log-on."""
    shell, asked = win32.Shell_NotifyIcon, itertools.count(1)

    def notify(code: int, data: object) -> int:
        if code == win32.NIM_ADD and next(asked) < 3:
            say("refused")
            return 0
        return int(shell(code, data))

    win32.Shell_NotifyIcon = notify


def main() -> None:
    from applet.ui import tray_win32

    if "late" in sys.argv:
        come_late()
    tray_win32.Win32Icon = Seen  # type: ignore[misc,assignment]
    tray = Tray(
        "Ünser Häuschen", ICONS, None, lambda request: say(request.act.value, request.value)
    )
    tray.show(TrayView(Icon.IDLE, "first", MENU))
    tray.start()
    for line in sys.stdin:
        obey(tray, line.strip())
    tray.stop()
    say("stopped")


if __name__ == "__main__":
    main()
