"""One call at the far end: its dialog, its offers and answers, and its tone."""

import threading
import time
from typing import TYPE_CHECKING

from tests.netlab.cell import Server
from tests.netlab.desk_flows import Flow
from tests.netlab.network import DESK
from tests.netlab.sip_text import Message, Sdp, parse_sdp, print_message, print_sdp, uri_of
from tests.netlab.tone_line import ToneLine
from tests.support.process import wait_until

if TYPE_CHECKING:
    from tests.netlab.desk import Desk

PHONE_HZ, DESK_HZ = 440, 880
ANSWERS = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly"}
LIMIT_S = 8.0
"""For an answer to a request of ours, repetitions included."""


class DeskCall:
    """`sdps` are the phone's in their order, `bodies` their texts, `contact` its last one, `flow`
    how it last spoke."""

    def __init__(self, desk: "Desk", call_id: str) -> None:
        self.call_id = call_id
        self.sdps: list[Sdp] = []
        self.bodies: list[str] = []
        self.contact = ""
        self.flow: Flow | None = None
        self.agreed_at = 0.0
        self.acknowledged = False
        self.ended_by = ""
        self._desk = desk
        self._host = DESK
        self._local = self._remote = ""
        self._cseq = self._version = 0
        self._statuses: dict[int, int] = {}
        self.line = self._new_line()

    # --- what a test asks

    @property
    def signalling(self) -> str:
        return self.flow.kind if self.flow else "none"

    def begin(self, contact: str, flow: Flow) -> None:
        """Call the phone that registered `contact` by `flow`."""
        self.contact, self.flow = contact, flow
        self._local = f"<sip:desk@{DESK}>;tag=desk"
        self._remote = f"<{uri_of(contact)}>"
        self._invite()

    def reinvite(self, host: str = "") -> None:
        """Offer again, and wait until it is accepted. With `host`: the far end moves there."""
        if host:
            self._host = host
            self.line.aim(None)
            self.line = self._new_line()
        for _ in range(3):
            if self._wait(self._invite()) != 491:
                break
            threading.Event().wait(1.0)  # RFC 3261 section 14.1
        assert self._statuses[self._cseq] == 200, f"re-INVITE: {self._statuses[self._cseq]}"

    def hang_up(self, limit: float = LIMIT_S) -> None:
        """Say BYE, and wait until it is accepted."""
        status = self._wait(self._request("BYE"), limit)
        assert status == 200, f"BYE: {status}"
        self.ended_by = "desk"
        self.line.aim(None)

    # --- the desk's side

    def take_request(self, message: Message, flow: Flow) -> None:
        self.flow = flow
        self.contact = message.first("contact") or self.contact
        if message.method == "INVITE":
            self._take_invite(message, flow)
        elif message.method == "ACK":
            self.acknowledged = True
            self._desk.answered(f"200 {self.call_id}")
            self._agree(message.body)
        elif message.method == "BYE":
            self._desk.respond(message, flow, "200 OK")
            self.ended_by = "phone"
            self.line.aim(None)
        elif message.method == "CANCEL":  # all is answered at once: too late
            self._desk.respond(message, flow, "200 OK")
        else:
            self._desk.respond(message, flow, "501 Not Implemented")

    def take_response(self, message: Message, flow: Flow) -> None:
        number = int(message.first("cseq").split()[0])
        if message.status < 200:
            return
        self._desk.answered(f"{number} {self.call_id}")
        if message.method == "INVITE":
            if message.status < 300:
                self.flow = flow
                self.contact = message.first("contact") or self.contact
                self._remote = message.first("to")
                self._agree(message.body)
            self._acknowledge(number, message)
        self._statuses[number] = message.status

    # --- the dialog

    def _take_invite(self, message: Message, flow: Flow) -> None:
        if not self._remote:
            self._remote = message.first("from")
            self._local = f"{message.first('to')};tag=desk"
        offer = parse_sdp(message.body)
        direction = ANSWERS.get(offer.direction, "inactive") if offer else "sendrecv"
        answer = self._sdp(direction)
        contact = flow.contact(self._host)
        self._agree(message.body)  # before the answer, after which a test may look
        said = self._desk.respond(message, flow, "200 OK", tag="desk", body=answer, contact=contact)
        self._desk.repeat(f"200 {self.call_id}", said, flow)

    def _agree(self, body: str) -> None:
        sdp = parse_sdp(body)
        if sdp is None:
            return
        self.sdps.append(sdp)
        self.bodies.append(body)
        self.agreed_at = self.agreed_at or time.monotonic()
        flows_here = sdp.direction in ("sendrecv", "recvonly") and sdp.place[0] != "0.0.0.0"
        there = sdp.place
        if self._desk.ice is not None:
            there = self._desk.ice.inner
            self._desk.ice.answered(body)
        self.line.aim(there if flows_here else None)

    def _invite(self) -> int:
        return self._request("INVITE", self._sdp("sendrecv"))

    def _request(self, method: str, body: str = "") -> int:
        """Its CSeq."""
        self._cseq += 1
        branch = f"z9hG4bK{method}{self._cseq}{self.call_id}"
        data = self._printed(method, self._cseq, branch, body)
        key = f"{self._cseq} {self.call_id}"
        assert self.flow is not None
        self._desk.send_until_answered(key, data, self._desk.way_to(self.contact, self.flow))
        return self._cseq

    def _acknowledge(self, number: int, answer: Message) -> None:
        """For a refusal it belongs to the transaction, so it has its branch."""
        refused = answer.status >= 300
        branch = f"z9hG4bK{'INVITE' if refused else 'ACK'}{number}{self.call_id}"
        assert self.flow is not None
        way = self._desk.way_to(self.contact, self.flow)
        way.send(self._printed("ACK", number, branch))

    def _printed(self, method: str, number: int, branch: str, body: str = "") -> bytes:
        assert self.flow is not None
        return print_message(
            f"{method} {uri_of(self.contact)} SIP/2.0",
            [
                f"Via: SIP/2.0/{self.flow.kind.upper()} {DESK};branch={branch};rport",
                "Max-Forwards: 70",
                f"From: {self._local}",
                f"To: {self._remote}",
                f"Call-ID: {self.call_id}",
                f"CSeq: {number} {method}",
                f"Contact: {self.flow.contact(self._host)}",
            ],
            body,
        )

    def _wait(self, number: int, limit: float = LIMIT_S) -> int:
        wait_until(
            lambda: number in self._statuses,
            limit,
            "the phone's answer to the far end, which heard",
            lambda: "\n".join(self._desk.heard),
        )
        return self._statuses[number]

    def _sdp(self, direction: str) -> str:
        self._version += 1
        ice = self._desk.ice
        if ice is None:
            return print_sdp(self.line.place, self._version, direction)
        lines = "".join(f"{line}\r\n" for line in ice.lines)
        return print_sdp(ice.places[0], self._version, direction) + lines

    def _new_line(self) -> ToneLine:
        desk = self._desk
        host = self._host if desk.ice is None else desk.ice.inner[0]
        line = ToneLine(desk.namespace, host, desk.next_port(), DESK_HZ, PHONE_HZ)
        line.latches = desk.server is Server.LATCHING
        desk.lines.append(line)
        return line
