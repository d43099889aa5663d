"""The user's part of the registry, HKEY_CURRENT_USER, by keys and values as `installation` names
them. Every function may raise OSError when Windows refuses."""

import contextlib
import sys

from applet.windows.installation import Kept, Value

if sys.platform == "win32":
    import winreg

    _ROOT = winreg.HKEY_CURRENT_USER

    def apply(kept: Kept, autostart: bool | None) -> None:
        """Write what a kept program needs; safe to repeat. `autostart` None: as it is."""
        for value in kept.values:
            write(value)
        for claim in kept.claims:
            if read(claim.command.key, claim.command.name) is None:
                for value in claim.values:
                    write(value)
        if autostart is not None:
            set_autostart(kept, autostart)

    def remove(kept: Kept) -> None:
        """Take away what `apply` wrote, and nothing that another program has written since."""
        for claim in kept.claims:
            if read(claim.command.key, claim.command.name) == claim.command.data:
                _delete_tree(claim.key)
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

    def _delete_value(key: str, name: str) -> None:
        """With its key, should that be empty then: it may have been made for this value."""
        with contextlib.suppress(FileNotFoundError):
            with winreg.OpenKey(_ROOT, key, 0, winreg.KEY_SET_VALUE) as opened:
                winreg.DeleteValue(opened, name)
            with winreg.OpenKey(_ROOT, key) as opened:
                empty = winreg.QueryInfoKey(opened)[:2] == (0, 0)
            if empty:
                winreg.DeleteKey(_ROOT, key)

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
