"""Draws the program's pictures with Pillow into `icons/`: `python build/icons.py [brand.toml]`.

One disc in the colour of the state with one strong white shape, so that a state is known at 16
pixels, and by its shape alone to those who do not tell the colours apart. Everything is a polygon
drawn eight times too large and averaged down: the same pixels on every machine.
"""

import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parent.parent))

from applet import brand
from applet.ui.view import Icon

FOLDER = Path(__file__).parent.parent / "icons"
ICO_SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256)
STATE_SIZE = 256
GLYPH_SIZE = 192
_FINER = 8

Point = tuple[float, float]
Shape = list[Point]
Shapes = list[Shape]
Layers = list[tuple[Iterable[Shape], int]]


class Look(NamedTuple):
    """The disc's colour, what is drawn on it, and what is cut out around that (a gap)."""

    colour: str
    shapes: Shapes
    gap: tuple[Shape, ...] = ()


# --- shapes in a square from (-1, -1) to (1, 1), y downwards ----------------------------------


def disc(x: float, y: float, radius: float) -> Shape:
    return sector(x, y, 0, radius, 0, 360)


def sector(x: float, y: float, inner: float, outer: float, start: float, end: float) -> Shape:
    """A piece of a ring; angles in degrees, clockwise from three o'clock."""
    steps = [math.radians(start + (end - start) * n / 72) for n in range(73)]
    there = [(x + outer * math.cos(a), y + outer * math.sin(a)) for a in steps]
    back = [(x + inner * math.cos(a), y + inner * math.sin(a)) for a in reversed(steps)]
    return there + back


def bar(a: Point, b: Point, width: float) -> Shape:
    """A line with round ends."""
    angle = math.degrees(math.atan2(b[1] - a[1], b[0] - a[0]))
    return (
        sector(*b, 0, width / 2, angle - 90, angle + 90)[:73]
        + sector(*a, 0, width / 2, angle + 90, angle + 270)[:73]
    )


def turned(shapes: Iterable[Shape], degrees: float) -> Shapes:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [[(x * c - y * s, x * s + y * c) for x, y in shape] for shape in shapes]


def moved(shapes: Iterable[Shape], x: float, y: float, scale: float = 1.0) -> Shapes:
    return [[(x + px * scale, y + py * scale) for px, py in shape] for shape in shapes]


def box(width: float, height: float, corner: float) -> Shape:
    """A rectangle around (0, 0) with round corners."""
    x, y = width / 2 - corner, height / 2 - corner
    around = ((x, y, 0), (-x, y, 90), (-x, -y, 180), (x, -y, 270))
    return [
        point
        for cx, cy, start in around
        for point in sector(cx, cy, 0, corner, start, start + 90)[:73]
    ]


def handset_lying() -> Shapes:
    """A telephone receiver lying on its two ends, as for hanging up."""
    ends: Shapes = []
    for side in (-1, 1):
        ends += moved(turned([box(0.52, 0.56, 0.13)], side * 14), side * 0.70, 0.16)
    return [sector(0, 0.98, 0.90, 1.36, 222, 318), *ends]


def handset() -> Shapes:
    """The receiver as it is held to the ear."""
    return moved(turned(handset_lying(), -135), -0.04, 0.04, 0.98)


def waves() -> Shapes:
    """Sound coming out of the receiver's upper end."""
    return [sector(0.02, -0.02, radius - 0.09, radius + 0.09, -86, -4) for radius in (0.46, 0.86)]


def dots() -> Shapes:
    return [disc(x, 0, 0.13) for x in (-0.36, 0.0, 0.36)]


def pause() -> Shapes:
    return [bar((x, -0.52), (x, 0.52), 0.36) for x in (-0.38, 0.38)]


def play() -> Shapes:
    return [[(-0.5, -0.75), (0.8, 0.0), (-0.5, 0.75)]]


def bell() -> Shapes:
    dome = sector(0, -0.12, 0, 0.56, 180, 360)
    skirt = [
        (-0.56, -0.14),
        (0.56, -0.14),
        (0.62, 0.26),
        (0.84, 0.50),
        (-0.84, 0.50),
        (-0.62, 0.26),
    ]
    return [dome, skirt, bar((-0.78, 0.48), (0.78, 0.48), 0.16), disc(0, -0.70, 0.14),
            sector(0, 0.62, 0, 0.24, 0, 180)]  # fmt: skip


def exclamation() -> Shapes:
    return [
        [*sector(0, -0.62, 0, 0.20, 180, 360)[:73], (0.13, 0.30), (-0.13, 0.30)],
        disc(0, 0.62, 0.20),
    ]


def microphone() -> Shapes:
    return [
        bar((0, -0.58), (0, -0.06), 0.56),
        sector(0, -0.02, 0.46, 0.62, 0, 180),
        bar((0, 0.58), (0, 0.82), 0.16),
        bar((-0.34, 0.86), (0.34, 0.86), 0.16),
    ]


def loudspeaker() -> Shapes:
    return [
        [
            (-0.86, -0.26),
            (-0.52, -0.26),
            (-0.06, -0.68),
            (-0.06, 0.68),
            (-0.52, 0.26),
            (-0.86, 0.26),
        ],
        *(sector(0.02, 0, radius - 0.08, radius + 0.08, -48, 48) for radius in (0.36, 0.74)),
    ]


def keys() -> Shapes:
    return [disc(x, y, 0.19) for y in (-0.62, 0, 0.62) for x in (-0.62, 0, 0.62)]


def lines() -> Shapes:
    return [bar((-0.62, y), (0.62, y), 0.17) for y in (-0.48, 0, 0.48)]


def slash(width: float) -> Shapes:
    return [bar((-0.68, -0.72), (0.68, 0.72), width)]


# --- pictures --------------------------------------------------------------------------------


def looks(colours: brand.Colours) -> dict[Icon, Look]:
    """What each state looks like, in the brand's colours."""
    small_handset = moved(handset(), -0.14, 0.14, 0.62)
    return {
        Icon.IDLE: Look(colours.accent, moved(handset(), 0, 0, 0.70)),
        Icon.DIALLING: Look(
            "#0e7490", [*moved(handset(), -0.16, 0.18, 0.60), *moved(dots(), 0.33, -0.42, 0.86)]
        ),
        Icon.RINGING: Look("#7c3aed", moved(bell(), 0, 0.02, 0.66)),
        Icon.CONNECTED: Look(colours.call, [*small_handset, *moved(waves(), 0.02, -0.02, 0.72)]),
        Icon.ON_HOLD: Look("#c2610c", moved(pause(), 0, 0, 0.82)),
        Icon.MUTED: Look(
            "#475569",
            [*moved(microphone(), 0, 0.02, 0.74), *moved(slash(0.20), 0, 0, 0.84)],
            tuple(moved(slash(0.42), 0, 0, 0.84)),
        ),
        Icon.TROUBLE: Look(colours.hang_up, moved(exclamation(), 0, 0, 0.74)),
    }


GLYPHS = {
    "handset": Look("", handset()),
    "hang_up": Look("", moved(handset_lying(), 0, 0.08)),
    "pause": Look("", pause()),
    "play": Look("", play()),
    "microphone": Look("", microphone()),
    "microphone_off": Look("", [*microphone(), *slash(0.16)], tuple(slash(0.40))),
    "keypad": Look("", keys()),
    "loudspeaker": Look("", loudspeaker()),
    "menu": Look("", lines()),
}


def _mask(size: int, layers: Layers) -> Image.Image:
    """Draw each layer's shapes with its value (0-255), the later ones over the earlier."""
    large = size * _FINER
    mask = Image.new("L", (large, large))
    pen = ImageDraw.Draw(mask)
    for shapes, value in layers:
        for shape in shapes:
            pen.polygon([((x + 1) * large / 2, (y + 1) * large / 2) for x, y in shape], fill=value)
    return mask.reduce(_FINER)


def _layers(look: Look) -> Layers:
    if not look.gap:
        return [(look.shapes, 255)]
    return [(look.shapes[:-1], 255), (look.gap, 0), (look.shapes[-1:], 255)]


def state_picture(look: Look, size: int) -> Image.Image:
    """The disc of one state."""
    picture = Image.new("RGBA", (size, size), look.colour)
    picture.paste("white", mask=_mask(size, _layers(look)))
    picture.putalpha(_mask(size, [([disc(0, 0, 1)], 255)]))
    return picture


def glyph_picture(look: Look, size: int) -> Image.Image:
    """White on nothing, for the window to colour."""
    smaller = Look("", moved(look.shapes, 0, 0, 0.92), tuple(moved(look.gap, 0, 0, 0.92)))
    picture = Image.new("RGBA", (size, size), "white")
    picture.putalpha(_mask(size, _layers(smaller)))
    return picture


def draw(folder: Path, colours: brand.Colours) -> list[Path]:
    """Write every picture into `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    states = looks(colours)
    for icon, look in states.items():
        written.append(folder / f"{icon.value}.png")
        state_picture(look, STATE_SIZE).save(written[-1], optimize=True)
    for name, look in GLYPHS.items():
        written.append(folder / f"glyph_{name}.png")
        glyph_picture(look, GLYPH_SIZE).save(written[-1], optimize=True)
    # Each size is drawn for itself, so that the small ones are as sharp as they can be.
    pictures = [state_picture(states[Icon.IDLE], size) for size in ICO_SIZES]
    return [*written, save_ico(folder, pictures)]


def save_ico(folder: Path, pictures: list[Image.Image]) -> Path:
    """The program's own icon, of one picture for each of `ICO_SIZES`."""
    path = folder / "call_support.ico"
    sizes = [(size, size) for size in ICO_SIZES]
    pictures[-1].save(path, sizes=sizes, append_images=pictures[:-1])
    return path


if __name__ == "__main__":
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else brand.BRAND_FILE
    for path in draw(FOLDER, brand.load(file).colours):
        print(path.relative_to(FOLDER.parent))
