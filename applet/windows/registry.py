"""The user's part of the registry, HKEY_CURRENT_USER, by keys and values as `installation` names
them; of the machine's part it is only asked who opens links. Every function may raise OSError when
Windows refuses."""

from __future__ import annotations

import contextlib
import sys

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from applet.windows.installation import Claim, Kept, Value

if sys.platform == "win32":
    import winreg

    _ROOT = winreg.HKEY_CURRENT_USER

    def apply(kept: Kept, autostart: bool | None) -> None:
        """Write what a kept program needs; safe to repeat. `autostart` None: as it is."""
        for value in kept.values:
            write(value)
        for claim in kept.claims:
            if not _is_somebodys(claim):
                for value in claim.values:
                    write(value)
        if autostart is not None:
            set_autostart(kept, autostart)

    def remove(kept: Kept) -> None:
        """Take away what `apply` wrote, and nothing that another program has written since."""
        for claim in kept.claims:
            if read(claim.command.key, claim.command.name) == claim.command.data:
                _take_back(claim)
        set_autostart(kept, False)
        for value in kept.values:
            if not value.key.startswith(kept.owned_keys):
                _delete_value(value.key, value.name)
        for key in kept.owned_keys:
            _delete_tree(key)

    def set_autostart(kept: Kept, on: bool) -> None:
        if on:
            write(kept.autostart)
        else:
            _delete_value(kept.autostart.key, kept.autostart.name)

    def read(key: str, name: str) -> str | int | None:
        """None when there is no such value."""
        try:
            with winreg.OpenKey(_ROOT, key) as opened:
                data = winreg.QueryValueEx(opened, name)[0]
        except FileNotFoundError:
            return None
        return data if isinstance(data, str | int) else None

    def write(value: Value) -> None:
        kind = winreg.REG_DWORD if isinstance(value.data, int) else winreg.REG_SZ
        with winreg.CreateKey(_ROOT, value.key) as opened:
            winreg.SetValueEx(opened, value.name, 0, kind, value.data)

    def _is_somebodys(claim: Claim) -> bool:
        """Asks both parts that Windows merges into HKEY_CLASSES_ROOT. A command may have no text,
        but name an object (DelegateExecute): any value counts."""
        for root in (_ROOT, winreg.HKEY_LOCAL_MACHINE):
            with (
                contextlib.suppress(FileNotFoundError),
                winreg.OpenKey(root, claim.command.key) as opened,
            ):
                if winreg.QueryInfoKey(opened)[1]:
                    return True
        return False

    def _take_back(claim: Claim) -> None:
        """What we wrote; others may have put their own values and keys beside it."""
        for value in reversed(claim.values):
            if read(value.key, value.name) == value.data:
                _delete_value(value.key, value.name, claim.key)

    def _delete_value(key: str, name: str, top: str = "") -> None:
        """With its key, should that be empty then: it may have been made for this value; and so
        with the keys above it, up to `top` (empty: none of them)."""
        with contextlib.suppress(FileNotFoundError):
            with winreg.OpenKey(_ROOT, key, 0, winreg.KEY_SET_VALUE) as opened:
                winreg.DeleteValue(opened, name)
            while _delete_if_empty(key) and top and key != top:
                key = key.rpartition("\\")[0]

    def _delete_if_empty(key: str) -> bool:
        with winreg.OpenKey(_ROOT, key) as opened:
            empty = winreg.QueryInfoKey(opened)[:2] == (0, 0)
        if empty:
            winreg.DeleteKey(_ROOT, key)
        return empty

    def _delete_tree(key: str) -> None:
        try:
            with winreg.OpenKey(_ROOT, key) as opened:
                names = [
                    winreg.EnumKey(opened, index) for index in range(winreg.QueryInfoKey(opened)[0])
                ]
        except FileNotFoundError:
            return
        for name in names:
            _delete_tree(rf"{key}\{name}")
        winreg.DeleteKey(_ROOT, key)
