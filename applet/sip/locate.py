"""From a URI to the next hop (RFC 3261 section 8.1.2, and of RFC 3263 what needs no SRV).

An IP literal is a hop already. The name of any other host goes out as `LookupNeeded`, and what
waits for it goes on when `found` brings the answer. An answer is kept for a short while, so that
ACK and BYE of a call do not wait for a look-up of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from applet.address import Address
from applet.sip.events import Event, LookupNeeded
from applet.sip.hop import Hop, Transport
from applet.sip.timers import Timers
from applet.sip.uri import SipUri, Uri

LOOKUP_LIMIT = 10.0
"""Seconds after which a look-up that nobody answers has failed."""
KEPT = 60.0
"""Seconds for which an answer is used again."""
MAX_NAMES = 64

_ip_literal = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*").fullmatch
_TRANSPORTS = {transport.value.lower(): transport for transport in Transport}

Then = Callable[[Hop | None, float], None]


class Locator:
    __slots__ = ("_emit", "_known", "_timers", "_waiting")

    def __init__(self, timers: Timers, emit: Callable[[Event], None]) -> None:
        self._timers = timers
        self._emit = emit
        self._known: dict[str, Address] = {}
        self._waiting: dict[str, list[tuple[Transport, int, Then]]] = {}

    def __len__(self) -> int:
        return len(self._known) + len(self._waiting)

    def locate(self, uri: Uri, preferred: Transport | None, then: Then, now: float) -> None:
        """Call `then(hop, now)`, at once if no look-up is needed; None: it cannot be found."""
        if not isinstance(uri, SipUri) or (transport := _transport_of(uri, preferred)) is None:
            then(None, now)
            return
        host = uri.param("maddr") or uri.host
        port = uri.port or transport.default_port
        if _ip_literal(host):
            then(Hop(transport, Address(host, port)), now)
        elif host in self._known:
            then(Hop(transport, Address(self._known[host].host, port)), now)
        elif host in self._waiting:
            self._waiting[host].append((transport, port, then))
        elif len(self) >= MAX_NAMES:
            then(None, now)
        else:
            self._waiting[host] = [(transport, port, then)]
            self._timers.set(self, host, now + LOOKUP_LIMIT)
            self._emit(LookupNeeded(host, port, transport))

    def found(self, host: str, addresses: tuple[Address, ...], now: float) -> None:
        """The answer to LookupNeeded. The first address is used, with the port we asked for."""
        waiting = self._waiting.pop(host, None)
        if waiting is None:
            return
        self._timers.cancel(self, host)
        if addresses:
            self._known[host] = addresses[0]
            self._timers.set(self, host, now + KEPT)
        for transport, port, then in waiting:
            found = Hop(transport, Address(addresses[0].host, port)) if addresses else None
            then(found, now)

    def handle_timer(self, name: str, now: float) -> None:
        """Nobody answered in time, or an answer has become old."""
        self._known.pop(name, None)
        self.found(name, (), now)


def _transport_of(uri: SipUri, preferred: Transport | None) -> Transport | None:
    """RFC 3263 section 4.1; None for one that we do not know."""
    if uri.scheme == "sips":
        return Transport.TLS
    named = uri.param("transport")
    if named is None:
        return preferred or Transport.UDP
    return _TRANSPORTS.get(named.lower())
