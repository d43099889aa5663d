"""The version resource: what Windows shows in a file's properties, in the task manager and when
the firewall asks."""

from typing import Any

from applet.brand import Brand

_NEUTRAL_UNICODE = "040904B0"  # English (United States), UTF-16
_TRANSLATION = [0x0409, 0x04B0]


def numbers(version: str) -> tuple[int, int, int, int]:
    """`1.2` as (1, 2, 0, 0), the way Windows counts versions."""
    given = [*map(int, version.split(".")), 0, 0, 0]
    return given[0], given[1], given[2], given[3]


def strings(brand: Brand, file_name: str) -> dict[str, str]:
    return {
        "CompanyName": brand.company,
        "FileDescription": brand.product,
        "FileVersion": brand.version,
        "InternalName": brand.product,
        "LegalCopyright": f"{brand.company}; the licences of all parts are in Help, About",
        "OriginalFilename": file_name,
        "ProductName": brand.product,
        "ProductVersion": brand.version,
    }


def make(brand: Brand, file_name: str) -> Any:
    """PyInstaller's object for it."""
    from PyInstaller.utils.win32 import versioninfo

    table = [
        versioninfo.StringStruct(name, text) for name, text in strings(brand, file_name).items()
    ]
    version = numbers(brand.version)
    return versioninfo.VSVersionInfo(
        ffi=versioninfo.FixedFileInfo(filevers=version, prodvers=version),
        kids=[
            versioninfo.StringFileInfo([versioninfo.StringTable(_NEUTRAL_UNICODE, table)]),
            versioninfo.VarFileInfo([versioninfo.VarStruct("Translation", _TRANSLATION)]),
        ],
    )
