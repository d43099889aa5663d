"""Finding the servers of one host name (RFC 3263 sections 4.1 and 4.2), as three stages.

    Records    NAPTR and SRV of the name, and its addresses, all asked at once
    Services   SRV under names of their own, when NAPTR named any
    Addresses  those of the servers that SRV named
    Found      the hops in the order in which they are to be tried

Most names have addresses and nothing else, so everything is asked in parallel, and a name server
that never answers for the records it does not know holds nobody up for long.
"""

from __future__ import annotations

from applet.address import Address
from applet.enums import Enum
from applet.hints import TYPE_CHECKING
from applet.sip.hop import Hop, Transport
from applet.sip.records import Naptr, Question, Record, Srv, Value, in_order, services, srv_name
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.randomness import Randomness
    from applet.sip.timers import Timers

PATIENCE = 1.5
"""Seconds that the other answers may take once we have an address to go to."""
LIMIT = 10.0
"""Seconds for the whole of it."""
MOST_SERVERS = 8
"""So many servers of all services together are looked at."""


class Wanted(NamedTuple):
    """Whom to find: a host name in lower case; the port if the URI names one; the transports that
    will do, the best first (one only, if it is prescribed); and whom TLS must prove."""

    host: str
    port: int | None
    transports: tuple[Transport, ...]
    identity: str


class Stage(Enum):
    RECORDS = "records"
    SERVICES = "services"
    ADDRESSES = "addresses"
    FOUND = "found"


class Lookup:
    """`done(hops, now)` is called once; no hops: the name cannot be found."""

    __slots__ = (
        "_answers",
        "_ask",
        "_asked",
        "_done",
        "_open",
        "_random",
        "_servers",
        "_timers",
        "_wanted",
        "stage",
    )

    def __init__(
        self,
        wanted: Wanted,
        ask: Callable[[Question], None],
        done: Callable[[tuple[Hop, ...], float], None],
        timers: Timers,
        random: Randomness,
    ) -> None:
        self.stage = Stage.RECORDS
        self._wanted = wanted
        self._ask = ask
        self._done = done
        self._timers = timers
        self._random = random
        self._asked: set[Question] = set()
        self._open: set[Question] = set()
        self._answers: dict[Question, tuple[Value, ...]] = {}
        self._servers: list[tuple[Transport, Srv]] = []

    def start(self, now: float) -> None:
        self._timers.set(self, "limit", now + LIMIT)
        host, port, transports, _ = self._wanted
        questions = [_addresses_of(host)]
        if port is None and "." in host:  # a name of the local network has nothing else
            questions += [Question(Record.SRV, srv_name(each, host)) for each in transports]
            if len(transports) > 1:  # section 4.1: NAPTR chooses the transport
                questions.append(Question(Record.NAPTR, host))
        self._need(questions, now)

    def answered(self, question: Question, answers: tuple[Value, ...], now: float) -> None:
        """Nothing found is an empty answer. What was not asked, or is answered already, is not
        looked at."""
        if question not in self._open:
            return
        self._open.discard(question)
        self._answers[question] = answers
        leads_on = answers and question.kind is not Record.NAPTR
        if leads_on and not self._timers.is_set(self, "patience"):
            self._timers.set(self, "patience", now + PATIENCE)
        if not self._open or self._host_is_idle():
            self._advance(now)

    def handle_timer(self, name: str, now: float) -> None:
        """What is still open counts as not found."""
        if name == "limit":
            self._finish(now)
        else:
            self._advance(now)

    # --- the stages

    def _advance(self, now: float) -> None:
        self._timers.cancel(self, "patience")
        self._open.clear()
        if self.stage is Stage.RECORDS:
            self.stage = Stage.SERVICES
            named = [Question(Record.SRV, name) for _, name in self._services()]
            # Whoever was silent about the usual ones is not waited for again.
            self._need([question for question in named if question not in self._asked], now)
        elif self.stage is Stage.SERVICES:
            self.stage = Stage.ADDRESSES
            self._servers = self._ordered_servers()[:MOST_SERVERS]
            self._need([_addresses_of(server.target) for _, server in self._servers], now)
        else:
            self._finish(now)

    def _need(self, questions: list[Question], now: float) -> None:
        """Wait for these answers, and ask for what was not asked yet; if nothing is open, go on."""
        self._open.update(question for question in questions if question not in self._answers)
        for question in questions:
            if question not in self._asked:
                self._asked.add(question)
                self._ask(question)
        if not self._open:
            self._advance(now)
        elif self.stage is Stage.SERVICES and self._addresses(self._wanted.host):
            self._timers.set(self, "patience", now + PATIENCE)

    def _host_is_idle(self) -> bool:
        """Where SRV has named servers, the addresses of the name itself do not matter."""
        return (
            self.stage is Stage.RECORDS
            and self._open == {_addresses_of(self._wanted.host)}
            and bool(self._found_srv())
        )

    def _finish(self, now: float) -> None:
        self.stage = Stage.FOUND
        self._open.clear()
        for name in ("limit", "patience"):
            self._timers.cancel(self, name)
        self._done(_never_less_safe(self._hops()), now)

    # --- what the answers mean

    def _services(self) -> list[tuple[Transport, str]]:
        """The names of SRV records: those that NAPTR names, else the usual ones."""
        host, port, transports, _ = self._wanted
        records = self._answers.get(Question(Record.NAPTR, host), ())
        named = services([r for r in records if isinstance(r, Naptr)], transports)
        if named or port is not None or "." not in host:
            return named
        return [(transport, srv_name(transport, host)) for transport in transports]

    def _found_srv(self) -> list[tuple[Transport, list[Srv]]]:
        found = [
            (transport, self._answers.get(Question(Record.SRV, name), ()))
            for transport, name in self._services()
        ]
        return [
            (transport, [record for record in records if isinstance(record, Srv)])
            for transport, records in found
            if records
        ]

    def _ordered_servers(self) -> list[tuple[Transport, Srv]]:
        return [
            (transport, server)
            for transport, records in self._found_srv()
            for server in in_order(records, self._random)
            if server.target
        ]

    def _hops(self) -> list[Hop]:
        host, port, transports, _ = self._wanted
        if self._found_srv():
            return [
                self._hop(transport, address, server.port)
                for transport, server in self._servers
                for address in self._addresses(server.target)
            ]
        # Section 4.1: without any record UDP, if it is among those that will do.
        transport = transports[0]
        return [
            self._hop(transport, address, port or transport.default_port)
            for address in self._addresses(host)
        ]

    def _addresses(self, name: str) -> list[str]:
        return [a for a in self._answers.get(_addresses_of(name), ()) if isinstance(a, str)]

    def _hop(self, transport: Transport, ip: str, port: int) -> Hop:
        identity = self._wanted.identity if transport is Transport.TLS else ""
        return Hop(transport, Address(ip, port), None, identity)


def _addresses_of(name: str) -> Question:
    return Question(Record.ADDRESS, name)


def _never_less_safe(hops: list[Hop]) -> tuple[Hop, ...]:
    """Who would use TLS first does not fall back to anything else: else it would be enough to
    break TLS to read along."""
    if hops and hops[0].transport is Transport.TLS:
        hops = [hop for hop in hops if hop.transport is Transport.TLS]
    return tuple(dict.fromkeys(hops))
