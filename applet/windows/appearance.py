"""How the person wants windows to look, as set in Windows itself."""

from __future__ import annotations

import ctypes
import sys

_SPI_GETHIGHCONTRAST = 0x0042
_HCF_HIGHCONTRASTON = 0x0001
_PERSONALIZE = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"


class _HighContrast(ctypes.Structure):
    _fields_ = (
        ("size", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("scheme", ctypes.c_wchar_p),
    )


if sys.platform == "win32":
    import winreg

    def high_contrast() -> bool:
        wanted = _HighContrast(ctypes.sizeof(_HighContrast), 0, None)
        known = ctypes.windll.user32.SystemParametersInfoW(
            _SPI_GETHIGHCONTRAST, wanted.size, ctypes.byref(wanted), 0
        )
        return bool(known and wanted.flags & _HCF_HIGHCONTRASTON)

    def dark_windows() -> bool:
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _PERSONALIZE) as key:
                return bool(winreg.QueryValueEx(key, "AppsUseLightTheme")[0] == 0)
        except OSError:
            return False  # an older Windows knows no dark windows

else:

    def high_contrast() -> bool:
        return False

    def dark_windows() -> bool:
        return False
