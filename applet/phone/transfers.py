"""All transfers of a phone: those that we ask for, those that are asked of us, and calls that take
the place of another."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import ConfirmTransfer, Reason, Transfer, Trouble
from applet.phone.takeover import Takeover, is_entitled
from applet.phone.target import DialPolicy, RefusedError
from applet.phone.transfer_in import TransferIn
from applet.phone.transfer_out import TransferOut, other_end
from applet.sip.grammar import MessageError
from applet.sip.uri import SipUri

if TYPE_CHECKING:
    from applet.phone.call import Call
    from applet.phone.calls import Calls
    from applet.phone.network import Network
    from applet.phone.outbox import Outbox
    from applet.phone.outgoing import Outgoing
    from applet.phone.servers import Servers
    from applet.sip import events as sip
    from applet.sip.endpoint import Endpoint
    from applet.sip.invite import InviteSession
    from applet.sip.replaces import Replaces


class Transfers:
    """At most one of each kind for a call."""

    __slots__ = (
        "_calls",
        "_endpoint",
        "_in",
        "_network",
        "_out",
        "_outbox",
        "_outgoing",
        "_policy",
        "_servers",
        "_takeovers",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        outgoing: Outgoing,
        network: Network,
        policy: DialPolicy,
        calls: Calls,
        servers: Servers,
        outbox: Outbox,
    ) -> None:
        self._endpoint = endpoint
        self._outgoing = outgoing
        self._network = network
        self._policy = policy
        self._calls = calls
        self._servers = servers
        self._outbox = outbox
        self._out: list[TransferOut] = []
        self._in: list[TransferIn] = []
        self._takeovers: list[Takeover] = []

    # --- ours

    def transfer(self, command: Transfer, now: float) -> None:
        """Blind to an address, or attended to another call of ours."""
        other = self._calls.get(command.other) if command.other else None
        if command.call:
            call = self._calls.get(command.call)
        else:
            call = self._calls.newest(but=command.other)
        usable = call is not None and call.talking and call is not other
        if call is None or not usable or self._is_busy(call):
            self._outbox.tell(Trouble(command.call, Reason.TRANSFER_FAILED, ""))
        elif command.other:
            self._transfer_to_call(call, other, now)
        else:
            self._transfer_to(call, command.target, now)

    def _transfer_to_call(self, call: Call, other: Call | None, now: float) -> None:
        if other is not None and other.talking and not self._is_busy(other):
            assert other.session is not None  # it is up
            target, replaces = other_end(other.session)
            if isinstance(target, SipUri):  # what their Contact names, may be anything
                self._start(call, other, target, replaces, now)
                return
        self._outbox.tell(Trouble(call.number, Reason.TRANSFER_FAILED, ""))

    def _transfer_to(self, call: Call, text: str, now: float) -> None:
        """The person has chosen the address: that is the confirmation."""
        try:
            target = self._policy.target(text, confirmed=True)
        except RefusedError as error:
            self._outbox.tell(Trouble(call.number, error.reason, ""))
        else:
            self._start(call, None, target, None, now)

    def _start(
        self,
        call: Call,
        other: Call | None,
        target: SipUri,
        replaces: Replaces | None,
        now: float,
    ) -> None:
        transfer = TransferOut(call, other, self._endpoint, self._outbox)
        self._out.append(transfer)
        transfer.start(target, replaces, now)

    def progress(self, event: sip.ReferProgress, now: float) -> None:
        for transfer in self._out:
            transfer.progress(event, now)

    # --- theirs

    def referred(self, event: sip.ReferReceived, now: float) -> None:
        """The rule: never dial on someone else's word."""
        call = self._calls.of(event.session)
        if call is None or not call.talking or self._is_busy(call):
            event.refer.refuse(603, now)
            return
        try:
            target, confirm = self._policy.referred(str(event.wish.target), _hosts(event.session))
        except RefusedError:
            event.refer.refuse(603, now)
            return
        transfer = TransferIn(
            call, event.refer, event.wish, target, self._calls, self._outgoing, self._outbox
        )
        self._in.append(transfer)
        if confirm:
            transfer.ask(now)
        else:
            transfer.start(now)

    def decided(self, command: ConfirmTransfer, now: float) -> None:
        call = self._calls.wanted(command.call)
        for transfer in self._in:
            if transfer.call is call:
                transfer.decided(command.yes, now)

    def hung_up(self, call: Call, now: float) -> None:
        for transfer in self._in:
            transfer.hung_up(call, now)

    def takes_over(self, event: sip.IncomingInvite, now: float) -> bool:
        """Whether it is an INVITE with Replaces; then it has its answer, or will have. One call
        takes the place of another at a time: this needs no room, so it must not make any."""
        session = event.session
        try:
            replaced = self._endpoint.services.replaced_by(event.request)
        except MessageError as error:
            session.reject(error.status, now)
            return True
        if replaced is None:
            return False
        old = self._calls.of(replaced)
        assert old is not None  # a session that goes on belongs to a call that does
        if not is_entitled(session, replaced, self._servers):
            session.reject(403, now)
        elif any(takeover.old is old for takeover in self._takeovers):
            session.reject(486, now)
        else:
            new = self._calls.new(str(session.remote.uri), outgoing=False)
            new.server = self._outgoing.server
            self._calls.bind(new, session)
            self._takeovers.append(Takeover(old, new, self._outbox))
            source = session.remote_address.host if session.remote_address is not None else ""
            ways = self._network.ways_towards(source)
            new.ring_here(session, event.body, 200, ways, session.remote, now)
        return True

    # --- time

    def settle(self, now: float) -> None:
        if not (self._out or self._in or self._takeovers):
            return
        every: list[TransferOut | TransferIn | Takeover] = [*self._out, *self._in, *self._takeovers]
        for transfer in every:
            transfer.settle(now)
        self._out = [one for one in self._out if not one.over]
        self._in = [one for one in self._in if not one.over]
        self._takeovers = [one for one in self._takeovers if not one.over]

    def next_timer(self) -> float | None:
        times = [one.timer for one in self._out] + [one.timer for one in self._in]
        return min((time for time in times if time is not None), default=None)

    def handle_timers(self, now: float) -> None:
        for sent in self._out:
            sent.handle_timers(now)
        for received in self._in:
            received.handle_timers(now)

    def _is_busy(self, call: Call) -> bool:
        """Whether it is being transferred already, or tried in the place of another."""
        out = [(one.call, one.other) for one in self._out if one.under_way]
        in_ = [(one.call, one.new) for one in self._in if one.under_way]
        return any(call in pair for pair in [*out, *in_])


def _hosts(session: InviteSession) -> tuple[str, ...]:
    """Where the other side of a call is known to live: the address of its signalling, and the host
    that we have called. What it says of itself does not count."""
    hosts = [session.remote_address.host] if session.remote_address is not None else []
    if session.outgoing and isinstance(session.request.uri, SipUri):
        hosts.append(session.request.uri.host.lower())
    return tuple(hosts)
