"""The whole phone without a socket, a thread or a clock: joins `sip`, `sdp` and the media.

Bytes, commands and `now` go in; datagrams, deadlines, events and orders come out.
"""

from __future__ import annotations

from functools import cached_property

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.phone.account import Account
from applet.phone.calls import Calls
from applet.phone.message_waiting import MessageWaiting
from applet.phone.messages import (
    CheckNetwork,
    Command,
    Dial,
    Event,
    HangUp,
    ListDevices,
    Quit,
    Reason,
    Register,
    SelectDevices,
    SetVolume,
    Trouble,
    TrySound,
    Unregister,
)
from applet.phone.moves import Moves
from applet.phone.network import REGISTER_WAIT, Network
from applet.phone.orders import (
    ListAudio,
    LookUp,
    Order,
    SelectAudio,
    SetGains,
    Stop,
    TraceMessage,
    TryAudio,
)
from applet.phone.outbox import Outbox
from applet.phone.outgoing import Outgoing
from applet.phone.registrar import Registrar
from applet.phone.servers import Servers
from applet.phone.strangers import Strangers
from applet.phone.target import DialPolicy, RefusedError
from applet.sip import events as sip
from applet.sip.endpoint import Endpoint, EndpointConfig
from applet.sip.extensions import Use
from applet.sip.hop import Datagram, Hop, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.media.events import MediaEvent, MediaStatistics
    from applet.nat.knowledge import Fact
    from applet.nat.strategy import OpenedWay
    from applet.phone.call_side import CallSide
    from applet.phone.config import PhoneConfig
    from applet.phone.services import Services
    from applet.randomness import Randomness
    from applet.sip.records import Question, Value
    from applet.sip.registration import Registration

_QUIT_SECONDS = 2.0


class Phone:
    """One user agent with its calls. Raises ValueError when a URI of `config` is wrong."""

    def __init__(
        self, config: PhoneConfig, random: Randomness, local_ip_for: Callable[[str], str]
    ) -> None:
        self._config = config
        self._random = random
        self._outbox = Outbox()
        self._account = Account(config, local_ip_for)
        self._endpoint = Endpoint(_endpoint(config, self._account), random, local_ip_for)
        self._calls = Calls(self._outbox)
        self._network = Network(
            config.nat,
            self._endpoint,
            self._account,
            self._outbox,
            local_ip_for,
            lambda: self._calls.live > 0,
        )
        self._policy = _dial_policy(config, self._account)
        self._outgoing = Outgoing(self._endpoint, self._account, self._network, self._policy)
        self._servers = Servers(self._account)
        self._waiting = MessageWaiting(
            self._endpoint,
            self._account,
            self._outgoing,
            self._servers,
            self._outbox,
            config.incoming,
        )
        self._registrar = Registrar(
            self._account, self._outgoing.register, self._outgoing.reroute, self._outbox
        )
        self._moves = Moves(self._network, self._account, self._registrar, self._calls)
        self._strangers = Strangers(config.strangers_per_minute)
        self._quit_at: float | None = None
        self._stopped = False

    @cached_property
    def _side(self) -> CallSide:
        from applet.phone.call_side import CallSide  # with the first call, as `Calls.new`

        return CallSide(self._config, self._random, self._network, self._calls, self._outbox)

    @cached_property
    def _services(self) -> Services:
        from applet.phone.services import Services  # with the first call or text

        return Services(
            self._config,
            self._endpoint,
            self._account,
            self._outgoing,
            self._network,
            self._policy,
            self._calls,
            self._outbox,
            self._servers,
            self._waiting,
        )

    # --- bytes in, bytes and deadlines out

    def bound(self, address: Address, now: float, with_tls: bool = False) -> None:
        """Where SIP is bound, UDP and TCP alike, and TLS on the port above if we can be called by
        it; the first of all calls."""
        self._outgoing.local = address
        self._endpoint.set_local(Transport.UDP, address)
        self._endpoint.set_local(Transport.TCP, address)
        tls = Address(address.host, address.port + 1) if with_tls else address
        self._endpoint.set_local(Transport.TLS, tls)
        self._network.local = address
        self._network.begin(now)
        if not self._config.registrar:
            self._waiting.begin(now)
        self._pump(now)

    def nat_fact(self, generation: int, fact: Fact, now: float) -> None:
        """An answer to `Probe`."""
        self._moves.fact(generation, fact, now)
        self._pump(now)

    def network_changed(self, now: float) -> None:
        """Other addresses, ours or the servers': look around, register from there, and offer the
        running calls their new place."""
        self._endpoint.forget_servers()
        self._moves.network_changed(now)
        self._pump(now)

    @property
    def server_host(self) -> str:
        """Of the server that calls go to as a rule; empty: none."""
        return "" if self._account.server is None else self._account.server.host

    def receive_datagram(self, data: bytes, source: Address, now: float) -> None:
        self._endpoint.receive_datagram(data, source, now)
        self._pump(now)

    def receive_stream(self, flow: int, data: bytes, now: float) -> None:
        self._endpoint.receive_stream(flow, data, now)
        self._pump(now)

    def connection_opened(self, hop: Hop, now: float) -> None:
        self._endpoint.connection_opened(hop, now)
        self._pump(now)

    def connection_closed(self, flow: int, now: float) -> None:
        self._endpoint.connection_closed(flow, now)
        self._pump(now)

    def connection_failed(
        self, hop: Hop, now: float, by: sip.EndedBy = sip.EndedBy.TRANSPORT
    ) -> None:
        self._endpoint.connection_failed(hop, now, by)
        self._pump(now)

    def looked_up(self, question: Question, answers: tuple[Value, ...], now: float) -> None:
        self._endpoint.looked_up(question, answers, now)
        self._pump(now)

    def datagrams_to_send(self) -> list[Datagram]:
        return self._endpoint.datagrams_to_send()

    def flows_to_close(self) -> list[int]:
        return self._endpoint.flows_to_close()

    def next_timer(self) -> float | None:
        times = [self._endpoint.next_timer(), None if self._stopped else self._quit_at]
        times += [call.next_timer() for call in self._calls.all()]
        times += [self._network.next_timer(), self._waiting.subscribe_at]
        if self._calls.begun:
            times.append(self._services.next_timer())
        return min((time for time in times if time is not None), default=None)

    def handle_timers(self, now: float) -> None:
        self._endpoint.handle_timers(now)
        for call in self._calls.all():
            call.handle_timers(now)
        self._network.handle_timers(now)
        self._waiting.handle_timers(now)
        if self._calls.begun:
            self._services.handle_timers(now)
        self._pump(now)

    @property
    def idle(self) -> bool:
        """No call, and nothing that the endpoint still waits for."""
        return self._calls.empty and self._endpoint.quiet

    def events(self) -> list[Event]:
        return self._outbox.take_events()

    def orders(self) -> list[Order]:
        return self._outbox.take_orders()

    # --- answers to orders

    def media_opened(self, call: int, opened: OpenedWay | None, now: float) -> None:
        """Where the other side finds us (None: no sockets could be bound)."""
        self._side.media_opened(call, opened, now)
        self._pump(now)

    def media_moved(self, call: int, rtp: Address, rtcp: Address, now: float) -> None:
        """The router has given a call's mapping another address or port."""
        self._side.media_moved(call, rtp, rtcp, now)
        self._pump(now)

    def media_event(self, call: int, event: MediaEvent, now: float) -> None:
        wanted = self._calls.get(call)
        if wanted is not None:
            self._side.media_event(wanted, event, now)
            self._pump(now)

    def media_statistics(
        self, call: int, counted: MediaStatistics, final: bool, now: float
    ) -> None:
        wanted = self._calls.get(call)
        if wanted is not None and not final:
            wanted.counted(counted, now)
            self._pump(now)

    def audio_event(self, event: Event, now: float) -> None:
        """What the sound devices have to tell goes on as it is."""
        self._outbox.tell(event)

    # --- commands

    def handle(self, command: Command, now: float) -> None:
        match command:
            case Dial():
                self._dial(command, now)
            case Register():
                self._register(now)
            case Unregister():
                self._registrar.unregister(now)
            case SelectDevices():
                self._outbox.order(SelectAudio(command.microphone, command.speaker))
            case SetVolume():
                self._outbox.order(SetGains(command.microphone_db, command.speaker_db))
            case ListDevices():
                self._outbox.order(ListAudio())
            case TrySound():
                self._outbox.order(TryAudio())
            case CheckNetwork():
                self._network.surroundings.tell_all()
            case Quit():
                self._quit(now)
            case _:
                if not self._services.handle(command, now):
                    self._handle_call(command, now)
        self._pump(now)

    def _handle_call(self, command: Command, now: float) -> None:
        call = self._calls.wanted(getattr(command, "call", 0))
        if call is None:
            self._outbox.tell(Trouble(0, Reason.NO_SUCH_CALL, ""))
            return
        if isinstance(command, HangUp):
            self._services.hung_up(call, now)
        self._side.carry_out(command, call, now)

    def _dial(self, command: Dial, now: float) -> None:
        if self._quit_at is not None:
            return
        try:
            target = self._policy.target(command.uri, command.confirmed)
        except RefusedError as error:
            self._outbox.tell(Trouble(0, error.reason, ""))
            return
        if self._calls.live >= self._config.max_calls:
            self._outbox.tell(Trouble(0, Reason.ONE_CALL_AT_A_TIME, ""))
            return
        self._calls.end_busy_tones(now)
        call = self._calls.new(str(target), outgoing=True)
        self._outgoing.call(call, target, now)

    def _register(self, now: float) -> None:
        """As soon as it is known how the registrar sees us: that is what Contact must say."""
        account, server = self._account, self._account.server
        if account.registrar is not None and server is not None:
            self._network.when_known(server, self._register_now, now, REGISTER_WAIT)

    def _register_now(self, now: float) -> None:
        if self._quit_at is None:
            self._registrar.register(now)

    def _quit(self, now: float) -> None:
        """Hang up, un-register; `Stop` follows when all is quiet, after two seconds at most."""
        if self._quit_at is None:
            self._quit_at = now + _QUIT_SECONDS
            for call in self._calls.all():
                call.hang_up(now)
            self._waiting.end(now)
            self._registrar.unregister(now)

    # --- what the endpoint tells

    def _pump(self, now: float) -> None:
        self._settle(now)
        while events := self._endpoint.events():
            for event in events:
                self._dispatch(event, now)
            self._settle(now)
        self._calls.forget_over()
        if self._quit_at is None or self._stopped:
            return
        if self.idle or now >= self._quit_at:
            self._stopped = True
            self._outbox.order(Stop())

    def _settle(self, now: float) -> None:
        """After everything that happens: see how far transfers have got, and whether we are
        busy."""
        if self._calls.begun:
            self._services.settle(now)
        busy = self._calls.engaged >= self._config.max_calls
        open_ = 486 if busy else 200
        self._endpoint.availability = open_ if self._config.incoming else 480

    def _dispatch(self, event: sip.Event, now: float) -> None:
        match event:
            case sip.Trace(sent=sent, data=data, hop=hop):
                self._outbox.order(TraceMessage(sent, data, str(hop.address)))
            case sip.LookupNeeded(question=question):
                self._outbox.order(LookUp(question))
            case sip.IncomingInvite():
                self._incoming(event, now)
            case sip.Registered() | sip.RegistrationFailed() | sip.Unregistered():
                self._registrar.happened(event, now)
                if isinstance(event, sip.Registered):
                    self._registered(event.registration, now)
            case sip.SeenElsewhere():
                self._moves.seen_elsewhere(event, now)
            case sip.Pinged():
                self._moves.pinged(event, now)
            case _ if isinstance(event, sip.ServiceEvent):
                self._services.happened(event, now)
            case _:
                call = self._calls.of(event.session)
                if call is not None:
                    self._side.tell(call, event, now)
                    self._calls.follow(call, event.session)

    def _registered(self, registration: Registration, now: float) -> None:
        assert registration.server is not None  # it was answered
        self._servers.learn(registration.server.host)
        self._waiting.begin(now)

    def _incoming(self, event: sip.IncomingInvite, now: float) -> None:
        session = event.session
        replaces = bool(event.request.lines("Replaces"))  # one more call for a moment only
        if not (replaces or self._config.incoming):
            session.reject(480, now)
            return
        source = session.remote_address.host if session.remote_address else ""
        full = not replaces and self._calls.live >= self._config.max_calls
        if full or self._quit_at is not None or not self._strangers.admit(source, now):
            session.reject(486, now)
            return
        if self._services.takes_over(event, now):
            return
        self._calls.end_busy_tones(now)
        call = self._calls.new(str(session.remote.uri), outgoing=False)
        call.server = self._account.server
        self._calls.bind(call, session)
        self._services.ring(call, event, now)


def _endpoint(config: PhoneConfig, account: Account) -> EndpointConfig:
    return EndpointConfig(
        config.user_agent,
        account.users,
        config.accept_any_user,
        reliable=Use(config.reliable),
        session_timer=Use(config.session_timer),
    )


def _dial_policy(config: PhoneConfig, account: Account) -> DialPolicy:
    return DialPolicy(
        account.desk,
        config.other_addresses,
        config.emergency_allowed,
        config.emergency_numbers,
        account.transport,
    )
