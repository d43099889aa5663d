"""The four transactions, row by row (RFC 3261 section 17, RFC 6026)."""

import random
from collections.abc import Iterator
from itertools import product

import pytest

from applet.address import Address
from applet.sip import transaction_tables as t
from applet.sip.grammar import LocalProtocolError
from applet.sip.hop import Hop, Transport
from applet.sip.message import Request, Response
from applet.sip.parser import parse
from applet.sip.timers import Timers
from applet.sip.transaction import ClientTransaction, ServerTransaction, Transaction
from applet.sip.transaction_tables import Action, Input, State, StateTimers, Table

UDP = Hop(Transport.UDP, Address("192.0.2.2", 5060))
TCP = Hop(Transport.TCP, Address("192.0.2.2", 5060), 1)


def a_request(method: str) -> Request:
    headers = [
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
        ("Route", "<sip:192.0.2.9;lr>"),
        ("From", "<sip:a@192.0.2.1>;tag=1"),
        ("To", "<sip:b@192.0.2.2>"),
        ("Call-ID", "x"),
        ("CSeq", f"7 {method}"),
    ]
    parsed = parse(Request(method, "sip:b@192.0.2.2", headers).encode())  # type: ignore[arg-type]
    assert isinstance(parsed, Request)
    return parsed


class User:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_response(self, response: Response, now: float) -> None:
        self.heard.append(f"{response.status}")

    def on_timeout(self, now: float) -> None:
        self.heard.append("timeout")

    def on_transport_error(self, now: float) -> None:
        self.heard.append("error")

    def on_ack(self, ack: Request, now: float) -> None:
        self.heard.append("ACK")

    def on_cancel(self, cancel: Request, now: float) -> None:
        self.heard.append("CANCEL")


class Bench:
    """One transaction with what it sends and tells. The clock is `fire`."""

    def __init__(self, kind: str, hop: Hop = UDP) -> None:
        self.kind = kind
        self.timers = Timers()
        self.user = User()
        self.sent: list[tuple[float, str]] = []
        self.now = 0.0
        self.ended = 0
        self.request = a_request("INVITE" if "INVITE" in kind else "OPTIONS")
        self.transaction = self._client(hop) if "client" in kind else self._server(hop)

    def _client(self, hop: Hop) -> ClientTransaction:
        transaction = ClientTransaction(
            self.request, self.request.encode(), hop, self._send, self.timers, self._end, self.user
        )
        transaction.start(0.0)
        return transaction

    def _server(self, hop: Hop) -> ServerTransaction:
        transaction = ServerTransaction(
            self.request, hop, self._send, self.timers, self._end, "ours", 0.0
        )
        transaction.attach(self.user)
        return transaction

    def _send(self, data: bytes) -> None:
        message = parse(data)
        what = message.method if isinstance(message, Request) else str(message.status)
        self.sent.append((self.now, what))

    def _end(self) -> None:
        self.ended += 1

    def run(self, until: float) -> None:
        while (at := self.timers.next()) is not None and at <= until:
            self.now = at
            self.timers.fire(at)
        self.now = until

    def times(self, what: str) -> list[float]:
        return [at for at, sent in self.sent if sent == what]

    def put(self, what: Input) -> None:
        """Let one input happen in whatever state it is."""
        transaction = self.transaction
        status = {Input.R1XX: 180, Input.R2XX: 200, Input.R3XX: 486}.get(what)
        if what is Input.ERROR:
            transaction.fail(self.now)
        elif isinstance(transaction, ClientTransaction):
            if status is not None:
                transaction.receive(self.request.reply(status, to_tag="t"), self.now)
            else:
                transaction.handle_timer(what.value, self.now)
        elif status is not None:
            transaction.respond(self.request.reply(status, to_tag="t"), self.now)
        elif what is Input.REQUEST:
            transaction.receive_again(self.now)
        elif what is Input.ACK:
            transaction.receive_ack(a_request("ACK"), self.now)
        else:
            transaction.handle_timer(what.value, self.now)


TABLES: dict[str, tuple[Table, StateTimers]] = {
    "INVITE client": t.INVITE_CLIENT_TABLES,
    "other client": t.OTHER_CLIENT_TABLES,
    "INVITE server": t.INVITE_SERVER_TABLES,
    "other server": t.OTHER_SERVER_TABLES,
}
WAYS = {
    "INVITE client": {
        State.CALLING: (),
        State.PROCEEDING: (Input.R1XX,),
        State.ACCEPTED: (Input.R2XX,),
        State.COMPLETED: (Input.R3XX,),
        State.TERMINATED: (Input.TIMER_B,),
    },
    "other client": {
        State.TRYING: (),
        State.PROCEEDING: (Input.R1XX,),
        State.COMPLETED: (Input.R2XX,),
        State.TERMINATED: (Input.TIMER_F,),
    },
    "INVITE server": {
        State.PROCEEDING: (Input.R1XX,),
        State.ACCEPTED: (Input.R2XX,),
        State.COMPLETED: (Input.R3XX,),
        State.CONFIRMED: (Input.R3XX, Input.ACK),
        State.TERMINATED: (Input.R2XX, Input.TIMER_L),
    },
    "other server": {
        State.TRYING: (),
        State.PROCEEDING: (Input.R1XX,),
        State.COMPLETED: (Input.R2XX,),
        State.TERMINATED: (Input.R2XX, Input.TIMER_J),
    },
}
"""How each state of each machine is reached."""
OURS = {Input.R1XX, Input.R2XX, Input.R3XX}
SERVER_ONLY = {Input.REQUEST, Input.ACK}


def rows() -> Iterator[tuple[str, State, Input]]:
    for kind, (table, _) in TABLES.items():
        for state, what in table:
            yield kind, state, what


def missing_pairs() -> Iterator[tuple[str, State, Input]]:
    for kind, (table, _) in TABLES.items():
        for state, what in product(WAYS[kind], Input):
            if (state, what) not in table and not ("client" in kind and what in SERVER_ONLY):
                yield kind, state, what


def in_state(kind: str, state: State) -> Bench:
    bench = Bench(kind)
    for what in WAYS[kind][state]:
        bench.put(what)
    assert bench.transaction.state is state
    bench.sent.clear()
    bench.user.heard.clear()
    return bench


@pytest.mark.parametrize(("kind", "state", "what"), list(rows()))
def test_every_row_of_every_table_does_what_it_says(kind: str, state: State, what: Input) -> None:
    bench = in_state(kind, state)
    bench.put(what)
    after, actions = TABLES[kind][0][state, what]
    assert bench.transaction.state is after
    assert bench.ended == (after is State.TERMINATED)
    wanted = {
        Action.SEND: None,
        Action.SEND_100: "100",
        Action.SEND_ACK: "ACK",
        Action.PASS: "ACK"
        if what is Input.ACK
        else {Input.R1XX: "180", Input.R2XX: "200"}.get(what, "486"),
        Action.TIMEOUT: "timeout",
        Action.FAILURE: "error",
    }
    told = [wanted[action] for action in actions if action in _TELLING]
    assert bench.user.heard == told
    sent = [sent for _, sent in bench.sent]
    assert len(sent) == len([action for action in actions if action not in _TELLING])
    if Action.SEND_ACK in actions or Action.SEND_100 in actions:
        assert sent == [wanted[actions[0]]]


_TELLING = (Action.PASS, Action.TIMEOUT, Action.FAILURE)


@pytest.mark.parametrize(("kind", "state", "what"), list(missing_pairs()))
def test_a_pair_that_is_not_in_the_table_changes_nothing(
    kind: str, state: State, what: Input
) -> None:
    bench = in_state(kind, state)
    ended = bench.ended
    if "server" in kind and what in OURS:
        with pytest.raises(LocalProtocolError):
            bench.put(what)
    else:
        bench.put(what)
    assert bench.transaction.state is state
    assert bench.sent == [] and bench.user.heard == [] and bench.ended == ended


# --- timers


def test_an_invite_is_repeated_with_doubling_intervals_until_timer_b() -> None:
    bench = Bench("INVITE client")
    bench.run(100.0)
    assert bench.times("INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert bench.user.heard == ["timeout"]
    assert bench.ended == 1 and len(bench.timers) == 0


def test_an_invite_that_is_answered_provisionally_is_repeated_no_more() -> None:
    bench = Bench("INVITE client")
    bench.run(1.0)
    bench.put(Input.R1XX)
    bench.run(500.0)
    assert bench.times("INVITE") == [0, 0.5]
    assert bench.user.heard == ["180"]
    assert len(bench.timers) == 0


def test_another_request_is_repeated_up_to_every_t2_until_timer_f() -> None:
    bench = Bench("other client")
    bench.run(100.0)
    assert bench.times("OPTIONS") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert bench.user.heard == ["timeout"]


def test_after_a_provisional_response_another_request_is_repeated_every_t2() -> None:
    bench = Bench("other client")
    bench.run(0.7)
    bench.put(Input.R1XX)
    bench.run(100.0)
    assert bench.times("OPTIONS") == [0, 0.5, 1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5]
    assert bench.user.heard == ["180", "timeout"]


def test_a_refusal_is_repeated_until_the_ack_and_then_timer_i_ends_it() -> None:
    bench = Bench("INVITE server")
    bench.put(Input.R3XX)
    bench.run(12.0)
    assert bench.times("486") == [0, 0.5, 1.5, 3.5, 7.5, 11.5]
    bench.put(Input.ACK)
    bench.run(16.9)
    assert bench.ended == 0
    bench.run(17.0)
    assert bench.ended == 1 and len(bench.timers) == 0


def test_a_refusal_without_ack_ends_with_timer_h() -> None:
    bench = Bench("INVITE server")
    bench.put(Input.R3XX)
    bench.run(31.9)
    assert bench.ended == 0
    bench.run(32.0)
    assert bench.ended == 1
    assert bench.times("486")[-1] == 31.5


@pytest.mark.parametrize(
    ("kind", "what", "seconds"),
    [
        ("INVITE client", Input.R3XX, 32.0),  # D
        ("INVITE client", Input.R2XX, 32.0),  # M
        ("other client", Input.R2XX, 5.0),  # K
        ("INVITE server", Input.R2XX, 32.0),  # L
        ("other server", Input.R2XX, 32.0),  # J
    ],
)
def test_a_finished_transaction_absorbs_repetitions_for_the_rfcs_time(
    kind: str, what: Input, seconds: float
) -> None:
    bench = Bench(kind)
    bench.put(what)
    bench.run(seconds - 0.01)
    assert bench.ended == 0
    bench.run(seconds)
    assert bench.ended == 1 and len(bench.timers) == 0


def test_on_a_reliable_transport_nothing_is_repeated() -> None:
    for kind, method in [("INVITE client", "INVITE"), ("other client", "OPTIONS")]:
        bench = Bench(kind, TCP)
        bench.run(100.0)
        assert bench.times(method) == [0]
        assert bench.user.heard == ["timeout"]
    bench = Bench("INVITE server", TCP)
    bench.put(Input.R3XX)
    bench.run(100.0)
    assert bench.times("486") == [0] and bench.ended == 1


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("INVITE client", [Input.R3XX]),
        ("other client", [Input.R2XX]),
        ("INVITE server", [Input.R3XX, Input.ACK]),
        ("other server", [Input.R2XX]),
    ],
)
def test_on_a_reliable_transport_a_finished_transaction_ends_at_once(
    kind: str, inputs: list[Input]
) -> None:
    bench = Bench(kind, TCP)
    for what in inputs:
        bench.put(what)
    bench.run(0.0)
    assert bench.ended == 1 and len(bench.timers) == 0


@pytest.mark.parametrize("kind", ["INVITE client", "INVITE server"])
def test_an_accepted_invite_is_kept_on_a_reliable_transport_too(kind: str) -> None:
    bench = Bench(kind, TCP)
    bench.put(Input.R2XX)
    bench.run(31.9)
    assert bench.ended == 0
    bench.run(32.0)
    assert bench.ended == 1


def test_100_is_sent_after_200_ms_unless_the_user_was_quicker() -> None:
    bench = Bench("INVITE server")
    bench.run(10.0)
    assert bench.sent == [(0.2, "100")]
    quick = Bench("INVITE server")
    quick.put(Input.R1XX)
    quick.run(10.0)
    assert quick.sent == [(0.0, "180")]


def test_an_invite_that_comes_again_before_any_response_is_absorbed() -> None:
    bench = Bench("INVITE server")
    bench.put(Input.REQUEST)
    assert bench.sent == []


# --- details


def test_the_ack_to_a_refusal_goes_the_way_of_the_invite_with_their_tag() -> None:
    sent: list[bytes] = []
    invite = a_request("INVITE")
    transaction = ClientTransaction(
        invite, invite.encode(), UDP, sent.append, Timers(), lambda: None, User()
    )
    transaction.start(0.0)
    transaction.receive(invite.reply(603, to_tag="theirs"), 0.1)
    ack = parse(sent[1])
    assert isinstance(ack, Request)
    assert ack.method == "ACK" and ack.uri == invite.uri
    assert ack.lines("Via") == invite.lines("Via")
    assert ack.lines("Route") == invite.lines("Route")
    assert ack.to.tag == "theirs" and ack.from_ == invite.from_
    assert ack.call_id == "x" and str(ack.cseq) == "7 ACK"


def test_a_second_final_response_of_ours_is_loud_and_the_first_goes_on() -> None:
    bench = Bench("other server")
    bench.put(Input.R2XX)
    with pytest.raises(LocalProtocolError, match="486 in state Completed"):
        bench.put(Input.R3XX)
    bench.put(Input.REQUEST)
    assert [what for _, what in bench.sent] == ["200", "200"]


def test_a_server_transaction_without_a_user_is_as_quiet() -> None:
    bench = Bench("INVITE server")
    bench.put(Input.R2XX)
    assert isinstance(bench.transaction, ServerTransaction)
    bench.transaction.attach(None)
    bench.put(Input.ACK)
    bench.put(Input.ERROR)
    bench.transaction.cancel(a_request("CANCEL"), 0.0)
    assert bench.user.heard == []


def test_cancel_is_told_only_before_the_final_response() -> None:
    bench = Bench("INVITE server")
    assert isinstance(bench.transaction, ServerTransaction)
    bench.transaction.cancel(a_request("CANCEL"), 0.0)
    bench.put(Input.R3XX)
    bench.transaction.cancel(a_request("CANCEL"), 0.0)
    assert bench.user.heard == ["CANCEL"]


def test_an_abandoned_transaction_tells_nobody() -> None:
    bench = Bench("INVITE client")
    assert isinstance(bench.transaction, ClientTransaction)
    bench.transaction.abandon(0.0)
    bench.run(100.0)
    assert bench.user.heard == [] and bench.ended == 1 and len(bench.timers) == 0


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_a_transaction_ends_and_leaves_no_timer(seed: int) -> None:
    dice = random.Random(seed)
    for kind in TABLES:
        bench = Bench(kind, dice.choice([UDP, TCP]))
        inputs = [
            Input.R1XX,
            Input.ERROR,
            *([Input.REQUEST, Input.ACK] if "server" in kind else []),
        ]
        for _ in range(dice.randrange(6)):
            bench.put(dice.choice(inputs))
            bench.run(bench.now + dice.random() * 3)
        final = dice.choice([Input.R2XX, Input.R3XX])
        if "client" in kind or _may_answer(bench.transaction):
            bench.put(final)
        bench.run(200.0)
        assert len(bench.timers) == 0
        assert bench.ended == 1


def _may_answer(transaction: Transaction) -> bool:
    return transaction.state in (State.TRYING, State.PROCEEDING)
