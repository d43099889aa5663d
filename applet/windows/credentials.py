"""An account that was entered on this machine: in the Windows credential store, which encrypts it
for the user, and nowhere else."""

from __future__ import annotations

import ctypes
import sys

from applet.value import NamedTuple

LONGEST_PASSWORD = 1280  # UTF-16 units: CRED_MAX_CREDENTIAL_BLOB_SIZE is 2,560 bytes
_GENERIC = 1
_PERSIST_LOCAL_MACHINE = 2
_NOT_FOUND = 1168


class Credential(NamedTuple):
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credential({self.user!r}, ***)"  # it may end up in a traceback


def fits(password: str) -> bool:
    return 0 < len(password.encode("utf-16-le", "surrogatepass")) <= 2 * LONGEST_PASSWORD


if sys.platform == "win32":
    from ctypes import wintypes

    class _Credential(ctypes.Structure):
        _fields_ = (
            ("flags", wintypes.DWORD),
            ("kind", wintypes.DWORD),
            ("target", wintypes.LPWSTR),
            ("comment", wintypes.LPWSTR),
            ("written", wintypes.FILETIME),
            ("size", wintypes.DWORD),
            ("blob", ctypes.c_void_p),
            ("persist", wintypes.DWORD),
            ("attributes", wintypes.DWORD),
            ("attribute_list", ctypes.c_void_p),
            ("alias", wintypes.LPWSTR),
            ("user", wintypes.LPWSTR),
        )

    _advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    _advapi.CredFree.argtypes = (ctypes.c_void_p,)

    def load(product: str) -> Credential | None:
        """None if none was entered; raises OSError if the store cannot be read."""
        found = ctypes.POINTER(_Credential)()
        if not _advapi.CredReadW(_target(product), _GENERIC, 0, ctypes.byref(found)):
            if ctypes.get_last_error() == _NOT_FOUND:
                return None
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            held = found.contents
            blob = ctypes.string_at(held.blob, held.size)
            return Credential(held.user or "", blob.decode("utf-16-le", "replace"))
        finally:
            _advapi.CredFree(found)

    def save(product: str, credential: Credential) -> None:
        """`credential` must fit; raises OSError."""
        blob = ctypes.create_string_buffer(credential.password.encode("utf-16-le"))
        held = _Credential(
            kind=_GENERIC,
            target=_target(product),
            size=len(blob) - 1,
            blob=ctypes.cast(blob, ctypes.c_void_p),
            persist=_PERSIST_LOCAL_MACHINE,
            user=credential.user,
        )
        if not _advapi.CredWriteW(ctypes.byref(held), 0):
            raise ctypes.WinError(ctypes.get_last_error())

    def forget(product: str) -> None:
        """Raises OSError; none there is as good."""
        gone = _advapi.CredDeleteW(_target(product), _GENERIC, 0)
        if not gone and ctypes.get_last_error() != _NOT_FOUND:
            raise ctypes.WinError(ctypes.get_last_error())

    def _target(product: str) -> str:
        return f"{product} account"

else:

    def load(product: str) -> Credential | None:
        return None  # Linux serves development: the account stands in the brand file
