"""Our own INVITEs and REGISTERs: who calls, by which way, with which credentials."""

from __future__ import annotations

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.sip.first_request import Sender

if TYPE_CHECKING:
    from applet.phone.account import Account
    from applet.phone.call import Call
    from applet.phone.network import Network
    from applet.phone.target import DialPolicy
    from applet.sip.digest import Credentials
    from applet.sip.endpoint import Endpoint
    from applet.sip.invite import InviteSession
    from applet.sip.registration import Registration
    from applet.sip.uas import Headers
    from applet.sip.uri import SipUri

_REGISTRATION_SECONDS = 3600


class Outgoing:
    """`local` is where SIP is bound, once it is."""

    __slots__ = ("_account", "_endpoint", "_network", "_policy", "local")

    def __init__(
        self, endpoint: Endpoint, account: Account, network: Network, policy: DialPolicy
    ) -> None:
        self._policy = policy
        self._endpoint = endpoint
        self._network = network
        self._account = account
        self.local = Address("", 0)

    def sender(self, target: SipUri, credentials: Credentials | None) -> Sender:
        """Who we are towards `target`, and the servers that our requests go through."""
        account = self._account
        return self._sender(account.next_host(target), account.route, credentials)

    def _sender(
        self, host: str, route: tuple[SipUri, ...], credentials: Credentials | None
    ) -> Sender:
        account = self._account
        return Sender(
            account.identity(host, self.local),
            account.contact_user,
            tuple(map(self._network.steer, route)),
            credentials,
            account.transport,
        )

    def steered(self, target: SipUri) -> SipUri:
        """`target` over the transport and to the port that work, unless a proxy is in between."""
        return target if self._account.route else self._network.steer(target)

    @property
    def server(self) -> SipUri | None:
        """Whom requests go to in the calls of others to us."""
        return self._account.server

    def register(self, now: float) -> Registration:
        """Ask our registrar, of which the account must know, for the binding."""
        account, network, registrar = self._account, self._network, self._account.registrar
        assert registrar is not None
        sender = self._sender(registrar.host, account.proxy_route, account.credentials)
        target = registrar if account.proxy_route else network.steer(registrar)
        return self._endpoint.register(target, sender, expires=_REGISTRATION_SECONDS, now=now)

    def reroute(self, registration: Registration, now: float) -> None:
        """To where the first server on its way answers now."""
        account = self._account
        first = account.proxy_route[0] if account.proxy_route else account.registrar
        assert first is not None  # it has registered
        registration.reroute(self._network.steer(first), now)

    def call(self, call: Call, target: SipUri, now: float, headers: Headers = ()) -> None:
        """Send `call` to `target` as soon as the way is known and there are sockets for its
        media; `headers` are more lines for the INVITE."""
        from applet.phone.attempts import Attempts  # with the first call, as `Calls.new`

        account, network = self._account, self._network
        server = call.server = account.route[0] if account.route else target

        def place(to: SipUri, offer: bytes, now: float) -> InviteSession:
            sender = self.sender(to, account.credentials_for(to))
            return self._endpoint.invite(
                self.steered(to),
                sender,
                body=offer,
                now=now,
                headers=headers,
                to=target,  # RFC 3261 section 8.1.3.4: also when it is led elsewhere
            )

        call.dial(Attempts(target, self._policy, place), now)
        host = account.next_host(target)

        def known(now: float) -> None:
            call.open_media(host, network.plan_towards(server).ways, now)

        network.when_known(server, known, now)
