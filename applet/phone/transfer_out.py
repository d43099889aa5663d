"""We pass the other side of a call on (RFC 3515, RFC 5589): blind to an address, or attended to
the other side of a second call (RFC 3891).

    Sent -> Accepted -> Ringing -> Done
      \\_________\\__________\\-----> Failed

The call is held meanwhile, and REFER waits until they have agreed to that: some refuse it while an
INVITE is open. When they have got through the call ends; when they have not it goes on.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import Reason, TransferChanged, TransferState, Trouble
from applet.sip.refer import SentRefer, refer_to
from applet.sip.replaces import Replaces

if TYPE_CHECKING:
    from applet.phone.call import Call
    from applet.phone.outbox import Outbox
    from applet.sip.endpoint import Endpoint
    from applet.sip.events import ReferProgress
    from applet.sip.invite import InviteSession
    from applet.sip.uri import SipUri, Uri

HOLD_PATIENCE = 4.0
"""Seconds for an answer to the hold before REFER is sent all the same."""
PATIENCE = 32.0
"""Seconds until the consultation call of an attended transfer ends from here, if the two that talk
now have not ended it."""


_STATES = {180: TransferState.RINGING, 183: TransferState.RINGING}


class TransferOut:
    """One transfer of `call`. `other`: the consultation call of an attended one."""

    __slots__ = (
        "_endpoint",
        "_held_for_it",
        "_outbox",
        "_peer",
        "_refer",
        "_target",
        "call",
        "other",
        "state",
        "timer",
    )

    def __init__(self, call: Call, other: Call | None, endpoint: Endpoint, outbox: Outbox) -> None:
        self.call = call
        self.other = other
        self.state = TransferState.SENT
        self.timer: float | None = None
        self._endpoint = endpoint
        self._outbox = outbox
        self._peer = ""
        self._target = ""
        self._refer: SentRefer | None = None
        self._held_for_it = False

    @property
    def under_way(self) -> bool:
        return self.state not in (TransferState.DONE, TransferState.FAILED)

    @property
    def over(self) -> bool:
        return self.timer is None and not self.under_way

    def start(self, target: SipUri, replaces: Replaces | None, now: float) -> None:
        """Hold the call first."""
        self._peer, self._target = str(target), refer_to(target, replaces)
        self._outbox.tell(TransferChanged(self.call.number, self.state, self._peer))
        if not self.call.held_here:
            self._held_for_it = True
            self.call.hold(False, now)
        self.timer = now + HOLD_PATIENCE

    def _send(self, now: float) -> None:
        """Referred-By is who we are in the dialog to be replaced: by that its other side knows
        us."""
        self.timer = None
        session = self.call.session
        consulted = self.other.session if self.other is not None else session
        assert session is not None and consulted is not None  # they are up
        services = self._endpoint.services
        self._refer = services.refer(session, self._target, consulted.local, now)

    def progress(self, event: ReferProgress, now: float) -> None:
        """What they tell of it."""
        if event.refer is not self._refer or not self.under_way:
            return
        if not event.final:
            self._enter(_STATES.get(event.status, TransferState.ACCEPTED))
        elif event.status < 300:
            self._done(now)
        else:
            self._failed(now)

    def settle(self, now: float) -> None:
        """The hold was answered; or the other side hung up, which is how some say that it has
        worked."""
        if not self.under_way:
            if self.other is not None and not self.other.live:
                self.timer = None
        elif not self.call.live:
            asked_in_vain = self.state is TransferState.SENT
            self._end(TransferState.FAILED if asked_in_vain else TransferState.DONE)
        elif self._refer is None:
            session = self.call.session
            if session is not None and session.can_reinvite:
                self._send(now)

    def handle_timers(self, now: float) -> None:
        if self.timer is None or self.timer > now:
            return
        self.timer = None
        if self.under_way:
            self._send(now)
        else:
            assert self.other is not None  # or there would be nothing to wait for
            self.other.pass_on(now)

    def _done(self, now: float) -> None:
        self._end(TransferState.DONE)
        self.call.pass_on(now)
        if self.other is not None and self.other.live:
            self.timer = now + PATIENCE

    def _failed(self, now: float) -> None:
        self._outbox.tell(Trouble(self.call.number, Reason.TRANSFER_FAILED, ""))
        self._end(TransferState.FAILED)
        if self._held_for_it:
            self.call.resume(now)

    def _end(self, state: TransferState) -> None:
        self.timer = None
        if self._refer is not None:
            self._refer.close()
        self._enter(state)

    def _enter(self, state: TransferState) -> None:
        if state is not self.state:
            self.state = state
            self._outbox.tell(TransferChanged(self.call.number, state, self._peer))


def other_end(session: InviteSession) -> tuple[Uri, Replaces]:
    """Where the other side of `session` is reached, and its dialog as it knows it: its Contact, or
    through proxies, which may be the only ones to know that, its address of record."""
    dialog = session.dialog
    assert dialog is not None  # it is up
    uri = dialog.remote.uri if dialog.route_set else dialog.remote_target
    return uri, Replaces(dialog.call_id, dialog.remote.tag or "", dialog.local.tag or "")
