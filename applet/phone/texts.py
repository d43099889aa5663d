"""Text messages (RFC 3428): those that come are made fit to be shown, and are limited in number
like calls."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import Reason, SendMessage, TextReceived, Trouble
from applet.phone.target import DialPolicy, RefusedError
from applet.phone.words import plain
from applet.sip.text_message import MOST_BYTES

if TYPE_CHECKING:
    from applet.phone.account import Account
    from applet.phone.outbox import Outbox
    from applet.phone.outgoing import Outgoing
    from applet.phone.strangers import Strangers
    from applet.sip.endpoint import Endpoint
    from applet.sip.events import MessageAnswered, MessageReceived

_MOST = 1000
"""Characters of a message that are shown."""
_NAME = 60


class Texts:
    """`strangers`: how many an address may send when it is not in a call with us."""

    __slots__ = ("_account", "_endpoint", "_outbox", "_outgoing", "_policy", "_sent", "_strangers")

    def __init__(
        self,
        endpoint: Endpoint,
        account: Account,
        outgoing: Outgoing,
        policy: DialPolicy,
        strangers: Strangers,
        outbox: Outbox,
    ) -> None:
        self._endpoint = endpoint
        self._account = account
        self._outgoing = outgoing
        self._policy = policy
        self._strangers = strangers
        self._outbox = outbox
        self._sent = 0

    def send(self, command: SendMessage, now: float) -> None:
        try:
            target = self._policy.target(command.uri, command.confirmed)
        except RefusedError as error:
            self._outbox.tell(Trouble(0, error.reason, ""))
            return
        if not command.text or len(command.text.encode()) > MOST_BYTES:
            self._outbox.tell(Trouble(0, Reason.MESSAGE_NOT_SENT, ""))
            return
        self._sent += 1
        sender = self._outgoing.sender(target, self._account.credentials_for(target))
        to = self._outgoing.steered(target)
        self._endpoint.services.message(to, sender, command.text, self._sent, now)

    def answered(self, event: MessageAnswered) -> None:
        if not 200 <= event.status < 300:
            self._outbox.tell(Trouble(0, Reason.MESSAGE_NOT_SENT, ""))

    def received(self, event: MessageReceived, incoming_allowed: bool, now: float) -> None:
        """In a call always; from elsewhere only if this phone can be called, and not too many."""
        incoming = event.incoming
        source = incoming.source.address.host
        if event.session is None:
            if not incoming_allowed:
                incoming.respond(480, now)
                return
            if not self._strangers.admit(source, now):
                incoming.respond(486, now)
                return
        incoming.respond(200, now)
        text = plain(event.text, _MOST)
        if text:
            sender = incoming.request.from_
            name = plain(sender.display, _NAME)
            self._outbox.tell(TextReceived(name, str(sender.uri), text))
