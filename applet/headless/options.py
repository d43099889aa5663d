"""The command line of the headless phone and of the desk."""

from __future__ import annotations

import os

from applet.address import Address
from applet.headless.arguments import OptionError as OptionError
from applet.headless.arguments import read_arguments
from applet.hints import TYPE_CHECKING
from applet.media.codec import CODEC_NAMES
from applet.phone.config import NatConfig, PhoneConfig
from applet.threads.sockets import PortRange
from applet.threads.tls_files import TlsFiles
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.nat.knowledge import RelayServer


class Options(NamedTuple):
    """Everything that the command line asks for."""

    phone: PhoneConfig
    bind: Address
    ports: PortRange | None
    name_server: Address | None
    tls_files: TlsFiles
    audio_in: str
    audio_out: str | None
    loop: bool
    call: str
    duration: float | None


_WITH_VALUE = (
    ("bind", "transport", "tls-ca", "tls-cert", "tls-key", "id", "registrar", "proxy", "user")
    + ("password", "answer", "rtp-ports", "codecs", "srtp", "100rel", "session-timer", "stun")
    + ("dns", "turn", "nat", "max-calls", "audio-in", "audio-out", "call", "duration")
)
_FLAGS = ("accept-any-user", "no-upnp", "loop")

_OFF_VALUES = {"srtp": ("off",)}
"""Of a part that is not built yet: these values do not ask for it."""
_ALL_VALUES = {
    "transport": ("udp", "tcp", "tls"),
    "srtp": ("off", "optional", "required"),
    "100rel": ("on", "off", "required"),
    "session-timer": ("on", "off", "required"),
    "nat": ("auto", "none", "stun", "upnp", "turn"),
}


def parse_options(arguments: list[str]) -> Options:
    """Raises OptionError for anything unknown, wrong, or not built yet."""
    given, stun, turn = _read(arguments)
    for name, allowed in _ALL_VALUES.items():
        value = given.get(name, allowed[0]).lower()
        if value not in allowed:
            raise OptionError(f"--{name}: {value!r} is none of {', '.join(allowed)}")
        if value not in _OFF_VALUES.get(name, allowed):
            raise OptionError(f"--{name} {value}: not built yet")
    return Options(
        phone=_phone(given)._replace(nat=_nat(given, stun, turn)),
        bind=parse_address(given.get("bind", "0.0.0.0"), "bind"),
        ports=_ports(given),
        name_server=parse_address(given["dns"], "dns", 53) if "dns" in given else None,
        tls_files=_tls_files(given),
        audio_in=_audio_in(given),
        audio_out=given.get("audio-out"),
        loop="loop" in given,
        call=given.get("call", ""),
        duration=_number(given, "duration", 0.0) if "duration" in given else None,
    )


def _read(
    arguments: list[str],
) -> tuple[dict[str, str], tuple[Address, ...], tuple[RelayServer, ...]]:
    pairs = read_arguments(arguments, _WITH_VALUE, _FLAGS)
    stun = tuple(parse_address(value, "stun", 3478) for name, value in pairs if name == "stun")
    turn = tuple(way for name, value in pairs if name == "turn" for way in _relay(value))
    return dict(pairs), stun, turn


def _relay(text: str) -> tuple[RelayServer, ...]:
    from applet.nat.relay_uri import RelayUriError, parse_relay  # for those who have a relay

    try:
        return parse_relay(text)
    except RelayUriError as error:
        raise OptionError(f"--turn: {error}") from error


def _nat(
    given: dict[str, str], stun: tuple[Address, ...], turn: tuple[RelayServer, ...]
) -> NatConfig:
    mode = given.get("nat", "auto").lower()
    if mode == "none":
        return NatConfig()
    return NatConfig(mode, stun, turn, mapper="no-upnp" not in given)


def _phone(given: dict[str, str]) -> PhoneConfig:
    return PhoneConfig(
        identity=given.get("id", ""),
        user=given.get("user", ""),
        password=given.get("password", os.environ.get("CALLSUPPORT_PASSWORD", "")),
        registrar=given.get("registrar", ""),
        proxy=given.get("proxy", ""),
        codecs=_codecs(given),
        transport=given.get("transport", "").lower(),
        answer=_answer(given.get("answer", "manual")),
        accept_any_user="accept-any-user" in given,
        reliable=given.get("100rel", "on").lower(),
        session_timer=given.get("session-timer", "on").lower(),
        max_calls=_max_calls(given),
        other_addresses=True,
    )


def _tls_files(given: dict[str, str]) -> TlsFiles:
    if "tls-key" in given and "tls-cert" not in given:
        raise OptionError("--tls-key: --tls-cert is missing, the certificate of this key")
    names = ("tls-ca", "tls-cert", "tls-key")
    return TlsFiles(*(given.get(name, "") for name in names))


def _answer(value: str) -> int:
    if value in ("auto", "manual"):
        return 200 if value == "auto" else 0
    if value.isdecimal() and (value in ("180", "183") or 300 <= int(value) <= 699):
        return int(value)
    raise OptionError(f"--answer: {value!r} is none of auto, manual, 180, 183, or a code 300-699")


def _codecs(given: dict[str, str]) -> tuple[str, ...]:
    if "codecs" not in given:
        return CODEC_NAMES
    names = tuple(name.strip().upper() for name in given["codecs"].split(","))
    for name in names:
        if name not in CODEC_NAMES:
            known = ", ".join(codec.lower() for codec in CODEC_NAMES)
            raise OptionError(f"--codecs: {name.lower()!r} is not built; there are {known}")
    return names


def _ports(given: dict[str, str]) -> PortRange | None:
    if "rtp-ports" not in given:
        return None
    low, dash, high = given["rtp-ports"].partition("-")
    if not (dash and low.isdecimal() and high.isdecimal() and 0 < int(low) < int(high) < 65536):
        raise OptionError(f"--rtp-ports: {given['rtp-ports']!r} is not LOW-HIGH")
    return PortRange(int(low), int(high))


def _audio_in(given: dict[str, str]) -> str:
    text = given.get("audio-in", "silence")
    if text == "silence":
        return text
    from applet.audio.file import parse_source  # for those who have something to say

    try:
        parse_source(text)
    except (OSError, ValueError) as error:
        raise OptionError(f"--audio-in: {error}") from error
    return text


def _max_calls(given: dict[str, str]) -> int:
    text = given.get("max-calls", "1")
    if not (text.isdecimal() and 0 < int(text) < 10000):
        raise OptionError(f"--max-calls: {text!r} is not a number from 1 to 9999")
    return int(text)


def _number(given: dict[str, str], name: str, default: float) -> float:
    try:
        number = float(given.get(name, default))
    except ValueError:
        number = -1
    if not 0 <= number < 1e6:
        raise OptionError(f"--{name}: {given[name]!r} is not a number from 0 up")
    return number


def parse_address(text: str, option: str, default_port: int = 0) -> Address:
    """`IP`, `IP:PORT`, `[IPv6]` or `[IPv6]:PORT`. Raises OptionError."""
    host, port = text, ""
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise OptionError(f"--{option}: {text!r} is not an address")
        port = port[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or (port and not (port.isdecimal() and int(port) < 65536)):
        raise OptionError(f"--{option}: {text!r} is not an address")
    return Address(host, int(port) if port else default_port)
