"""REFER of theirs (RFC 3515): we are asked to call somebody, and tell by NOTIFY how it goes.

Whether we do is for the phone to decide. The implicit subscription (section 2.4.4) lives in the
call's dialog and outlives the call itself (RFC 5057); with `Refer-Sub: false` there is none
(RFC 4488).
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.events import EndedBy
from applet.sip.grammar import MessageError, unescaped
from applet.sip.headers import NameAddr
from applet.sip.in_dialog import send_in_dialog
from applet.sip.replaces import Replaces
from applet.sip.sipfrag import CONTENT_TYPE, sipfrag
from applet.sip.uas import ALLOW, Headers
from applet.sip.uri import SipUri, Uri
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.sip.core import Core, Incoming
    from applet.sip.dialog import Dialog
    from applet.sip.invite import InviteSession
    from applet.sip.message import Request, Response

LIFETIME = 180
"""Seconds that our subscriptions last, said in Expires: longer than any INVITE rings."""
_BY_TRUTH = {True: "pending", False: "active"}


class Referral(NamedTuple):
    """What a REFER asks for. Of the headers inside its URI only Replaces is kept. `referred_by`:
    the value of that header as it may stand in the new INVITE, "" if there is none."""

    target: Uri
    replaces: Replaces | None
    referred_by: str

    @classmethod
    def of(cls, request: Request) -> Referral:
        """Raises MessageError: 400 unless there is one Refer-To that can be read, 603 if it asks
        for anything but an INVITE."""
        lines = request.lines("Refer-To")
        if len(lines) != 1:
            raise MessageError("Refer-To is missing, or there twice")
        uri = NameAddr.parse(lines[0]).uri
        replaces = None
        if isinstance(uri, SipUri):
            if (uri.param("method") or "INVITE").upper() != "INVITE":
                raise MessageError("Decline", 603)
            replaces = _replaces_in(uri.headers)
            uri = uri.address_only()
        return cls(uri, replaces, _referred_by(request))


class ReceivedRefer:
    """One REFER. `accept` or `refuse` it at once; after `accept` any number of `progress`."""

    __slots__ = ("_busy", "_core", "_event", "_incoming", "_last", "_silent", "_waiting", "session")

    def __init__(self, core: Core, session: InviteSession, incoming: Incoming) -> None:
        request = incoming.request
        self.session = session
        self._core = core
        self._incoming = incoming
        self._event = f"refer;id={request.cseq.number}"
        asked = (request.header("Refer-Sub") or "").strip().lower()
        self._silent = asked.startswith("false")
        self._last = (100, True)
        self._busy = False
        self._waiting = False

    @property
    def event_id(self) -> str:
        return str(self._incoming.request.cseq.number)

    @property
    def open(self) -> bool:
        """Whether they still wait for a NOTIFY."""
        return not self._silent

    # --- what the phone decides

    def accept(self, now: float, *, pending: bool) -> None:
        """202. `pending`: the person is asked first."""
        headers = self._contact()
        if self._silent:
            headers = (*headers, ("Refer-Sub", "false"))
        self._incoming.respond(202, now, headers=headers)
        self._tell(100, pending, now)

    def refuse(self, status: int, now: float) -> None:
        self._silent = True
        self._incoming.respond(status, now)

    def progress(self, status: int, now: float) -> None:
        """How the new call goes; 200 and more is the end of the subscription."""
        self._tell(status, False, now)

    def refreshed(self, incoming: Incoming, expires: int | None, now: float) -> None:
        """Their SUBSCRIBE to our notifications: more time, or (Expires 0) no more of them."""
        seconds = LIFETIME if expires is None else min(expires, LIFETIME)
        headers = (*self._contact(), ("Expires", str(seconds)))
        incoming.respond(200, now, headers=headers)
        status, pending = self._last
        if seconds == 0:
            self._send(status, "terminated;reason=timeout", now)
            self._silent = True
        else:
            self._tell(status, pending, now)

    # --- NOTIFY

    def _tell(self, status: int, pending: bool, now: float) -> None:
        """One NOTIFY at a time; of what happens meanwhile only the newest is told."""
        self._last = (status, pending)
        if self._silent:
            return
        if self._busy:
            self._waiting = True
        elif status >= 200:
            self._send(status, "terminated;reason=noresource", now)
            self._silent = True
        else:
            self._send(status, f"{_BY_TRUTH[pending]};expires={LIFETIME}", now)

    def _send(self, status: int, state: str, now: float) -> None:
        self._busy = True
        headers: Headers = (
            ("Event", self._event),
            ("Subscription-State", state),
            ("Content-Type", CONTENT_TYPE),
            ALLOW,
        )
        send_in_dialog(
            self._core,
            self._dialog,
            "NOTIFY",
            headers,
            sipfrag(status),
            self.session.preferred,
            self.session.authenticator,
            self._answered,
            now,
            contact_user=self.session.contact_user,
        )

    def _answered(self, outcome: Response | EndedBy, now: float) -> None:
        """Without a 2xx they are not interested (RFC 6665 section 4.2.2)."""
        self._busy = False
        if isinstance(outcome, EndedBy) or outcome.status >= 300:
            self._silent = True
        elif self._waiting:
            self._waiting = False
            self._tell(*self._last, now)

    @property
    def _dialog(self) -> Dialog:
        dialog = self.session.dialog
        assert dialog is not None  # REFER is taken in a confirmed session only
        return dialog

    def _contact(self) -> Headers:
        contact = self._core.transport.contact(self.session.contact_user, self._incoming.source)
        return (("Contact", f"<{contact}>"),)


def _replaces_in(headers: str) -> Replaces | None:
    """Replaces among the headers of a URI; all others are dropped."""
    for header in headers.split("&"):
        name, _, value = header.partition("=")
        if unescaped(name).lower() == "replaces":
            return Replaces.parse(unescaped(value))
    return None


def _referred_by(request: Request) -> str:
    try:
        return f"<{NameAddr.parse(request.header('Referred-By') or '').uri}>"
    except MessageError:
        return ""
