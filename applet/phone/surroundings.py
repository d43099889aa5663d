"""What the phone knows of the network around it: joins `nat` and `sip`.

The threads are asked for their facts (`Probe`), and the server gets an OPTIONS: its answer shows
where we come from and whether an ALG meddles. A server that is silent over UDP is asked over TCP
and TLS too. Every ten minutes all of it is asked again; what was known counts until the new
answers are in, and the two are never mixed: a router may give us another port meanwhile. Whoever
wants to call waits until enough is known, 300 ms at most.
"""

from __future__ import annotations

from collections.abc import Callable

from applet.hints import TYPE_CHECKING
from applet.nat.alg import Alg
from applet.nat.knowledge import Asked, Fact, Knowledge, RelaySeen, SipSeen
from applet.nat.strategy import Plan, Way, contact, plan
from applet.phone.echo import what_came_back
from applet.phone.known_servers import Ping, Server, key_of, other_ways
from applet.phone.messages import Reason, Trouble
from applet.phone.orders import Probe
from applet.phone.shown_contacts import ShownContacts, seen_elsewhere
from applet.phone.way_news import WayNews
from applet.sip.first_request import Sender
from applet.sip.hop import Transport
from applet.sip.uri import SipUri
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address
    from applet.phone.account import Account
    from applet.phone.config import NatConfig
    from applet.phone.outbox import Outbox
    from applet.sip.endpoint import Endpoint
    from applet.sip.events import Pinged, SeenElsewhere
    from applet.sip.headers import NameAddr

PING_LIMIT = 4.0
OTHERS_LIMIT = 8.0
"""Seconds for an OPTIONS on the usual way, and on the others: a connection and TLS take longer."""
OTHERS_AFTER = 1.0
"""Seconds of silence over UDP after which TCP and TLS are asked too."""
REFRESH_AFTER = 600.0
SILENT_AFTER = 30.0
"""Seconds to the next look around; while nobody answers it comes sooner, and each time later."""
MOST_SERVERS = 8

Then = Callable[[float], None]


class _Waiting(NamedTuple):
    until: float
    server: str
    then: Then


class Surroundings:
    """`identity(host)` is our From towards `host`, and `local_towards(host)` where SIP is bound, as
    `host` would see it without a router.
    `generation` counts the networks that we have been in."""

    def __init__(
        self,
        config: NatConfig,
        endpoint: Endpoint,
        account: Account,
        outbox: Outbox,
        identity: Callable[[str], NameAddr],
        local_towards: Callable[[str], Address],
        in_call: Callable[[], bool],
    ) -> None:
        self.generation = 0
        self.news = WayNews(config.mode, outbox, in_call)
        self.contacts = ShownContacts(endpoint)
        self._config = config
        self._endpoint = endpoint
        self._account = account
        self._outbox = outbox
        self._identity = identity
        self._local_towards = local_towards
        self._common = Knowledge()
        self._before: dict[str | None, Knowledge] = {}  # a look around is not over for these yet
        self._servers: dict[str, Server] = {}
        self._pings: dict[str, Ping] = {}
        self._count = 0
        self._waiting: list[_Waiting] = []
        self._moved = False
        self._refused = False
        self._refresh_at: float | None = None
        self._silent = SILENT_AFTER / 2

    # --- what is asked, and when

    def begin(self, home: SipUri | None, now: float) -> None:
        """Look around; `home` is the server that calls go to, if there is one to ask."""
        self._probe(now)
        if home is not None:
            self._look(home, now)

    def forget(self) -> None:
        """Another network: nothing that was known counts any more."""
        self.generation += 1
        for server in self._servers.values():
            self.contacts.forget(server)
        self._endpoint.set_advertised(Transport.UDP, None)
        self._common = Knowledge()
        self._before.clear()
        self._servers.clear()
        self._pings.clear()
        self.news.forget()
        self._silent = SILENT_AFTER / 2
        self._refused = False
        self._refresh_at = None

    def when_known(self, target: SipUri, then: Then, now: float, wait: float) -> None:
        """Call `then(now)` when the way to `target` is known, after `wait` seconds at the
        latest."""
        if self._refresh_at is None:
            self._probe(now)
        key = self._look(target, now)
        if key is None or self._known(key).ready:
            then(now)
        else:
            self._waiting.append(_Waiting(now + wait, key, then))

    def ask_all(self, server: SipUri, now: float) -> None:
        """A call is in trouble: find out on which other transports the server answers."""
        key = key_of(server)
        if key in self._servers:
            self._ask_others(key, now)

    def is_asking(self, server: SipUri) -> bool:
        """Whether it is not known yet on which other transports `server` answers."""
        key = key_of(server)
        none_yet = all(seen.answer is None for seen in self._others(key))
        return none_yet and any(ping.server == key for ping in self._pings.values())

    def _others(self, key: str) -> list[SipSeen]:
        """What came of the transports that calls do not go by."""
        found = self._servers.get(key)
        if found is None:
            return []
        used = found.settled or self._plan(key)[1:3]
        return [s for s in found.seen.values() if s.transport != "udp" and s[:2] != used]

    def other_transport(self, server: SipUri) -> tuple[str, int] | None:
        """One on which `server` answers and calls do not go yet: TLS, which nobody on the way can
        read, before TCP."""
        key = key_of(server)
        others = sorted(seen[:2] for seen in self._others(key) if seen.answer is not None)
        return others[-1] if others else None

    def settle(self, server: SipUri, way: tuple[str, int]) -> None:
        """From now on calls go this way, which is one that `other_transport` has named."""
        self._servers[key_of(server)].settled = way

    def is_host_of(self, host: str, server: SipUri) -> bool:
        """Whether `host` is `server` itself, which we have asked, by its name or by its IP."""
        return host.lower() in (server.host.lower(), self._servers[key_of(server)].host)

    def take_moved(self) -> bool:
        """Whether a server has turned out to answer elsewhere than expected, since last asked."""
        moved, self._moved = self._moved, False
        return moved

    def tell_way(self, way: Way, server: SipUri | None) -> None:
        """A call with `server`, or with who it calls as a rule, goes this way."""
        if self._refresh_at is not None:
            key = next(iter(self._servers), None) if server is None else key_of(server)
            self.news.uses(self._known(key if key in self._servers else None), way)

    def plan_towards(self, target: SipUri) -> Plan:
        """With what is known now."""
        key = key_of(target)
        return self._plan(key if key in self._servers else None)

    def _probe(self, now: float) -> None:
        config = self._config
        self._refresh_at = now + REFRESH_AFTER
        self._silent *= 2
        relays = len(config.relays) + bool(config.credentials_url)
        asked = Asked(len(config.stun), int(config.mapper), relays)
        self._common = self._common._replace(asked=asked, local=self._local_towards(""))
        self._outbox.order(
            Probe(
                self.generation,
                config.stun,
                config.relays,
                config.mapper,
                config.credentials_url,
            )
        )

    def look_again(self, now: float) -> None:
        """What is known counts until the new answers are in."""
        self._before = {key: self._known(key) for key in (None, *self._servers)}
        self._common = self._common._replace(stun=())
        self._probe(now)
        for key, server in self._servers.items():
            server.asked = 0
            server.seen = {}
            self._ask_usual(key, now)

    def _look(self, uri: SipUri, now: float) -> str | None:
        """Ask a server for the first time; its key, or None if there are too many already."""
        key = key_of(uri)
        if key not in self._servers:
            if len(self._servers) >= MOST_SERVERS:
                return None
            self._servers[key] = Server(uri, self._account.transport)
            self._ask_usual(key, now)
        return key

    def _ask_usual(self, key: str, now: float) -> None:
        server = self._servers[key]
        server.others_at = now + OTHERS_AFTER
        ping = Ping(key, server.transport, server.port, usual=True)
        target = server.uri._replace(user="", password=None)
        self._ping(ping, target, self._account.transport, now)

    def _ask_others(self, key: str, now: float) -> None:
        server = self._servers[key]
        server.others_at = None
        for transport, port in other_ways(server):
            target = SipUri.of("", server.uri.host, port, transport=transport)
            self._ping(Ping(key, transport, port, usual=False), target, None, now)

    def _ping(self, ping: Ping, target: SipUri, transport: Transport | None, now: float) -> None:
        server = self._servers[ping.server]
        self._count += 1
        server.asked += 1
        name = str(self._count)
        self._pings[name] = ping
        sender = Sender(
            self._identity(server.host), self._account.contact_user, transport=transport
        )
        limit = PING_LIMIT if ping.usual else OTHERS_LIMIT
        self._endpoint.ping(target, sender, limit=limit, now=now, name=name)

    # --- what comes back

    def fact(self, generation: int, fact: Fact, now: float) -> None:
        """From the threads."""
        if generation == self.generation:
            self._common = self._common.having(fact)
            if isinstance(fact, RelaySeen) and fact.refused and not self._refused:
                self._refused = True
                self._outbox.tell(Trouble(0, Reason.RELAY_REFUSED, fact.server.address.host))
            self._learnt(now)

    def pinged(self, event: Pinged, now: float) -> None:
        """From the endpoint."""
        ping = self._pings.pop(event.name, None)
        if ping is None:
            return  # of another network
        server = self._servers[ping.server]
        way = ping.transport, ping.port
        if event.hop is not None:
            server.host = event.hop.address.host
            if ping.usual:
                way = event.hop.transport.value.lower(), event.hop.address.port
                server.transport, server.port = way
        answer = None if event.response is None else what_came_back(event.sent, event.response)
        seen = server.seen[way] = SipSeen(*way, answer)
        if answer is not None and self._fresh(ping.server).alg_over(seen).alg is not Alg.BROKEN:
            server.others_at = None
        elif server.others_at is not None:
            self._ask_others(ping.server, now)
        self._look_sooner(now)
        self._learnt(now)

    def _look_sooner(self, now: float) -> None:
        """Nobody has answered: it may have been a bad moment."""
        answers = [s.answer for server in self._servers.values() for s in server.seen.values()]
        if any(answers):
            self._silent = SILENT_AFTER
        elif not self._pings and self._refresh_at is not None:
            self._refresh_at = min(self._refresh_at, now + self._silent)

    def seen_elsewhere(self, event: SeenElsewhere) -> None:
        """From the endpoint: what a server saw of us when it was asked holds no longer."""
        for server in self._servers.values():
            seen_elsewhere(server, event)

    def _learnt(self, now: float) -> None:
        """Something new is known: whoever waited for it goes on, and the rest is told."""
        self._before = {k: old for k, old in self._before.items() if not self._fresh(k).ready}
        for key, server in self._servers.items():
            way = self._plan(key)[1:3]
            self.contacts.show(server, self._known(key), way)
            if way[0] and way not in (server.way, (server.transport, server.port)):
                self._moved = True
            server.way = way
        self._tell()
        for waiting in self._waiting[:]:
            if waiting.server not in self._servers or self._known(waiting.server).ready:
                self._go(waiting, now)

    def _go(self, waiting: _Waiting, now: float) -> None:
        self._waiting.remove(waiting)
        waiting.then(now)

    # --- deadlines

    def next_timer(self) -> float | None:
        times = [self._refresh_at, *(waiting.until for waiting in self._waiting)]
        times += [server.others_at for server in self._servers.values()]
        return min((time for time in times if time is not None), default=None)

    def handle_timers(self, now: float) -> None:
        for waiting in self._waiting[:]:
            if waiting.until <= now:
                self._go(waiting, now)
        for key, server in list(self._servers.items()):
            if server.others_at is not None and server.others_at <= now:
                self._ask_others(key, now)
        if self._refresh_at is not None and self._refresh_at <= now:
            self.look_again(now)

    # --- what follows

    def _known(self, key: str | None) -> Knowledge:
        """Of the look around that is over; of the first one what there is."""
        return self._before.get(key) or self._fresh(key)

    def _fresh(self, key: str | None) -> Knowledge:
        if key is None:
            return self._common
        server = self._servers[key]
        return self._common._replace(
            server=server.host,
            local=self._local_towards(server.host),
            asked=self._common.asked._replace(sip=server.asked),
            sip=tuple(server.seen.values()),
            usual=server.transport,
        )

    def tell_all(self) -> None:
        """All that is known of the way to the server that calls go to."""
        key = next(iter(self._servers), None)
        known = self._known(key)
        home = self._account.server
        if key is None and home is not None:
            known = known._replace(server=home.host)
        self.news.all(known._replace(local=self._local_towards(known.server)))

    def steer(self, uri: SipUri) -> SipUri:
        """`uri` over the transport and to the port on which its server answers."""
        key = key_of(uri)
        found = self._plan(key if key in self._servers else None)
        server = self._servers.get(key)
        wanted = (found.transport, found.port)
        if server is None or not found.transport or wanted == (server.transport, server.port):
            return uri
        rest = tuple(pair for pair in uri.params if pair[0].lower() != "transport")
        return uri._replace(port=found.port, params=(*rest, ("transport", found.transport)))

    def ways_of_calls(self) -> tuple[Way, ...]:
        """Of those of others to us."""
        return self._plan(next(iter(self._servers), None)).ways

    def _plan(self, key: str | None) -> Plan:
        found = plan(self._known(key), self._config.mode)
        settled = self._servers[key].settled if key is not None else None
        return found if settled is None else found._replace(transport=settled[0], port=settled[1])

    def _tell(self) -> None:
        """Once enough is known, and again when the way has become another one."""
        key = next(iter(self._servers), None)
        known = self._known(key)
        if not known.ready or not (known.complete or key is not None or known.asked.stun):
            return
        if key is None:
            self._endpoint.set_advertised(Transport.UDP, contact(known, None))
        self.news.looked(known)
