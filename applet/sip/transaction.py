"""The four transactions (RFC 3261 section 17 with figures 5-8, corrected by RFC 6026).

Theory of operation. A transaction is one request with its responses, on one hop. It hides the
losses of the network from the user above it (the UAC or UAS core): it repeats what it sent until
it is answered, and absorbs what the other side repeats. Each of the four is a table
`(state, input) -> (next state, actions)` that reads like the RFC's figure, and a list of the
timers that run in each state. Entering a state stops the timers that do not run in it and starts
those that do and were not running. That is all; the rest of this file carries the actions out.

A pair that is not in the table changes nothing: what the network sends out of turn is ignored.
If it came from our own user (a second final response), it is a `LocalProtocolError`.

    INVITE client, figure 5 and RFC 6026       other client, figure 6
    Calling -> Proceeding -> Accepted (2xx)    Trying -> Proceeding -> Completed
                          -> Completed (else)
    INVITE server, figure 7 and RFC 6026       other server, figure 8
    Proceeding -> Accepted (2xx)               Trying -> Proceeding -> Completed
               -> Completed -> Confirmed (else)

On a reliable transport nothing is repeated (A, E, G) and nothing needs absorbing (D, I, J, K are
zero: such a state is left as soon as it is entered). B, F and H are the 64*T1 after which the
other side counts as gone; L and M keep an accepted INVITE for 64*T1, so that repeated INVITEs
and repeated or forked 2xx find their transaction (RFC 6026 section 7).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from applet.sip.grammar import LocalProtocolError
from applet.sip.hop import Hop
from applet.sip.message import Request, Response
from applet.sip.timers import T1, T2, T4, Timers


class State(Enum):
    CALLING = "Calling"
    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    ACCEPTED = "Accepted"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    TERMINATED = "Terminated"


class Input(Enum):
    """What can happen: a message from the network (responses, at a server: from our user), a
    timer, or the transport's word that nothing can be sent."""

    REQUEST = "request again"
    ACK = "ACK"
    R1XX = "1xx"
    R2XX = "2xx"
    R3XX = "300-699"
    TIMER_100 = "100"
    TIMER_A = "A"
    TIMER_B = "B"
    TIMER_D = "D"
    TIMER_E = "E"
    TIMER_F = "F"
    TIMER_G = "G"
    TIMER_H = "H"
    TIMER_I = "I"
    TIMER_J = "J"
    TIMER_K = "K"
    TIMER_L = "L"
    TIMER_M = "M"
    ERROR = "transport error"


class Action(Enum):
    SEND = "send the request, or the newest response"
    SEND_100 = "send 100"
    SEND_ACK = "send ACK"
    PASS = "pass to the user"
    TIMEOUT = "tell the user: timeout"
    FAILURE = "tell the user: transport error"


_S, _I, _A = State, Input, Action
Table = dict[tuple[State, Input], tuple[State, tuple[Action, ...]]]
Send = Callable[[bytes], None]
StateTimers = dict[State, tuple[Input, ...]]

INVITE_CLIENT: Table = {
    (_S.CALLING, _I.TIMER_A): (_S.CALLING, (_A.SEND,)),
    (_S.CALLING, _I.TIMER_B): (_S.TERMINATED, (_A.TIMEOUT,)),
    (_S.CALLING, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.CALLING, _I.R1XX): (_S.PROCEEDING, (_A.PASS,)),
    (_S.CALLING, _I.R2XX): (_S.ACCEPTED, (_A.PASS,)),
    (_S.CALLING, _I.R3XX): (_S.COMPLETED, (_A.SEND_ACK, _A.PASS)),
    (_S.PROCEEDING, _I.R1XX): (_S.PROCEEDING, (_A.PASS,)),
    (_S.PROCEEDING, _I.R2XX): (_S.ACCEPTED, (_A.PASS,)),
    (_S.PROCEEDING, _I.R3XX): (_S.COMPLETED, (_A.SEND_ACK, _A.PASS)),
    (_S.ACCEPTED, _I.R2XX): (_S.ACCEPTED, (_A.PASS,)),
    (_S.ACCEPTED, _I.TIMER_M): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.R3XX): (_S.COMPLETED, (_A.SEND_ACK,)),
    (_S.COMPLETED, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.COMPLETED, _I.TIMER_D): (_S.TERMINATED, ()),
}
INVITE_CLIENT_TIMERS: StateTimers = {
    _S.CALLING: (_I.TIMER_A, _I.TIMER_B),
    _S.ACCEPTED: (_I.TIMER_M,),
    _S.COMPLETED: (_I.TIMER_D,),
}

OTHER_CLIENT: Table = {
    (_S.TRYING, _I.TIMER_E): (_S.TRYING, (_A.SEND,)),
    (_S.TRYING, _I.TIMER_F): (_S.TERMINATED, (_A.TIMEOUT,)),
    (_S.TRYING, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.TRYING, _I.R1XX): (_S.PROCEEDING, (_A.PASS,)),
    (_S.TRYING, _I.R2XX): (_S.COMPLETED, (_A.PASS,)),
    (_S.TRYING, _I.R3XX): (_S.COMPLETED, (_A.PASS,)),
    (_S.PROCEEDING, _I.TIMER_E): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.TIMER_F): (_S.TERMINATED, (_A.TIMEOUT,)),
    (_S.PROCEEDING, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.PROCEEDING, _I.R1XX): (_S.PROCEEDING, (_A.PASS,)),
    (_S.PROCEEDING, _I.R2XX): (_S.COMPLETED, (_A.PASS,)),
    (_S.PROCEEDING, _I.R3XX): (_S.COMPLETED, (_A.PASS,)),
    (_S.COMPLETED, _I.TIMER_K): (_S.TERMINATED, ()),
}
OTHER_CLIENT_TIMERS: StateTimers = {
    _S.TRYING: (_I.TIMER_E, _I.TIMER_F),
    _S.PROCEEDING: (_I.TIMER_E, _I.TIMER_F),
    _S.COMPLETED: (_I.TIMER_K,),
}

# RFC 6026 section 7.1: a transport error never ends an INVITE server transaction, so that
# repeated INVITEs are not taken for new ones; the user is told and the timers end it. That the
# ACK to a refusal never came (timer H) is not told: the user has done with that INVITE.
INVITE_SERVER: Table = {
    (_S.PROCEEDING, _I.REQUEST): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.TIMER_100): (_S.PROCEEDING, (_A.SEND_100,)),
    (_S.PROCEEDING, _I.R1XX): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.R2XX): (_S.ACCEPTED, (_A.SEND,)),
    (_S.PROCEEDING, _I.R3XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _I.ERROR): (_S.PROCEEDING, (_A.FAILURE,)),
    (_S.ACCEPTED, _I.REQUEST): (_S.ACCEPTED, ()),
    (_S.ACCEPTED, _I.ACK): (_S.ACCEPTED, (_A.PASS,)),
    (_S.ACCEPTED, _I.R2XX): (_S.ACCEPTED, (_A.SEND,)),
    (_S.ACCEPTED, _I.ERROR): (_S.ACCEPTED, (_A.FAILURE,)),
    (_S.ACCEPTED, _I.TIMER_L): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.REQUEST): (_S.COMPLETED, (_A.SEND,)),
    (_S.COMPLETED, _I.TIMER_G): (_S.COMPLETED, (_A.SEND,)),
    (_S.COMPLETED, _I.ERROR): (_S.COMPLETED, (_A.FAILURE,)),
    (_S.COMPLETED, _I.TIMER_H): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.ACK): (_S.CONFIRMED, ()),
    (_S.CONFIRMED, _I.TIMER_I): (_S.TERMINATED, ()),
}
INVITE_SERVER_TIMERS: StateTimers = {
    _S.PROCEEDING: (_I.TIMER_100,),
    _S.ACCEPTED: (_I.TIMER_L,),
    _S.COMPLETED: (_I.TIMER_G, _I.TIMER_H),
    _S.CONFIRMED: (_I.TIMER_I,),
}

OTHER_SERVER: Table = {
    (_S.TRYING, _I.R1XX): (_S.PROCEEDING, (_A.SEND,)),
    (_S.TRYING, _I.R2XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.TRYING, _I.R3XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _I.REQUEST): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.R1XX): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.R2XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _I.R3XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.COMPLETED, _I.REQUEST): (_S.COMPLETED, (_A.SEND,)),
    (_S.COMPLETED, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.COMPLETED, _I.TIMER_J): (_S.TERMINATED, ()),
}
OTHER_SERVER_TIMERS: StateTimers = {_S.COMPLETED: (_I.TIMER_J,)}

DURATION = {
    _I.TIMER_100: 0.2,  # section 17.2.1: unless the user answers within 200 ms
    _I.TIMER_A: T1,
    _I.TIMER_B: 64 * T1,
    _I.TIMER_D: 64 * T1,
    _I.TIMER_E: T1,
    _I.TIMER_F: 64 * T1,
    _I.TIMER_G: T1,
    _I.TIMER_H: 64 * T1,
    _I.TIMER_I: T4,
    _I.TIMER_J: 64 * T1,
    _I.TIMER_K: T4,
    _I.TIMER_L: 64 * T1,
    _I.TIMER_M: 64 * T1,
}
LONGEST = {_I.TIMER_A: 64 * T1, _I.TIMER_E: T2, _I.TIMER_G: T2}
"""The timers that start again, with twice the interval each time, and where that stops."""
ZERO_IF_RELIABLE = frozenset({_I.TIMER_D, _I.TIMER_I, _I.TIMER_J, _I.TIMER_K})

INVITE_CLIENT_TABLES = (INVITE_CLIENT, INVITE_CLIENT_TIMERS)
OTHER_CLIENT_TABLES = (OTHER_CLIENT, OTHER_CLIENT_TIMERS)
INVITE_SERVER_TABLES = (INVITE_SERVER, INVITE_SERVER_TIMERS)
OTHER_SERVER_TABLES = (OTHER_SERVER, OTHER_SERVER_TIMERS)

_TIMER_INPUT = {timer.value: timer for timer in DURATION}


class ClientUser(Protocol):
    """The UAC core above a client transaction."""

    def on_response(self, response: Response, now: float) -> None: ...

    def on_timeout(self, now: float) -> None: ...

    def on_transport_error(self, now: float) -> None: ...


class ServerUser(Protocol):
    """The UAS core above a server transaction."""

    def on_ack(self, ack: Request, now: float) -> None:
        """An ACK to our 2xx that matched the INVITE's transaction (RFC 2543 peers)."""

    def on_cancel(self, cancel: Request, now: float) -> None: ...

    def on_transport_error(self, now: float) -> None: ...


class Transaction(ABC):
    """What the four have in common: a state, a table, timers."""

    __slots__ = (
        "_forget",
        "_interval",
        "_send",
        "_state_timers",
        "_table",
        "_timers",
        "hop",
        "state",
    )

    def __init__(
        self,
        tables: tuple[Table, StateTimers],
        hop: Hop,
        send: Send,
        timers: Timers,
        forget: Callable[[], object],
    ) -> None:
        self.hop = hop
        self.state = State.TERMINATED
        self._table, self._state_timers = tables
        self._forget = forget
        self._send = send
        self._timers = timers
        self._interval = T1

    def handle_timer(self, name: str, now: float) -> None:
        timer = _TIMER_INPUT[name]
        self._step(timer, None, now)
        if timer in LONGEST and timer in self._state_timers.get(self.state, ()):
            # Figure 6: in Proceeding, timer E is T2 at once.
            doubled = min(2 * self._interval, LONGEST[timer])
            self._interval = T2 if self.state is State.PROCEEDING else doubled
            self._timers.set(self, name, now + self._interval)

    def fail(self, now: float) -> None:
        """The transport says that nothing can be sent to this hop."""
        self._step(Input.ERROR, None, now)

    def _step(self, event: Input, message: Request | Response | None, now: float) -> bool:
        """Take one step of the table; False if it has no row for this, and nothing changed."""
        row = self._table.get((self.state, event))
        if row is None:
            return False
        state, actions = row
        self._enter(state, now)
        for action in actions:
            self._perform(action, message, now)
        return True

    def _enter(self, state: State, now: float) -> None:
        running = self._state_timers.get(self.state, ())
        wanted = self._state_timers.get(state, ())
        self.state = state
        for timer in running:
            if timer not in wanted:
                self._timers.cancel(self, timer.value)
        for timer in wanted:
            if timer not in running:
                self._start(timer, now)
        if state is State.TERMINATED:
            self._forget()

    def _start(self, timer: Input, now: float) -> None:
        duration = DURATION[timer]
        if self.hop.transport.reliable:
            if timer in LONGEST:
                return
            if timer in ZERO_IF_RELIABLE:
                duration = 0.0
        self._timers.set(self, timer.value, now + duration)

    @abstractmethod
    def _perform(self, action: Action, message: Request | Response | None, now: float) -> None:
        """Carry one action out."""


class ClientTransaction(Transaction):
    """One request of ours. `start` sends it; `data` is the request as it goes over the wire."""

    __slots__ = ("_data", "_request", "_user")

    def __init__(
        self,
        request: Request,
        data: bytes,
        hop: Hop,
        send: Send,
        timers: Timers,
        forget: Callable[[], object],
        user: ClientUser,
    ) -> None:
        invite = request.method == "INVITE"
        tables = INVITE_CLIENT_TABLES if invite else OTHER_CLIENT_TABLES
        super().__init__(tables, hop, send, timers, forget)
        self._request = request
        self._data = data
        self._user = user

    def start(self, now: float) -> None:
        self._enter(State.CALLING if self._table is INVITE_CLIENT else State.TRYING, now)
        self._send(self._data)

    def receive(self, response: Response, now: float) -> None:
        self._step(_response_input(response.status), response, now)

    def abandon(self, now: float) -> None:
        """End it without telling the user (RFC 3261 section 9.1: a CANCEL that had no effect)."""
        self._enter(State.TERMINATED, now)

    def _perform(self, action: Action, message: Request | Response | None, now: float) -> None:
        match action:
            case Action.SEND:
                self._send(self._data)
            case Action.SEND_ACK:
                assert isinstance(message, Response)
                ack = hop_by_hop("ACK", self._request, message.header("To"))
                self._send(ack.encode())
            case Action.PASS:
                assert isinstance(message, Response)
                self._user.on_response(message, now)
            case Action.TIMEOUT:
                self._user.on_timeout(now)
            case _:
                self._user.on_transport_error(now)


class ServerTransaction(Transaction):
    """One request of theirs. The user answers with `respond`; `to_tag` is ours in all answers."""

    __slots__ = ("_last", "_trying", "_user", "to_tag")

    def __init__(
        self,
        request: Request,
        hop: Hop,
        send: Send,
        timers: Timers,
        forget: Callable[[], object],
        to_tag: str,
        now: float,
    ) -> None:
        invite = request.method == "INVITE"
        tables = INVITE_SERVER_TABLES if invite else OTHER_SERVER_TABLES
        super().__init__(tables, hop, send, timers, forget)
        self.to_tag = to_tag
        self._last = b""
        self._user: ServerUser | None = None
        self._trying: Request | None = request if invite else None
        self._enter(State.PROCEEDING if invite else State.TRYING, now)

    @property
    def answered(self) -> bool:
        """A final response was sent."""
        return self.state not in (State.TRYING, State.PROCEEDING)

    def attach(self, user: ServerUser | None) -> None:
        """Who is to hear of ACKs and errors from now on (None: nobody)."""
        self._user = user

    def receive_again(self, now: float) -> None:
        """The same request came once more."""
        self._step(Input.REQUEST, None, now)

    def receive_ack(self, ack: Request, now: float) -> None:
        self._step(Input.ACK, ack, now)

    def cancel(self, cancel: Request, now: float) -> None:
        """Section 9.2: it has an effect only before the final response."""
        if self._user is not None and not self.answered:
            self._user.on_cancel(cancel, now)

    def respond(self, response: Response, now: float) -> None:
        """Send a response. LocalProtocolError if a final one was sent before, except for another
        copy of a 2xx to INVITE."""
        last, self._last = self._last, response.encode()
        self._timers.cancel(self, Input.TIMER_100.value)
        if not self._step(_response_input(response.status), response, now):
            self._last = last
            raise LocalProtocolError(f"{response.status} in state {self.state.value}")
        if self.answered:
            self._trying = None
            if self.state is State.ACCEPTED:
                self._last = b""  # repeating a 2xx is the user's task (section 13.3.1.4)

    def _perform(self, action: Action, message: Request | Response | None, now: float) -> None:
        match action:
            case Action.SEND:
                if self._last:
                    self._send(self._last)
            case Action.SEND_100:
                assert self._trying is not None
                self._last = self._trying.reply(100).encode()
                self._send(self._last)
            case Action.PASS if self._user is not None:
                assert isinstance(message, Request)
                self._user.on_ack(message, now)
            case Action.FAILURE if self._user is not None:
                self._user.on_transport_error(now)


def _response_input(status: int) -> Input:
    return Input.R1XX if status < 200 else Input.R2XX if status < 300 else Input.R3XX


def hop_by_hop(method: str, request: Request, to: str | None = None) -> Request:
    """ACK to a final response of 300-699, or CANCEL (sections 17.1.1.3 and 9.1): what goes the
    way of an earlier request, with its branch. `to` is To where it differs."""
    headers = [("Via", request.lines("Via")[0]), ("Max-Forwards", "70")]
    headers += [("Route", value) for value in request.lines("Route")]
    headers += [
        ("From", request.header("From") or ""),
        ("To", to or request.header("To") or ""),
        ("Call-ID", request.call_id),
        ("CSeq", f"{request.cseq.number} {method}"),
    ]
    return Request(method, request.uri, headers)
