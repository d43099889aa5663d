"""Keeping the program on the computer, as values: which file, which Start-menu entry, which values
of the registry, and what of it may be taken away again.

Everything belongs to the user who keeps it, so no administrator is needed. What is removed is
named one by one: a product may be called like a folder or a key that holds other people's things.
"""

from __future__ import annotations

import zlib

from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from pathlib import PureWindowsPath

    from applet.brand import Brand

UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
CLASSES = r"Software\Classes"
REGISTERED = r"Software\RegisteredApplications"
SCHEMES = ("sip", "tel")
_OPEN = r"shell\open\command"


class Places(NamedTuple):
    """Folders of the user: for programs, and for the entries of the Start menu."""

    programs: PureWindowsPath
    start_menu: PureWindowsPath


class Value(NamedTuple):
    """One value below HKEY_CURRENT_USER; `name` empty: the default one of its key."""

    key: str
    name: str
    data: str | int


class Kept(NamedTuple):
    """What a kept program consists of. `owned_keys` are ours with everything below them."""

    program: PureWindowsPath
    shortcut: PureWindowsPath
    values: tuple[Value, ...]
    autostart: Value
    owned_keys: tuple[str, ...]
    claims: tuple[Claim, ...]


class Claim(NamedTuple):
    """Windows opens links of a scheme with whoever has its key. It is written only where nobody
    has it, neither for this user nor for all users of the machine, and removed only where `command`
    is still ours: otherwise it is another program's. What others added to the key stays."""

    key: str
    command: Value
    values: tuple[Value, ...]


def plan(brand: Brand, places: Places, size_kb: int = 0) -> Kept:
    """`size_kb`: of the program, shown by Windows in *Apps*."""
    program = places.programs / brand.product / f"{brand.product}.exe"
    name = identity(brand.product)
    entry = rf"{UNINSTALL}\{name}"
    handler = rf"{CLASSES}\{name}"
    links = _handler(brand, program, handler) if brand.dialling.links else ()
    return Kept(
        program=program,
        shortcut=places.start_menu / f"{brand.product}.lnk",
        values=(*_apps_entry(brand, program, entry, size_kb), *links),
        autostart=Value(RUN, brand.product, f'"{program}" --background'),
        owned_keys=(entry, handler),
        claims=tuple(_claim(scheme, program) for scheme in SCHEMES if links),
    )


def identity(product: str) -> str:
    """A name for keys of our own that no other product has, without blanks."""
    letters = "".join(filter(str.isalnum, product.encode("ascii", "ignore").decode()))
    return f"{letters[:20]}.{zlib.crc32(product.encode()):08x}"


def version_value(product: str) -> tuple[str, str]:
    """Key and name under which the kept program's version stands."""
    return rf"{UNINSTALL}\{identity(product)}", "DisplayVersion"


def _apps_entry(
    brand: Brand, program: PureWindowsPath, key: str, size_kb: int
) -> tuple[Value, ...]:
    """How *Apps* in the settings of Windows shows the program and removes it."""
    values: dict[str, str | int] = {
        "DisplayName": brand.product,
        "DisplayVersion": brand.version,
        "Publisher": brand.company,
        "DisplayIcon": str(program),
        "InstallLocation": str(program.parent),
        "UninstallString": f'"{program}" /uninstall',
        "QuietUninstallString": f'"{program}" /uninstall /quiet',
        "EstimatedSize": size_kb,
        "NoModify": 1,
        "NoRepair": 1,
    }
    return tuple(Value(key, name, data) for name, data in values.items())


def _handler(brand: Brand, program: PureWindowsPath, key: str) -> tuple[Value, ...]:
    """The program as one that can be chosen for links, in *Default apps*."""
    abilities = rf"{key}\Capabilities"
    return (
        *_link_class(brand.product, program, key),
        Value(abilities, "ApplicationName", brand.product),
        Value(abilities, "ApplicationDescription", f"Calls {brand.texts.desk}"),
        *(Value(rf"{abilities}\URLAssociations", s, identity(brand.product)) for s in SCHEMES),
        Value(REGISTERED, brand.product, abilities),
    )


def _claim(scheme: str, program: PureWindowsPath) -> Claim:
    key = rf"{CLASSES}\{scheme}"
    values = _link_class(scheme, program, key)
    return Claim(key, values[-1], values)


def _link_class(name: str, program: PureWindowsPath, key: str) -> tuple[Value, ...]:
    """Windows puts the link in place of %1 as it is: see `command_line`."""
    return (
        Value(key, "", f"URL:{name}"),
        Value(key, "URL Protocol", ""),
        Value(rf"{key}\DefaultIcon", "", f'"{program}",0'),
        Value(rf"{key}\{_OPEN}", "", f'"{program}" --uri "%1"'),
    )
