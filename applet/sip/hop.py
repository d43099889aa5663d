"""Where a message goes: transport, address, connection (RFC 3261 section 18, RFC 3263's words)."""

from __future__ import annotations

from applet.address import Address
from applet.enums import Enum
from applet.value import NamedTuple


class Transport(Enum):
    """The value is the word in a Via header field; its lower case is the URI parameter."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"

    @property
    def reliable(self) -> bool:
        return self is not Transport.UDP

    @property
    def default_port(self) -> int:
        return 5061 if self is Transport.TLS else 5060


End = tuple[Transport, Address, str]
"""The other end of a connection, as `Hop.end` names it."""


class Hop(NamedTuple):
    """The next element on the way. `flow` names one connection of the shell; with None a
    connection to the same `end` is used again if there is one, else opened.

    `identity` is whom the certificate must name (RFC 5922): the domain of the URI that led here,
    never a name that DNS gave. Empty without TLS, and on a connection that they opened.
    """

    transport: Transport
    address: Address
    flow: int | None = None
    identity: str = ""

    @property
    def end(self) -> End:
        return (self.transport, self.address, self.identity)


class Datagram(NamedTuple):
    """One whole message for the wire."""

    data: bytes
    hop: Hop
