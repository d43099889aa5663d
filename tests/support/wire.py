"""A virtual wire for SIP: UDP that may lose, reorder and double, and TCP that may be refused.

agent = Agent(wire, "192.0.2.1")      a real Endpoint with its events
peer = Peer(wire, "192.0.2.2")        says exactly what a test lets it say
"""

import random
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from applet.address import Address
from applet.sip.endpoint import Endpoint, EndpointConfig
from applet.sip.events import Event, Trace
from applet.sip.hop import Datagram, Hop, Transport
from applet.sip.message import Request, Response
from applet.sip.parser import KeepAlive, StreamParser, parse
from applet.stun_frame import is_stun
from tests.support.clock import Clock

PORT = 5060


class Sent(NamedTuple):
    """One message as it was sent, lost ones included."""

    at: float
    data: bytes
    source: Address
    target: Address
    transport: Transport

    @property
    def first_line(self) -> str:
        return self.data.partition(b"\r\n")[0].decode()

    @property
    def message(self) -> Request | Response:
        return parse(self.data)


class Node(Protocol):
    """Whoever has an address on the wire."""

    address: Address

    def receive_datagram(self, data: bytes, source: Address) -> None: ...

    def flow_opened(self, flow: int, remote: Address) -> None: ...

    def flow_data(self, flow: int, data: bytes) -> None: ...

    def flow_closed(self, flow: int) -> None: ...


Fate = Callable[[Sent], list[float]]
"""For one datagram the extra delays of its copies in seconds; none: it is lost."""


def always_arrives(sent: Sent) -> list[float]:
    return [0.0]


def bad_network(seed: int, loss: float, reorder: float = 0.0, duplicate: float = 0.0) -> Fate:
    """Each with its probability; reordering is 50 ms more on the way."""
    dice = random.Random(seed)

    def fate(sent: Sent) -> list[float]:
        if dice.random() < loss:
            return []
        copies = 2 if dice.random() < duplicate else 1
        return [0.05 if dice.random() < reorder else 0.0 for _ in range(copies)]

    return fate


class Wire:
    def __init__(self, delay: float = 0.0, fate: Fate = always_arrives) -> None:
        self.clock = Clock()
        self.delay = delay
        self.fate = fate
        self.sent: list[Sent] = []
        self.refuse_tcp: set[Address] = set()
        self.swallow_tcp: set[Address] = set()
        self._nodes: dict[Address, Node] = {}
        self._ends: dict[int, tuple[Node, int]] = {}
        self._flows = 0

    @property
    def now(self) -> float:
        return self.clock.now

    def attach(self, node: Node) -> None:
        self._nodes[node.address] = node

    def send_datagram(self, data: bytes, source: Address, target: Address) -> None:
        sent = Sent(round(self.now, 6), data, source, target, Transport.UDP)
        self.sent.append(sent)
        node = self._nodes.get(target)
        for extra in self.fate(sent) if node is not None else []:
            deliver = partial(node.receive_datagram, data, source)  # type: ignore[union-attr]
            self.clock.at(self.now + self.delay + extra, deliver)

    def connect(self, node: Node, target: Address) -> int | None:
        """A connection from `node`; its flow, or None: refused."""
        other = self._nodes.get(target)
        if other is None or target in self.refuse_tcp:
            return None
        near, far = self._flows + 1, self._flows + 2
        self._flows += 2
        self._ends[near], self._ends[far] = (other, far), (node, near)
        node.flow_opened(near, target)
        other.flow_opened(far, Address(node.address.host, 40000 + near))
        return near

    def send_stream(self, flow: int, data: bytes, source: Address) -> None:
        other, far = self._ends[flow]
        self.sent.append(Sent(round(self.now, 6), data, source, other.address, Transport.TCP))
        self.clock.at(self.now + self.delay, partial(other.flow_data, far, data))

    def close(self, flow: int) -> None:
        """Both ends learn that a connection is gone, after what was sent before."""
        if flow in self._ends:
            other, far = self._ends.pop(flow)
            node, near = self._ends.pop(far)
            self.clock.at(self.now + self.delay, partial(other.flow_closed, far))
            self.clock.at(self.now + self.delay, partial(node.flow_closed, near))

    # --- what was sent

    def times(self, start: str, source: "Node | None" = None) -> list[float]:
        """When each message that begins with `start` was sent (by `source`)."""
        return [sent.at for sent in self.matching(start, source)]

    def matching(self, start: str, source: "Node | None" = None) -> list[Sent]:
        return [
            sent
            for sent in self.sent
            if sent.first_line.startswith(start)
            and (source is None or sent.source.host == source.address.host)
        ]

    def lines(self) -> list[str]:
        """Everything in order, in short: `INVITE`, `180 INVITE`."""
        said = [sent for sent in self.sent if sent.data.strip() and not is_stun(sent.data)]
        return [in_short(sent.message) for sent in said]


def in_short(message: Request | Response) -> str:
    if isinstance(message, Request):
        return message.method
    return f"{message.status} {' '.join((message.header('CSeq') or '').split()[1:])}"


class Agent:
    """An Endpoint on the wire. `events` are those that are not traces, `times` when they came."""

    def __init__(
        self,
        wire: Wire,
        host: str,
        config: EndpointConfig | None = None,
        *,
        tcp: bool = True,
        seed: int = 0,
    ) -> None:
        self.wire = wire
        self.address = Address(host, PORT)
        self.events: list[Event] = []
        self.times: list[float] = []
        self._connections: dict[Address, int] = {}
        self.endpoint = Endpoint(
            config or EndpointConfig(), random.Random(f"{host}/{seed}"), lambda _: host
        )
        self.endpoint.set_local(Transport.UDP, self.address)
        if tcp:
            self.endpoint.set_local(Transport.TCP, self.address)
        wire.attach(self)
        wire.clock.join(self)

    def take(self) -> list[Event]:
        """The events since the last time."""
        events, self.events, self.times = self.events, [], []
        return events

    def collect(self) -> None:
        """Hand out what the endpoint wants: after every verb of a test."""
        for event in self.endpoint.events():
            if not isinstance(event, Trace):
                self.events.append(event)
                self.times.append(round(self.wire.now, 6))
        for datagram in self.endpoint.datagrams_to_send():
            self._send(datagram)
        for flow in self.endpoint.flows_to_close():
            self.wire.close(flow)

    def _send(self, datagram: Datagram) -> None:
        data, hop = datagram
        if hop.transport is Transport.UDP:
            self.wire.send_datagram(data, self.address, hop.address)
            return
        if hop.address in self.wire.swallow_tcp:
            return
        flow = hop.flow or self._connections.get(hop.address)
        flow = flow or self.wire.connect(self, hop.address)
        if flow is None:
            self.wire.clock.at(self.wire.now, partial(self.fail, hop))
        else:
            self.wire.send_stream(flow, data, self.address)

    def fail(self, hop: Hop) -> None:
        self.endpoint.connection_failed(hop, self.wire.now)
        self.collect()

    # --- the wire's and the clock's side

    def receive_datagram(self, data: bytes, source: Address) -> None:
        self.endpoint.receive_datagram(data, source, self.wire.now)
        self.collect()

    def flow_opened(self, flow: int, remote: Address) -> None:
        self._connections[remote] = flow
        self.endpoint.connection_opened(Hop(Transport.TCP, remote, flow), self.wire.now)

    def flow_data(self, flow: int, data: bytes) -> None:
        self.endpoint.receive_stream(flow, data, self.wire.now)
        self.collect()

    def flow_closed(self, flow: int) -> None:
        self._connections = {a: f for a, f in self._connections.items() if f != flow}
        self.endpoint.connection_closed(flow, self.wire.now)
        self.collect()

    def next_timer(self) -> float | None:
        return self.endpoint.next_timer()

    def handle_timers(self, now: float) -> None:
        self.endpoint.handle_timers(now)
        self.collect()


class Peer:
    """Somebody who is no Endpoint. `got` holds what came, with times; `flow` the last connection
    that was opened to or by it."""

    def __init__(self, wire: Wire, host: str, port: int = PORT) -> None:
        self.wire = wire
        self.address = Address(host, port)
        self.got: list[tuple[float, Request | Response]] = []
        self.streams: dict[int, StreamParser] = {}
        self.raw: list[bytes] = []
        self.flow = 0
        wire.attach(self)

    def send(self, message: Request | Response | bytes, target: "Node") -> None:
        data = message if isinstance(message, bytes) else message.encode()
        self.wire.send_datagram(data, self.address, target.address)

    def send_stream(self, message: Request | Response | bytes, flow: int | None = None) -> None:
        data = message if isinstance(message, bytes) else message.encode()
        self.wire.send_stream(flow or self.flow, data, self.address)

    def last(self, start: str) -> Request | Response:
        """The newest message that came, by its short form: `INVITE`, `200 INVITE`."""
        return next(m for _, m in reversed(self.got) if in_short(m) == start)

    def last_request(self, method: str) -> Request:
        found = self.last(method)
        assert isinstance(found, Request)
        return found

    def last_response(self, start: str) -> Response:
        found = self.last(start)
        assert isinstance(found, Response)
        return found

    def got_times(self, start: str) -> list[float]:
        return [round(at, 6) for at, message in self.got if in_short(message) == start]

    def count(self, start: str) -> int:
        return len(self.got_times(start))

    # --- the wire's side

    def receive_datagram(self, data: bytes, source: Address) -> None:
        if is_stun(data):
            self.raw.append(data)
        elif data.strip():
            self.got.append((self.wire.now, parse(data)))

    def flow_opened(self, flow: int, remote: Address) -> None:
        self.flow = flow
        self.streams[flow] = StreamParser()

    def flow_data(self, flow: int, data: bytes) -> None:
        self.raw.append(data)
        for item in self.streams[flow].feed(data):
            if not isinstance(item, KeepAlive):
                assert isinstance(item, Request | Response)
                self.got.append((self.wire.now, item))

    def flow_closed(self, flow: int) -> None:
        self.streams.pop(flow, None)
