"""REFER of ours (RFC 3515): ask the other side of a call to call somebody else, and hear how it
goes by NOTIFY. `refer_received` is the other role.

The dialog is the call's own (RFC 5057); that an INVITE session ends in the middle ends nothing
here but the NOTIFYs, which have no way in any more.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.events import EndedBy, ReferProgress
from applet.sip.in_dialog import send_in_dialog
from applet.sip.sipfrag import status_in
from applet.sip.subscription_state import EventId, SubscriptionState
from applet.sip.uas import ALLOW
from applet.sip.uri import SipUri, escaped

if TYPE_CHECKING:
    from applet.sip.core import Core, Incoming
    from applet.sip.headers import NameAddr
    from applet.sip.invite import InviteSession
    from applet.sip.message import Response
    from applet.sip.replaces import Replaces

LONGEST = 180.0
"""Seconds that we wait for the last NOTIFY."""
PACKAGE = "refer"


def refer_to(target: SipUri, replaces: Replaces | None) -> str:
    """The value of Refer-To: `target`, and the dialog that the new INVITE shall replace."""
    wish = f"Replaces={escaped(str(replaces))}&Require=replaces" if replaces is not None else ""
    return f"<{target.address_only()._replace(headers=wish)}>"


class SentRefer:
    """One REFER inside `session`; `ReferProgress` tells its fate, the last one with `final`."""

    __slots__ = ("_core", "_over", "_sequence", "_session")

    def __init__(self, core: Core, session: InviteSession) -> None:
        self._core = core
        self._session = session
        self._sequence = 0  # of the first REFER; with credentials another follows
        self._over = False

    def send(self, target: str, referred_by: NameAddr, now: float) -> None:
        """`target` is the value of Refer-To."""
        dialog = self._session.dialog
        assert dialog is not None  # it is sent in a confirmed session only
        headers = (
            ("Refer-To", target),
            ("Referred-By", f"<{referred_by.uri}>"),
            ("Supported", "replaces, norefersub"),
            ("Accept", "message/sipfrag"),
            ALLOW,
        )
        self._core.timers.set(self, "over", now + LONGEST)
        send_in_dialog(
            self._core,
            dialog,
            "REFER",
            headers,
            b"",
            self._session.preferred,
            self._session.authenticator,
            self._answered,
            now,
            contact_user=self._session.contact_user,
        )
        self._sequence = dialog.local_sequence

    def _answered(self, outcome: Response | EndedBy, now: float) -> None:
        if self._over:
            return
        if isinstance(outcome, EndedBy):
            self._tell(408, final=True)
        elif outcome.status >= 300:
            self._tell(outcome.status, final=True)
        else:
            silent = (outcome.header("Refer-Sub") or "").strip().lower().startswith("false")
            self._tell(outcome.status, final=silent)

    def is_meant(self, event: EventId) -> bool:
        """Whether a NOTIFY is about this REFER, and not about an earlier one of the dialog: its
        id is the CSeq of the REFER (section 2.4.6), and may be missing."""
        return not event.id.isdecimal() or int(event.id[:20]) >= self._sequence

    def notified(self, incoming: Incoming, now: float) -> None:
        """A NOTIFY that is meant for it."""
        incoming.respond(200, now)
        status = status_in(incoming.request)
        told = SubscriptionState.of(incoming.request)
        if status >= 200:
            self._tell(status, final=True)
        elif told.over:
            self._tell(408, final=True)  # it ended, and they do not know how
        elif status:
            self._tell(status, final=False)

    def close(self) -> None:
        """Nobody wants to know any more."""
        self._over = True
        self._core.timers.cancel(self, "over")

    def handle_timer(self, name: str, now: float) -> None:
        self._tell(408, final=True)

    def _tell(self, status: int, *, final: bool) -> None:
        if self._over:
            return
        if final:
            self.close()
        self._core.emit(ReferProgress(self._session, self, status, final))
