"""The plan of a kept program: what goes where, and what can never be taken away."""

from pathlib import PureWindowsPath

import pytest

from applet import brand as brands
from applet.brand import Brand
from applet.windows.command_line import Install, Run, Uninstall, parse
from applet.windows.handover import OpenLink
from applet.windows.installation import (
    CLASSES,
    REGISTERED,
    RUN,
    UNINSTALL,
    Kept,
    Places,
    identity,
    plan,
    version_value,
)

PLACES = Places(
    PureWindowsPath(r"C:\Users\me\AppData\Local\Programs"),
    PureWindowsPath(r"C:\Users\me\AppData\Roaming\Microsoft\Windows\Start Menu\Programs"),
)


def brand(product: str = "Acme Help", links: bool = True) -> Brand:
    shipped = brands.load()
    dialling = shipped.dialling._replace(links=links)
    return shipped._replace(product=product, company="Acme", version="2.1", dialling=dialling)


def kept(product: str = "Acme Help", links: bool = True) -> Kept:
    return plan(brand(product, links), PLACES, 14000)


def data(kept: Kept) -> dict[tuple[str, str], str | int]:
    return {(value.key, value.name): value.data for value in kept.values}


def words(command: str | int) -> list[str]:
    """The arguments of a command line of ours, whose only quotes stand around whole words."""
    assert isinstance(command, str)
    parts = command.split('"')
    return [parts[1], *parts[2].split(), *parts[3:-1]]


def test_the_program_goes_to_the_users_own_programs() -> None:
    program = PureWindowsPath(r"C:\Users\me\AppData\Local\Programs\Acme Help\Acme Help.exe")
    assert kept().program == program
    assert kept().shortcut == PLACES.start_menu / "Acme Help.lnk"


def test_apps_shows_it_and_can_remove_it() -> None:
    shown = data(kept())
    key = rf"{UNINSTALL}\{identity('Acme Help')}"
    assert shown[key, "DisplayName"] == "Acme Help"
    assert shown[version_value("Acme Help")] == "2.1"
    assert shown[key, "Publisher"] == "Acme"
    assert shown[key, "EstimatedSize"] == 14000
    program = str(kept().program)
    assert words(shown[key, "UninstallString"]) == [program, "/uninstall"]
    assert parse(words(shown[key, "UninstallString"])[1:]) == Uninstall(quiet=False)
    assert parse(words(shown[key, "QuietUninstallString"])[1:]) == Uninstall(quiet=True)
    assert parse(["/install"]) == Install(quiet=False)


def test_it_starts_with_windows_without_its_window() -> None:
    autostart = kept().autostart
    assert (autostart.key, autostart.name) == (RUN, "Acme Help")
    assert parse(words(autostart.data)[1:]) == Run(background=True)


def test_links_are_opened_as_data_and_the_person_may_choose_the_program() -> None:
    shown = data(kept())
    handler = rf"{CLASSES}\{identity('Acme Help')}"
    command = shown[rf"{handler}\shell\open\command", ""]
    assert words(command) == [str(kept().program), "--uri", "%1"]
    assert parse(words(command)[1:]) == Run(OpenLink("%1"))
    assert shown[REGISTERED, "Acme Help"] == rf"{handler}\Capabilities"
    for claim, scheme in zip(kept().claims, ("sip", "tel"), strict=True):
        assert claim.key == rf"{CLASSES}\{scheme}"
        assert claim.command.data == command
        assert shown[rf"{handler}\Capabilities\URLAssociations", scheme] == identity("Acme Help")


def test_without_links_in_the_brand_nothing_of_links_is_registered() -> None:
    assert kept(links=False).claims == ()
    assert {value.key for value in kept(links=False).values} == {
        rf"{UNINSTALL}\{identity('Acme Help')}"
    }


@pytest.mark.parametrize("product", ["Microsoft", "Classes", "sip", "tel", "Windows", "Ünser", "1"])
def test_whatever_its_name_is_a_product_owns_no_key_of_others(product: str) -> None:
    for key in kept(product).owned_keys:
        parent, _, name = key.rpartition("\\")
        assert parent in (UNINSTALL, CLASSES)
        assert name == identity(product)
        assert len(name.rpartition(".")[2]) == 8
        assert " " not in name


def test_two_products_have_nothing_in_common() -> None:
    one, other = kept("Acme Help"), kept("AcmeHelp")
    assert not set(one.owned_keys) & set(other.owned_keys)
    assert not set(data(one)) & set(data(other))
    assert one.autostart[:2] != other.autostart[:2]
    assert one.program != other.program
