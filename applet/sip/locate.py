"""From a URI to the hops that lead to it, in the order in which they are tried (RFC 3263 section
4, RFC 3261 section 8.1.2).

An IP literal is a hop already. For a name `lookup` asks DNS by way of the event `LookupNeeded`,
and what waits for it goes on when the answers have come. What was found is kept for a short
while, so that ACK and BYE of a call do not wait for a look-up of their own and go to the same
server.
"""

from __future__ import annotations

from collections.abc import Callable

from applet.address import Address, is_numeric
from applet.hints import TYPE_CHECKING
from applet.sip.events import Event, LookupNeeded
from applet.sip.hop import Hop, Transport
from applet.sip.uri import SipUri, Uri

if TYPE_CHECKING:
    from applet.randomness import Randomness
    from applet.sip.lookup import Lookup, Wanted
    from applet.sip.records import Question, Value
    from applet.sip.timers import Timers

KEPT = 60.0
"""Seconds for which an answer is used again."""
MAX_NAMES = 64

_TRANSPORTS = {transport.value.lower(): transport for transport in Transport}
_BY_PREFERENCE = (Transport.UDP, Transport.TCP, Transport.TLS)

Then = Callable[[tuple[Hop, ...], float], None]


class Locator:
    """`has` tells for which transports there is a socket."""

    __slots__ = ("_emit", "_found", "_has", "_lookups", "_random", "_timers", "_waiting")

    def __init__(
        self,
        timers: Timers,
        emit: Callable[[Event], None],
        random: Randomness,
        has: Callable[[Transport], bool],
    ) -> None:
        self._timers = timers
        self._emit = emit
        self._random = random
        self._has = has
        self._found: dict[Wanted, tuple[float, tuple[Hop, ...]]] = {}
        self._lookups: dict[Wanted, Lookup] = {}
        self._waiting: dict[Wanted, list[Then]] = {}

    def __len__(self) -> int:
        """How many names are being looked for."""
        return len(self._lookups)

    def locate(self, uri: Uri, preferred: Transport | None, then: Then, now: float) -> None:
        """Call `then(hops, now)`, at once if no look-up is needed; no hops: it cannot be found.
        `preferred` is the transport for a URI that names none; None leaves it to DNS."""
        transports = self._transports(uri, preferred)
        if not isinstance(uri, SipUri) or not transports:
            then((), now)
            return
        host = (uri.param("maddr") or uri.host).lower().rstrip(".")
        if is_numeric(host):
            then((_direct(host, uri, transports[0]),), now)
            return
        from applet.sip.lookup import Wanted  # with the first name

        wanted = Wanted(host, uri.port, transports, _identity(uri))
        self._found = {key: kept for key, kept in self._found.items() if kept[0] > now}
        if wanted in self._found:
            then(self._found[wanted][1], now)
        elif wanted in self._waiting:
            self._waiting[wanted].append(then)
        elif len(self._lookups) >= MAX_NAMES:
            then((), now)
        else:
            self._look_up(wanted, then, now)

    def answered(self, question: Question, answers: tuple[Value, ...], now: float) -> None:
        """What DNS says; empty: nothing."""
        for lookup in list(self._lookups.values()):
            lookup.answered(question, answers, now)

    def forget(self) -> None:
        """The network is another one: what was found may not be true any more."""
        self._found.clear()

    def _look_up(self, wanted: Wanted, then: Then, now: float) -> None:
        from applet.sip.lookup import Lookup

        def ask(question: Question) -> None:
            self._emit(LookupNeeded(question))

        def done(hops: tuple[Hop, ...], at: float) -> None:
            self._settle(wanted, hops, at)

        self._waiting[wanted] = [then]
        self._lookups[wanted] = Lookup(wanted, ask, done, self._timers, self._random)
        self._lookups[wanted].start(now)

    def _settle(self, wanted: Wanted, hops: tuple[Hop, ...], now: float) -> None:
        del self._lookups[wanted]
        if hops:
            while len(self._found) >= MAX_NAMES:
                del self._found[next(iter(self._found))]
            self._found[wanted] = (now + KEPT, hops)
        for then in self._waiting.pop(wanted):
            then(hops, now)

    def _transports(self, uri: Uri, preferred: Transport | None) -> tuple[Transport, ...]:
        """Those that will do, the best first; one if it is prescribed (section 4.1)."""
        if not isinstance(uri, SipUri):
            return ()
        if uri.scheme == "sips":
            return (Transport.TLS,)
        named = uri.param("transport")
        if named is not None:
            known = _TRANSPORTS.get(named.lower())
            return () if known is None else (known,)
        if preferred is not None:
            return (preferred,)
        return tuple(filter(self._has, _BY_PREFERENCE))


def _direct(ip: str, uri: SipUri, transport: Transport) -> Hop:
    identity = _identity(uri) if transport is Transport.TLS else ""
    return Hop(transport, Address(ip, uri.port or transport.default_port), None, identity)


def _identity(uri: SipUri) -> str:
    """RFC 5922 section 7.3: the domain of the URI, wherever DNS or `maddr` may lead."""
    return uri.host.lower().rstrip(".")
