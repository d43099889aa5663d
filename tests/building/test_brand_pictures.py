"""A company's own icon in every state of the phone."""

from pathlib import Path

import pytest
from PIL import IcoImagePlugin, Image

import brand_pictures
import icons
from applet import brand as brands
from applet.brand import Brand
from applet.ui.view import Icon
from tests.support.exe import BRANDS

ACME = BRANDS / "acme.toml"


@pytest.fixture(scope="module")
def acme() -> Brand:
    return brands.load(ACME)


@pytest.fixture(scope="module")
def folder(acme: Brand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("icons")
    brand_pictures.draw(path, acme)
    return path


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGBA")


def test_the_idle_state_is_the_companys_icon_in_a_square(folder: Path) -> None:
    idle = opened(folder / "idle.png")
    assert idle.size == (256, 256)
    assert idle.getpixel((128, 8)) == (0, 0, 0, 0), "the icon is wider than it is high"
    assert idle.getpixel((20, 128)) == (0xB4, 0x53, 0x09, 0xFF)


def test_every_other_state_carries_its_disc_in_the_corner(folder: Path, acme: Brand) -> None:
    for icon, look in icons.looks(acme.colours).items():
        if icon is Icon.IDLE:
            continue
        picture = opened(folder / f"{icon.value}.png")
        assert picture.getpixel((20, 110)) == (0xB4, 0x53, 0x09, 0xFF), "the company's icon"
        disc = icons.state_picture(look, round(256 * 0.62))
        assert picture.getpixel((252, 256 - disc.height // 2)) == disc.getpixel(
            (disc.width - 4, disc.height // 2)
        )


def test_the_states_can_be_told_apart_at_16_pixels(folder: Path) -> None:
    small = {icon: opened(folder / f"{icon.value}.png").resize((16, 16)).tobytes() for icon in Icon}
    assert len(set(small.values())) == len(Icon)


def test_the_ico_has_every_size_of_the_companys_icon(folder: Path) -> None:
    with Image.open(folder / "call_support.ico") as file:
        assert isinstance(file, IcoImagePlugin.IcoImageFile)
        assert {width for width, _ in file.ico.sizes()} == set(icons.ICO_SIZES)
        assert file.convert("RGBA").getpixel((20, 128)) == (0xB4, 0x53, 0x09, 0xFF)


def test_without_an_own_icon_the_drawn_ones_come_in_the_brands_colours(tmp_path: Path) -> None:
    brand = brands.load(BRANDS / "globex.toml")
    brand_pictures.draw(tmp_path, brand)
    assert opened(tmp_path / "idle.png").getpixel((128, 8)) == (0x93, 0x33, 0xEA, 0xFF)
