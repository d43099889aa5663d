"""The user's folders, as Windows knows them."""

from __future__ import annotations

import ctypes
import sys
import uuid
from pathlib import PureWindowsPath

from applet.windows.installation import Places

_LOCAL_APP_DATA = "F1B32785-6FBA-4FCF-9D55-7B8E7F157091"
_START_MENU_PROGRAMS = "A77F5D77-2E2B-44C3-A6A2-ABA601054A51"
_CREATE = 0x8000

if sys.platform == "win32":

    def places() -> Places:
        """Raises OSError. (Wine 8 does not know the users' program folder by its own name.)"""
        return Places(_folder(_LOCAL_APP_DATA) / "Programs", _folder(_START_MENU_PROGRAMS))

    def _folder(identifier: str) -> PureWindowsPath:
        path = ctypes.c_wchar_p()
        shell = ctypes.OleDLL("shell32")
        shell.SHGetKnownFolderPath(
            uuid.UUID(identifier).bytes_le, _CREATE, None, ctypes.byref(path)
        )
        try:
            return PureWindowsPath(str(path.value))
        finally:
            ctypes.OleDLL("ole32").CoTaskMemFree(path)
