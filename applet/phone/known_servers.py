"""The SIP servers that the phone knows on this network, and what came back from them."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.hop import Transport
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address
    from applet.nat.knowledge import SipSeen
    from applet.sip.uri import SipUri

TLS_PORT = 5061
WEB_PORT = 443
"""RFC 3261 section 19.1.2, and what every firewall leaves open."""


class Ping(NamedTuple):
    """An OPTIONS under way. `usual`: it went the way that the server's URI and DNS want."""

    server: str
    transport: str
    port: int
    usual: bool


class Server:
    """One SIP server, and what came back from it. `host`: its IP, once it is known; `transport`
    and `port`: as its URI, the account and DNS want them; `asked` and `seen`: since the last look
    around; `shown`: what Via and Contact show towards whom (None: our own address)."""

    __slots__ = (
        "asked",
        "host",
        "others_at",
        "port",
        "seen",
        "settled",
        "shown",
        "transport",
        "uri",
        "way",
    )

    def __init__(self, uri: SipUri, preferred: Transport | None) -> None:
        self.uri = uri
        transport = "tls" if uri.scheme == "sips" else uri.param("transport")
        self.transport = (transport or (preferred or Transport.UDP).value).lower()
        self.port = uri.port or (TLS_PORT if self.transport == "tls" else 5060)
        self.host = uri.param("maddr") or uri.host
        self.asked = 0
        self.seen: dict[tuple[str, int], SipSeen] = {}
        self.shown: dict[tuple[Transport, Address], Address | None] = {}
        self.others_at: float | None = None
        self.way = ("", 0)  # where calls go by now
        self.settled: tuple[str, int] | None = None  # what a rescue has found to be better


def key_of(uri: SipUri) -> str:
    return f"{uri.host}:{uri.port or 0}".lower()


def other_ways(server: Server) -> list[tuple[str, int]]:
    """Over TCP, over TLS, and on the port that every firewall leaves open. What is to go over TLS
    goes over nothing else."""
    port = server.uri.port or 5060
    ways = [("tls", TLS_PORT if port == 5060 else port + 1), ("tls", WEB_PORT)]
    if server.transport != "tls":
        ways.append(("tcp", port))
    return [way for way in ways if way not in server.seen]
