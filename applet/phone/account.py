"""Who we are towards the SIP world, and the way our requests take: read from `PhoneConfig`."""

from __future__ import annotations

from applet.address import is_numeric
from applet.hints import TYPE_CHECKING
from applet.phone.target import leads_to
from applet.sip.digest import Credentials
from applet.sip.headers import NameAddr
from applet.sip.hop import Transport
from applet.sip.uri import SipUri, parse_uri

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.address import Address
    from applet.phone.config import PhoneConfig

_ANONYMOUS_HOST = "anonymous.invalid"
_GUEST = "caller"


class Account:
    """The URIs of a configuration, parsed; raises ValueError when one of them is no SIP URI.

    `transport` (None: DNS decides) and `service_route` (the registrar's wish) change at run time.
    """

    def __init__(self, config: PhoneConfig, local_ip_for: Callable[[str], str]) -> None:
        self.desk = _sip_uri(config.desk)
        self.registrar = _sip_uri(config.registrar)
        self.proxy_route = _outbound_route(config.proxy)
        self.service_route: tuple[NameAddr, ...] = ()
        self.transport = Transport[config.transport.upper()] if config.transport else None
        self.credentials = (
            Credentials(config.user, config.password, config.sha256_only)
            if config.user and config.password
            else None
        )
        self._identity = _sip_uri(config.identity)
        named = self._identity.user if self._identity is not None else ""
        self.users = tuple(filter(None, (config.user, named)))
        self.contact_user = self.users[0] if self.users else _GUEST
        self.mailbox = self._mailbox(config.user)
        """Whose waiting messages are ours; None without an account."""
        self._display_name = config.display_name
        self._local_ip_for = local_ip_for

    @property
    def route(self) -> tuple[SipUri, ...]:
        """The way of our requests but REGISTER: the outbound proxy, and behind it what the
        registrar wants (RFC 3608 section 5), unless that begins with the proxy itself."""
        wanted = tuple(r.uri for r in self.service_route if isinstance(r.uri, SipUri))
        if wanted and self.proxy_route and _same_server(wanted[0], self.proxy_route[0]):
            return wanted
        return self.proxy_route + wanted

    def identity(self, towards: str, bound: Address) -> NameAddr:
        """Our From: the account's, or a guest at our own address that faces `towards`. A host
        name there is not looked up for it (RFC 3261 section 8.1.1.3 allows an invalid one)."""
        uri = self._identity
        if uri is None:
            host = self._own_host(towards, bound)
            uri = SipUri("sip", self.contact_user, None, host, None, (), "")
        return NameAddr(self._display_name, uri, ())

    @property
    def server(self) -> SipUri | None:
        """Whom our requests go to as a rule; None: whoever is called."""
        return self.route[0] if self.route else self.registrar or self.desk

    def credentials_for(self, target: SipUri) -> Credentials | None:
        """Those that a request to `target` may have: none if it goes straight to a server that is
        not ours. Whoever is called could else have a challenge answered that he has from it."""
        if self.credentials is None:
            return None
        ours = (self.desk, self.registrar, self._identity)
        known = any(uri is not None and leads_to(target, uri) for uri in ours)
        return self.credentials if self.route or known else None

    def _mailbox(self, user: str) -> SipUri | None:
        """What is kept for an address at the registrar's host is kept by the registrar, at its
        port and over its transport."""
        registrar, named = self.registrar, self._identity
        if registrar is None:
            return named if self.credentials else None
        if named is None:
            return registrar._replace(user=SipUri.of(user, registrar.host).user) if user else None
        here = (named.scheme, named.host.lower(), named.port)
        if here == (registrar.scheme, registrar.host.lower(), None):
            return registrar._replace(user=named.user)
        return named

    def next_host(self, target: SipUri) -> str:
        """Where the first request to `target` goes."""
        return self.route[0].host if self.route else target.host

    def _own_host(self, towards: str, bound: Address) -> str:
        if bound.host not in ("", "0.0.0.0", "::"):
            return bound.host
        return self._local_ip_for(towards) if is_numeric(towards) else _ANONYMOUS_HOST


def _sip_uri(text: str) -> SipUri | None:
    """None for an empty text."""
    if not text:
        return None
    uri = parse_uri(text)
    if not isinstance(uri, SipUri):
        raise ValueError(f"{text!r} is not a sip: address")
    return uri


def _same_server(one: SipUri, other: SipUri) -> bool:
    return (one.host.lower(), one.port) == (other.host.lower(), other.port)


def _outbound_route(proxy: str) -> tuple[SipUri, ...]:
    """A loose route through the outbound proxy (RFC 3261 section 8.1.2)."""
    uri = _sip_uri(proxy)
    if uri is None:
        return ()
    return (uri if uri.has_param("lr") else uri._replace(params=(*uri.params, ("lr", None))),)
