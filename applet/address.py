"""A transport address, shared by every layer."""

from __future__ import annotations

from applet.value import NamedTuple

_V6 = frozenset("0123456789abcdefABCDEF:.")


def is_numeric(host: str) -> bool:
    """Whether `host` is written as an IP address, so that nobody has to be asked for it."""
    if ":" in host:
        return _V6.issuperset(host)
    parts = host.split(".")
    is_short = len(parts) == 4 and max(map(len, parts)) <= 3
    return is_short and host.isascii() and all(map(str.isdecimal, parts))


class Address(NamedTuple):
    """An IP literal without brackets (or, before it is looked up, a host name) and a port.

    Equal to the plain tuple `(host, port)` that sockets give and take.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
