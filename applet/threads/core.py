"""The core thread: a thin shell around `phone.phone.Phone`.

Feed, send, carry out orders, hand out events, sleep until `next_timer()`. The order within one
turn: what the phone wants to send leaves first, then its orders are carried out, then its events
are told; again until it wants nothing more. Messages are written down last, one in each turn.
"""

from __future__ import annotations

import socket
import threading
from queue import SimpleQueue

from applet.address import Address
from applet.hints import TYPE_CHECKING, Protocol
from applet.phone.messages import (
    Command,
    Dial,
    Event,
    Levels,
    Logged,
    Quit,
    Ready,
    Reason,
    Register,
    Stopped,
    Trouble,
)
from applet.phone.orders import LookUp, OpenMedia, Order, Probe, Stop, TraceMessage
from applet.sip.hop import Datagram, Hop, Transport
from applet.threads.core_inbox import (
    AudioHappened,
    LookedUp,
    MappingMoved,
    MediaCounted,
    MediaHappened,
    NatFact,
    WayOpened,
)
from applet.threads.flows import Flows
from applet.threads.loop import Loop, clock
from applet.threads.mishap import Mishaps
from applet.threads.sockets import BindError as BindError
from applet.threads.sockets import SipSockets, bind_sip, is_wildcard, receive_all, send
from applet.threads.tls_files import NO_FILES, TlsFiles, TlsFilesError
from applet.threads.trace import TraceLog

DRAIN_LIMIT = 2.0
JOIN_LIMIT = 5.0
"""Seconds for BYE and un-REGISTER at the end, and for the whole stop."""
PREPARE_AFTER = 0.05
"""Seconds from the start until all is made ready for a call: what is done at the start itself, and
answered by a server nearby, is over by then."""
MOST_ROUNDS = 100
REST_AFTER_MISTAKE = 0.1


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from applet.hints import TypeVar
    from applet.phone.phone import Phone
    from applet.sip.events import EndedBy
    from applet.sip.records import Question
    from applet.threads.media import MediaThread
    from applet.threads.network_watch import NetworkWatch
    from applet.threads.probes import Probes
    from applet.threads.resolver import Resolver

    T = TypeVar("T")


class CommandSource(Protocol):
    """`read` gives the commands that have come, and is asked when there are some; `over`: these
    were the last."""

    over: bool

    def fileno(self) -> int: ...
    def read(self) -> list[Command]: ...


class CoreThread:
    """`phone` and everything around it, on one thread. Never touch `phone` once it is started.

    `sip_bind`: UDP and TCP are both bound to it. Port 0 is any free port below 32768; with
    `next_free_port` the next free one is taken when it is in use. `[::1]` is `Address("::1", 0)`.
    `bind_late`: nothing is bound before the first call, so that a firewall that asks about
    programs that listen has nothing to ask before it; `Ready` says so with an empty address, and
    comes again with the address.
    `name_server`: asked in place of the system's own. `tls_files`: with a certificate of ours TLS
    is bound to the port above that of UDP and TCP.
    `log` gets each redacted line in the core thread, and must not wait.
    `events`: everything the phone says, in order but for lines of the log, which may come a
    little later; `Stopped` is its last. One reader.
    """

    def __init__(
        self,
        phone: Phone,
        media: MediaThread,
        sip_bind: Address,
        *,
        next_free_port: bool = False,
        bind_late: bool = False,
        name_server: Address | None = None,
        tls_files: TlsFiles = NO_FILES,
        log: Callable[[Logged], None] | None = None,
    ) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.reads_commands = False
        self._phone = phone
        self._receive = phone.receive_datagram
        self._media = media
        self._log = log
        self._sip_bind = sip_bind
        self._next_free_port = next_free_port
        self._bind_late = bind_late
        self._bound = False
        self._name_server = name_server
        self._resolver: Resolver | None = None
        self._tls_files = tls_files
        self._probes: Probes | None = None
        self._watch: NetworkWatch | None = None
        self._thread: threading.Thread | None = None
        self._running = False
        self._stop_by: float | None = None
        self._rest_until = 0.0
        self._prepare_at: float | None = None
        self._mishaps = Mishaps("core", self._tell)
        self._trace = TraceLog()

    def start(
        self, first: Iterable[Command] = (), commands: CommandSource | None = None
    ) -> Address:
        """Bind (in the calling thread) and start the core and the media thread. Returns our SIP
        address (port 0 with `bind_late`); puts `Ready` first on `events`. Raises BindError and
        leaves nothing behind, as does TlsFilesError. `first` is carried out before what
        `commands` hold. Those are read in the core thread where the system can wait for them: see
        `reads_commands`."""
        self._loop = Loop(self._posted, self._mishaps.caught)
        self._flows = Flows(self._loop, self, self._tls_files)
        try:
            if any(self._tls_files):
                self._flows.prepare_tls()
            sockets = None if self._bind_late else self._bind()
        except (BindError, TlsFilesError):
            self._loop.close()
            raise
        self._media.start(self._loop.post)
        if sockets is None:
            self.events.put(Ready(""))
        else:
            self._use(sockets, clock())
        for command in first:
            self._loop.post(command)
        if commands is not None:
            self._watch_commands(commands)
        self._running = True
        self._prepare_at = clock() + PREPARE_AFTER
        self._thread = threading.Thread(target=self._run, name="core", daemon=True)
        self._thread.start()
        return sockets.address if sockets else Address(self._sip_bind.host, 0)

    def _watch_commands(self, commands: CommandSource) -> None:
        def readable(now: float) -> None:
            for command in commands.read():
                self._try(self._posted, command, now)
            if commands.over:
                self._loop.forget_input()

        self.reads_commands = self._loop.watch_input(commands.fileno(), readable)

    def _bind(self) -> SipSockets:
        with_tls = bool(self._tls_files.certificate)
        return bind_sip(self._sip_bind, self._next_free_port, with_tls)

    def _use(self, sockets: SipSockets, now: float) -> None:
        self._bound = True
        self._udp = sockets.udp
        self._flows.listen(sockets.tcp)
        if sockets.tls is not None:
            self._flows.listen(sockets.tls, Transport.TLS)
        self._loop.watch(self._udp, self._udp_readable)
        self._phone.bound(sockets.bound, now, with_tls=sockets.tls is not None)
        self.events.put(Ready(str(sockets.address)))
        if is_wildcard(sockets.bound.host):
            from applet.threads.network_watch import NetworkWatch

            self._watch = NetworkWatch(self._phone.server_host, now)

    def submit(self, command: Command) -> None:
        """Any thread; carried out in order. Ignored before the start and after the end."""
        if self._thread is not None:
            self._loop.post(command)

    def stop(self) -> None:
        """Hang up, un-register, drain (2 s at most), stop the media thread, close the sockets,
        join. Idempotent, any thread but the core's; never hangs: 5 s at most."""
        if self._thread is not None:
            self._loop.post(Quit())
            self._thread.join(JOIN_LIMIT)

    # --- the thread

    def _run(self) -> None:
        deadline: float | None = clock()
        while self._running:
            try:
                now = self._loop.wait(deadline)
                self._settle(now)  # what was asked just now is not to wait for the clock
                self._handle_timers(now)
                self._settle(now)
                self._write_down(now)
                deadline = self._deadline()
            except Exception as error:
                deadline = clock() + REST_AFTER_MISTAKE
                self._mishaps.caught(error, clock())
        self._close()

    def _deadline(self) -> float | None:
        timer = self._phone.next_timer()
        waiting = (
            None if timer is None else max(timer, self._rest_until),
            self._stop_by,
            self._prepare_at,
            self._flows.next_deadline(),
            None if self._watch is None else self._watch.due(not self._phone.idle),
            None if self._resolver is None else self._resolver.next_deadline(),
            self._trace.due,
        )
        return min((deadline for deadline in waiting if deadline is not None), default=None)

    def _handle_timers(self, now: float) -> None:
        if self._stop_by is not None and now >= self._stop_by:
            self._running = False
        if self._prepare_at is not None and now >= self._prepare_at:
            self._prepare_at = None
            self._media.prepare(bind_ahead=self._bound)
        self._flows.handle_deadlines(now)
        if self._watch is not None and self._watch.due(not self._phone.idle) <= now:
            self._look_at_network(self._watch, now)
        try:
            for late in () if self._resolver is None else self._resolver.overdue(now):
                self._phone.looked_up(late.question, late.answers, now)
            timer = self._phone.next_timer()
            if timer is not None and now >= timer:
                self._phone.handle_timers(now)
        except Exception as error:
            # The timer may stay due for ever; do not turn in circles.
            self._rest_until = now + REST_AFTER_MISTAKE
            self._mishaps.caught(error, now)

    def _look_at_network(self, watch: NetworkWatch, now: float) -> None:
        if watch.look(now):
            self._flows.drop_all(now)
            self._phone.network_changed(now)

    def _settle(self, now: float) -> None:
        """Do what the phone wants until it wants nothing more."""
        phone = self._phone
        for _ in range(MOST_ROUNDS):
            datagrams = phone.datagrams_to_send()
            for datagram in datagrams:
                self._try(self._send, datagram, now)
            for flow in phone.flows_to_close():
                self._flows.close(flow)
                phone.connection_closed(flow, now)
            orders = phone.orders()
            for order in orders:
                self._try(self._carry_out, order, now)
            for event in phone.events():
                self._tell(event)
            if not datagrams and not orders:
                return

    def _write_down(self, now: float) -> None:
        """One line a turn: what comes meanwhile goes first."""
        due = self._trace.due
        if due is not None and due <= now:
            self._tell_oldest_line()

    def _tell_oldest_line(self) -> None:
        at, lines = self._trace.written()
        for undated in lines:
            line = undated._replace(age=clock() - at)
            if self._log is not None:
                self._log(line)
            self.events.put(line)

    def _try(self, do: Callable[[T, float], None], what: T, now: float) -> None:
        """One mistake costs one datagram or order, not those behind it."""
        try:
            do(what, now)
        except Exception as error:
            self._mishaps.caught(error, now)

    def _send(self, datagram: Datagram, now: float) -> None:
        hop = datagram.hop
        if hop.transport is Transport.UDP:
            if send(self._udp, datagram.data, hop.address) is not None:
                self._phone.connection_failed(hop, now)
        else:
            self._flows.send(datagram.data, hop, now)

    def _carry_out(self, order: Order, now: float) -> None:
        match order:
            case OpenMedia():
                self._open_media(order, now)
            case Probe():
                self._look_around(order)
            case LookUp(question=question):
                self._look_up(question, now)
            case TraceMessage():
                self._trace.note(order, now)
            case Stop():
                self._running = False
            case _:
                self._media.submit(order)

    def _look_up(self, question: Question, now: float) -> None:
        if self._resolver is None:
            from applet.threads.name_server import NameServer
            from applet.threads.resolver import Resolver

            names = NameServer(_family(self._sip_bind), self._name_server)
            self._resolver = Resolver(self._loop.post, names.ask)
        self._resolver.look_up(question, now)

    def _look_around(self, order: Probe) -> None:
        if self._probes is None:
            from applet.threads.probes import Probes

            self._probes = Probes(self._loop.post, self._udp, self._media.helpers)
        self._probes.look(order)

    def _tell(self, event: Event) -> None:
        if not isinstance(event, Logged):
            self.events.put(event)
            return
        messages_wait = self._trace.due is not None
        self._trace.put(event, clock())
        if not messages_wait:
            self._tell_oldest_line()

    def _open_media(self, order: OpenMedia, now: float) -> None:
        """The INVITE leaves before the media thread wakes: they would wait for each other."""
        from applet.nat.strategy import OpenedWay  # whoever gave this order has imported it

        call, way = order.call, order.ways[0]
        try:
            opened = self._media.open(call, order.remote_host)
        except OSError:
            self._phone.media_opened(call, None, now)
            return
        sockets = opened.sockets
        if way.as_bound:
            opened_way = OpenedWay(way, sockets.rtp_address, sockets.rtcp_address)
            self._phone.media_opened(call, opened_way, now)
            for datagram in self._phone.datagrams_to_send():
                self._send(datagram, now)
            self._media.adopt(opened)
        else:
            self._media.adopt(opened)
            self._media.submit(order)

    def _close(self) -> None:
        self._media.stop()
        if self._resolver is not None:
            self._resolver.stop(0.2)
        self._flows.close_all()
        if self._bound:
            if self._probes is not None:
                self._probes.stun.close()
            self._udp.close()
        self._loop.close()
        try:
            while self._trace.due is not None:
                self._tell_oldest_line()
        finally:
            self.events.put(Stopped())

    # --- what comes in

    def _posted(self, value: object, now: float) -> None:
        phone = self._phone
        match value:
            case MediaHappened(call=call, event=event):
                phone.media_event(call, event, now)
            case MediaCounted(call=call, statistics=statistics, final=final):
                phone.media_statistics(call, statistics, final, now)
            case WayOpened(call=call, opened=opened):
                phone.media_opened(call, opened, now)
            case MappingMoved(call=call, rtp=rtp, rtcp=rtcp):
                phone.media_moved(call, rtp, rtcp, now)
            case NatFact(generation=generation, fact=fact):
                phone.nat_fact(generation, fact, now)
            case AudioHappened(event=happened):
                phone.audio_event(happened, now)
            case Levels() | Logged() | Trouble():
                self._tell(value)
            case LookedUp():
                if self._resolver is not None and self._resolver.settled(value):
                    phone.looked_up(value.question, value.answers, now)
            case Quit():
                if self._stop_by is None:
                    self._stop_by = now + DRAIN_LIMIT
                    phone.handle(value, now)
            case Dial() | Register() if not self._bound:
                self._bind_and_handle(value, now)
            case _:
                phone.handle(value, now)  # type: ignore[arg-type]

    def _bind_and_handle(self, command: Dial | Register, now: float) -> None:
        try:
            self._use(self._bind(), now)
        except BindError:
            self.events.put(Trouble(0, Reason.MEDIA_FAILED, ""))
            return
        self._phone.handle(command, now)

    def _udp_readable(self, now: float) -> None:
        receive_all(self._udp, self._receive if self._probes is None else self._datagram, now)

    def _datagram(self, data: bytes, source: Address, now: float) -> None:
        """What is STUN may also be an answer to the phone's own keep-alive."""
        if self._probes is not None:
            self._probes.stun.take(data, source)
        self._receive(data, source, now)

    def stream_received(self, flow: int, data: bytes, now: float) -> None:
        self._phone.receive_stream(flow, data, now)

    def stream_opened(self, hop: Hop, now: float) -> None:
        self._phone.connection_opened(hop, now)

    def stream_closed(self, flow: int, now: float) -> None:
        self._phone.connection_closed(flow, now)

    def stream_failed(self, hop: Hop, by: EndedBy, now: float) -> None:
        self._phone.connection_failed(hop, now, by)


def _family(bind: Address) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in bind.host else socket.AF_INET
