"""How a relay is written in a brand file or on a command line, and the ways to it that follow.

`turn:USER:PASSWORD@HOST[:PORT][?transport=udp|tcp]` or `turns:...`: the URI of RFC 7065 with the
name and password in it, as RFC 3986 escapes them where they need it.
"""

from __future__ import annotations

from urllib.parse import unquote

from applet.address import Address
from applet.nat.knowledge import RelayServer
from applet.pattern import pattern

_PORT, _TLS_PORT, _WEB_PORT = 3478, 5349, 443
_uri = pattern(
    r"(turns?):(?:([^:@\s]+):([^@\s]*)@)?"
    r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(?:\?transport=(udp|tcp))?"
)


class RelayUriError(ValueError):
    """`str()` is one plain line."""


def parse_relay(text: str, user: str = "", password: str = "") -> tuple[RelayServer, ...]:
    """The ways to a relay, the quickest first. With nothing but a host those are UDP and TCP on
    3478, and TLS and TCP on 443, which firewalls leave open; a port or a transport that is named
    leaves only what it says. `user` and `password` stand in for those that the text leaves out.
    Raises RelayUriError."""
    found = _uri.fullmatch(text)
    port = int(found[5]) if found is not None and found[5] else 0
    if found is None or port > 65535:
        raise RelayUriError(f"{text.partition(':')[0]}: is not turn:USER:PASSWORD@HOST[:PORT]")
    scheme, host, transport = found[1], found[4].strip("[]"), found[6]
    name = unquote(found[2]) if found[2] else user
    secret = unquote(found[3]) if found[2] else password
    if scheme == "turns":
        ways = [("tls", port or _TLS_PORT)] + ([] if port else [("tls", _WEB_PORT)])
    elif transport is not None:
        ways = [(transport, port or _PORT)]
    elif port:
        ways = [("udp", port), ("tcp", port)]
    else:
        ways = [("udp", _PORT), ("tcp", _PORT), ("tls", _WEB_PORT), ("tcp", _WEB_PORT)]
    return tuple(RelayServer(Address(host, at), way, name, secret) for way, at in ways)
