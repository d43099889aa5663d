"""The channel between two starts on Windows: a named pipe that only the same log-on session can
open, found under the session's number and the user's SID.

Its descriptor allows the log-on SID (S-1-5-5-...) alone, which every process of one log-on has
and nobody else. Clients of other machines are refused, and the first instance of the pipe must be
ours, so that nobody can lie in wait under its name.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from ctypes import wintypes

from applet.hints import TYPE_CHECKING
from applet.windows.channel import CLOSE_WITHIN, PATIENCE, READ_WITHIN
from applet.windows.handover import LONGEST_LINE, Order, line, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.hints import Any

_INBOUND = 1
_FIRST_INSTANCE = 0x00080000
_MESSAGES = 0x4 | 0x2  # written as messages, read as messages
_REJECT_REMOTE = 0x8
_PIPE_CONNECTED = 535  # before we asked
_PIPE_LEFT = 232  # ERROR_NO_DATA: it has been there, and closed its end already
_PIPE_BUSY = 231
_ACCESS_DENIED = 5
_GENERIC_WRITE = 0x40000000
_OPEN_EXISTING = 3
_ONLY_IDENTIFY = 0x00100000 | 0x00010000  # whoever listens may not act in our name
_TOKEN_QUERY = 8
_TOKEN_USER = 1
_TOKEN_GROUPS = 2
_LOGON_ID = 0xC0000000
_LOOK_EVERY = 0.01


class _SidAndAttributes(ctypes.Structure):
    _fields_ = (("sid", ctypes.c_void_p), ("attributes", wintypes.DWORD))


class _SecurityAttributes(ctypes.Structure):
    _fields_ = (
        ("length", wintypes.DWORD),
        ("descriptor", ctypes.c_void_p),
        ("inherit", wintypes.BOOL),
    )


if sys.platform == "win32":
    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    _INVALID = wintypes.HANDLE(-1).value
    _kernel.CreateNamedPipeW.restype = wintypes.HANDLE
    _kernel.CreateNamedPipeW.argtypes = (
        (wintypes.LPCWSTR,) + (wintypes.DWORD,) * 6 + (ctypes.c_void_p,)
    )
    _kernel.CreateFileW.restype = wintypes.HANDLE
    _kernel.CreateFileW.argtypes = (
        *(wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, ctypes.c_void_p),
        *(wintypes.DWORD, wintypes.DWORD, wintypes.HANDLE),
    )
    _kernel.ConnectNamedPipe.argtypes = (wintypes.HANDLE, ctypes.c_void_p)
    _kernel.DisconnectNamedPipe.argtypes = (wintypes.HANDLE,)
    _kernel.PeekNamedPipe.argtypes = (
        *(wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD),
        *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
    )
    _transfer = (wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD, ctypes.c_void_p, ctypes.c_void_p)
    _kernel.ReadFile.argtypes = _transfer
    _kernel.WriteFile.argtypes = _transfer
    _kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    _kernel.LocalFree.argtypes = (ctypes.c_void_p,)
    _kernel.GetCurrentProcess.restype = wintypes.HANDLE
    _kernel.GetNamedPipeServerProcessId.argtypes = (wintypes.HANDLE, ctypes.c_void_p)
    _advapi.OpenProcessToken.argtypes = (wintypes.HANDLE, wintypes.DWORD, ctypes.c_void_p)
    _advapi.GetTokenInformation.argtypes = (
        *(wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD, ctypes.c_void_p),
    )
    _advapi.ConvertSidToStringSidW.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = (
        *(wintypes.LPCWSTR, wintypes.DWORD, ctypes.c_void_p, ctypes.c_void_p),
    )

    class PipeChannel:
        def __init__(self, name: str, pipe: int, take: Callable[[Order], None]) -> None:
            self._name = name
            self._pipe = pipe
            self._take = take
            self._closing = False
            self._thread = threading.Thread(target=self._serve, name="channel", daemon=True)
            self._thread.start()

        @classmethod
        def claim(cls, product: str, take: Callable[[Order], None]) -> PipeChannel | None:
            name = _name(product)
            pipe = _create(name)
            return None if pipe is None else cls(name, pipe, take)

        def close(self) -> None:
            self._closing = True
            until = time.monotonic() + CLOSE_WITHIN
            while self._thread.is_alive() and time.monotonic() < until:
                _write(self._name, b"\n", 0)  # wakes the thread if it waits for a client
                self._thread.join(_LOOK_EVERY)
            _kernel.CloseHandle(self._pipe)

        def _serve(self) -> None:
            """What a client wrote before it left can still be read, until we part from it; before
            that nobody else can connect."""
            while not self._closing:
                connected = bool(_kernel.ConnectNamedPipe(self._pipe, None))
                connected |= ctypes.get_last_error() in (_PIPE_CONNECTED, _PIPE_LEFT)
                order = parse(self._read()) if connected else None
                _kernel.DisconnectNamedPipe(self._pipe)
                if not connected:
                    time.sleep(_LOOK_EVERY)
                elif order is not None and not self._closing:
                    self._take(order)

        def _read(self) -> bytes:
            """One message, if it comes soon and is not too long."""
            until = time.monotonic() + READ_WITHIN
            waiting = wintypes.DWORD()
            while time.monotonic() < until and not self._closing:
                if not _kernel.PeekNamedPipe(
                    self._pipe, None, 0, None, ctypes.byref(waiting), None
                ):
                    return b""
                if waiting.value:
                    return _message(self._pipe)
                time.sleep(_LOOK_EVERY)
            return b""

    def hand_over(product: str, order: Order) -> bool:
        return _write(_name(product), line(order))

    def _message(pipe: int) -> bytes:
        """Empty if it is too long."""
        buffer = ctypes.create_string_buffer(LONGEST_LINE)
        taken = wintypes.DWORD()
        whole = _kernel.ReadFile(pipe, buffer, LONGEST_LINE, ctypes.byref(taken), None)
        return buffer.raw[: taken.value] if whole else b""

    def _write(name: str, data: bytes, patience_s: float = PATIENCE) -> bool:
        pipe = _open(name, patience_s)
        if pipe is None:
            return False
        try:
            # Only who was started by the person's hand may come to the front, or let another.
            process = wintypes.DWORD()
            if _kernel.GetNamedPipeServerProcessId(pipe, ctypes.byref(process)):
                ctypes.windll.user32.AllowSetForegroundWindow(process)
            written = wintypes.DWORD()
            return bool(_kernel.WriteFile(pipe, data, len(data), ctypes.byref(written), None))
        finally:
            _kernel.CloseHandle(pipe)

    def _open(name: str, patience_s: float = PATIENCE) -> int | None:
        until = time.monotonic() + patience_s
        while True:
            pipe = _kernel.CreateFileW(
                name, _GENERIC_WRITE, 0, None, _OPEN_EXISTING, _ONLY_IDENTIFY, None
            )
            if pipe != _INVALID:
                return int(pipe)
            if ctypes.get_last_error() != _PIPE_BUSY or time.monotonic() > until:
                return None
            time.sleep(_LOOK_EVERY)

    def _create(name: str) -> int | None:
        """None if somebody holds it."""
        descriptor = ctypes.c_void_p()
        _must(
            _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
                f"D:P(A;;GA;;;{_sid(_TOKEN_GROUPS)})", 1, ctypes.byref(descriptor), None
            )
        )
        try:
            attributes = _SecurityAttributes(ctypes.sizeof(_SecurityAttributes), descriptor, False)
            pipe = _kernel.CreateNamedPipeW(
                name,
                _INBOUND | _FIRST_INSTANCE,
                _MESSAGES | _REJECT_REMOTE,
                1,
                *(LONGEST_LINE, LONGEST_LINE, 0, ctypes.byref(attributes)),
            )
            if pipe != _INVALID:
                return int(pipe)
            _must(ctypes.get_last_error() in (_ACCESS_DENIED, _PIPE_BUSY))
            return None
        finally:
            _kernel.LocalFree(descriptor)

    def _name(product: str) -> str:
        session = wintypes.DWORD()
        _kernel.ProcessIdToSessionId(_kernel.GetCurrentProcessId(), ctypes.byref(session))
        return rf"\\.\pipe\{product}-{session.value}-{_sid(_TOKEN_USER)}"

    def _sid(kind: int) -> str:
        """The user's SID (_TOKEN_USER), or that of this log-on (_TOKEN_GROUPS)."""
        information = _token_information(kind)
        if kind == _TOKEN_USER:
            return _sid_text(_SidAndAttributes.from_buffer(information).sid)
        count = wintypes.DWORD.from_buffer(information).value
        groups = (_SidAndAttributes * count).from_buffer(
            information, ctypes.sizeof(ctypes.c_void_p)
        )
        for group in groups:
            if group.attributes & _LOGON_ID == _LOGON_ID:
                return _sid_text(group.sid)
        return _sid(_TOKEN_USER)  # a service's log-on has none

    def _token_information(kind: int) -> Any:
        token = wintypes.HANDLE()
        _must(
            _advapi.OpenProcessToken(_kernel.GetCurrentProcess(), _TOKEN_QUERY, ctypes.byref(token))
        )
        try:
            size = wintypes.DWORD()
            _advapi.GetTokenInformation(token, kind, None, 0, ctypes.byref(size))
            information = ctypes.create_string_buffer(size.value)
            _must(_advapi.GetTokenInformation(token, kind, information, size, ctypes.byref(size)))
            return information
        finally:
            _kernel.CloseHandle(token)

    def _sid_text(sid: int) -> str:
        text = wintypes.LPWSTR()
        _must(_advapi.ConvertSidToStringSidW(sid, ctypes.byref(text)))
        try:
            return str(text.value)
        finally:
            _kernel.LocalFree(text)

    def _must(succeeded: object) -> None:
        if not succeeded:
            raise ctypes.WinError(ctypes.get_last_error())
