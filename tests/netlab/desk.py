"""The far end of the matrix: a SIP peer that is either strict or latches, and hides nothing.

Strict: its sound goes to the address in the SDP, its requests to the Contact, and to nowhere else.
A Contact that names the transport of the connection it came by is reached by that connection, as
every server does it that cannot open one through a firewall. Latching: both go to where ours
really come from. It is a registrar too, and then it can call.
"""

import re
import threading
import time
from itertools import count
from typing import NamedTuple

from tests.netlab.cell import Server
from tests.netlab.certificates import Certificates
from tests.netlab.desk_call import DeskCall
from tests.netlab.desk_flows import Flow, Flows
from tests.netlab.ice_peer import IcePeer
from tests.netlab.network import DESK, MOVED_DESK, Network
from tests.netlab.sip_text import Message, parse, parse_sdp, place_of, print_message, uri_of
from tests.netlab.tone_line import ToneLine
from tests.support.process import wait_until

URI = f"sip:desk@{DESK}"
T1, T2 = 0.5, 4.0


class _Repeated(NamedTuple):
    """What is sent again `at` that time, and then after twice the `interval`."""

    at: float
    interval: float
    data: bytes
    flow: Flow


def described(message: Message, flow: Flow) -> str:
    sdp = parse_sdp(message.body)
    sound = f", sound {sdp.direction} at {sdp.place[0]}:{sdp.place[1]}" if sdp else ""
    source = f"{flow.peer[0]}:{flow.peer[1]} by {flow.kind}"
    return f"{message.start} from {source}, contact {message.first('contact') or '-'}{sound}"


class Desk:
    """Answers every call at once with a tone of its own."""

    def __init__(self, network: Network, server: Server, certificates: Certificates) -> None:
        self.namespace = network.name("desk")
        self.server = server
        self.calls: list[DeskCall] = []
        self.lines: list[ToneLine] = []
        self.ice: IcePeer | None = None
        """With it every call is offered ICE."""
        self.registered: tuple[str, Flow] | None = None
        self.refused: list[str] = []
        self.heard: list[str] = []
        """What came, in a line each."""
        self._lock = threading.RLock()
        self._repeated: dict[str, _Repeated] = {}
        self._said: dict[tuple[str, str], bytes] = {}
        self._ports = count(41000, 2)
        self._running = True
        self.flows = Flows(self.namespace, (DESK, MOVED_DESK), certificates, self._take)
        self._timer = threading.Thread(target=self._repeat, daemon=True)
        self._timer.start()

    # --- what a test asks

    def wait_for_call(self, number: int, limit: float) -> DeskCall:
        """The call of this number, from 0 on, once its sound is agreed."""
        wait_until(
            lambda: len(self.calls) > number and self.calls[number].agreed_at,
            limit,
            "a call at the far end",
            lambda: f"refused: {self.refused}",
        )
        return self.calls[number]

    def call_the_phone(self) -> DeskCall:
        """To the registered Contact, or to where the REGISTER came from."""
        assert self.registered is not None, "the phone has not registered"
        contact, flow = self.registered
        call = DeskCall(self, f"out{len(self.calls)}@{DESK}")
        self.calls.append(call)
        call.begin(contact, flow)
        return call

    def starved(self) -> bool:
        return any(line.starved for line in self.lines)

    def close(self) -> None:
        self._running = False
        self._timer.join(5)
        self.flows.close()
        for line in self.lines:
            line.stop()

    # --- what a call asks

    def next_port(self) -> int:
        return next(self._ports)

    def way_to(self, contact: str, flow: Flow) -> Flow:
        """How a request reaches the peer who gave this Contact and was heard by `flow`."""
        if self.server is Server.LATCHING:
            return flow
        place, transport = place_of(uri_of(contact))
        if transport == flow.kind != "udp":
            return flow
        return self.flows.datagrams_to(DESK, place)

    def send_until_answered(self, key: str, data: bytes, flow: Flow) -> None:
        """RFC 3261 section 17: repeated by UDP, until `answered`."""
        self.repeat(key, data, flow)
        flow.send(data)

    def repeat(self, key: str, data: bytes, flow: Flow) -> None:
        """Say again what was said just now, until `answered`."""
        with self._lock:
            self._repeated[key] = _Repeated(time.monotonic() + T1, T1, data, flow)

    def answered(self, key: str) -> None:
        with self._lock:
            self._repeated.pop(key, None)

    def respond(
        self, request: Message, flow: Flow, start: str, *, tag: str = "", body: str = "",
        contact: str = "",
    ) -> bytes:  # fmt: skip
        """Send a response; it is said again when the request is."""
        vias = request.values("via")
        vias[0] = re.sub(r";rport(?=;|$)", f";rport={flow.peer[1]}", vias[0])
        to = request.first("to")
        data = print_message(
            f"SIP/2.0 {start}",
            [
                f"Via: {vias[0]};received={flow.peer[0]}",
                *(f"Via: {via}" for via in vias[1:]),
                f"From: {request.first('from')}",
                f"To: {to}" if ";tag=" in to or not tag else f"To: {to};tag={tag}",
                f"Call-ID: {request.first('call-id')}",
                f"CSeq: {request.first('cseq')}",
                "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER",
                f"Contact: {contact or flow.contact(DESK)}",
            ],
            body,
        )
        self._said[request.first("via"), request.method] = data
        self._back(request, flow).send(data)
        return data

    def _back(self, request: Message, flow: Flow) -> Flow:
        """RFC 3261 section 18.2.2 and RFC 3581: where a response goes."""
        via = request.first("via")
        if flow.kind != "udp" or ";rport" in via or self.server is Server.LATCHING:
            return flow
        port = re.search(r"SIP/2.0/UDP [\d.]+:(\d+)", via)
        return self.flows.datagrams_to(DESK, (flow.peer[0], int(port[1]) if port else 5060))

    # --- the network's side

    def _take(self, data: bytes, flow: Flow) -> None:
        with self._lock:
            try:
                message = parse(data)
                self.heard.append(described(message, flow))
                self._take_message(message, flow)
            except ValueError as error:
                self.refused.append(f"{error} by {flow.kind} from {flow.peer}")

    def _take_message(self, message: Message, flow: Flow) -> None:
        if message.status:
            self._take_response(message, flow)
        elif said := self._said.get((message.first("via"), message.method)):
            self._back(message, flow).send(said)
        else:
            self._take_request(message, flow)

    def _take_response(self, message: Message, flow: Flow) -> None:
        for call in self.calls:
            if call.call_id == message.first("call-id"):
                call.take_response(message, flow)

    def _take_request(self, message: Message, flow: Flow) -> None:
        known = next((c for c in self.calls if c.call_id == message.first("call-id")), None)
        if known is not None:
            known.take_request(message, flow)
        elif message.method == "INVITE":
            call = DeskCall(self, message.first("call-id"))
            self.calls.append(call)
            call.take_request(message, flow)
        elif message.method == "REGISTER":
            self._register(message, flow)
        elif message.method != "ACK":
            status = "200 OK" if message.method == "OPTIONS" else "481 No such call"
            self.respond(message, flow, status, tag="desk")

    def _register(self, message: Message, flow: Flow) -> None:
        contact = message.first("contact")
        leaves = message.first("expires") == "0" or ";expires=0" in contact
        if contact and not leaves:
            self.registered = (contact, flow)
        given = f"{contact.partition(';expires')[0]};expires=120" if contact else ""
        self.respond(message, flow, "200 OK", tag="desk", contact=given)

    def _repeat(self) -> None:
        pause = threading.Event()
        while self._running:
            pause.wait(0.05)
            now = time.monotonic()
            with self._lock:
                for key, (at, interval, data, flow) in list(self._repeated.items()):
                    if now >= at and flow.kind == "udp":
                        longer = min(2 * interval, T2)
                        self._repeated[key] = _Repeated(now + longer, longer, data, flow)
                        flow.send(data)
