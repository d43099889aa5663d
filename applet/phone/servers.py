"""The servers of our account, as far as their addresses are known: what comes from there may speak
for others (RFC 3325 section 5), and is what we subscribed to."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.pattern import pattern

if TYPE_CHECKING:
    from applet.phone.account import Account

_literal = pattern(r"[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


class Servers:
    """`configured`: there is an account with a server."""

    __slots__ = ("_addresses", "_names")

    def __init__(self, account: Account) -> None:
        uris = [account.registrar, *account.route]
        self._names = {uri.host.lower() for uri in uris if uri is not None}
        self._addresses = {name for name in self._names if _literal.fullmatch(name)}

    @property
    def configured(self) -> bool:
        return bool(self._names)

    def learn(self, host: str) -> None:
        """The IP address of a server that has taken our registration."""
        self._addresses.add(host)

    def include(self, host: str) -> bool:
        """Whether the IP address `host` is one of theirs."""
        return host in self._addresses
