"""What a phone has to know before it starts; made from the brand file or the command line."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.emergency import NUMBERS
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address
    from applet.nat.knowledge import RelayServer


class NatConfig(NamedTuple):
    """What may be asked about the network. `mode`: `auto`; `none` asks nobody; `stun`, `upnp` and
    `turn` use that alone. `mapper`: ask the local router for port mappings. `credentials_url`: an
    https address that gives relays with short-lived passwords."""

    mode: str = "none"
    stun: tuple[Address, ...] = ()
    relays: tuple[RelayServer, ...] = ()
    mapper: bool = False
    credentials_url: str = ""


class PhoneConfig(NamedTuple):
    """`identity`: our own SIP URI, empty = `sip:user@our address`. `desk`: the URI behind an
    empty `Dial`. `codecs`: names in order of preference. `transport`: for our own requests when
    the URI names none; empty leaves it to DNS, and that is UDP if DNS says nothing. `answer`: 0
    asks the person; 200 answers, 180 rings, 183 sends early media, another code refuses.
    `reliable` and `session_timer`: RFC 3262 and RFC 4028, each `off`, `on` or `required`.
    `incoming`: False refuses every call with 480 and rings nowhere. `strangers_per_minute`: how
    many INVITEs from one address are let in when no call is up (0: all). `sha256_only`: a
    server that asks for MD5 gets no answer."""

    user_agent: str = "Call Support"
    display_name: str = ""
    identity: str = ""
    user: str = ""
    password: str = ""
    sha256_only: bool = False
    registrar: str = ""
    proxy: str = ""
    desk: str = ""
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    transport: str = ""
    answer: int = 0
    reliable: str = "on"
    session_timer: str = "on"
    incoming: bool = True
    auto_answer: bool = False
    accept_any_user: bool = True
    max_calls: int = 1
    strangers_per_minute: int = 0
    other_addresses: bool = False
    emergency_allowed: bool = False
    emergency_numbers: tuple[str, ...] = NUMBERS
    nat: NatConfig = NatConfig()
