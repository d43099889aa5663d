"""Event and Subscription-State: what a NOTIFY is about, and how long it goes on (RFC 6665)."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.grammar import MAX_SECONDS, MessageError, clamped, find_param, is_token, read_params
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.sip.message import Message


class EventId(NamedTuple):
    """An event package, and the `id` that tells subscriptions of one dialog apart; "" for none."""

    package: str
    id: str = ""

    @classmethod
    def of(cls, message: Message) -> EventId:
        """Section 8.2.1. Raises MessageError (489) where there is no event that can be read."""
        package, semicolon, rest = (message.header("Event") or "").partition(";")
        package = package.strip().lower()
        if not is_token(package):
            raise MessageError("Event cannot be read", 489)
        return cls(package, find_param(read_params(semicolon + rest), "id") or "")

    def __str__(self) -> str:
        return f"{self.package};id={self.id}" if self.id else self.package


class SubscriptionState(NamedTuple):
    """Section 4.1.3. `value`: "active", "pending", "terminated" or one that nobody knows, which
    counts as active. `expires` and `retry_after` in seconds, None if they are not told."""

    value: str
    expires: int | None = None
    reason: str = ""
    retry_after: int | None = None

    @classmethod
    def of(cls, message: Message) -> SubscriptionState:
        """A NOTIFY without the header is of a time before it existed: active."""
        value, semicolon, rest = (message.header("Subscription-State") or "active").partition(";")
        params = read_params(semicolon + rest)
        return cls(
            value.strip().lower(),
            clamped(find_param(params, "expires") or "", MAX_SECONDS),
            (find_param(params, "reason") or "").lower(),
            clamped(find_param(params, "retry-after") or "", MAX_SECONDS),
        )

    @property
    def over(self) -> bool:
        return self.value == "terminated"

    @property
    def again_after(self) -> int | None:
        """Seconds until another SUBSCRIBE makes sense, once it is over; None: never (4.1.3)."""
        if self.reason in ("deactivated", "timeout"):
            return 0
        if self.reason in ("rejected", "noresource", "invariant"):
            return None
        return self.retry_after if self.retry_after is not None else _PATIENCE


_PATIENCE = 60
"""Seconds until the next try where the notifier leaves it to us (probation, giveup)."""
