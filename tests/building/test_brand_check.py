"""What a brand is told before an executable is built of it."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import brand_check
from applet.brand import BrandError
from tests.support.process import ROOT

GOOD = {
    "product": '"Acme Helpline"',
    "company": '"Acme Ltd"',
    "version": '"2.5.1"',
    "support.uri": '"sip:support@example.com"',
}


def brand_file(folder: Path, **changes: str) -> Path:
    """A brand file with dots in its keys written as underscores in `changes`."""
    path = folder / "brand.toml"
    keys = GOOD | {name.replace("_", ".", 1): value for name, value in changes.items()}
    path.write_text("".join(f"{name} = {value}\n" for name, value in keys.items()), "utf-8")
    return path


def mistakes(path: Path) -> list[str]:
    with pytest.raises(BrandError) as caught:
        brand_check.check(path)
    return [mistake.removeprefix(f"{path}: ") for mistake in caught.value.mistakes]


def warnings(path: Path) -> list[str]:
    return [line.removeprefix(f"{path}: ") for line in brand_check.check(path).warnings]


def test_a_brand_for_customers_passes_without_a_word(tmp_path: Path) -> None:
    assert brand_check.check(brand_file(tmp_path)).brand.product == "Acme Helpline"
    assert warnings(brand_file(tmp_path)) == []


def test_a_version_that_windows_cannot_hold_is_a_mistake(tmp_path: Path) -> None:
    (mistake,) = mistakes(brand_file(tmp_path, version='"1.65536"'))
    assert mistake.startswith('version: "1.65536" has a number that Windows cannot hold')
    assert warnings(brand_file(tmp_path, version='"1.65535"')) == []


def test_an_icon_that_is_no_picture_is_a_mistake(tmp_path: Path) -> None:
    for content in (b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x00\x00\x01\x00\x00\x00"):
        (tmp_path / "logo.png").write_bytes(content)
        (mistake,) = mistakes(brand_file(tmp_path, icon='"logo.png"'))
        assert mistake == 'icon: "logo.png" is not a picture in the PNG or ICO format'


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "logo.png").touch()
    assert len(mistakes(brand_file(tmp_path, icon='"logo.png"', version='"1.70000"'))) == 2


@pytest.mark.parametrize("size", [(256, 256), (300, 40)])
def test_the_size_of_a_picture_is_read_from_its_head(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGBA", size).save(tmp_path / "logo.png")
    assert brand_check.picture_size(tmp_path / "logo.png") == size


def test_an_ico_counts_by_its_largest_picture() -> None:
    assert brand_check.picture_size(ROOT / "icons/call_support.ico") == (256, 256)


def test_a_small_icon_is_a_warning(tmp_path: Path) -> None:
    Image.new("RGBA", (64, 48)).save(tmp_path / "logo.png")
    (warning,) = warnings(brand_file(tmp_path, icon='"logo.png"'))
    assert warning.startswith("icon: has 64 x 48 pixels and will look blurred")


def test_a_password_in_the_brand_is_said_to_be_public(tmp_path: Path) -> None:
    path = brand_file(tmp_path, account_user='"guest"', account_password='"secret"')
    (warning,) = warnings(path)
    assert warning.startswith("account.password: is public")
    assert "secret" not in warning


def test_a_company_is_told_what_being_called_costs_its_customers(tmp_path: Path) -> None:
    (warning,) = warnings(brand_file(tmp_path, incoming_enabled="true"))
    assert "the firewall" in warning


def test_a_fixed_pair_for_the_relay_is_said_to_be_public(tmp_path: Path) -> None:
    brand = brand_check.check(brand_file(tmp_path)).brand
    fixed = brand._replace(network=brand.network._replace(turn="turn:user:secret@example.com"))
    (warning,) = brand_check.warnings(fixed)
    assert warning.startswith("network.turn: its password is public")
    assert "secret" not in warning


def test_the_embedded_desk_is_for_trying_only(tmp_path: Path) -> None:
    (warning,) = warnings(brand_file(tmp_path, support_uri='"desk"'))
    assert warning.startswith("support.uri: calls the embedded desk")


def test_nothing_is_built_of_a_brand_with_a_mistake(tmp_path: Path) -> None:
    path = brand_file(tmp_path, colours_call='"#ffffff"')
    built = subprocess.run(
        [sys.executable, "build/build.py", path, "--out", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 2
    assert built.stdout == ""
    assert built.stderr.startswith(f"{path}: colours.call: ")
    assert list(tmp_path.iterdir()) == [path]
