"""The transport layer of an endpoint (RFC 3261 section 18, RFC 3581), without sockets.

Out: it puts our Via on requests, chooses TCP for what is too large for a datagram, and sends
responses back on the flow on which their request came or, when that is gone, to where Via says.
In: it cuts streams into messages and notes in a request's Via where it came from.
"""

from __future__ import annotations

from functools import partial

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.sip.events import Event, SeenElsewhere, Trace
from applet.sip.grammar import MAX_PORT, MessageError, clamped, print_host, split_list
from applet.sip.hop import Datagram, End, Hop, Transport
from applet.sip.message import Request
from applet.sip.parser import KeepAlive, StreamParser
from applet.sip.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.sip.headers import Via
    from applet.sip.message import Response
    from applet.sip.timers import Timers
    from applet.sip.transaction import Send

MAX_UDP_REQUEST = 1300
"""Bytes; section 18.1.1: a larger request goes over a transport with congestion control."""
MAX_FLOWS = 512
CLOSE_AFTER = 0.5
"""Seconds that a connection stays open after its framing was lost: what came before the damage
still gets its answers."""

PONG_LIMIT = 10.0
"""Seconds; RFC 5626 section 4.4.1."""

_CLOSE, _PONG = "c", "p"
_WILDCARDS = ("0.0.0.0", "::", "")


class Flow:
    """One connection: the other end, and what has come of the next message. `answers_pings`: a
    pong came back once. `seen`: what the other end takes for our address, as it said in a Via."""

    __slots__ = ("answers_pings", "hop", "parser", "seen")

    def __init__(self, hop: Hop) -> None:
        self.hop = hop
        self.parser = StreamParser()
        self.answers_pings = False
        self.seen: Address | None = None


class TransportLayer:
    """`called_over` holds the other ends of the connections over which calls come to us, because
    we are registered over them: there Contact shows our end of it."""

    __slots__ = (
        "_advertised",
        "_closing",
        "_emit",
        "_flow_to",
        "_flows",
        "_local",
        "_local_ip_for",
        "_out",
        "_proved",
        "_seen",
        "_timers",
        "called_over",
    )

    def __init__(
        self,
        local_ip_for: Callable[[str], str],
        timers: Timers,
        emit: Callable[[Event], None],
    ) -> None:
        self._timers = timers
        self._local_ip_for = local_ip_for
        self._emit = emit
        self._local: dict[Transport, Address] = {}
        self._advertised: dict[Transport, Address] = {}
        self._seen: dict[tuple[Transport, Address], Address] = {}
        self._flows: dict[int, Flow] = {}
        self._flow_to: dict[End, int] = {}
        self._proved: dict[Address, str] = {}
        self._out: list[Datagram] = []
        self._closing: list[int] = []
        self.called_over: set[End] = set()

    # --- our own addresses

    def set_local(self, transport: Transport, address: Address) -> None:
        self._local[transport] = address

    def set_advertised(self, transport: Transport, address: Address | None) -> None:
        if address is None:
            self._advertised.pop(transport, None)
        else:
            self._advertised[transport] = address

    def set_seen(self, transport: Transport, remote: Address, seen: Address | None) -> bool:
        """Whether that is another address than before."""
        before = self._seen.get((transport, remote))
        if seen is None:
            self._seen.pop((transport, remote), None)
        elif before is not None or len(self._seen) < MAX_FLOWS:
            self._seen[transport, remote] = seen
        return seen != before

    def local_address(self, hop: Hop) -> Address:
        """What we call ourselves towards `hop`."""
        seen = self._seen.get((hop.transport, hop.address))
        advertised = seen or self._advertised.get(hop.transport)
        if advertised is not None:
            return advertised
        bound = self._local.get(hop.transport) or self._local[Transport.UDP]
        if bound.host not in _WILDCARDS:
            return bound
        return Address(self._local_ip_for(hop.address.host), bound.port)

    def contact(self, user: str, hop: Hop, secure: bool = False) -> SipUri:
        """The URI at which the other side of `hop` reaches us; `secure` makes it a sips: one
        (RFC 3261 section 12.1: what was called by sips: answers with sips:)."""
        host, port = self._reached_at(hop)
        if secure:
            return SipUri.of(user, host, port)._replace(scheme="sips")
        if hop.transport is Transport.UDP:
            return SipUri.of(user, host, port)
        return SipUri.of(user, host, port, transport=hop.transport.value.lower())

    def _reached_at(self, hop: Hop) -> Address:
        if hop.transport.reliable and hop.end in self.called_over:
            flow = self._flows.get(self._flow_to.get(hop.end, -1))
            if flow is not None and flow.seen is not None:
                return flow.seen
        return self.local_address(hop)

    def learn(self, via: Via, hop: Hop) -> None:
        """The other end has written into our Via where it sees us (RFC 3581)."""
        flow = self._flows.get(-1 if hop.flow is None else hop.flow)
        known = self._seen.get((hop.transport, hop.address))
        address = seen_in(via)
        if address is None:
            return
        if flow is not None:
            flow.seen = address
        elif hop.end in self.called_over and address.host != self.local_address(hop).host:
            # A router stands before our registrar, and nobody has told us so.
            self._seen[hop.transport, hop.address] = address
            if known is not None:
                self._emit(SeenElsewhere(hop.transport, hop.address, address))

    def look_again(self, via: Via, hop: Hop) -> None:
        """Whoever sees us behind a NAT may see us elsewhere by now: the router was restarted, or
        has forgotten us."""
        known = self._seen.get((hop.transport, hop.address))
        address = seen_in(via)
        if hop.transport is Transport.UDP and address is not None and known not in (None, address):
            self._seen[hop.transport, hop.address] = address
            self._emit(SeenElsewhere(hop.transport, hop.address, address))

    def over_flow(self, hop: Hop, flow: int | None) -> Hop:
        """`hop`, or rather the connection on which the peer speaks to us while it is open: it may
        be the only way to somebody behind a NAT. What wants TLS never goes over anything else."""
        if flow is not None and flow in self._flows:
            known = self._flows[flow].hop
            if hop.transport is not Transport.TLS or known.transport is Transport.TLS:
                return known
        if hop.transport is Transport.TLS and hop.identity == hop.address.host:
            # A proxy may write its address into Record-Route. Whoever proved a name there before
            # is to prove the same name again.
            return hop._replace(identity=self._proved.get(hop.address, hop.identity))
        return hop

    # --- out

    def with_via(self, request: Request, hop: Hop, branch: str) -> Request:
        host, port = self.local_address(hop)
        sent_by = print_host(host, port)
        keep = ";keep" if hop.end in self.called_over else ""
        value = f"SIP/2.0/{hop.transport.value} {sent_by};branch={branch};rport{keep}"
        headers = [("Via", value), *request.headers]
        sent = Request(request.method, request.uri, headers, request.body)
        sent.cseq = request.cseq  # as it was
        return sent

    def sender(self, hop: Hop) -> Send:
        """Something that sends to `hop`, and goes on doing so when its connection was lost."""
        return partial(self.send, hop)

    def send(self, hop: Hop, data: bytes) -> None:
        if hop.transport.reliable and hop.flow not in self._flows:
            hop = hop._replace(flow=self._flow_to.get(hop.end))
        self._put(Datagram(data, hop))

    def responder(self, request: Request, source: Hop) -> Send:
        """Something that sends responses to `request`, which came from `source`."""
        return _WayBack(self, source, _hop_of_via(request.top_via, source))

    def send_back(self, source: Hop, fallback: Hop, data: bytes) -> None:
        """Section 18.2.2: the same connection, else a new one to where Via says."""
        if source.transport.reliable and source.flow in self._flows:
            self._put(Datagram(data, source))
        else:
            self.send(fallback, data)

    def _put(self, datagram: Datagram) -> None:
        self._out.append(datagram)
        self._emit(Trace(True, datagram.data, datagram.hop))

    def send_quietly(self, hop: Hop, data: bytes) -> None:
        """What is no SIP message, and in no log."""
        self._out.append(Datagram(data, hop))

    def datagrams_to_send(self) -> list[Datagram]:
        out, self._out = self._out, []
        return out

    # --- connections

    def opened(self, hop: Hop) -> None:
        flow = hop.flow
        assert flow is not None  # it is one connection
        if len(self._flows) >= MAX_FLOWS:
            self._closing.append(flow)
            return
        self._flows[flow] = Flow(hop)
        self._flow_to[hop.end] = flow
        if hop.identity:
            self._proved.pop(hop.address, None)
            if len(self._proved) >= MAX_FLOWS:
                del self._proved[next(iter(self._proved))]
            self._proved[hop.address] = hop.identity

    def closed(self, flow: int) -> Hop | None:
        """Forget a connection; its other end, if it was known."""
        gone = self._flows.pop(flow, None)
        if gone is None:
            return None
        if self._flow_to.get(gone.hop.end) == flow:
            del self._flow_to[gone.hop.end]
        for name in (_CLOSE, _PONG):
            self._timers.cancel(self, f"{name}{flow}")
        return gone.hop

    def has(self, transport: Transport) -> bool:
        """Whether there is a socket for it."""
        return transport in self._local

    def is_connected(self, hop: Hop) -> bool:
        """Whether a connection stands that `send` would use."""
        return hop.flow in self._flows or hop.end in self._flow_to

    def feed(self, flow: int, data: bytes, now: float) -> list[Request | Response | MessageError]:
        """The messages that are complete by now. A ping (RFC 5626 section 4.4.1) is answered; a
        stream whose framing is lost is closed."""
        known = self._flows.get(flow)
        if known is None:
            return []
        messages: list[Request | Response | MessageError] = []
        for item in known.parser.feed(data):
            if item is KeepAlive.PING:
                self.send_quietly(self.source_of(flow), b"\r\n")
            elif item is KeepAlive.PONG:
                known.answers_pings = True
                self._timers.cancel(self, f"{_PONG}{flow}")
            else:
                messages.append(item)
        if known.parser.broken and not self._timers.is_set(self, f"{_CLOSE}{flow}"):
            self._timers.set(self, f"{_CLOSE}{flow}", now + CLOSE_AFTER)
        return messages

    def ping(self, hop: Hop, now: float) -> None:
        """Two line breaks, if there is a way to send them. Whoever used to answer and does not
        within PONG_LIMIT has its connection closed."""
        number = self._flow_to.get(hop.end)
        if number is None and hop.transport.reliable:
            return
        self.send_quietly(hop._replace(flow=number), b"\r\n\r\n")
        if number is not None:
            flow = self._flows[number]
            flow.parser.expect_pong()
            if flow.answers_pings:
                self._timers.set(self, f"{_PONG}{number}", now + PONG_LIMIT)

    def handle_timer(self, name: str, now: float) -> None:
        """A connection that cannot be read any more has had its time, or is dead."""
        self._closing.append(int(name[1:]))

    def source_of(self, flow: int) -> Hop:
        """The hop at the other end of an open connection."""
        return self._flows[flow].hop

    def flows_to_close(self) -> list[int]:
        closing, self._closing = self._closing, []
        return closing


def note_source(request: Request, source: Address) -> None:
    """Write `received` and `rport` into the topmost Via (section 18.2.1, RFC 3581 section 4),
    where the response takes it from. Done once, before anybody else sees the request."""
    via = request.top_via
    wants_port = via.has_param("rport")
    if not wants_port and via.host.lower() == source.host:
        return
    noted = via.with_param("received", source.host)
    if wants_port:
        noted = noted.with_param("rport", str(source.port))
    at = next(i for i, (name, _) in enumerate(request.headers) if name == "Via")
    rest = split_list(request.headers[at][1])[1:]
    request.headers[at] = ("Via", ", ".join([str(noted), *rest]))


def seen_in(via: Via) -> Address | None:
    """Our address as the other end sees it, if it tells (RFC 3581 section 4)."""
    port = clamped(via.param("rport") or "", MAX_PORT)
    return Address(via.param("received") or via.host, port) if port else None


class _WayBack:
    """Sends the responses to one request. There are thousands of them: a quarter of the memory of
    a `partial`."""

    __slots__ = ("_fallback", "_layer", "_source")

    def __init__(self, layer: TransportLayer, source: Hop, fallback: Hop) -> None:
        self._layer = layer
        self._source = source
        self._fallback = fallback

    def __call__(self, data: bytes) -> None:
        self._layer.send_back(self._source, self._fallback, data)


def _hop_of_via(via: Via, source: Hop) -> Hop:
    """Where a response goes that cannot go back on a connection: to the address from which the
    request came, and there to the port from which it came if `rport` asks for it (RFC 3581),
    else to the port that sent-by names."""
    if source.transport is Transport.UDP and via.has_param("rport"):
        return source
    address = Address(source.address.host, via.port or source.transport.default_port)
    identity = via.host.lower() if source.transport is Transport.TLS else ""
    return Hop(source.transport, address, None, identity)
