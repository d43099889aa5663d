"""A phone whose every word to its network is seen, and answered as a test says."""

import random
from typing import Any

from applet.address import Address
from applet.nat.knowledge import Fact
from applet.phone.config import NatConfig, PhoneConfig
from applet.phone.messages import Command, Event
from applet.phone.orders import OpenMedia, Order, TraceMessage
from applet.phone.phone import Phone
from applet.sip.hop import Hop
from applet.sip.message import Request
from applet.sip.parser import parse
from tests.nat.facts import LOCAL, OUTSIDE, SERVER

DESK = f"sip:desk@{SERVER}"


class Scene:
    """`sent` has every request with the hop to which it went."""

    def __init__(self, nat: NatConfig, desk: str = DESK, **more: Any) -> None:
        config = PhoneConfig(desk=desk, other_addresses=True, nat=nat, **more)
        self.now = 0.0
        self.local = LOCAL.host
        self.sent: list[tuple[Request, Hop]] = []
        self.orders: list[Order] = []
        self.events: list[Event] = []
        self._flows = 0
        self.phone = Phone(config, random.Random(1), lambda _: self.local)
        self.phone.bound(Address("0.0.0.0", LOCAL.port), self.now)
        self.collect()

    def collect(self) -> None:
        for datagram in self.phone.datagrams_to_send():
            if not datagram.data.strip():
                continue  # keeps a binding alive
            message = parse(datagram.data)
            if isinstance(message, Request):
                self.sent.append((message, datagram.hop))
        self.orders += [o for o in self.phone.orders() if not isinstance(o, TraceMessage)]
        self.events += self.phone.events()

    def do(self, command: Command) -> None:
        self.phone.handle(command, self.now)
        self.collect()

    def fact(self, *facts: Fact, generation: int = 0) -> None:
        for fact in facts:
            self.phone.nat_fact(generation, fact, self.now)
        self.collect()

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.phone.next_timer()) is not None and due <= end:
            self.now = max(self.now, due)
            self.phone.handle_timers(self.now)
            self.collect()
        self.now = end

    def requests(self, method: str, transport: str = "UDP") -> list[tuple[Request, Hop]]:
        return [
            (request, hop)
            for request, hop in self.sent
            if request.method == method and hop.transport.value == transport
        ]

    def answer(
        self,
        method: str,
        status: int = 200,
        seen: Address = OUTSIDE,
        transport: str = "UDP",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        which: int = -1,
    ) -> None:
        """The server answers the last request of this kind, which came from `seen`."""
        request, hop = self.requests(method, transport)[which]
        got = parse(request.encode())
        assert isinstance(got, Request)
        via = got.top_via.with_param("received", seen.host).with_param("rport", str(seen.port))
        got = got.with_header("Via", str(via))
        reply = got.reply(status, to_tag="desk", headers=headers, body=body).encode()
        if hop.transport.reliable:
            self._flows += 1
            there = hop._replace(flow=self._flows)
            self.phone.connection_opened(there, self.now)
            self.phone.receive_stream(self._flows, reply, self.now)
        else:
            self.phone.receive_datagram(reply, hop.address, self.now)
        self.collect()

    def order(self, kind: type[Order]) -> list[Order]:
        return [order for order in self.orders if isinstance(order, kind)]

    def opened(self) -> OpenMedia:
        """What was asked for the newest call's sound."""
        order = self.order(OpenMedia)[-1]
        assert isinstance(order, OpenMedia)
        return order

    def seen(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]
