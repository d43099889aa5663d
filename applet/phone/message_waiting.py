"""Whether messages wait in the account's mailbox (RFC 3842).

Many servers tell it by themselves as soon as a phone has registered; so this one waits a moment
and subscribes only if it was told nothing.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import MessagesWaiting
from applet.sip.events import SUMMARY

if TYPE_CHECKING:
    from applet.phone.account import Account
    from applet.phone.outbox import Outbox
    from applet.phone.outgoing import Outgoing
    from applet.phone.servers import Servers
    from applet.sip.endpoint import Endpoint
    from applet.sip.events import Notified, SubscriptionEnded, UnsolicitedNotify
    from applet.sip.message import Request
    from applet.sip.subscription import Subscription

CONTENT_TYPE = "application/simple-message-summary"
EXPIRES = 3600
PATIENCE = 2.0
"""Seconds in which the server may tell by itself."""
LONGEST_WAIT = 3600.0
_FIRST_WAIT = 30.0
"""Seconds between the second and the third try; each wait is twice the one before."""


class MessageWaiting:
    """`allowed`: whether a NOTIFY without a subscription is believed of anybody while there is no
    account."""

    __slots__ = (
        "_account",
        "_allowed",
        "_endpoint",
        "_outbox",
        "_outgoing",
        "_servers",
        "_subscription",
        "_told",
        "_wait",
        "subscribe_at",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        account: Account,
        outgoing: Outgoing,
        servers: Servers,
        outbox: Outbox,
        allowed: bool,
    ) -> None:
        self._endpoint = endpoint
        self._account = account
        self._outgoing = outgoing
        self._servers = servers
        self._outbox = outbox
        self._allowed = allowed
        self._subscription: Subscription | None = None
        self._told: MessagesWaiting | None = None
        self._wait = _FIRST_WAIT
        self.subscribe_at: float | None = None

    def begin(self, now: float) -> None:
        """We are registered, or have an account that needs no registration."""
        if self._account.mailbox is not None and self._subscription is None and self._told is None:
            self.subscribe_at = now + PATIENCE

    def end(self, now: float) -> None:
        """We stop, or are not registered any more."""
        self.subscribe_at = None
        if self._subscription is not None:
            self._subscription.unsubscribe(now)

    def handle_timers(self, now: float) -> None:
        if self.subscribe_at is None or self.subscribe_at > now:
            return
        self.subscribe_at = None
        mailbox = self._account.mailbox
        assert mailbox is not None  # without it nothing begins
        self._subscription = self._endpoint.services.subscribe(
            self._outgoing.steered(mailbox),
            self._outgoing.sender(mailbox, self._account.credentials),
            SUMMARY,
            CONTENT_TYPE,
            expires=EXPIRES,
            now=now,
        )

    # --- what comes

    def notified(self, event: Notified) -> None:
        self._read(event.request)
        self._wait = _FIRST_WAIT

    def unsolicited(self, event: UnsolicitedNotify, source: str, now: float) -> None:
        """Only our own servers know of our mailbox."""
        known = self._servers.include(source) if self._servers.configured else self._allowed
        event.incoming.respond(200 if known else 403, now)
        if known:
            self.subscribe_at = None
            self._read(event.incoming.request)

    def ended(self, event: SubscriptionEnded, now: float) -> None:
        self._subscription = None
        if event.again_after is not None:
            wait = max(event.again_after, 0.0 if self._wait == _FIRST_WAIT else self._wait)
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            self.subscribe_at = now + min(wait, LONGEST_WAIT)

    def _read(self, request: Request) -> None:
        from applet.phone.message_summary import parse_summary

        summary = parse_summary(request.body)
        if summary is None:
            return
        told = MessagesWaiting(*summary)
        if told != self._told:
            self._told = told
            self._outbox.tell(told)
