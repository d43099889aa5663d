"""A subscription of ours (RFC 6665): SUBSCRIBE, its refreshes, and the NOTIFYs that come.

    Notify wait -> Pending -> Active -> Terminated

as in the figure of section 4.1.2. The dialog begins with the first NOTIFY, not with the 200 to
SUBSCRIBE (section 4.4.1); what a fork adds to it is refused with 481. One object is one
subscription: whether and when a new one is wanted after its end is for whoever made it to decide.
"""

from __future__ import annotations

from applet.enums import Enum
from applet.hints import TYPE_CHECKING
from applet.sip.client_request import ClientRequest, Way
from applet.sip.dialog import Dialog
from applet.sip.events import EndedBy, Notified, SubscriptionEnded
from applet.sip.grammar import MAX_SECONDS, MessageError, clamped
from applet.sip.in_dialog import send_in_dialog
from applet.sip.subscription_state import EventId, SubscriptionState
from applet.sip.timers import T1
from applet.sip.uas import ALLOW, Headers

if TYPE_CHECKING:
    from applet.sip.authenticator import Authenticator
    from applet.sip.core import Core, Incoming
    from applet.sip.message import Request, Response


class State(Enum):
    NOTIFY_WAIT = "notify_wait"
    PENDING = "pending"
    ACTIVE = "active"
    TERMINATED = "terminated"


TIMER_N = 64 * T1
"""Seconds to wait for a NOTIFY after SUBSCRIBE (section 4.1.2)."""
RETRY = 60.0
"""Seconds until another try makes sense after silence or a trouble of the server's."""
_REFRESH_MARGIN = 30.0
_SHORTEST = 5.0
"""Seconds between two refreshes, whatever the server grants."""
_FATAL = frozenset((404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604))
"""After these to a refresh the subscription is over (section 4.1.2.2, RFC 5057 section 5.1)."""
_TROUBLE = frozenset((408, 481, 500, 503))
"""Refusals that may be different another time."""


class Subscription:
    """Made by `Services.subscribe`; `request` has neither Via, Contact nor Expires."""

    __slots__ = (
        "_authenticator",
        "_contact_user",
        "_core",
        "_dialog",
        "_event",
        "_expires",
        "_lasts",
        "_leaving",
        "_request",
        "_sequence",
        "_way",
        "state",
    )

    def __init__(
        self,
        core: Core,
        request: Request,
        way: Way,
        *,
        contact_user: str,
        expires: int,
        authenticator: Authenticator | None,
    ) -> None:
        self.state = State.NOTIFY_WAIT
        self._core = core
        self._request = request
        self._way = way
        self._event = EventId.of(request)
        self._contact_user = contact_user
        self._expires = expires
        self._lasts = expires
        self._authenticator = authenticator
        self._sequence = request.cseq.number
        self._dialog: Dialog | None = None
        self._leaving = False
        core.subscriptions[self._key] = self

    @property
    def _key(self) -> tuple[str, str]:
        return (self._request.call_id, self._request.from_.tag or "")

    # --- verbs

    def subscribe(self, now: float) -> None:
        """Send the first SUBSCRIBE."""
        self._core.timers.set(self, "expire", now + TIMER_N)
        request = self._request.with_header("CSeq", f"{self._sequence} SUBSCRIBE")
        request = request.with_header("Expires", str(self._expires))
        ClientRequest(
            self._core,
            request,
            self._way,
            self,
            self._authenticator,
            contact_user=self._contact_user,
        ).start(now)

    def unsubscribe(self, now: float) -> None:
        """Ask for no more; `SubscriptionEnded` follows, after the last NOTIFY if there is one."""
        if self.state is State.TERMINATED or self._leaving:
            return
        self._leaving = True
        if self._dialog is None:
            self._over(0, None)
            return
        self._core.busy.add(self)
        self._core.timers.cancel(self, "refresh")
        self._core.timers.set(self, "expire", now + TIMER_N)
        self._send_again(0, now)

    # --- the first SUBSCRIBE (RequestUser)

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def on_sent(self, now: float) -> None:
        """Nothing changes by it."""

    def on_provisional(self, response: Response, now: float) -> None:
        """It tells nothing."""

    def on_final(self, response: Response, now: float) -> None:
        if self.state is State.TERMINATED:
            return
        if response.status < 300:
            self._granted(response.expires, now)
        elif self._asks_for_longer(response):
            self.next_sequence()
            self.subscribe(now)
        else:
            self._refused(response)

    def on_failed(self, by: EndedBy, now: float) -> None:
        self._over(408 if by is EndedBy.TIMEOUT else 0, RETRY)

    # --- those that follow

    def _send_again(self, expires: int, now: float) -> None:
        assert self._dialog is not None  # it was granted, or told of
        headers: Headers = (
            ("Event", str(self._event)),
            ("Accept", self._request.header("Accept") or ""),
            ("Expires", str(expires)),
            ALLOW,
        )
        send_in_dialog(
            self._core,
            self._dialog,
            "SUBSCRIBE",
            headers,
            b"",
            self._way.preferred,
            self._authenticator,
            self._refreshed,
            now,
            contact_user=self._contact_user,
        )

    def _refreshed(self, outcome: Response | EndedBy, now: float) -> None:
        """Without a clear refusal the subscription lasts until it expires."""
        if self.state is State.TERMINATED or isinstance(outcome, EndedBy):
            return
        if outcome.status < 300:
            self._granted(outcome.expires, now)
        elif outcome.status in _FATAL or self._leaving:
            self._refused(outcome)
        elif self._asks_for_longer(outcome):
            self._send_again(self._expires, now)

    def _asks_for_longer(self, response: Response) -> bool:
        """423 with a Min-Expires above what we asked for: from now on that is asked for."""
        longer = clamped(response.header("Min-Expires") or "", MAX_SECONDS)
        if response.status != 423 or longer is None or longer <= self._expires:
            return False
        self._expires = self._lasts = longer
        return True

    def _granted(self, expires: int | None, now: float) -> None:
        """They keep it for so many seconds (None: as before); it is refreshed in good time."""
        if self._leaving:
            return
        if expires is not None:
            self._lasts = min(expires, self._expires)
        if self.state is State.NOTIFY_WAIT:
            return
        self._core.timers.set(self, "expire", now + self._lasts)
        margin = min(_REFRESH_MARGIN, self._lasts / 2)
        self._core.timers.set(self, "refresh", now + max(_SHORTEST, self._lasts - margin))

    def _refused(self, response: Response) -> None:
        again = response.retry_after
        if again is None and response.status not in _TROUBLE:
            self._over(response.status, None)
        else:
            self._over(response.status, RETRY if again is None else float(again))

    # --- NOTIFY (DialogUser)

    def on_request(self, incoming: Incoming, now: float) -> None:
        request = incoming.request
        if request.method != "NOTIFY":
            incoming.respond(405, now, headers=(("Allow", "NOTIFY"),))
        elif not self._is_ours(request):
            incoming.respond(489, now, headers=(("Allow-Events", self._event.package),))
        elif self._dialog is None:
            tag = self._request.from_.tag or ""
            self._dialog = Dialog.of_uas(request, tag, self._sequence + 1)
            self._dialog.confirm()
            self._notified(incoming, now)
        elif request.from_.tag != self._dialog.remote.tag:
            incoming.respond(481, now)  # another branch of a fork
        elif not self._dialog.accept_sequence(request.cseq.number):
            incoming.respond(500, now)
        else:
            self._dialog.refresh_target(request)
            self._notified(incoming, now)

    def on_ack(self, ack: Request, now: float) -> None:
        """There are no INVITEs in it."""

    def _is_ours(self, notify: Request) -> bool:
        try:
            return EventId.of(notify) == self._event
        except MessageError:
            return False

    def _notified(self, incoming: Incoming, now: float) -> None:
        incoming.respond(200, now)
        told = SubscriptionState.of(incoming.request)
        self._core.emit(Notified(self, incoming.request))
        if told.over:
            again = None if self._leaving else told.again_after
            self._over(0, None if again is None else float(again))
            return
        first = self.state is State.NOTIFY_WAIT
        self.state = State.PENDING if told.value == "pending" else State.ACTIVE
        if told.expires is not None or first:
            self._granted(told.expires, now)

    # --- the end

    def _over(self, status: int, again_after: float | None) -> None:
        if self.state is State.TERMINATED:
            return
        self.state = State.TERMINATED
        self._core.subscriptions.pop(self._key, None)
        self._core.busy.discard(self)
        for name in ("refresh", "expire"):
            self._core.timers.cancel(self, name)
        self._core.emit(SubscriptionEnded(self, status, again_after))

    def handle_timer(self, name: str, now: float) -> None:
        if name == "refresh":
            self._send_again(self._expires, now)
        else:
            self._over(408, None if self._leaving else RETRY)
