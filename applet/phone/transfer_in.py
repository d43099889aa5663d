"""They pass us on (RFC 3515): the other side of a call asks us to call somebody else.

    Asked (the person has to confirm the address) -> Following -> Done
        \\_______________________________________________\\-----> Failed

A target in the support desk's domain is called at once; any other only if the brand allows other
addresses and the person has confirmed this one. While the new call is tried the old one is silent;
the new one takes its place when it is answered, and if it fails the old one goes on.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import (
    CallState,
    Reason,
    TransferChanged,
    TransferState,
    Trouble,
)

if TYPE_CHECKING:
    from applet.phone.call import Call
    from applet.phone.calls import Calls
    from applet.phone.outbox import Outbox
    from applet.phone.outgoing import Outgoing
    from applet.sip.refer_received import ReceivedRefer, Referral
    from applet.sip.uas import Headers
    from applet.sip.uri import SipUri

THINK = 30.0
"""Seconds for the person to confirm the address."""
FAREWELL = 5.0
"""Seconds until the old call ends from here, if they do not end it (RFC 5589 section 6.1 leaves it
to them)."""
_STATUS = {CallState.RINGING: 180, CallState.EARLY: 183}


class TransferIn:
    """One REFER that was accepted with 202."""

    __slots__ = (
        "_calls",
        "_outbox",
        "_outgoing",
        "_refer",
        "_target",
        "_told",
        "_wish",
        "call",
        "new",
        "state",
        "timer",
    )

    def __init__(
        self,
        call: Call,
        refer: ReceivedRefer,
        wish: Referral,
        target: SipUri,
        calls: Calls,
        outgoing: Outgoing,
        outbox: Outbox,
    ) -> None:
        self.call = call
        self.new: Call | None = None
        self.state = TransferState.ASKED
        self.timer: float | None = None
        self._refer = refer
        self._wish = wish
        self._target = target
        self._calls = calls
        self._outgoing = outgoing
        self._outbox = outbox
        self._told = CallState.DIALLING

    @property
    def under_way(self) -> bool:
        return self.state in (TransferState.ASKED, TransferState.FOLLOWING)

    @property
    def over(self) -> bool:
        return self.timer is None and not self.under_way

    # --- the beginning

    def ask(self, now: float) -> None:
        """Let the person decide."""
        self._refer.accept(now, pending=True)
        self.timer = now + THINK
        self._tell(TransferState.ASKED)

    def start(self, now: float) -> None:
        """No question is needed."""
        self._refer.accept(now, pending=False)
        self._follow(now)

    def decided(self, yes: bool, now: float) -> None:
        if self.state is TransferState.ASKED:
            self.timer = None
            if yes:
                self._follow(now)
            else:
                self._refer.progress(603, now)
                self._tell(TransferState.FAILED)

    def _follow(self, now: float) -> None:
        headers: Headers = ()
        if self._wish.replaces is not None:
            headers = (("Replaces", str(self._wish.replaces)), ("Require", "replaces"))
        if self._wish.referred_by:
            headers = (*headers, ("Referred-By", self._wish.referred_by))
        self.new = self._calls.new(str(self._target), outgoing=True)
        self.new.stands_in = True
        self.call.wait_silently(True)
        self._tell(TransferState.FOLLOWING)
        self._outgoing.call(self.new, self._target, now, headers)

    # --- how it goes

    def settle(self, now: float) -> None:
        """Look where both calls have got to."""
        if self.state is TransferState.ASKED and not self.call.live:
            self.timer = None
            self._tell(TransferState.FAILED)
        elif self.state is TransferState.FOLLOWING:
            self._settle_following(now)
        elif self.timer is not None and not self.call.live:
            self.timer = None

    def _settle_following(self, now: float) -> None:
        new = self.new
        assert new is not None  # the state says so
        if new.talking:
            self._refer.progress(200, now)
            take_place(self.call, new, now)
            self.timer = now + FAREWELL if self.call.live else None
            self._tell(TransferState.DONE)
        elif not new.live:
            self._failed(new.end_status, now)
        elif new.state is not self._told:
            self._told = new.state
            self._refer.progress(_STATUS.get(new.state, 100), now)

    def _failed(self, status: int, now: float) -> None:
        self._refer.progress(status if status >= 300 else 487, now)
        if self.call.live:
            self.call.wait_silently(False)
            self._outbox.tell(Trouble(self.call.number, Reason.TRANSFER_FAILED, ""))
        self._tell(TransferState.FAILED)

    def hung_up(self, call: Call, now: float) -> None:
        """The person has hung up the old call: the new one is not wanted either."""
        if call is self.call and self.state is TransferState.FOLLOWING and self.new is not None:
            self.new.hang_up(now)

    def handle_timers(self, now: float) -> None:
        if self.timer is None or self.timer > now:
            return
        if self.state is TransferState.ASKED:
            self.decided(False, now)
        else:
            self.timer = None
            self.call.pass_on(now)

    def _tell(self, state: TransferState) -> None:
        self.state = state
        other = self.new.number if self.new is not None else 0
        self._outbox.tell(TransferChanged(self.call.number, state, str(self._target), other))


def take_place(old: Call, new: Call, now: float) -> None:
    """What the person has chosen in the old call counts in the new one too."""
    if old.muted and not new.muted:
        new.mute(True)
    if old.held_here:
        new.hold(False, now)
