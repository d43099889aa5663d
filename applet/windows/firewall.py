"""Whether the Windows Firewall has a rule that blocks this program.

Its prompt writes one when the person presses Cancel, and never asks again. The rules are values
of one key, each a text like `v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=17|App=C:\\x.exe|...`.
"""

from __future__ import annotations

import ntpath
import sys

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_RULES = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules"


def blocks(rules: Iterable[str], program: str, expand: Callable[[str], str]) -> bool:
    """Whether one of `rules` is in force and blocks what comes in for `program`, an absolute path.
    `expand` puts the values of environment variables in."""
    ours = _plain(program)
    return any(_blocks(_fields(rule), ours, expand) for rule in rules)


def _blocks(fields: dict[str, str], ours: str, expand: Callable[[str], str]) -> bool:
    wanted = {"action": "block", "active": "true", "dir": "in"}
    if any(fields.get(name, "").lower() != value for name, value in wanted.items()):
        return False
    return _plain(expand(fields.get("app", ""))) == ours


def _fields(rule: str) -> dict[str, str]:
    """Of a field that stands there several times (Profile, addresses) the last one."""
    pairs = (part.partition("=") for part in rule.split("|"))
    return {name.lower(): value for name, sign, value in pairs if sign}


def _plain(path: str) -> str:
    return ntpath.normcase(ntpath.normpath(path)) if path else ""


if sys.platform == "win32":
    import winreg

    def is_blocked(program: str) -> bool:
        """Never raises: rules that cannot be read block nobody."""
        try:
            return blocks(list(_rules()), program, winreg.ExpandEnvironmentStrings)
        except OSError:
            return False

    def _rules() -> Iterator[str]:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _RULES) as key:
            for index in range(winreg.QueryInfoKey(key)[1]):
                _, data, _ = winreg.EnumValue(key, index)
                if isinstance(data, str):
                    yield data
