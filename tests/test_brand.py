"""The brand file: every key has its place, every mistake its own precise line."""

from pathlib import Path

import pytest

from applet import brand as brands
from applet.brand import SCHEMA, Brand, BrandError, load, schema_table

SMALLEST = 'product = "Acme Help"\ncompany = "Acme"\nversion = "2.1"\n[support]\nuri = "desk"\n'


def loaded(folder: Path, text: str) -> Brand:
    file = folder / "brand.toml"
    file.write_text(text, "utf-8")
    return load(file)


def mistakes(folder: Path, text: str) -> list[str]:
    """Without the file's name, which each line begins with."""
    with pytest.raises(BrandError) as caught:
        loaded(folder, text)
    name = str(folder / "brand.toml")
    assert all(line.startswith(f"{name}: ") for line in caught.value.mistakes)
    assert str(caught.value) == "\n".join(caught.value.mistakes)
    return [line.removeprefix(f"{name}: ") for line in caught.value.mistakes]


def test_the_file_in_the_repository_calls_the_embedded_desk_and_contacts_nobody() -> None:
    brand = load()
    assert brand.support.uri == brands.EMBEDDED_DESK
    assert brand.network == ((), "", "")
    assert brand.account == ("", "", "", "", False)
    assert not brand.dialling.other_addresses
    assert not brand.dialling.emergency
    assert not brand.incoming.enabled


def test_everything_but_four_keys_has_a_default(tmp_path: Path) -> None:
    brand = loaded(tmp_path, SMALLEST)
    assert (brand.product, brand.company, brand.version) == ("Acme Help", "Acme", "2.1")
    assert brand.codecs == ("pcmu", "pcma")
    assert brand.incoming == (False, 7666, False)


def test_every_key_is_read_into_its_place(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"")
    brand = loaded(
        tmp_path,
        """
        product = "Acme Help"
        company = "Acme"
        version = "2.1.0.7"
        icon = "logo.png"
        codecs = ["pcma"]
        colours = { accent = "#102030", call = "#006000", hang_up = "#A00000" }
        texts = { desk = "Acme", call = "Call Acme", welcome = "Hello.", about = "Acme GmbH" }
        [support]
        uri = "sip:help@pbx.acme.example:5070;transport=tcp"
        fallback_phone = "+49 (30) 12-34"
        [account]
        user = "1001"
        password = "hunter2"
        proxy = "sip:proxy.acme.example"
        registrar = "sip:[2001:db8::1]:5060"
        sha256_only = true
        [network]
        stun = ["stun.acme.example", "192.0.2.1:3479"]
        [dialling]
        other_addresses = true
        emergency = true
        emergency_numbers = ["15", "17"]
        [incoming]
        enabled = true
        auto_answer = true
        port = 5555
        """,
    )
    assert brand.icon == str((tmp_path / "logo.png").resolve())
    assert brand.colours == ("#102030", "#006000", "#A00000")
    assert brand.texts == ("Acme", "Call Acme", "Hello.", "Acme GmbH")
    assert brand.support == ("sip:help@pbx.acme.example:5070;transport=tcp", "+49 (30) 12-34")
    registrar = "sip:[2001:db8::1]:5060"
    assert brand.account == ("1001", "hunter2", "sip:proxy.acme.example", registrar, True)
    assert brand.network.stun == ("stun.acme.example", "192.0.2.1:3479")
    assert brand.codecs == ("pcma",)
    assert brand.dialling == (True, False, True, ("15", "17"))
    assert brand.incoming == (True, 5555, True)


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ('colour = "red"', "colour: is no known key; did you mean colours.call?"),
        ("zzz = 1", "zzz: is no known key; the README lists the keys there are"),
        ("codecs = []", 'codecs: [] is wrong; write one or more of ["pcmu", "pcma"], each once'),
        (
            'codecs = ["pcmu", "pcmu"]',
            'codecs: ["pcmu", "pcmu"] is wrong; write one or more of ["pcmu", "pcma"], each once',
        ),
        (
            'codecs = ["opus"]',
            'codecs: ["opus"] is wrong; write one or more of ["pcmu", "pcma"], each once',
        ),
        ("codecs = [1]", 'codecs: [1] is wrong; write one or more of ["pcmu", "pcma"], each once'),
        (
            'codecs = "pcmu"',
            'codecs: "pcmu" is wrong; write one or more of ["pcmu", "pcma"], each once',
        ),
        (
            "incoming.port = 0",
            "incoming.port: 0 is wrong; write a number from 1 to 65535",
        ),
        (
            "incoming.port = true",
            "incoming.port: true is wrong; write a number from 1 to 65535",
        ),
        (
            'incoming.enabled = "yes"',
            'incoming.enabled: "yes" is wrong; write true or false',
        ),
        (
            'colours.call = "#ffff00"',
            'colours.call: "#ffff00" is wrong; '
            "write a colour like #15803d, dark enough for a white picture on it",
        ),
        (
            'colours.call = "green"',
            'colours.call: "green" is wrong; '
            "write a colour like #15803d, dark enough for a white picture on it",
        ),
        (
            'icon = "logo.gif"',
            'icon: "logo.gif" is wrong; write the path of a .png or .ico file that exists',
        ),
        ('icon = "none.png"', 'icon: there is no file "none.png"; write the path of one'),
        ('texts.call = " "', 'texts.call: " " is wrong; write 1 to 24 characters'),
        ('texts.call = "a\\tb"', 'texts.call: "a\tb" is wrong; write 1 to 24 characters'),
        (
            'account.password = "x"',
            "account.password: belongs to no user; write account.user too",
        ),
        (
            'account.registrar = "pbx.example.com"',
            'account.registrar: "pbx.example.com" is wrong; write a server like '
            "sip:pbx.example.com or sip:pbx.example.com;transport=tls",
        ),
        (
            'network.stun = ["stun:stun.example.com"]',
            'network.stun: ["stun:stun.example.com"] is wrong; '
            'write a list of servers like ["stun.example.com:3478"]',
        ),
        (
            'network.turn = "turn.example.com"',
            'network.turn: "turn.example.com" is wrong; '
            "write it like turn:user:password@turn.example.com",
        ),
        (
            "dialling.links = 1",
            "dialling.links: 1 is wrong; write true or false",
        ),
        (
            'dialling.emergency_numbers = ["abc"]',
            'dialling.emergency_numbers: ["abc"] is wrong; '
            'write a list of numbers like ["15", "17"]',
        ),
        (
            'zzz.one.two = "0"',
            "zzz.one: is no known key; the README lists the keys there are",
        ),
    ],
)
def test_each_mistake_has_one_line_with_the_key_what_is_wrong_and_what_would_be_right(
    tmp_path: Path, line: str, mistake: str
) -> None:
    assert mistakes(tmp_path, f"{line}\n{SMALLEST}") == [mistake]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert mistakes(tmp_path, 'version = "two"\nproduct = ""\nunknown = 1\n') == [
        "unknown: is no known key; the README lists the keys there are",
        'product: "" is wrong; write a name of 1 to 40 characters that a file can have',
        "company: is missing; write a name of 1 to 60 characters",
        'version: "two" is wrong; write two to four numbers, like 1.0.0',
        "support.uri: is missing; write desk, or an address like sip:support@example.com",
    ]


@pytest.mark.parametrize(
    "uri", ["sip:help@pbx.example;transport=tls", "sips:help@pbx.example", "sip:[2001:db8::1]:5070"]
)
def test_whom_the_button_calls_may_be_protected(tmp_path: Path, uri: str) -> None:
    file = tmp_path / "brand.toml"
    file.write_text(SMALLEST.replace('"desk"', f'"{uri}"'))
    assert load(file).support.uri == uri


@pytest.mark.parametrize(
    "uri", ["", "sip:", "help@example.com", "sipx:a@b", "tel:123", "sip:a b@c", "Desk"]
)
def test_whom_the_button_calls_must_be_the_desk_or_a_sip_address(tmp_path: Path, uri: str) -> None:
    assert mistakes(tmp_path, SMALLEST.replace('"desk"', f'"{uri}"')) == [
        f'support.uri: "{uri}" is wrong; write desk, or an address like sip:support@example.com'
    ]


def test_a_file_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "product = \n")[0].startswith("is not TOML: Invalid value (at line 1")


def test_a_file_that_is_no_text_or_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "brand.toml"
    with pytest.raises(BrandError, match="cannot be read: No such file"):
        load(file)
    file.write_bytes(b'product = "\xff"')
    with pytest.raises(BrandError, match="is not UTF-8 text; save it as UTF-8"):
        load(file)


def test_every_example_of_the_schema_is_right_by_its_own_check() -> None:
    for key in SCHEMA:
        assert key.accepts(key.example), key.name
        assert key.default is None or key.accepts(key.default), key.name


def test_the_readme_has_the_table_of_the_schema() -> None:
    readme = Path(__file__).parent.parent / "README.md"
    assert schema_table() in readme.read_text("utf-8")


@pytest.mark.parametrize(
    "product", ["a/b", "a\\\\b", "a:b", "Help?", "100%", "Help.", "con", "NUL.x", "Com1"]
)
def test_a_product_is_named_so_that_a_file_can_be(tmp_path: Path, product: str) -> None:
    assert mistakes(tmp_path, SMALLEST.replace("Acme Help", product))[0].startswith("product: ")
    assert loaded(tmp_path, SMALLEST.replace("Acme Help", "Com Support 24.7")).product
