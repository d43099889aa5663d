"""What a phone does beside its calls: transfer, keys, text, waiting messages. Here is only who
takes which command and which event. Made with the first call or text."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.caller import shown_caller, wants_auto_answer
from applet.phone.keys import Keys
from applet.phone.messages import (
    Command,
    ConfirmTransfer,
    DigitReceived,
    Reason,
    SendDigits,
    SendMessage,
    Transfer,
    Trouble,
)
from applet.phone.strangers import Strangers
from applet.phone.texts import Texts
from applet.phone.transfers import Transfers
from applet.sip import events as sip

if TYPE_CHECKING:
    from applet.phone.account import Account
    from applet.phone.call import Call
    from applet.phone.calls import Calls
    from applet.phone.config import PhoneConfig
    from applet.phone.message_waiting import MessageWaiting
    from applet.phone.network import Network
    from applet.phone.outbox import Outbox
    from applet.phone.outgoing import Outgoing
    from applet.phone.servers import Servers
    from applet.phone.target import DialPolicy
    from applet.sip.endpoint import Endpoint

RINGS_FIRST = 3.0
"""Seconds that a call rings before it is picked up without the person: one whole ring."""


class Services:
    __slots__ = (
        "_answer_at",
        "_calls",
        "_config",
        "_keys",
        "_network",
        "_outbox",
        "_servers",
        "_texts",
        "_transfers",
        "_waiting",
    )

    def __init__(
        self,
        config: PhoneConfig,
        endpoint: Endpoint,
        account: Account,
        outgoing: Outgoing,
        network: Network,
        policy: DialPolicy,
        calls: Calls,
        outbox: Outbox,
        servers: Servers,
        waiting: MessageWaiting,
    ) -> None:
        self._servers = servers
        self._config = config
        self._calls = calls
        self._outbox = outbox
        self._network = network
        self._keys = Keys(endpoint, outbox)
        self._transfers = Transfers(endpoint, outgoing, network, policy, calls, servers, outbox)
        strangers = Strangers(config.strangers_per_minute)
        self._texts = Texts(endpoint, account, outgoing, policy, strangers, outbox)
        self._waiting = waiting
        self._answer_at: dict[Call, float] = {}

    # --- commands

    def handle(self, command: Command, now: float) -> bool:
        """False if the command is for somebody else."""
        match command:
            case SendMessage():
                self._texts.send(command, now)
            case Transfer():
                self._transfers.transfer(command, now)
            case ConfirmTransfer():
                self._transfers.decided(command, now)
            case SendDigits(call=number, digits=digits):
                call = self._calls.wanted(number)
                if call is None:
                    self._outbox.tell(Trouble(0, Reason.NO_SUCH_CALL, ""))
                else:
                    self._keys.send(call, digits, now)
            case _:
                return False
        return True

    def hung_up(self, call: Call, now: float) -> None:
        """The person hangs up `call`."""
        self._transfers.hung_up(call, now)

    # --- events

    def happened(self, event: sip.ServiceEvent, now: float) -> None:
        match event:
            case sip.ReferReceived():
                self._transfers.referred(event, now)
            case sip.ReferProgress():
                self._transfers.progress(event, now)
            case sip.InfoDigit(session=session, digit=digit):
                call = self._calls.of(session)
                assert call is not None  # a session that goes on belongs to a call that does
                self._outbox.tell(DigitReceived(call.number, digit))
            case sip.InfoAnswered(session=session, status=status):
                self._keys.answered(self._calls.of(session), session, status, now)
            case sip.MessageReceived():
                self._texts.received(event, self._config.incoming, now)
            case sip.MessageAnswered():
                self._texts.answered(event)
            case sip.Notified():
                self._waiting.notified(event)
            case sip.UnsolicitedNotify(incoming=incoming):
                self._waiting.unsolicited(event, incoming.source.address.host, now)
            case _:  # SubscriptionEnded
                self._waiting.ended(event, now)

    def takes_over(self, event: sip.IncomingInvite, now: float) -> bool:
        """Whether this call wants the place of another (Replaces), and so is none of its own."""
        return self._transfers.takes_over(event, now)

    def ring(self, call: Call, event: sip.IncomingInvite, now: float) -> None:
        """A call came in: show who calls, and pick up by itself if the caller wishes so and the
        brand allows it; then it rings first, and the microphone is muted."""
        session = event.session
        source = session.remote_address.host if session.remote_address is not None else ""
        trusted, ways = self._servers.include(source), self._network.ways_towards(source)
        caller = shown_caller(event.request, trusted)
        if self._config.auto_answer and wants_auto_answer(event.request):
            self._answer_at[call] = now + RINGS_FIRST
        call.ring_here(session, event.body, self._config.answer, ways, caller, now)

    # --- time

    def settle(self, now: float) -> None:
        """After everything that happens: see how far transfers have got."""
        self._transfers.settle(now)
        for call in [call for call in self._answer_at if not call.live or call.talking]:
            del self._answer_at[call]

    def next_timer(self) -> float | None:
        times = [*self._answer_at.values(), self._transfers.next_timer()]
        return min((time for time in times if time is not None), default=None)

    def handle_timers(self, now: float) -> None:
        for call, at in list(self._answer_at.items()):
            if at <= now:
                del self._answer_at[call]
                call.mute(True)
                call.answer(200, now)
        self._transfers.handle_timers(now)
