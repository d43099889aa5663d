"""Their offer in UPDATE or PRACK until it is answered (RFC 3311 section 5.2, RFC 3262 section 5).
It is answered in the 2xx at once: nobody has to acknowledge that."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.events import OfferReceived
from applet.sip.grammar import LocalProtocolError
from applet.sip.session_table import OfferState
from applet.sip.uas import ALLOW, Headers, supported, why_not_acceptable
from applet.sip.uri import is_secure
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.sip.core import Incoming
    from applet.sip.dialog import Dialog
    from applet.sip.invite import InviteSession


class _Open(NamedTuple):
    incoming: Incoming
    dialog: Dialog
    since: float


class TheirOffer:
    __slots__ = ("_open", "_session")

    def __init__(self, session: InviteSession) -> None:
        self._session = session
        self._open: _Open | None = None

    @property
    def open(self) -> bool:
        return self._open is not None

    def receive(self, incoming: Incoming, offer: bytes, now: float) -> None:
        dialog = self._session.dialog_of(incoming.request)
        self._open = _Open(incoming, dialog, now)
        dialog.offer_state = OfferState.REMOTE_OFFER
        branch = dialog.remote.tag or ""
        self._session.emit(OfferReceived(self._session, incoming.request, offer, branch))

    def answer(self, body: bytes, now: float) -> None:
        incoming, dialog, _ = self._settle()
        session = self._session
        headers: Headers = (("Content-Type", "application/sdp"),)
        if incoming.request.method == "UPDATE":
            dialog.refresh_target(incoming.request)
            headers += self.refresh_headers(incoming, now)
        incoming.respond(200, now, headers=headers, body=body)
        session.called.proved(now)

    def reject(self, status: int, now: float) -> None:
        incoming, _, _ = self._settle()
        incoming.respond(status, now, headers=why_not_acceptable(status))
        self._session.called.proved(now)

    def refresh_headers(self, incoming: Incoming, now: float) -> Headers:
        """What the 2xx to an UPDATE carries, which may refresh target and session."""
        session = self._session
        secure = is_secure(session.request.uri)
        contact = session.core.transport.contact(session.contact_user, incoming.source, secure)
        return (
            ("Contact", f"<{contact}>"),
            ALLOW,
            supported(session.core.config),
            *session.timer.accept(incoming.request, now),
        )

    def _settle(self) -> _Open:
        if self._open is None:
            raise LocalProtocolError("no offer of theirs waits for an answer")
        settled, self._open = self._open, None
        settled.dialog.offer_state = OfferState.STABLE
        return settled

    def close(self) -> None:
        """The session ends (RFC 3261 section 15.1.2)."""
        if self._open is not None:
            incoming, _, since = self._settle()
            incoming.respond(487, since)
