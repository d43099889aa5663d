"""Our own INVITEs: who calls, by which way, with which credentials."""

from applet.address import Address
from applet.phone.account import Account
from applet.phone.call import Call
from applet.sip.endpoint import Endpoint
from applet.sip.headers import NameAddr
from applet.sip.invite import InviteSession
from applet.sip.uas import Headers
from applet.sip.uri import SipUri


class Outgoing:
    """`local` is where SIP is bound, once it is."""

    __slots__ = ("_account", "_endpoint", "local")

    def __init__(self, endpoint: Endpoint, account: Account) -> None:
        self._endpoint = endpoint
        self._account = account
        self.local = Address("", 0)

    def identity(self, target: SipUri) -> NameAddr:
        """Our From towards `target`."""
        return self._account.identity(self._account.next_host(target), self.local)

    def call(self, call: Call, target: SipUri, headers: Headers = ()) -> None:
        """Send `call` to `target` as soon as there are sockets for its media; `headers` are more
        lines for the INVITE."""
        account = self._account

        def place(offer: bytes, now: float) -> InviteSession:
            return self._endpoint.invite(
                target,
                local=self.identity(target),
                contact_user=account.contact_user,
                body=offer,
                now=now,
                route=account.route,
                credentials=account.credentials,
                transport=account.transport,
                headers=headers,
            )

        call.dial(account.next_host(target), place)
