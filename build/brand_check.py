"""What a brand needs besides its own rules before an executable is built of it."""

import re
from pathlib import Path
from typing import NamedTuple

from applet import brand as brands
from applet.brand import Brand, BrandError

_PNG, _ICO = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x01\x00"
_SHARP = 256  # pixels: the largest size that Windows asks for


class Checked(NamedTuple):
    """`warnings`: one line each, about what is allowed and yet may not be meant."""

    brand: Brand
    warnings: tuple[str, ...]


def check(path: Path) -> Checked:
    """The brand in `path`, ready to be built; raises `BrandError`."""
    brand = brands.load(path)
    if mistakes := [f"{path}: {mistake}" for mistake in _mistakes(brand)]:
        raise BrandError(mistakes)
    return Checked(brand, tuple(f"{path}: {warning}" for warning in warnings(brand)))


def _mistakes(brand: Brand) -> list[str]:
    found = []
    if any(int(number) > 65535 for number in brand.version.split(".")):
        found.append(
            f'version: "{brand.version}" has a number that Windows cannot hold; write numbers up '
            "to 65535"
        )
    if brand.icon and picture_size(Path(brand.icon)) is None:
        found.append(f'icon: "{Path(brand.icon).name}" is not a picture in the PNG or ICO format')
    return found


def warnings(brand: Brand) -> list[str]:
    """What to think of again, one line each."""
    found = []
    if brand.account.password:
        found.append(
            "account.password: is public, whoever has the program has it; let it be a guest's, "
            "who may call the desk and nobody else"
        )
    if re.match(r"turns?:[^@]+:[^@]+@", brand.network.turn):
        found.append(
            "network.turn: its password is public, whoever has the program has it; fetch "
            "short-lived ones through network.credentials_url"
        )
    if brand.incoming.enabled:
        found.append(
            "incoming.enabled: Windows may ask each customer whether the firewall should let calls "
            "in; with false it is not asked before the first call"
        )
    if brand.support.uri == brands.EMBEDDED_DESK:
        found.append(
            "support.uri: calls the embedded desk on the customer's own machine, which is for "
            "trying only; write your support's address"
        )
    size = picture_size(Path(brand.icon)) if brand.icon else None
    if size is not None and max(size) < _SHARP:
        found.append(
            f"icon: has {size[0]} x {size[1]} pixels and will look blurred; {_SHARP} x {_SHARP} "
            "or more is sharp"
        )
    return found


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG file, or of the largest picture of an ICO file; None
    if it is neither."""
    with path.open("rb") as file:
        head = file.read(6 + 16 * 255)
    if head.startswith(_PNG) and head[12:16] == b"IHDR" and len(head) >= 24:
        width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
        return (width, height) if width and height else None
    count = int.from_bytes(head[4:6], "little")
    if head.startswith(_ICO) and count and len(head) >= 6 + 16 * count:
        entries = [head[at : at + 16] for at in range(6, 6 + 16 * count, 16)]
        # A byte has no room for 256: it says 0.
        return max((entry[0] or 256, entry[1] or 256) for entry in entries)
    return None
