"""Looks at the network for `phone.network`: every question at once, each on a thread of its own
with a deadline. The answers are posted one by one, as they come."""

from __future__ import annotations

import threading

from applet.hints import TYPE_CHECKING
from applet.nat.knowledge import Fetched, RelaySeen, RelayServer, StunSeen
from applet.threads.core_inbox import NatFact
from applet.threads.relay import RelayError
from applet.threads.stun import START_LIMIT, StunClient

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from applet.address import Address
    from applet.phone.orders import Probe
    from applet.threads.helpers import Helpers


class Probes:
    """`sock` is the SIP socket; its owner hands to `stun` what comes there. `post` may be called
    from any thread. Made when the network is first looked at."""

    def __init__(
        self,
        post: Callable[[NatFact], None],
        sock: socket.socket,
        helpers: Helpers,
    ) -> None:
        self._post = post
        self.stun = StunClient(sock)
        self._helpers = helpers

    def look(self, order: Probe) -> None:
        """Returns at once."""
        for server in order.stun:
            self._ask_stun(order.generation, server)
        for relay in order.relays:
            self._try_relay(order.generation, relay)
        if order.credentials_url:
            work = (order.generation, order.credentials_url)
            threading.Thread(
                target=self._fetch_relays, args=work, name="credentials", daemon=True
            ).start()
        if order.mapper:
            generation, port = order.generation, self.stun.port
            self._helpers.mappings.look(port, lambda seen: self._post(NatFact(generation, seen)))

    def _ask_stun(self, generation: int, server: Address) -> None:
        def answered(mapped: Address | None, found: Address | None) -> None:
            self._post(NatFact(generation, StunSeen(found or server, mapped)))

        self.stun.ask((server,), START_LIMIT, answered)

    def _fetch_relays(self, generation: int, url: str) -> None:
        from urllib.parse import urlsplit

        from applet.threads.credentials import fetch_relays

        host = urlsplit(url).hostname or ""  # the rest may hold a secret
        try:
            relays = fetch_relays(url, self._helpers.ca_file)
        except RelayError as error:
            self._post(NatFact(generation, Fetched(host, (), str(error))))
            return
        self._post(NatFact(generation, Fetched(host, relays)))
        for server in relays:
            self._try_relay(generation, server)

    def _try_relay(self, generation: int, server: RelayServer) -> None:
        def answered(error: RelayError | None) -> None:
            problem, refused = ("", False) if error is None else (str(error), error.refused)
            self._post(NatFact(generation, RelaySeen(server, problem, refused)))

        self._helpers.relays.probe(server, answered)
