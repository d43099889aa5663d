"""The called side of a session: their INVITE, from the first ringing to the ACK (RFC 3261 section
13.3, RFC 3262 section 5)."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.events import AnswerReceived, Confirmed, EndedBy, IncomingInvite
from applet.sip.grammar import LocalProtocolError
from applet.sip.server_invite import ServerInvite
from applet.sip.session_table import OfferState, SessionState, Step
from applet.sip.uas import Headers, offer_in, why_not_acceptable

if TYPE_CHECKING:
    from applet.sip.core import Incoming
    from applet.sip.invite import InviteSession
    from applet.sip.message import Request


class CalledSide:
    """`server` is the INVITE that began the session, None while the session is one of ours."""

    __slots__ = ("_session", "_waiting_answer", "server")

    def __init__(self, session: InviteSession) -> None:
        self._session = session
        self._waiting_answer: bytes | None = None
        self.server: ServerInvite | None = None

    @property
    def unacknowledged(self) -> bool:
        """A 2xx was sent and its ACK is awaited."""
        return self.server is not None and self.server.unacknowledged

    @property
    def settled(self) -> bool:
        """Nothing that was offered or answered on the way to the 2xx waits for PRACK or ACK."""
        server = self.server
        return server is None or not (server.unacknowledged or server.unproved)

    # --- verbs

    def progress(self, status: int, body: bytes | None, now: float) -> None:
        server = self._take(Step.EARLY)
        if server is not None and server.progress(status, body, now):
            offered = server.offer is not None
            self._session.offer_state = OfferState.STABLE if offered else OfferState.LOCAL_OFFER

    def answer(self, body: bytes, now: float) -> None:
        """A description that waits for its PRACK holds the 200 up (RFC 3262 section 3)."""
        if self.server is not None and self.server.unproved and self.server.waiting:
            self._waiting_answer = body
            return
        server = self._take(Step.ACCEPTED)
        session = self._session
        if server is None or session.dialog is None:
            return
        session.dialog.confirm()
        session.keep_way(server.source, now)
        session.core.timers.cancel(session, "ring")
        if not server.exchanged:
            offered = server.offer is not None
            session.offer_state = OfferState.STABLE if offered else OfferState.LOCAL_OFFER
        server.accept(body, now, session.timer.accept(server.request, now))

    def reject(self, status: int, now: float, reason: str, headers: Headers) -> None:
        server = self._take(Step.REFUSED)
        if server is not None:
            server.refuse(status, now, reason, headers or why_not_acceptable(status))
            self._session.tell_end(EndedBy.LOCAL, status, reason)

    def _take(self, step: Step) -> ServerInvite | None:
        """Take a step that only the called side may take; None once the session has ended."""
        session = self._session
        if session.told_end:
            return None
        if session.outgoing or not session.step(step):
            raise LocalProtocolError(f"{step.value} in state {session.state.value}")
        return self.server

    # --- what comes (ServerInviteUser)

    def receive(self, incoming: Incoming, now: float) -> None:
        """The INVITE that begins the session came."""
        session = self._session
        config = session.core.config
        self.server = ServerInvite(session.core, incoming, self, session.contact_user)
        if self.server.offer is not None:
            session.offer_state = OfferState.REMOTE_OFFER
        limit = min(config.ring_limit, incoming.request.expires or config.ring_limit)
        session.core.timers.set(session, "ring", now + limit)
        session.emit(IncomingInvite(session, incoming.request, self.server.offer))

    def receive_prack(self, incoming: Incoming, now: float) -> None:
        """RFC 3262 section 3: 481 unless it is for what we sent reliably. It brings the answer to
        our offer, or may bring an offer."""
        session, server = self._session, self.server
        proved = None if server is None else server.prove(incoming.request, now)
        if server is None or proved is None:
            incoming.respond(481, now)
            return
        body = offer_in(incoming.request)
        if proved.has_body and server.offer is None:
            session.offer_state = OfferState.STABLE
            incoming.respond(200, now)
            session.emit(AnswerReceived(session, body))
        elif body is None:
            incoming.respond(200, now)
        elif session.offer_state is OfferState.REMOTE_OFFER:
            incoming.respond(488, now)  # their first offer has to be answered before
        elif session.offer_state is OfferState.LOCAL_OFFER:
            incoming.respond(491, now)  # it meets an UPDATE of ours
        else:
            session.their_offer.receive(incoming, body, now)
        self.proved(now)

    def proved(self, now: float) -> None:
        """Send what waited for PRACK, once PRACK itself is answered."""
        if self.server is None or self._session.their_offer.open:
            return
        self.server.go_on(now)
        if self._waiting_answer is not None and not self.server.unproved:
            body, self._waiting_answer = self._waiting_answer, None
            self.answer(body, now)

    def on_acknowledged(self, invite: ServerInvite, body: bytes | None, now: float) -> None:
        session = self._session
        if session.state is SessionState.TERMINATING:
            session.send_bye(now)
            return
        answer = None
        if invite.offer is None and not invite.exchanged:
            session.offer_state = OfferState.STABLE
            answer = body
        session.emit(Confirmed(session, answer))
        session.settled()

    def on_never_acknowledged(self, invite: ServerInvite, now: float) -> None:
        session = self._session
        if session.state is SessionState.TERMINATING:
            session.send_bye(now)
        else:
            session.terminate(EndedBy.TIMEOUT, 408, "", None, now)

    def on_never_proved(self, invite: ServerInvite, now: float) -> None:
        """RFC 3262 section 3: without PRACK for 64*T1 the call cannot be."""
        self._give_up(invite, 504, EndedBy.TIMEOUT, now)

    def on_cancelled(self, invite: ServerInvite, cancel: Request, now: float) -> None:
        session = self._session
        session.step(Step.REFUSED)
        invite.refuse(487, now)
        session.tell_end(EndedBy.REMOTE, 487, "Request Terminated", cancel)

    def on_unreachable(self, invite: ServerInvite, now: float) -> None:
        """What is refused here is refused in vain, but it lets the transaction end."""
        self._give_up(invite, 480, EndedBy.TRANSPORT, now)

    def rang_out(self, now: float) -> None:
        """Section 13.3.1: 487 if it was the caller who set the limit."""
        assert self.server is not None  # a call of theirs begins with one
        theirs, ours = self.server.request.expires, self._session.core.config.ring_limit
        status = 487 if theirs and theirs < ours else 480
        self._give_up(self.server, status, EndedBy.NO_ANSWER, now)

    def _give_up(self, invite: ServerInvite, status: int, by: EndedBy, now: float) -> None:
        self._session.step(Step.REFUSED)
        invite.refuse(status, now)
        self._session.tell_end(by, 0 if by is EndedBy.TRANSPORT else status, "")

    # --- the end

    def refuse_open(self, now: float) -> None:
        if self.server is not None and self.server.waiting:
            self.server.refuse(487, now)

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
