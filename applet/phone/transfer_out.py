"""We pass the other side of a call on (RFC 3515, RFC 5589): blind to an address, or attended to
the other side of a second call (RFC 3891).

    Sent -> Accepted -> Ringing -> Done
      \\_________\\__________\\-----> Failed

The call is held meanwhile. When they have got through it ends; when they have not it goes on.
"""

from applet.phone.call import Call
from applet.phone.messages import Reason, TransferChanged, TransferState, Trouble
from applet.phone.outbox import Outbox
from applet.sip.endpoint import Endpoint
from applet.sip.events import ReferProgress
from applet.sip.invite import InviteSession
from applet.sip.refer import SentRefer, refer_to
from applet.sip.replaces import Replaces
from applet.sip.uri import SipUri

PATIENCE = 32.0
"""Seconds until the consultation call of an attended transfer ends from here, if the two that talk
now have not ended it."""


_STATES = {180: TransferState.RINGING, 183: TransferState.RINGING}


class TransferOut:
    """One transfer of `call`. `other`: the consultation call of an attended one."""

    __slots__ = ("_held_for_it", "_outbox", "_peer", "_refer", "call", "close_at", "other", "state")

    def __init__(self, call: Call, other: Call | None, outbox: Outbox) -> None:
        self.call = call
        self.other = other
        self.state = TransferState.SENT
        self.close_at: float | None = None
        self._outbox = outbox
        self._peer = ""
        self._refer: SentRefer | None = None
        self._held_for_it = False

    @property
    def under_way(self) -> bool:
        return self.state not in (TransferState.DONE, TransferState.FAILED)

    @property
    def over(self) -> bool:
        return self.close_at is None and not self.under_way

    def start(self, endpoint: Endpoint, target: SipUri, now: float) -> None:
        """Hold the call and send REFER. `target` counts for a blind transfer. Referred-By is who
        we are in the dialog to be replaced: by that its other side knows us."""
        assert self.call.session is not None  # it is up
        local, replaces = self.call.session.local, None
        if self.other is not None:
            assert self.other.session is not None  # it is up
            local = self.other.session.local
            target, replaces = _other_end(self.other.session)
        self._peer = str(target)
        if not self.call.held_here:
            self._held_for_it = True
            self.call.hold(False, now)
        self._outbox.tell(TransferChanged(self.call.number, self.state, self._peer))
        self._refer = endpoint.services.refer(
            self.call.session, refer_to(target, replaces), local, now
        )

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
        """The other side hung up: that is how some say that it worked."""
        if not self.under_way:
            if self.other is not None and not self.other.live:
                self.close_at = None
        elif not self.call.live:
            asked_in_vain = self.state is TransferState.SENT
            self._end(TransferState.FAILED if asked_in_vain else TransferState.DONE)

    def handle_timers(self, now: float) -> None:
        if self.close_at is not None and self.close_at <= now:
            self.close_at = None
            assert self.other is not None  # or there would be no time for it
            self.other.pass_on(now)

    def _done(self, now: float) -> None:
        self._end(TransferState.DONE)
        self.call.pass_on(now)
        if self.other is not None and self.other.live:
            self.close_at = now + PATIENCE

    def _failed(self, now: float) -> None:
        self._end(TransferState.FAILED)
        self._outbox.tell(Trouble(self.call.number, Reason.TRANSFER_FAILED, ""))
        if self._held_for_it:
            self.call.resume(now)

    def _end(self, state: TransferState) -> None:
        assert self._refer is not None  # it has begun
        self._refer.close()
        self._enter(state)

    def _enter(self, state: TransferState) -> None:
        if state is not self.state:
            self.state = state
            self._outbox.tell(TransferChanged(self.call.number, state, self._peer))


def _other_end(session: InviteSession) -> tuple[SipUri, Replaces]:
    """Where the other side of `session` is reached, and its dialog as it knows it: its Contact, or
    through proxies, which may be the only ones to know that, its address of record."""
    dialog = session.dialog
    assert dialog is not None  # it is up
    uri = dialog.remote.uri if dialog.route_set else dialog.remote_target
    assert isinstance(uri, SipUri)
    replaces = Replaces(dialog.call_id, dialog.remote.tag or "", dialog.local.tag or "")
    return uri, replaces
