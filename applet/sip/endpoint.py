"""The SIP endpoint: bytes and `now` in; bytes, deadlines and events out (RFC 3261)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from applet.address import Address
from applet.randomness import Randomness
from applet.sip.events import Event
from applet.sip.hop import Datagram, Hop, Transport

if TYPE_CHECKING:
    from applet.sip.digest import Credentials
    from applet.sip.headers import NameAddr
    from applet.sip.invite import InviteSession
    from applet.sip.registration import Registration
    from applet.sip.uri import SipUri


class EndpointConfig(NamedTuple):
    """`users`: the user parts we answer to, when not `allow_any_user` (an empty user part in the
    Request-URI is always ours). `ring_limit`: seconds an INVITE may stay without a final answer.
    `max_transactions`: beyond it new requests get 503 without any memory being kept."""

    user_agent: str = "Call Support"
    users: tuple[str, ...] = ()
    allow_any_user: bool = True
    ring_limit: float = 180.0
    max_transactions: int = 4000


class Endpoint:
    """One user agent: transports, transactions, dialogs and sessions; no socket and no clock.

    `local_ip_for(host)` names our own IP towards an IP literal, for transports that are bound to
    a wildcard; it must be quick and must not block.
    """

    def __init__(
        self, config: EndpointConfig, random: Randomness, local_ip_for: Callable[[str], str]
    ) -> None: ...

    def set_local(self, transport: Transport, address: Address) -> None:
        """Tell where a transport is bound (0.0.0.0 and :: are wildcards)."""

    def set_advertised(self, transport: Transport, address: Address | None) -> None:
        """What Via and Contact show instead of our own address, behind a NAT."""

    def local_address(self, hop: Hop) -> Address:
        """What Via and Contact show towards this hop."""

    # --- bytes in

    def receive_datagram(self, data: bytes, source: Address, now: float) -> None: ...

    def receive_stream(self, flow: int, data: bytes, now: float) -> None: ...

    def connection_opened(self, flow: int, remote: Address, now: float) -> None:
        """A TCP connection stands, opened by them or (after a Datagram without flow) by us."""

    def connection_closed(self, flow: int, now: float) -> None: ...

    def connection_failed(self, hop: Hop, now: float) -> None:
        """Nothing can be sent there: connect failed, or ICMP said so."""

    def looked_up(self, host: str, addresses: tuple[Address, ...], now: float) -> None:
        """The answer to `LookupNeeded`; empty: not found. The ports are those to be used."""

    # --- bytes, deadlines and events out

    def datagrams_to_send(self) -> list[Datagram]: ...

    def flows_to_close(self) -> list[int]:
        """Connections whose framing is lost: close them."""

    def next_timer(self) -> float | None: ...

    def handle_timers(self, now: float) -> None: ...

    def events(self) -> list[Event]: ...

    @property
    def quiet(self) -> bool:
        """No session and no registration waits for anything: it may be stopped politely."""

    # --- verbs

    def invite(
        self,
        target: SipUri,
        *,
        local: NameAddr,
        contact_user: str,
        body: bytes | None,
        now: float,
        route: tuple[SipUri, ...] = (),
        credentials: Credentials | None = None,
        transport: Transport | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> InviteSession:
        """Call `target`. `body` is our offer; None calls without one. `route` is a pre-loaded
        route set (an outbound proxy). `transport` is used where the URI does not name one."""

    def register(
        self,
        registrar: SipUri,
        *,
        local: NameAddr,
        contact_user: str,
        expires: int,
        now: float,
        route: tuple[SipUri, ...] = (),
        credentials: Credentials | None = None,
        transport: Transport | None = None,
    ) -> Registration:
        """Bind our Contact to the address of record `local` for `expires` seconds."""
