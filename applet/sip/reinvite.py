"""The INVITEs inside a session (RFC 3261 section 14, RFC 5407): one at a time, whoever sends it.

Glare: a re-INVITE that meets one of ours gets 491, and when ours gets 491 it may be tried again
after a time that depends on who owns the Call-ID, so that both do not meet again (section 14.1).
One that comes before we answered the last gets 500 with Retry-After (section 14.2).
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.client_invite import ClientInvite
from applet.sip.client_request import Way
from applet.sip.events import (
    EndedBy,
    ReinviteAnswered,
    ReinviteConfirmed,
    ReinviteFailed,
    ReinviteReceived,
    ReinviteRetryDue,
)
from applet.sip.grammar import LocalProtocolError
from applet.sip.prack import Proofs, reliable_number
from applet.sip.server_invite import ServerInvite
from applet.sip.session_table import OfferState, SessionState
from applet.sip.timers import T1
from applet.sip.uas import ALLOW, Headers, offer_in, supported, why_not_acceptable

if TYPE_CHECKING:
    from applet.sip.core import Incoming
    from applet.sip.dialog import Dialog
    from applet.sip.invite import InviteSession
    from applet.sip.message import Request, Response

MAX_RETRIES = 10
"""In a row; then both sides want to talk at once for ever, and it is better to give up."""
LONGEST_RETRY_AFTER = 32
"""Seconds that we wait for a Retry-After."""


class Reinvites:
    """`client` is ours while it is open, `server` the last of theirs."""

    __slots__ = (
        "_early_answer",
        "_proofs",
        "_retries",
        "_retry_waits",
        "_session",
        "client",
        "server",
    )

    def __init__(self, session: InviteSession) -> None:
        self._session = session
        self._retries = 0
        self._retry_waits = False
        self._proofs = Proofs(session)
        self._early_answer: bytes | None = None
        self.client: ClientInvite | None = None
        self.server: ServerInvite | None = None

    @property
    def open(self) -> bool:
        """A re-INVITE goes on, in either direction."""
        server = self.server
        return self.client is not None or (
            server is not None and (server.waiting or server.unacknowledged)
        )

    @property
    def _dialog(self) -> Dialog:
        dialog = self._session.dialog
        assert dialog is not None  # without a dialog there are no re-INVITEs
        return dialog

    # --- verbs

    def send(self, body: bytes | None, now: float) -> None:
        session = self._session
        if not session.can_reinvite:
            raise LocalProtocolError("an INVITE is open, or the session is not confirmed")
        session.core.timers.cancel(self, "retry")
        self._retry_waits = False
        config = session.core.config
        headers: Headers = (ALLOW, supported(config), ("User-Agent", config.user_agent))
        headers += session.timer.request_headers()
        if body:
            headers += (("Content-Type", "application/sdp"),)
            session.offer_state = OfferState.LOCAL_OFFER
        dialog = self._dialog
        request = dialog.request("INVITE", dialog.next_sequence(), headers, body or b"")
        way = Way(dialog.next_hop, session.preferred, dialog.flow)
        self._proofs = Proofs(session)
        self._early_answer = None
        self.client = ClientInvite(
            session.core, request, way, self, session.authenticator, session.contact_user
        )
        self.client.start(now)

    def answer(self, body: bytes, now: float) -> None:
        server = self._waiting_server()
        offered = server.offer is not None
        self._session.offer_state = OfferState.STABLE if offered else OfferState.LOCAL_OFFER
        self._dialog.refresh_target(server.request)
        server.accept(body, now, self._session.timer.accept(server.request, now))

    def reject(self, status: int, now: float, headers: Headers) -> None:
        server = self._waiting_server()
        self._session.offer_state = OfferState.STABLE
        server.refuse(status, now, headers=headers or why_not_acceptable(status))
        self.settled()

    def _waiting_server(self) -> ServerInvite:
        if self.server is None or not self.server.waiting:
            raise LocalProtocolError("no re-INVITE waits for an answer")
        return self.server

    def settled(self) -> None:
        """Something is over: a retry that was due may have waited for it."""
        if self._retry_waits and self._session.can_reinvite:
            self._retry_waits = False
            self._session.emit(ReinviteRetryDue(self._session))

    def refuse_open(self, now: float) -> None:
        """The session ends: section 15.1.2 wants an answer to what is pending."""
        if self.server is not None and self.server.waiting:
            self.server.refuse(487, now)

    def close(self) -> None:
        self._session.core.timers.cancel(self, "retry")
        if self.server is not None:
            self.server.close()

    # --- ours (InviteUser)

    def next_sequence(self) -> int:
        return self._dialog.next_sequence()

    def on_sent(self, invite: ClientInvite, now: float) -> None:
        """Nothing changes by it."""

    def on_progress(self, invite: ClientInvite, response: Response, now: float) -> None:
        """It tells nothing, but what is sent reliably wants its PRACK, and may be the answer. From
        now on no timer of its transaction runs: a peer that says no more must not leave it open
        for ever."""
        number = reliable_number(response)
        if number is not None and self._proofs.take(self._dialog, number, response, now):
            self._early_answer = self._early_answer or offer_in(response)
        timers = self._session.core.timers
        if not timers.is_set(self, "silent"):
            timers.set(self, "silent", now + 64 * T1)

    def on_answered(self, invite: ClientInvite, response: Response, now: float) -> None:
        session = self._session
        session.core.timers.cancel(self, "silent")
        if session.state is not SessionState.CONFIRMED or invite is not self.client:
            invite.acknowledge(self._dialog, None, now)  # the session ended meanwhile
            return
        self.client = None
        self._retries = 0
        self._dialog.refresh_target(response)
        session.timer.answered(response, now)
        session.take_answer(invite, now)
        answer = self._early_answer or offer_in(response)
        session.emit(ReinviteAnswered(session, response, answer))
        session.settled()

    def on_refused(
        self, invite: ClientInvite, by: EndedBy, response: Response | None, now: float
    ) -> None:
        """Sections 12.2.1.2 and 14.1: 481 and 408 end the dialog, everything else leaves it as
        it was. So does silence: the call may be well while the signalling is not, and the person
        who hears the other side would not understand."""
        session = self._session
        session.core.timers.cancel(self, "silent")
        self.client = None
        if session.state is not SessionState.CONFIRMED:
            return
        session.offer_state = OfferState.STABLE
        self.refused(by, response, True, now)

    def refused(self, by: EndedBy, response: Response | None, offered: bool, now: float) -> None:
        """A re-INVITE or UPDATE of ours failed."""
        session = self._session
        confirmed = session.state is SessionState.CONFIRMED
        if confirmed and response is not None and response.status == 481:
            session.lost(response)
        elif confirmed and response is not None and response.status == 408:
            session.terminate(EndedBy.REMOTE, 408, response.reason, response, now)
        else:
            longer = response is not None and session.timer.refused(response, now)
            if offered:
                self._failed(by, response, longer, now)

    def _failed(self, by: EndedBy, response: Response | None, longer: bool, now: float) -> None:
        session = self._session
        wait = 0.0 if longer else None
        status, reason, retry_after = 408 if by is EndedBy.TIMEOUT else 0, "", None
        if response is not None:
            status, reason, retry_after = response.status, response.reason, response.retry_after
            wait = self._wait_after(status, retry_after) if wait is None else wait
        if wait is not None:
            self._retries += 1
            session.core.timers.set(self, "retry", now + wait)
        retry = wait is not None
        session.emit(ReinviteFailed(session, response, status, reason, retry_after, retry))

    def _wait_after(self, status: int, retry_after: int | None) -> float | None:
        """Seconds until another attempt makes sense; None: it does not."""
        if self._retries >= MAX_RETRIES:
            return None
        if status == 500 and retry_after is not None and retry_after <= LONGEST_RETRY_AFTER:
            return float(retry_after)
        if status != 491:
            return None
        chance = self._session.core.random.random()
        if self._session.outgoing:  # the Call-ID is ours
            return (210 + int(chance * 191)) / 100  # 2.1 to 4 s in steps of 10 ms
        return int(chance * 201) / 100  # 0 to 2 s

    def handle_timer(self, name: str, now: float) -> None:
        """The time after 491 is over; or nobody ever answers ours."""
        if name == "silent":
            assert self.client is not None  # the timer ends with it
            self.client.cancel(now)
            return
        self._retry_waits = True
        self.settled()

    # --- theirs

    def receive(self, incoming: Incoming, now: float) -> None:
        """A re-INVITE came, newer than any request before it."""
        session = self._session
        if session.state is not SessionState.CONFIRMED or self._unanswered():
            self._refuse_early(incoming, now)
        elif session.their_offer.open:
            session.refuse_for_now(incoming, now)
        elif self.client is not None or session.offer_state is not OfferState.STABLE:
            incoming.respond(491, now)
        else:
            session.imply_ack(now)
            self.server = ServerInvite(session.core, incoming, self, session.contact_user)
            if self.server.offer is not None:
                session.offer_state = OfferState.REMOTE_OFFER
            session.emit(ReinviteReceived(session, incoming.request, self.server.offer))

    def _unanswered(self) -> bool:
        return self.server is not None and self.server.waiting

    def _refuse_early(self, incoming: Incoming, now: float) -> None:
        """Our INVITE is open: 491. Theirs is: 500, to be tried again after 0 to 10 seconds."""
        session = self._session
        if session.outgoing and session.state is not SessionState.CONFIRMED:
            incoming.respond(491, now)
        else:
            session.refuse_for_now(incoming, now)

    # --- theirs (ServerInviteUser)

    def on_acknowledged(self, invite: ServerInvite, body: bytes | None, now: float) -> None:
        session = self._session
        answer = body if invite.offer is None else None
        session.offer_state = OfferState.STABLE
        session.emit(ReinviteConfirmed(session, answer))
        session.settled()

    def on_never_acknowledged(self, invite: ServerInvite, now: float) -> None:
        self._session.terminate(EndedBy.TIMEOUT, 408, "", None, now)

    def on_never_proved(self, invite: ServerInvite, now: float) -> None:
        """Nothing provisional is sent to a re-INVITE."""

    def on_cancelled(self, invite: ServerInvite, cancel: Request, now: float) -> None:
        """It is answered without asking anybody: CANCEL comes too late."""

    def on_unreachable(self, invite: ServerInvite, now: float) -> None:
        """The 2xx may get through all the same."""
