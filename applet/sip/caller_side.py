"""The calling side of a session: our INVITE, through early dialogs and forks to the first 2xx (RFC
3261 section 13.2, RFC 3262 section 4)."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.client_invite import ClientInvite
from applet.sip.client_request import Way
from applet.sip.events import Answered, EndedBy, Provisional
from applet.sip.prack import Proofs, reliable_number
from applet.sip.session_table import OfferState, SessionState, Step
from applet.sip.uas import offer_in

if TYPE_CHECKING:
    from applet.sip.dialog import Dialog
    from applet.sip.hop import Hop
    from applet.sip.invite import InviteSession
    from applet.sip.message import Request, Response

_BEFORE_ANSWER = (SessionState.CALLING, SessionState.PROCEEDING, SessionState.EARLY)


class CallerSide:
    """`_branches` are all early dialogs that there were. `_final` are the branches whose answer
    came reliably: nothing after it is one."""

    __slots__ = ("_branches", "_client", "_final", "_proofs", "_sequence", "_session", "_way")

    def __init__(self, session: InviteSession) -> None:
        self._session = session
        self._client: ClientInvite | None = None
        self._way = Way(session.request.uri)
        self._proofs = Proofs(session)
        self._branches: dict[str, Dialog] = {}
        self._final: set[str] = set()
        self._sequence = session.request.cseq.number

    @property
    def hop(self) -> Hop | None:
        """Where the INVITE went; None before that, and for a session of theirs."""
        return None if self._client is None else self._client.request.hop

    # --- verbs

    def call(self, way: Way, now: float) -> None:
        """Send the session's request."""
        session = self._session
        self._way = way
        self._proofs = Proofs(session)
        self._final.clear()
        self._branches.clear()
        self._client = ClientInvite(
            session.core, session.request, way, self, session.authenticator, session.contact_user
        )
        self._client.start(now)

    def cancel(self, by: EndedBy, status: int, now: float) -> None:
        session = self._session
        if not session.step(Step.GIVE_UP):
            session.step(Step.REFUSED)  # nothing was sent yet
        session.tell_end(by, status, "")
        assert self._client is not None  # a call of ours begins with one
        self._client.cancel(now)

    # --- what comes (InviteUser)

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def on_sent(self, invite: ClientInvite, now: float) -> None:
        self._session.step(Step.SENT)

    def on_progress(self, invite: ClientInvite, response: Response, now: float) -> None:
        session = self._session
        if session.state not in _BEFORE_ANSWER:
            return
        if not session.core.timers.is_set(session, "ring"):
            session.core.timers.set(session, "ring", now + session.core.config.ring_limit)
        tag = response.to.tag or ""
        if response.status == 100 or not tag:
            session.step(Step.TRYING)
        else:
            session.step(Step.EARLY)
            session.note_early(invite.request.sent, response)
            early = session.early(tag)
            if early is not None:
                self._branches[tag] = early
        if response.status > 100:
            self._tell(response, tag, now)

    def _tell(self, response: Response, tag: str, now: float) -> None:
        session = self._session
        dialog, number = session.early(tag), reliable_number(response)
        body, final = offer_in(response), False
        if dialog is not None and number is not None:
            if not self._proofs.take(dialog, number, response, now):
                return
            final = body is not None and dialog.offer_state is OfferState.LOCAL_OFFER
        if tag in self._final:
            body, final = None, False
        elif final and dialog is not None:
            self._final.add(tag)
            dialog.offer_state = OfferState.STABLE
        status, reason = response.status, response.reason
        session.emit(Provisional(session, response, status, reason, body, tag, final))

    def on_answered(self, invite: ClientInvite, response: Response, now: float) -> None:
        session = self._session
        tag = response.to.tag or ""
        if session.state not in _BEFORE_ANSWER:
            invite.refuse(response, self._branches.get(tag), now)
            session.step(Step.ACCEPTED)
            return
        session.confirm(invite.request.sent, response)
        session.keep_way(invite.request.hop, now)
        session.step(Step.ACCEPTED)
        session.core.timers.cancel(session, "ring")
        session.timer.answered(response, now)
        session.take_answer(invite, now)
        body = None if tag in self._final else offer_in(response)
        session.emit(Answered(session, response, body, tag))

    def on_refused(
        self, invite: ClientInvite, by: EndedBy, response: Response | None, now: float
    ) -> None:
        session = self._session
        if response is None:
            session.step(Step.REFUSED)
            session.tell_end(by, 408 if by is EndedBy.TIMEOUT else 0, "")
        elif session.state in _BEFORE_ANSWER and session.timer.raise_to(response):
            self._call_again(invite.request.sent, now)
        else:
            session.step(Step.REFUSED)
            session.tell_end(by, response.status, response.reason, response)

    def _call_again(self, sent: Request, now: float) -> None:
        """With the longer session that a 422 wants."""
        session = self._session
        session.forget_early()
        request = session.request
        for name, value in session.timer.request_headers(first=True):
            request = request.with_header(name, value)
        session.request = request.with_header("CSeq", f"{self.next_sequence()} INVITE")
        self.call(self._way, now)
