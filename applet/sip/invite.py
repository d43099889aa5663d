"""A session set up by INVITE (RFC 3261 sections 13 and 15), in both roles.

`CallerSide` looks after our INVITE and `CalledSide` after theirs, `Reinvites` and `Updates` after
what follows, `SessionTimer` after its age; here is the call that they make, from the first INVITE
to its end. It knows of a body only that it is an offer or an answer.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.bye import send_bye
from applet.sip.called_side import CalledSide
from applet.sip.caller_side import CallerSide
from applet.sip.events import EndedBy, Event, SessionEnded
from applet.sip.grammar import LocalProtocolError
from applet.sip.invite_usage import InviteUsage
from applet.sip.prack import receive_prack
from applet.sip.reasons import reason_phrase
from applet.sip.reinvite import Reinvites
from applet.sip.session_table import OfferState, SessionState, Step
from applet.sip.session_timer import SessionTimer
from applet.sip.their_offer import TheirOffer
from applet.sip.update import Updates, receive_update

if TYPE_CHECKING:
    from applet.address import Address
    from applet.sip.authenticator import Authenticator
    from applet.sip.client_invite import ClientInvite
    from applet.sip.client_request import Way
    from applet.sip.core import Core, Incoming
    from applet.sip.dialog import Dialog
    from applet.sip.hop import Transport
    from applet.sip.in_dialog import Receiver
    from applet.sip.message import Request, Response
    from applet.sip.uas import Headers

__all__ = ["InviteSession", "OfferState", "SessionState"]


_OWN: dict[str, Receiver] = {"PRACK": receive_prack, "UPDATE": receive_update}


class InviteSession(InviteUsage):
    """One call's signalling; made by `Endpoint.invite` or told by `IncomingInvite`.

    Verbs raise `LocalProtocolError` where they make no sense. Two exceptions: `hang_up` is right
    in every state; and once the session has ended (`told_end`) every verb is ignored, for the
    other side may have ended it while the event that the verb answers was on its way.
    """

    __slots__ = (
        "_caller",
        "_updates",
        "called",
        "reinvites",
        "their_offer",
        "timer",
        "told_end",
        "unacknowledged",
    )

    def __init__(
        self,
        core: Core,
        request: Request,
        *,
        outgoing: bool,
        contact_user: str,
        preferred: Transport | None = None,
        authenticator: Authenticator | None = None,
    ) -> None:
        super().__init__(core, request, outgoing, contact_user, preferred, authenticator)
        self.unacknowledged: ClientInvite | None = None
        """The INVITE of ours whose 2xx brought an offer and waits for `acknowledge`."""
        self._caller = CallerSide(self)
        self.called = CalledSide(self)
        self.reinvites = Reinvites(self)
        self.their_offer = TheirOffer(self)
        self.timer = SessionTimer(self)
        self.told_end = False
        self._updates = Updates(self)

    # --- what is known of it

    @property
    def remote_address(self) -> Address | None:
        """Where the signalling goes to or came from, as far as it is known."""
        hop = self._caller.hop
        if self.called.server is not None:
            hop = self.called.server.source
        return None if hop is None else hop.address

    @property
    def wants_offer_to_ring(self) -> bool:
        """Their INVITE brought no offer and insists on reliable ringing: it has to carry ours."""
        return self.called.server is not None and self.called.server.wants_offer_to_ring

    @property
    def rings_reliably(self) -> bool:
        """Provisional responses of ours are proved by PRACK."""
        return self.called.server is not None and self.called.server.reliable is not None

    @property
    def can_reinvite(self) -> bool:
        """Confirmed, and no INVITE or offer is open in either direction (RFC 3261 section 14.1)."""
        return (
            self.state is SessionState.CONFIRMED
            and self.offer_state is OfferState.STABLE
            and not self.reinvites.open
            and not self.called.unacknowledged
        )

    def can_update(self, branch: str = "", *, offer: bool = False) -> bool:
        """Whether an UPDATE may be sent in the early dialog `branch`, or in the one that counts:
        they take it, and no other of ours is open; one with an offer only if no offer is."""
        dialog = self.early(branch) or self.dialog
        if dialog is None or self._updates.open or "UPDATE" not in dialog.methods:
            return False
        if self.state not in (SessionState.EARLY, SessionState.CONFIRMED):
            return False
        open_offer = dialog.offer_state is not OfferState.STABLE
        return not (offer and (open_offer or self.reinvites.open or not self.called.settled))

    # --- verbs of the caller

    def call(self, way: Way, now: float) -> None:
        """Send the INVITE."""
        self._caller.call(way, now)

    def acknowledge(self, body: bytes | None, now: float) -> None:
        """Send the ACK with our answer, after our offerless INVITE or re-INVITE was answered."""
        if self.told_end:
            return
        if self.unacknowledged is None:
            raise LocalProtocolError("no 2xx waits for its ACK")
        self.offer_state = OfferState.STABLE
        self._acknowledge(body, now)
        self.settled()

    def _acknowledge(self, body: bytes | None, now: float) -> None:
        invite, self.unacknowledged = self.unacknowledged, None
        if invite is not None and self.dialog is not None:
            invite.acknowledge(self.dialog, body, now)

    # --- verbs of the called side

    def ring(self, now: float) -> None:
        """Send 180 (incoming, before the answer)."""
        self.called.progress(180, None, now)

    def progress(self, status: int, body: bytes | None, now: float) -> None:
        """Send another provisional response, 101-199, with a body for early media; reliably if
        they want that."""
        self.called.progress(status, body, now)

    def answer(self, body: bytes, now: float) -> None:
        """Send 200 with our answer (or our offer, if the INVITE had none), once PRACK has come for
        what was sent before it."""
        self.called.answer(body, now)

    def reject(self, status: int, now: float, reason: str = "", headers: Headers = ()) -> None:
        """Refuse an incoming call with 300-699. `SessionEnded` follows."""
        self.called.reject(status, now, reason, headers)

    # --- verbs of both

    def hang_up(self, now: float) -> None:
        """CANCEL, BYE or 603, as the state wants; `SessionEnded` follows at once."""
        if self.told_end:
            return
        if self.state is SessionState.CONFIRMED:
            self.terminate(EndedBy.LOCAL, 0, "", None, now)
        elif self.outgoing:
            self._caller.cancel(EndedBy.LOCAL, 0, now)
        else:
            self.reject(603, now)

    def reinvite(self, body: bytes | None, now: float) -> None:
        """Offer anew inside the session (None: ask for their offer)."""
        if not self.told_end:
            self.reinvites.send(body, now)

    def answer_reinvite(self, body: bytes, now: float) -> None:
        """200 to their re-INVITE, with our answer, or our offer if it had none."""
        if not self.told_end:
            self.reinvites.answer(body, now)

    def reject_reinvite(self, status: int, now: float, headers: Headers = ()) -> None:
        """Refuse their re-INVITE; the session goes on as before."""
        if not self.told_end:
            self.reinvites.reject(status, now, headers)

    def update(self, body: bytes | None, now: float, branch: str = "") -> None:
        """Send UPDATE, with an offer (answered by `ReinviteAnswered` or `ReinviteFailed`) or only
        as a sign of life; `branch` names an early dialog."""
        if self.told_end:
            return
        dialog = self.early(branch) or self.dialog
        if dialog is None or not self.can_update(branch, offer=bool(body)):
            raise LocalProtocolError("UPDATE cannot be sent now")
        self._updates.send(dialog, body, now)

    def answer_offer(self, body: bytes, now: float) -> None:
        """200 to their UPDATE or PRACK, with our answer."""
        if not self.told_end:
            self.their_offer.answer(body, now)

    def reject_offer(self, status: int, now: float) -> None:
        """Refuse the offer in their UPDATE or PRACK; the session goes on as before."""
        if not self.told_end:
            self.their_offer.reject(status, now)

    def take_answer(self, invite: ClientInvite, now: float) -> None:
        """A 2xx to an INVITE of ours came: acknowledge it, or let the user answer its offer."""
        self.unacknowledged = invite
        if not invite.request.sent.body:
            self.offer_state = OfferState.REMOTE_OFFER
            return
        if self._updates.offering is not self.dialog:
            self.offer_state = OfferState.STABLE
        self._acknowledge(None, now)

    # --- requests inside the dialog (DialogUser)

    def on_request(self, incoming: Incoming, now: float) -> None:
        """Of the other side's requests BYE, INVITE, PRACK and UPDATE are the session's own."""
        request = incoming.request
        early = self.early(request.from_.tag)
        dialog = early or self.dialog
        if dialog is None or not dialog.accept_sequence(request.cseq.number):
            incoming.respond(500, now)
        elif request.method == "BYE":
            incoming.respond(200, now)
            self._receive_bye(request, early, now)
        elif self.told_end:
            incoming.respond(481, now)
        elif request.method in ("INVITE", "UPDATE") and self.timer.refuses(incoming, now):
            return
        elif request.method == "INVITE":
            self.note_flow(incoming)
            self.reinvites.receive(incoming, now)
        else:
            receive = _OWN.get(request.method) or self.core.in_dialog[request.method]
            receive(self, incoming, now)

    def dialog_of(self, request: Request) -> Dialog:
        """In which a request of theirs came."""
        dialog = self.early(request.from_.tag) or self.dialog
        assert dialog is not None  # `on_request` has found it
        return dialog

    def has(self, dialog: Dialog) -> bool:
        """Whether it is still one of this session's, and the session goes on."""
        known = (self.dialog, self.early(dialog.remote.tag))
        return not self.told_end and any(dialog is one for one in known)

    def refuse_for_now(self, incoming: Incoming, now: float) -> None:
        """Something of theirs has to be answered first (RFC 3261 section 14.2)."""
        seconds = int(self.core.random.random() * 11)
        incoming.respond(500, now, headers=(("Retry-After", str(seconds)),))

    def _receive_bye(self, request: Request, early: Dialog | None, now: float) -> None:
        if early is not None:
            self._forget(early)  # one branch of a fork; the INVITE still gets its final answer
            return
        if self.state is SessionState.TERMINATING:
            return  # crossed: ours is answered too
        self.called.refuse_open(now)
        self._refuse_open(now)
        self.step(Step.OVER)
        self.tell_end(EndedBy.REMOTE, 0, "", request)

    def on_ack(self, ack: Request, now: float) -> None:
        for server in (self.called.server, self.reinvites.server):
            if server is not None and server.request.cseq.number == ack.cseq.number:
                server.on_ack(ack, now)

    def settled(self) -> None:
        """Something is over that may have stood in the way of a retry."""
        self.reinvites.settled()

    def on_flow_lost(self, now: float) -> None:
        """The next request of ours makes a new connection; theirs go to our Contact."""

    # --- the end

    def terminate(
        self, by: EndedBy, status: int, reason: str, message: Response | None, now: float
    ) -> None:
        """End a confirmed session by BYE. The called side has to wait for the ACK (section 15)."""
        if not self.step(Step.BYE):
            return
        self.tell_end(by, status, reason, message)
        self._refuse_open(now)
        if not self.called.unacknowledged:
            self.send_bye(now)

    def _refuse_open(self, now: float) -> None:
        """Answer what is pending (section 15.1.2)."""
        self.reinvites.refuse_open(now)
        self._acknowledge(None, now)

    def send_bye(self, now: float) -> None:
        assert self.dialog is not None  # it was confirmed
        send_bye(self.core, self.dialog, self.preferred, self.authenticator, self._said_bye, now)

    def _said_bye(self, now: float) -> None:
        self.step(Step.OVER)

    def lost(self, response: Response) -> None:
        """The other side knows nothing of this call (481): there is nobody to send BYE to."""
        self.step(Step.OVER)
        self.tell_end(EndedBy.REMOTE, response.status, response.reason, response)

    def handle_timer(self, name: str, now: float) -> None:
        """It rang long enough."""
        if self.outgoing:
            self._caller.cancel(EndedBy.NO_ANSWER, 408, now)
        else:
            self.called.rang_out(now)

    def emit(self, event: Event) -> None:
        if not self.told_end:
            self.core.emit(event)

    def tell_end(
        self,
        by: EndedBy,
        status: int,
        reason: str,
        message: Request | Response | None = None,
    ) -> None:
        self.emit(SessionEnded(self, by, status, reason or reason_phrase(status), message))
        self.told_end = True
        self.their_offer.close()

    def receive_call(self, incoming: Incoming, now: float) -> None:
        """The INVITE that begins it came."""
        self._begin(incoming)
        self.called.receive(incoming, now)

    def _close(self) -> None:
        super()._close()
        self.core.timers.cancel(self, "ring")
        self.called.close()
        self.reinvites.close()
        self.timer.close()

    def imply_ack(self, now: float) -> None:
        """A re-INVITE shows that they have our last 2xx, even if its ACK was lost (RFC 5407
        section 3.1.4)."""
        for server in (self.called.server, self.reinvites.server):
            if server is not None:
                server.acknowledged(None, now)
