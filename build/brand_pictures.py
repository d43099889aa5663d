"""The pictures of one brand: the drawn ones in its colours, or its own icon with the states on it.

A company's icon stays what it is while nothing happens; in every other state it carries the
state's disc in its lower right corner, as large as can be told at 16 pixels.
"""

from pathlib import Path

from PIL import Image, ImageChops

import icons
from applet.brand import Brand
from applet.ui.view import Icon

_BADGE = 0.62  # the disc's diameter by the icon's
_GAP = 0.04  # around it, so that it stands out from any picture


def draw(folder: Path, brand: Brand) -> None:
    """Every picture of the program into `folder`."""
    icons.draw(folder, brand.colours)
    if not brand.icon:
        return
    own = square(Path(brand.icon), icons.STATE_SIZE)
    for icon, look in icons.looks(brand.colours).items():
        picture = own if icon is Icon.IDLE else with_badge(own, look)
        picture.save(folder / f"{icon.value}.png", optimize=True)
    icons.save_ico(folder, [square(Path(brand.icon), size) for size in icons.ICO_SIZES])


def square(path: Path, size: int) -> Image.Image:
    """Any picture, scaled as a whole into the middle of a square without background."""
    with Image.open(path) as file:
        picture = file.convert("RGBA")
    scale = size / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    scaled = picture.resize((width, height), Image.Resampling.LANCZOS)
    whole = Image.new("RGBA", (size, size))
    whole.paste(scaled, ((size - width) // 2, (size - height) // 2))
    return whole


def with_badge(own: Image.Image, look: icons.Look) -> Image.Image:
    size = own.width
    badge = icons.state_picture(look, round(size * _BADGE))
    edge = round(size * _GAP)
    at = size - badge.width
    hole = icons.state_picture(look, badge.width + 2 * edge).getchannel("A")
    around = Image.new("L", own.size)
    around.paste(hole, (at - edge, at - edge))
    picture = own.copy()
    picture.putalpha(ImageChops.subtract(own.getchannel("A"), around))
    picture.alpha_composite(badge, (at, at))
    return picture
