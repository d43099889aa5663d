"""What the tables of `transaction_tables` do: send, repeat, pass on (RFC 3261 section 17)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from applet.hints import TYPE_CHECKING, Protocol
from applet.sip.events import EndedBy
from applet.sip.grammar import LocalProtocolError
from applet.sip.message import Request, Response
from applet.sip.timers import T1, T2, Timers
from applet.sip.transaction_tables import (
    DURATION,
    INVITE_CLIENT,
    INVITE_CLIENT_TABLES,
    INVITE_SERVER_TABLES,
    LONGEST,
    OTHER_CLIENT_TABLES,
    OTHER_SERVER_TABLES,
    ZERO_IF_RELIABLE,
    Action,
    Input,
    State,
    StateTimers,
    Table,
)

if TYPE_CHECKING:
    from applet.sip.hop import Hop

Send = Callable[[bytes], None]
"""Puts one message on the wire, towards the transaction's hop."""

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
        "failed_by",
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
        self.failed_by = EndedBy.TRANSPORT
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

    def fail(self, now: float, by: EndedBy = EndedBy.TRANSPORT) -> None:
        """The transport says that nothing can be sent to this hop, and why."""
        self.failed_by = by
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

    def attach(self, user: ClientUser) -> None:
        """Who is to hear of it from now on."""
        self._user = user

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
    """One request of theirs. The user answers with `respond`; `to_tag` is ours in all answers.
    `origin` is what its ACK and CANCEL have in common with it."""

    __slots__ = ("_last", "_trying", "_user", "origin", "to_tag")

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
        self.origin = origin_of(request)
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


def origin_of(request: Request) -> tuple[str, str, int]:
    """Call-ID, tag of From and number: the same in an INVITE, its ACK and its CANCEL."""
    return request.call_id, request.from_.tag or "", request.cseq.number


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
