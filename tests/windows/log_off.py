"""Run on Windows: tells every window of a program that the session ends, as Windows does.

The bootloader's own window is left out: Windows tells the other process before it, which Wine
does not know to do. Ends with 0 if nothing vetoes.
"""

import ctypes
import sys
from ctypes import wintypes

_QUERY, _END, _PATIENCE_MS = 0x11, 0x16, 10_000
_LOOK = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
windll = ctypes.windll  # type: ignore[attr-defined,unused-ignore]


def windows_of(name: str) -> list[int]:
    found: list[int] = []

    def look(window: int, _: int) -> bool:
        if program_of(window).endswith(name) and "PyInstaller" not in title_of(window):
            found.append(window)
        return True

    kind = ctypes.WINFUNCTYPE(  # type: ignore[attr-defined,unused-ignore]
        wintypes.BOOL, wintypes.HWND, wintypes.LPARAM
    )
    windll.user32.EnumWindows(kind(look), 0)
    return found


def program_of(window: int) -> str:
    number, size = wintypes.DWORD(), wintypes.DWORD(1000)
    windll.user32.GetWindowThreadProcessId(window, ctypes.byref(number))
    process = windll.kernel32.OpenProcess(_LOOK, False, number)
    path = ctypes.create_unicode_buffer(1000)
    windll.kernel32.QueryFullProcessImageNameW(process, 0, path, ctypes.byref(size))
    windll.kernel32.CloseHandle(process)
    return path.value


def title_of(window: int) -> str:
    title = ctypes.create_unicode_buffer(200)
    windll.user32.GetWindowTextW(window, title, 200)
    return title.value


def tell(window: int, message: int, ending: int) -> int:
    """What it answers; 1 if it is gone or says nothing."""
    answer = ctypes.c_size_t(1)
    windll.user32.SendMessageTimeoutW(
        window, message, ending, 0, 2, _PATIENCE_MS, ctypes.byref(answer)
    )
    return answer.value


def main(name: str) -> int:
    found = windows_of(name)
    if not found or not all(tell(window, _QUERY, 0) for window in found):
        return 1
    for window in found:
        tell(window, _END, 1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
