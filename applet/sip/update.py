"""UPDATE (RFC 3311): a new offer, or a sign of life, without the long way of an INVITE; before the
call is answered, too."""

from __future__ import annotations

from functools import partial

from applet.hints import TYPE_CHECKING
from applet.sip.events import EndedBy, ReinviteAnswered
from applet.sip.in_dialog import send_in_dialog
from applet.sip.message import Response
from applet.sip.session_table import OfferState
from applet.sip.uas import ALLOW, Headers, offer_in, supported

if TYPE_CHECKING:
    from applet.sip.core import Incoming
    from applet.sip.dialog import Dialog
    from applet.sip.invite import InviteSession


def receive_update(session: InviteSession, incoming: Incoming, now: float) -> None:
    """Section 5.2: what meets an offer of ours gets 491, what meets one of theirs that is not
    answered gets 500 with Retry-After."""
    dialog = session.dialog_of(incoming.request)
    offer = offer_in(incoming.request)
    if session.their_offer.open or (offer and dialog.offer_state is OfferState.REMOTE_OFFER):
        session.refuse_for_now(incoming, now)
    elif offer and dialog.offer_state is OfferState.LOCAL_OFFER:
        incoming.respond(491, now)
    elif offer:
        session.note_flow(incoming)
        session.their_offer.receive(incoming, offer, now)
    else:
        session.note_flow(incoming)
        dialog.refresh_target(incoming.request)
        incoming.respond(200, now, headers=session.their_offer.refresh_headers(incoming, now))


class Updates:
    """Ours: one at a time. `offering` is the dialog of one that carries an offer."""

    __slots__ = ("_session", "offering", "open")

    def __init__(self, session: InviteSession) -> None:
        self._session = session
        self.open = False
        self.offering: Dialog | None = None

    def send(self, dialog: Dialog, body: bytes | None, now: float) -> None:
        session = self._session
        config = session.core.config
        headers: Headers = (ALLOW, supported(config), *session.timer.request_headers())
        if body:
            headers = (*headers, ("Content-Type", "application/sdp"))
            dialog.offer_state = OfferState.LOCAL_OFFER
        self.open, self.offering = True, dialog if body else None
        send_in_dialog(
            session.core,
            dialog,
            "UPDATE",
            headers,
            body or b"",
            session.preferred,
            session.authenticator,
            partial(self._over, dialog, bool(body)),
            now,
            session.contact_user,
        )

    def _over(self, dialog: Dialog, offered: bool, outcome: Response | EndedBy, now: float) -> None:
        self.open, self.offering = False, None
        if offered:
            dialog.offer_state = OfferState.STABLE
        session = self._session
        if not session.has(dialog):
            return  # the branch of a fork that did not pick up, or the session is over
        if isinstance(outcome, Response) and outcome.status < 300:
            dialog.refresh_target(outcome)
            session.timer.answered(outcome, now)
            if offered:
                session.emit(ReinviteAnswered(session, outcome, offer_in(outcome)))
        elif isinstance(outcome, Response):
            session.reinvites.refused(EndedBy.REMOTE, outcome, offered, now)
        else:
            session.reinvites.refused(outcome, None, offered, now)
        session.settled()
