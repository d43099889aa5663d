"""The brand: everything that makes this phone one company's phone, from one TOML file.

`SCHEMA` is the one list of keys: the file is checked against it, the README's table is printed
from it, and a key that is not in it is a mistake. Every mistake is one line that names the file,
the key, what is wrong and what would be right; all of them are reported together.
"""

from __future__ import annotations

import re
from pathlib import Path

from applet.hints import TYPE_CHECKING, Any, cast
from applet.pattern import pattern
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EMBEDDED_DESK = "desk"
BRAND_FILE = Path(__file__).with_name("brand.toml")

Value = str | bool | int | tuple[str, ...]


class Colours(NamedTuple):
    """`#rrggbb`, each dark enough to carry a white picture."""

    accent: str
    call: str
    hang_up: str


class Texts(NamedTuple):
    desk: str
    call: str
    welcome: str
    about: str


class Support(NamedTuple):
    """`uri` is a SIP address, or `EMBEDDED_DESK`."""

    uri: str
    fallback_phone: str


class Account(NamedTuple):
    user: str
    password: str
    proxy: str
    registrar: str
    sha256_only: bool


class Network(NamedTuple):
    stun: tuple[str, ...]
    turn: str
    credentials_url: str


class Dialling(NamedTuple):
    other_addresses: bool
    links: bool
    emergency: bool
    emergency_numbers: tuple[str, ...]


class Incoming(NamedTuple):
    enabled: bool
    port: int
    auto_answer: bool


class Brand(NamedTuple):
    """`icon` is empty for the drawn one, else the absolute path of a picture."""

    product: str
    company: str
    version: str
    icon: str
    colours: Colours
    texts: Texts
    support: Support
    account: Account
    network: Network
    codecs: tuple[str, ...]
    dialling: Dialling
    incoming: Incoming


class BrandError(ValueError):
    """The brand file cannot be used; `mistakes` has one line for each thing to put right."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class Key(NamedTuple):
    """One key of the file. `default` None: the key must be there. `right` says what would be
    right; `accepts` looks at a value that already has the type of `example`."""

    name: str
    default: Value | None
    example: Value
    meaning: str
    right: str
    accepts: Callable[[Value], bool]


def _text(longest: int, shortest: int = 0) -> Callable[[Value], bool]:
    def accepts(value: Value) -> bool:
        text = str(value)
        return shortest <= len(text) <= longest and text.isprintable() and text == text.strip()

    return accepts


def _file_name(value: Value) -> bool:
    """Windows names the program, its folder and its entries after the product."""
    text = str(value)
    fits = _text(40, 1)(text) and not set(text) & set('<>:"/\\|?*%') and text[-1] != "."
    return fits and not _DEVICE.fullmatch(text)


def _matching(source: str, *, empty: bool = True) -> Callable[[Value], bool]:
    whole = pattern(source)

    def accepts(value: Value) -> bool:
        return (empty and value == "") or whole.fullmatch(str(value)) is not None

    return accepts


def _each(accepts: Callable[[Value], bool], *, fewest: int = 0) -> Callable[[Value], bool]:
    def accepts_all(values: Value) -> bool:
        items = cast("tuple[str, ...]", values)
        distinct = len(set(items)) == len(items)
        return len(items) >= fewest and distinct and all(map(accepts, items))

    return accepts_all


def _anything(_: Value) -> bool:
    return True


def _is_port(value: Value) -> bool:
    return isinstance(value, int) and 1 <= value <= 65535


def _carries_white(value: Value) -> bool:
    """Whether white on this colour has the contrast 3:1 that WCAG 2.2 section 1.4.11 asks of
    pictures on buttons."""
    text = str(value)
    if not re.fullmatch("#[0-9A-Fa-f]{6}", text):
        return False
    parts = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 3


_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_TURN = rf"turns?:(?:[^:@\s]+:[^@\s]*@)?{_HOST}(?:\?transport=(?:udp|tcp))?"
_SIP = rf"sips?:(?:[^@\s<>]+@)?{_HOST}(?:;transport=(?:udp|tcp|tls))?"
_SERVER = "write a server like sip:pbx.example.com or sip:pbx.example.com;transport=tls"
_DEVICE = pattern(r"(CON|PRN|AUX|NUL|COM\d|LPT\d)\s*(\..*)?", re.IGNORECASE)
_COLOUR = "write a colour like #15803d, dark enough for a white picture on it"

SCHEMA: tuple[Key, ...] = (
    Key("product", None, "Call Support", "name of the program, shown everywhere",
        "write a name of 1 to 40 characters that a file can have", _file_name),
    Key("company", None, "Example Ltd", "name of the company, shown in *About*",
        "write a name of 1 to 60 characters", _text(60, 1)),
    Key("version", None, "1.0.0", "version of the program, shown in *About*",
        "write two to four numbers, like 1.0.0", _matching(r"\d+(\.\d+){1,3}", empty=False)),
    Key("icon", "", "logo.png", "picture in place of the drawn telephone, square, 256 pixels or "
        "more, its path relative to this file; empty: the drawn one",
        "write the path of a .png or .ico file that exists", _matching(r".+\.(png|ico|PNG|ICO)")),
    Key("colours.accent", "#2563eb", "#2563eb", "colour of the icon and of the focus ring",
        _COLOUR, _carries_white),
    Key("colours.call", "#15803d", "#15803d", "colour of the button that calls",
        _COLOUR, _carries_white),
    Key("colours.hang_up", "#dc2626", "#dc2626", "colour of the button that hangs up",
        _COLOUR, _carries_white),
    Key("texts.desk", "the support desk", "our support desk", "who is called, as it stands in a "
        "sentence: *You are talking to the support desk*",
        "write 1 to 40 characters", _text(40, 1)),
    Key("texts.call", "Call support", "Call support", "label of the button and menu entry that "
        "call", "write 1 to 24 characters", _text(24, 1)),
    Key("texts.welcome", "Press the button and talk to us.", "Press the button and talk to us.",
        "the sentence shown before a call", "write at most 90 characters", _text(90)),
    Key("texts.about", "", "A service of Example Ltd.", "more words for *About*",
        "write at most 400 characters", _text(400)),
    Key("support.uri", None, "sip:support@example.com", "whom the button calls; `desk`: the "
        "embedded support desk on this machine", "write desk, or an address like "
        "sip:support@example.com", _matching(f"{EMBEDDED_DESK}|{_SIP}", empty=False)),
    Key("support.fallback_phone", "", "+44 20 7946 0000", "telephone number named in the sentence "
        "after a failure", "write a telephone number, or leave it empty",
        _matching(r"\+?[0-9][0-9 ()/.-]{2,28}")),
    Key("account.user", "", "customer", "user name for the company's telephone system; empty: "
        "none is needed", "write a user name without spaces", _matching(r"[^\s@<>\"]{1,64}")),
    Key("account.password", "", "secret", "its password",
        "write at most 128 characters", _text(128)),
    Key("account.proxy", "", "sip:proxy.example.com", "server that every call goes through; "
        "empty: straight to the address", _SERVER, _matching(_SIP)),
    Key("account.registrar", "", "sip:example.com", "server to register with, so that calls reach "
        "this phone; empty: do not register", _SERVER, _matching(_SIP)),
    Key("account.sha256_only", False, True, "never prove the password by MD5, only by SHA-256; "
        "a server that knows no more than MD5 then refuses the calls", "write true or false",
        _anything),
    Key("network.stun", (), ("stun.example.com:3478",), "servers that tell this phone its public "
        "address; none is asked by default", "write a list of servers like "
        '["stun.example.com:3478"]', _each(_matching(_HOST, empty=False))),
    Key("network.turn", "", "turn:user:password@turn.example.com", "relay for networks that let "
        "nothing else through", "write it like turn:user:password@turn.example.com",
        _matching(_TURN)),
    Key("network.credentials_url", "", "https://example.com/turn", "where to fetch short-lived "
        "relay passwords (JSON with username, password and uris)",
        "write it like https://example.com/turn", _matching(r"https://[^\s<>\"]{1,500}")),
    Key("codecs", ("pcmu", "pcma"), ("pcma", "pcmu"), "ways to encode the voice, the best first",
        'write one or more of ["pcmu", "pcma"], each once',
        _each(lambda name: name in ("pcmu", "pcma"), fewest=1)),
    Key("dialling.other_addresses", False, True, "show a field where any address can be typed and "
        "called", "write true or false", _anything),
    Key("dialling.links", False, True, "open sip: and tel: links of other programs, each after a "
        "question", "write true or false", _anything),
    Key("dialling.emergency", False, False, "send emergency numbers to the telephone system "
        "instead of saying plainly that this phone cannot reach them", "write true or false",
        _anything),
    Key("dialling.emergency_numbers", (), ("15", "17"), "emergency numbers besides 112, 911, 999 "
        "and 110", 'write a list of numbers like ["15", "17"]',
        _each(_matching("[0-9]{2,6}", empty=False))),
    Key("incoming.enabled", False, True, "be called by address: `sip:name@this-machine:port`",
        "write true or false", _anything),
    Key("incoming.port", 7666, 7666, "UDP and TCP port for it; the next free one if it is taken",
        "write a number from 1 to 65535", _is_port),
    Key("incoming.auto_answer", False, True, "let a caller wish that its call is picked up by "
        "itself: it rings for three seconds, shows the window and starts muted",
        "write true or false", _anything),
)  # fmt: skip


def load(path: Path = BRAND_FILE) -> Brand:
    """The brand in `path`; raises `BrandError`."""
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BrandError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise BrandError([f"{path}: is not UTF-8 text; save it as UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise BrandError([f"{path}: is not TOML: {error}"]) from None
    values, mistakes = _check(dict(_flat(table)), path.parent)
    if mistakes:
        raise BrandError([f"{path}: {mistake}" for mistake in mistakes])
    return _brand(values)


def _flat(table: dict[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """`{"support": {"uri": ...}}` as `("support.uri", ...)`; an empty table vanishes."""
    for name, value in table.items():
        if isinstance(value, dict) and prefix == "":
            yield from _flat(value, f"{name}.")
        else:
            yield prefix + name, value


def _check(given: dict[str, object], folder: Path) -> tuple[dict[str, Value], list[str]]:
    """The values of the whole schema, and what is wrong with them."""
    known = {key.name for key in SCHEMA}
    mistakes = [_unknown(name, known) for name in given if name not in known]
    values: dict[str, Value] = {}
    for key in SCHEMA:
        if key.name not in given:
            if key.default is None:
                mistakes.append(f"{key.name}: is missing; {key.right}")
            else:
                values[key.name] = key.default
            continue
        value = _typed(given[key.name], key.example)
        if value is None or not key.accepts(value):
            mistakes.append(f"{key.name}: {_shown(given[key.name])} is wrong; {key.right}")
        else:
            values[key.name] = value
    if icon := values.get("icon"):
        values["icon"] = str((folder / str(icon)).resolve())
        if not Path(str(values["icon"])).is_file():
            mistakes.append(f"icon: there is no file {_shown(icon)}; write the path of one")
    if values.get("account.password") and not values.get("account.user"):
        mistakes.append("account.password: belongs to no user; write account.user too")
    return values, mistakes


def _typed(value: object, example: Value) -> Value | None:
    """`value` if it has the type of `example` (a list becomes a tuple), else None."""
    if isinstance(example, tuple):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        return None
    # By the exact type: to Python, but not to the reader of the file, true is a number.
    return cast("Value", value) if type(value) is type(example) else None


def _unknown(name: str, known: set[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else "the README lists the keys there are"
    return f"{name}: is no known key; {advice}"


def _shown(value: object) -> str:
    """`value` as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _brand(values: dict[str, Any]) -> Brand:
    """The schema has checked the types."""
    return Brand(
        product=values["product"],
        company=values["company"],
        version=values["version"],
        icon=values["icon"],
        colours=_table(Colours, values),
        texts=_table(Texts, values),
        support=_table(Support, values),
        account=_table(Account, values),
        network=_table(Network, values),
        codecs=values["codecs"],
        dialling=_table(Dialling, values),
        incoming=_table(Incoming, values),
    )


if TYPE_CHECKING:
    from applet.hints import TypeVar

    _Table = TypeVar("_Table", Colours, Texts, Support, Account, Network, Dialling, Incoming)


def _table(kind: type[_Table], values: dict[str, Any]) -> _Table:
    """The table of the file with the same name and the same keys."""
    return kind(*(values[f"{kind.__name__.lower()}.{key}"] for key in kind._fields))


def schema_table() -> str:
    """`SCHEMA` as the Markdown table of the README."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for key in SCHEMA:
        default = "must be there" if key.default is None else f"`{_shown(key.default)}`"
        lines.append(f"| `{key.name}` | {default} | {key.meaning} |")
    return "\n".join(lines) + "\n"
