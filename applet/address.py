"""A transport address, shared by every layer."""

from __future__ import annotations

from applet.value import NamedTuple


class Address(NamedTuple):
    """An IP literal without brackets (or, before it is looked up, a host name) and a port.

    Equal to the plain tuple `(host, port)` that sockets give and take.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
