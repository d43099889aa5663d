"""What an endpoint does beside registration: calls, and what goes with them: transfer,
subscriptions, keys by INFO and text. Here is who takes which request, inside a call and outside
every dialog."""

from __future__ import annotations

from functools import partial

from applet.hints import TYPE_CHECKING
from applet.sip.events import SUMMARY, ReferReceived, UnsolicitedNotify
from applet.sip.first_request import Sender, first_request
from applet.sip.grammar import MessageError
from applet.sip.info import receive_info, send_digit
from applet.sip.invite import InviteSession
from applet.sip.refer import PACKAGE, SentRefer
from applet.sip.refer_received import ReceivedRefer, Referral
from applet.sip.replaces import replaced_by
from applet.sip.session_table import SessionState
from applet.sip.subscription import Subscription
from applet.sip.subscription_state import EventId
from applet.sip.text_message import CONTENT_TYPE, SentMessage, receive_message
from applet.sip.uas import ALLOW, Headers, capabilities

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.sip.authenticator import Authenticator
    from applet.sip.core import Core, Incoming
    from applet.sip.headers import NameAddr
    from applet.sip.hop import Transport
    from applet.sip.message import Request
    from applet.sip.uri import SipUri

SUBSCRIBABLE: Headers = (("Allow-Events", PACKAGE),)
"""To what others may subscribe here."""


class Services:
    """`outside`: who takes the requests of a method outside every dialog."""

    __slots__ = ("_core", "_received", "_sent", "outside")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._sent: dict[InviteSession, SentRefer] = {}
        self._received: dict[InviteSession, ReceivedRefer] = {}
        core.in_dialog.update(
            OPTIONS=_tell_capabilities,
            INFO=partial(receive_info, core),
            MESSAGE=partial(receive_message, core),
            NOTIFY=self._notify_in_call,
            REFER=self._refer_in_call,
            SUBSCRIBE=self._subscribe_in_call,
        )
        self.outside: dict[str, Callable[[Incoming, float], None]] = {
            "MESSAGE": partial(receive_message, core, None),
            "NOTIFY": self._notify_outside,
            "REFER": _forbid,
            "SUBSCRIBE": _refuse_event,
        }

    def session(
        self,
        request: Request,
        *,
        outgoing: bool,
        contact_user: str,
        preferred: Transport | None = None,
        authenticator: Authenticator | None = None,
    ) -> InviteSession:
        """A call that begins with `request`."""
        return InviteSession(
            self._core,
            request,
            outgoing=outgoing,
            contact_user=contact_user,
            preferred=preferred,
            authenticator=authenticator,
        )

    # --- verbs

    def replaced_by(self, request: Request) -> InviteSession | None:
        """See `replaces.replaced_by`. Raises MessageError."""
        return replaced_by(request, self._core.dialogs)

    def refer(
        self, session: InviteSession, target: str, referred_by: NameAddr, now: float
    ) -> SentRefer:
        """Ask the other side of a confirmed call to call `target`, a value of Refer-To."""
        _forget_ended(self._sent)
        sent = self._sent[session] = SentRefer(self._core, session)
        sent.send(target, referred_by, now)
        return sent

    def send_digit(self, session: InviteSession, digit: str, now: float) -> None:
        send_digit(self._core, session, digit, now)

    def subscribe(
        self,
        target: SipUri,
        sender: Sender,
        event: str,
        accept: str,
        *,
        expires: int,
        now: float,
    ) -> Subscription:
        """To the package `event` of `target`, told in bodies of the type `accept`."""
        core = self._core
        lines = [("Event", event), ("Accept", accept), ALLOW]
        lines.append(("User-Agent", core.config.user_agent))
        request = first_request("SUBSCRIBE", target.address_only(), target, sender, core, lines)
        subscription = Subscription(
            core,
            request,
            sender.way(target),
            contact_user=sender.contact_user,
            expires=expires,
            authenticator=sender.authenticator(core),
        )
        subscription.subscribe(now)
        return subscription

    def message(self, target: SipUri, sender: Sender, text: str, name: int, now: float) -> None:
        """Send `text`; `MessageAnswered` with `name` tells its fate."""
        core = self._core
        lines = [("Content-Type", f"{CONTENT_TYPE};charset=UTF-8")]
        lines.append(("User-Agent", core.config.user_agent))
        request = first_request("MESSAGE", target.address_only(), target, sender, core, lines)
        request = request.replaced(body=text.encode())
        SentMessage(core, name).send(request, sender.way(target), sender.authenticator(core), now)

    # --- inside a call

    def _refer_in_call(self, session: InviteSession, incoming: Incoming, now: float) -> None:
        """Only in a confirmed dialog from its peer."""
        if session.state is not SessionState.CONFIRMED:
            _forbid(incoming, now)
            return
        try:
            wish = Referral.of(incoming.request)
        except MessageError as error:
            incoming.respond(error.status, now, error.text)
            return
        _forget_ended(self._received)
        refer = ReceivedRefer(self._core, session, incoming)
        before = self._received.get(session)
        if before is None or not before.open:
            self._received[session] = refer
        self._core.emit(ReferReceived(session, refer, wish))

    def _notify_in_call(self, session: InviteSession, incoming: Incoming, now: float) -> None:
        event = _event(incoming)
        sent = self._sent.get(session)
        if event is not None and event.package == SUMMARY:
            self._core.emit(UnsolicitedNotify(incoming))
        elif event is None or event.package != PACKAGE:
            _refuse_event(incoming, now)
        elif sent is None or not sent.is_meant(event):
            incoming.respond(481, now)
        else:
            sent.notified(incoming, now)

    def _subscribe_in_call(self, session: InviteSession, incoming: Incoming, now: float) -> None:
        event = _event(incoming)
        refer = self._received.get(session)
        if event is None or event.package != PACKAGE:
            _refuse_event(incoming, now)
        elif refer is None or not refer.open or event.id not in ("", refer.event_id):
            incoming.respond(481, now)
        else:
            refer.refreshed(incoming, incoming.request.expires, now)

    # --- outside every dialog

    def _notify_outside(self, incoming: Incoming, now: float) -> None:
        event = _event(incoming)
        if event is not None and event.package == SUMMARY:
            self._core.emit(UnsolicitedNotify(incoming))
        else:
            incoming.respond(481 if event is not None else 489, now)


def _tell_capabilities(session: InviteSession, incoming: Incoming, now: float) -> None:
    incoming.respond(200, now, headers=capabilities(session.core.config))


def _forbid(incoming: Incoming, now: float) -> None:
    incoming.respond(403, now)


def _refuse_event(incoming: Incoming, now: float) -> None:
    incoming.respond(489, now, headers=SUBSCRIBABLE)


def _event(incoming: Incoming) -> EventId | None:
    try:
        return EventId.of(incoming.request)
    except MessageError:
        return None


def _forget_ended(
    usages: dict[InviteSession, SentRefer] | dict[InviteSession, ReceivedRefer],
) -> None:
    """What belongs to sessions that are over; so there are never more than calls."""
    for session in list(usages):
        if session.state is SessionState.ENDED:
            del usages[session]
