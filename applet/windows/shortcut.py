"""An entry of the Start menu, made by the shell's own ShellLink object (COM, through its table of
functions: IUnknown's three, then those of the interface in the order of its declaration)."""

from __future__ import annotations

import ctypes
import sys
import uuid

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from applet.hints import Any

_SHELL_LINK = "00021401-0000-0000-C000-000000000046"
_I_SHELL_LINK_W = "000214F9-0000-0000-C000-000000000046"
_I_PERSIST_FILE = "0000010B-0000-0000-C000-000000000046"
_IN_PROCESS = 1
# Places in the tables.
_QUERY_INTERFACE, _RELEASE = 0, 2
_SET_DESCRIPTION, _SET_WORKING_DIRECTORY, _SET_PATH = 7, 9, 20
_SAVE = 6

if sys.platform == "win32":

    def make(path: str, program: str, description: str) -> None:
        """Write the .lnk file `path`, whose folder is there. Raises OSError."""
        ole = ctypes.OleDLL("ole32")
        ole.CoInitializeEx(None, 2)
        link, file = ctypes.c_void_p(), ctypes.c_void_p()
        try:
            ole.CoCreateInstance(
                _guid(_SHELL_LINK), None, _IN_PROCESS, _guid(_I_SHELL_LINK_W), ctypes.byref(link)
            )
            text = ctypes.c_wchar_p
            _call(link, _SET_PATH, text(program))
            _call(link, _SET_WORKING_DIRECTORY, text(str(program.rpartition("\\")[0])))
            _call(link, _SET_DESCRIPTION, text(description))
            wanted = ctypes.c_char_p(_guid(_I_PERSIST_FILE))
            _call(link, _QUERY_INTERFACE, wanted, ctypes.c_void_p(ctypes.addressof(file)))
            _call(file, _SAVE, text(path), ctypes.c_int(True))
        finally:
            for thing in filter(None, (file, link)):
                _release(thing)
            ole.CoUninitialize()

    def _guid(text: str) -> bytes:
        return uuid.UUID(text).bytes_le

    def _call(thing: ctypes.c_void_p, place: int, *arguments: Any) -> None:
        """Raises OSError for a result that is an error."""
        function = ctypes.WINFUNCTYPE(ctypes.HRESULT, ctypes.c_void_p, *map(type, arguments))
        _method(thing, place, function)(thing, *arguments)

    def _release(thing: ctypes.c_void_p) -> None:
        function = ctypes.WINFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)
        _method(thing, _RELEASE, function)(thing)

    def _method(thing: ctypes.c_void_p, place: int, function: Any) -> Any:
        table = ctypes.cast(thing, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
        return function(table[place])
