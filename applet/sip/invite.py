"""A session set up by INVITE (RFC 3261 sections 13 and 15), in both roles.

`ClientInvite` and `ServerInvite` each look after one INVITE, `Reinvites` after those that follow
the first; here is the call that they make, from the first INVITE to its end. It knows of a body
only that it is an offer or an answer.
"""

from __future__ import annotations

from applet.address import Address
from applet.sip.authenticator import Authenticator
from applet.sip.bye import send_bye
from applet.sip.client_invite import ClientInvite
from applet.sip.client_request import Way
from applet.sip.core import Core, Incoming
from applet.sip.dialog import Dialog
from applet.sip.events import (
    Answered,
    Confirmed,
    EndedBy,
    Event,
    IncomingInvite,
    Provisional,
    SessionEnded,
)
from applet.sip.grammar import LocalProtocolError
from applet.sip.hop import Transport
from applet.sip.invite_usage import InviteUsage
from applet.sip.message import Request, Response
from applet.sip.reasons import reason_phrase
from applet.sip.reinvite import Reinvites
from applet.sip.server_invite import ServerInvite
from applet.sip.session_table import OfferState, SessionState, Step
from applet.sip.uas import Headers, offer_in

__all__ = ["InviteSession", "OfferState", "SessionState"]

_BEFORE_ANSWER = (SessionState.CALLING, SessionState.PROCEEDING, SessionState.EARLY)


class InviteSession(InviteUsage):
    """One call's signalling; made by `Endpoint.invite` or told by `IncomingInvite`.

    Verbs raise `LocalProtocolError` where they make no sense. Two exceptions: `hang_up` is right
    in every state; and once the session has ended every verb is ignored, for the other side may
    have ended it while the event that the verb answers was on its way.
    """

    __slots__ = ("_client", "_reinvites", "_server", "_told_end", "unacknowledged")

    def __init__(
        self,
        core: Core,
        request: Request,
        *,
        outgoing: bool,
        contact_user: str,
        preferred: Transport | None,
        authenticator: Authenticator | None = None,
    ) -> None:
        super().__init__(core, request, outgoing, contact_user, preferred, authenticator)
        self.unacknowledged: ClientInvite | None = None
        """The INVITE of ours whose 2xx brought an offer and waits for `acknowledge`."""
        self._client: ClientInvite | None = None
        self._server: ServerInvite | None = None
        self._reinvites = Reinvites(self)
        self._told_end = False

    # --- what is known of it

    @property
    def remote_address(self) -> Address | None:
        """Where the signalling goes to or came from, as far as it is known."""
        if self._client is not None:
            hop = self._client.request.hop
            return None if hop is None else hop.address
        return None if self._server is None else self._server.source.address

    @property
    def can_reinvite(self) -> bool:
        """Confirmed, and no INVITE is open in either direction (RFC 3261 section 14.1)."""
        return (
            self.state is SessionState.CONFIRMED
            and self.offer_state is OfferState.STABLE
            and not self._reinvites.open
            and not (self._server is not None and self._server.unacknowledged)
        )

    # --- verbs of the caller

    def call(self, way: Way, now: float) -> None:
        """Send the INVITE."""
        if self.request.body:
            self.offer_state = OfferState.LOCAL_OFFER
        self._client = ClientInvite(
            self.core, self.request, way, self, self.authenticator, self.contact_user
        )
        self._client.start(now)

    def acknowledge(self, body: bytes | None, now: float) -> None:
        """Send the ACK with our answer, after our offerless INVITE or re-INVITE was answered."""
        if self._told_end:
            return
        if self.unacknowledged is None:
            raise LocalProtocolError("no 2xx waits for its ACK")
        self._acknowledge(body, now)
        self._reinvites.settled()

    def _acknowledge(self, body: bytes | None, now: float) -> None:
        invite, self.unacknowledged = self.unacknowledged, None
        if invite is not None and self.dialog is not None:
            self.offer_state = OfferState.STABLE
            invite.acknowledge(self.dialog, body, now)

    # --- verbs of the called side

    def ring(self, now: float) -> None:
        """Send 180 (incoming, before the answer)."""
        self.progress(180, None, now)

    def progress(self, status: int, body: bytes | None, now: float) -> None:
        """Send another provisional response, 101-199, with a body for early media."""
        server = self._called(Step.EARLY)
        if server is not None:
            server.progress(status, body, now)

    def answer(self, body: bytes, now: float) -> None:
        """Send 200 with our answer (or our offer, if the INVITE had none)."""
        server = self._called(Step.ACCEPTED)
        if server is None or self.dialog is None:
            return
        self.dialog.confirm()
        self.core.timers.cancel(self, "ring")
        self.offer_state = OfferState.LOCAL_OFFER if server.offer is None else OfferState.STABLE
        server.accept(body, now)

    def reject(self, status: int, now: float, reason: str = "", headers: Headers = ()) -> None:
        """Refuse an incoming call with 300-699. `SessionEnded` follows."""
        server = self._called(Step.REFUSED)
        if server is not None:
            server.refuse(status, now, reason, headers)
            self._tell_end(EndedBy.LOCAL, status, reason)

    def _called(self, step: Step) -> ServerInvite | None:
        """Take a step that only the called side may take; None once the session has ended."""
        if self._told_end:
            return None
        if self.outgoing or not self._step(step):
            raise LocalProtocolError(f"{step.value} in state {self.state.value}")
        return self._server

    # --- verbs of both

    def hang_up(self, now: float) -> None:
        """CANCEL, BYE or 603, as the state wants; `SessionEnded` follows at once."""
        if self._told_end:
            return
        if self.state is SessionState.CONFIRMED:
            self.terminate(EndedBy.LOCAL, 0, "", None, now)
        elif self.outgoing:
            self._cancel(EndedBy.LOCAL, 0, now)
        else:
            self.reject(603, now)

    def _cancel(self, by: EndedBy, status: int, now: float) -> None:
        if not self._step(Step.GIVE_UP):
            self._step(Step.REFUSED)  # nothing was sent yet
        self._tell_end(by, status, "")
        assert self._client is not None  # a call of ours begins with one
        self._client.cancel(now)

    def reinvite(self, body: bytes | None, now: float) -> None:
        """Offer anew inside the session (None: ask for their offer)."""
        if not self._told_end:
            self._reinvites.send(body, now)

    def answer_reinvite(self, body: bytes, now: float) -> None:
        """200 to their re-INVITE, with our answer, or our offer if it had none."""
        if not self._told_end:
            self._reinvites.answer(body, now)

    def reject_reinvite(self, status: int, now: float, headers: Headers = ()) -> None:
        """Refuse their re-INVITE; the session goes on as before."""
        if not self._told_end:
            self._reinvites.reject(status, now, headers)

    # --- our INVITE (InviteUser)

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def on_sent(self, invite: ClientInvite, now: float) -> None:
        self._step(Step.SENT)

    def on_progress(self, invite: ClientInvite, response: Response, now: float) -> None:
        if self.state not in _BEFORE_ANSWER:
            return
        if not self.core.timers.is_set(self, "ring"):
            self.core.timers.set(self, "ring", now + self.core.config.ring_limit)
        tag = response.to.tag or ""
        if response.status == 100 or not tag:
            self._step(Step.TRYING)
        else:
            self._step(Step.EARLY)
            self._note_early(invite.request.sent, response)
        if response.status > 100:
            body, status, reason = offer_in(response), response.status, response.reason
            self.emit(Provisional(self, response, status, reason, body, tag))

    def on_answered(self, invite: ClientInvite, response: Response, now: float) -> None:
        if self.state not in _BEFORE_ANSWER:
            invite.refuse(response, now)
            self._step(Step.ACCEPTED)
            return
        tag = response.to.tag or ""
        self._confirm(invite.request.sent, response)
        self._step(Step.ACCEPTED)
        self.core.timers.cancel(self, "ring")
        self.take_answer(invite, now)
        self.emit(Answered(self, response, offer_in(response), tag))

    def take_answer(self, invite: ClientInvite, now: float) -> None:
        """A 2xx came: acknowledge it, or let the user answer the offer in it first."""
        self.unacknowledged = invite
        if self.offer_state is OfferState.LOCAL_OFFER:
            self._acknowledge(None, now)
        else:
            self.offer_state = OfferState.REMOTE_OFFER

    def on_refused(
        self, invite: ClientInvite, by: EndedBy, response: Response | None, now: float
    ) -> None:
        self._step(Step.REFUSED)
        if response is not None:
            self._tell_end(by, response.status, response.reason, response)
        else:
            self._tell_end(by, 408 if by is EndedBy.TIMEOUT else 0, "")

    # --- their INVITE (ServerInviteUser)

    def receive_call(self, incoming: Incoming, now: float) -> None:
        """The INVITE that begins it came."""
        request = incoming.request
        self._begin(incoming)
        self._server = ServerInvite(self.core, incoming, self, self.contact_user)
        if self._server.offer is not None:
            self.offer_state = OfferState.REMOTE_OFFER
        limit = min(self.core.config.ring_limit, request.expires or self.core.config.ring_limit)
        self.core.timers.set(self, "ring", now + limit)
        self.emit(IncomingInvite(self, request, self._server.offer))

    def on_acknowledged(self, invite: ServerInvite, body: bytes | None, now: float) -> None:
        if self.state is SessionState.TERMINATING:
            self._send_bye(now)
            return
        answer = body if self.offer_state is OfferState.LOCAL_OFFER else None
        self.offer_state = OfferState.STABLE
        self.emit(Confirmed(self, answer))
        self._reinvites.settled()

    def on_never_acknowledged(self, invite: ServerInvite, now: float) -> None:
        if self.state is SessionState.TERMINATING:
            self._send_bye(now)
        else:
            self.terminate(EndedBy.TIMEOUT, 408, "", None, now)

    def on_cancelled(self, invite: ServerInvite, cancel: Request, now: float) -> None:
        self._step(Step.REFUSED)
        invite.refuse(487, now)
        self._tell_end(EndedBy.REMOTE, 487, "Request Terminated", cancel)

    def on_unreachable(self, invite: ServerInvite, now: float) -> None:
        self._step(Step.REFUSED)
        invite.refuse(480, now)  # in vain, but it lets the transaction end
        self._tell_end(EndedBy.TRANSPORT, 0, "")

    # --- requests inside the dialog (DialogUser)

    def on_request(self, incoming: Incoming, now: float) -> None:
        """Of the other side's requests BYE and INVITE are the session's own."""
        request = incoming.request
        tag = request.from_.tag or ""
        early = self._early.get(tag)
        dialog = early or self.dialog
        if dialog is None or not dialog.accept_sequence(request.cseq.number):
            incoming.respond(500, now)
        elif request.method == "BYE":
            incoming.respond(200, now)
            self._receive_bye(request, early, now)
        elif self.state is SessionState.TERMINATING:
            incoming.respond(481, now)
        elif request.method == "INVITE":
            self.note_flow(incoming)
            self._reinvites.receive(incoming, now)
        else:
            self.core.in_dialog[request.method](self, incoming, now)

    def _receive_bye(self, request: Request, early: Dialog | None, now: float) -> None:
        if early is not None:
            self._forget(early)  # one branch of a fork; the INVITE still gets its final answer
            return
        if self.state is SessionState.TERMINATING:
            return  # crossed: ours is answered too
        if self._server is not None and self._server.waiting:
            self._server.refuse(487, now)
        self._reinvites.refuse_open(now)
        self._acknowledge(None, now)
        self._step(Step.OVER)
        self._tell_end(EndedBy.REMOTE, 0, "", request)

    def on_ack(self, ack: Request, now: float) -> None:
        for server in (self._server, self._reinvites.server):
            if server is not None and server.request.cseq.number == ack.cseq.number:
                server.on_ack(ack, now)

    # --- the end

    def terminate(
        self, by: EndedBy, status: int, reason: str, message: Response | None, now: float
    ) -> None:
        """End a confirmed session by BYE. The called side has to wait for the ACK (section 15)."""
        if not self._step(Step.BYE):
            return
        self._tell_end(by, status, reason, message)
        self._reinvites.refuse_open(now)
        self._acknowledge(None, now)
        if self._server is None or not self._server.unacknowledged:
            self._send_bye(now)

    def _send_bye(self, now: float) -> None:
        assert self.dialog is not None  # it was confirmed
        send_bye(self.core, self.dialog, self.preferred, self.authenticator, self._said_bye, now)

    def _said_bye(self, now: float) -> None:
        self._step(Step.OVER)

    def lost(self, response: Response) -> None:
        """The other side knows nothing of this call (481): there is nobody to send BYE to."""
        self._step(Step.OVER)
        self._tell_end(EndedBy.REMOTE, response.status, response.reason, response)

    def handle_timer(self, name: str, now: float) -> None:
        """It rang long enough."""
        if self.outgoing:
            self._cancel(EndedBy.NO_ANSWER, 408, now)
        else:
            assert self._server is not None  # a call of theirs begins with one
            self._step(Step.REFUSED)
            self._server.refuse(480, now)
            self._tell_end(EndedBy.NO_ANSWER, 480, "")

    def emit(self, event: Event) -> None:
        if not self._told_end:
            self.core.emit(event)

    def _tell_end(
        self,
        by: EndedBy,
        status: int,
        reason: str,
        message: Request | Response | None = None,
    ) -> None:
        self.emit(SessionEnded(self, by, status, reason or reason_phrase(status), message))
        self._told_end = True

    def _close(self) -> None:
        super()._close()
        self.core.timers.cancel(self, "ring")
        if self._server is not None:
            self._server.close()
        self._reinvites.close()

    def imply_ack(self, now: float) -> None:
        """A re-INVITE shows that they have our last 2xx, even if its ACK was lost (RFC 5407
        section 3.1.4)."""
        for server in (self._server, self._reinvites.server):
            if server is not None:
                server.acknowledged(None, now)
