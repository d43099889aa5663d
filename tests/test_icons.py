"""The pictures in `icons/` are those that the script draws, in every size that Windows asks for."""

import importlib.util
import itertools
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import IcoImagePlugin, Image, ImageChops

from applet import brand as brands
from applet.ui.view import Icon

ROOT = Path(__file__).parent.parent
SIZES = {16, 20, 24, 32, 40, 48, 64, 128, 256}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    found = importlib.util.spec_from_file_location("draw_icons", ROOT / "build/icons.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


def same(one: Image.Image, other: Image.Image) -> bool:
    """To the eye: libraries of different machines may round differently."""
    if one.size != other.size:
        return False
    difference = ImageChops.difference(one.convert("RGBA"), other.convert("RGBA"))
    return max(difference.tobytes()) <= 2


def test_the_kept_pictures_are_what_the_script_draws(script: ModuleType, tmp_path: Path) -> None:
    fresh = {path.name: path for path in script.draw(tmp_path, brands.load().colours)}
    assert {f"{icon.value}.png" for icon in Icon} < fresh.keys()
    for name, path in fresh.items():
        with Image.open(path) as one, Image.open(ROOT / "icons" / name) as other:
            assert same(one, other), name


def test_the_ico_has_every_size_that_windows_asks_for() -> None:
    with Image.open(ROOT / "icons/call_support.ico") as icon:
        assert isinstance(icon, IcoImagePlugin.IcoImageFile)
        assert {width for width, _ in icon.ico.sizes()} == SIZES


def test_every_state_can_be_told_from_every_other_at_16_pixels() -> None:
    shapes = {}
    for icon in Icon:
        with Image.open(ROOT / f"icons/{icon.value}.png") as picture:
            assert picture.size == (256, 256)
            # The white shapes alone: not everybody can tell the colours apart.
            small = picture.convert("RGB").resize((16, 16), Image.Resampling.LANCZOS)
            shapes[icon] = small.convert("L").point(lambda grey: 255 * (grey > 160)).tobytes()
    for one, other in itertools.combinations(Icon, 2):
        pixels = zip(shapes[one], shapes[other], strict=True)
        assert sum(a != b for a, b in pixels) >= 8, (one, other)


def test_the_brands_colours_are_in_the_pictures(script: ModuleType) -> None:
    colours = brands.load().colours._replace(accent="#663300", call="#003366")
    looks = script.looks(colours)
    assert script.state_picture(looks[Icon.IDLE], 64).getpixel((32, 4))[:3] == (0x66, 0x33, 0x00)
    assert looks[Icon.CONNECTED].colour == "#003366"
