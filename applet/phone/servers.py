"""The servers of our account, as far as their addresses are known: what comes from there may speak
for others (RFC 3325 section 5), and is what we subscribed to."""

from __future__ import annotations

from applet.address import is_numeric
from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from applet.phone.account import Account


class Servers:
    """`configured`: there is an account with a server."""

    __slots__ = ("_addresses", "_names")

    def __init__(self, account: Account) -> None:
        uris = [account.registrar, *account.route]
        self._names = {uri.host.lower() for uri in uris if uri is not None}
        self._addresses = set(filter(is_numeric, self._names))

    @property
    def configured(self) -> bool:
        return bool(self._names)

    def learn(self, host: str) -> None:
        """The IP address of a server that has taken our registration."""
        self._addresses.add(host)

    def include(self, host: str) -> bool:
        """Whether the IP address `host` is one of theirs."""
        return host in self._addresses
