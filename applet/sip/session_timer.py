"""Session timers (RFC 4028): a call whose other side has gone without a word ends all the same.

One side, the refresher, repeats UPDATE or re-INVITE after half the interval; when nothing has
refreshed the session shortly before the interval is over, it ends by BYE.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.events import EndedBy, RefreshDue
from applet.sip.extensions import TIMER, Use, knows
from applet.sip.grammar import MAX_SECONDS, clamped
from applet.sip.session_table import SessionState
from applet.sip.uas import Headers, min_se, too_short
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.sip.core import Incoming
    from applet.sip.invite import InviteSession
    from applet.sip.message import Message, Request, Response

SHORTEST = 90
"""Section 5: no interval below this is to be granted or asked for."""
MAX_RAISES = 3


class Interval(NamedTuple):
    """Session-Expires: seconds, and who refreshes: "uac", "uas" or "" when it is not said."""

    seconds: int
    refresher: str


def interval_in(message: Message) -> Interval | None:
    """None if there is no Session-Expires, or none that can be read."""
    value, _, params = (message.header("Session-Expires") or "").partition(";")
    seconds = clamped(value.strip(), MAX_SECONDS)
    if not seconds:
        return None
    name, _, who = params.replace(" ", "").partition("=")
    who = who.partition(";")[0].lower()
    return Interval(seconds, who if name.lower() == "refresher" and who in ("uac", "uas") else "")


class SessionTimer:
    """The one of a session. `interval` in seconds; 0: none is agreed on."""

    __slots__ = ("_min_se", "_ours", "_raises", "_session", "interval")

    def __init__(self, session: InviteSession) -> None:
        self._session = session
        self._ours = False
        self._min_se = SHORTEST
        self._raises = 0
        self.interval = 0

    # --- as the one who asks

    def request_headers(self, first: bool = False) -> Headers:
        """What an INVITE or UPDATE of ours says of it."""
        config = self._session.core.config
        if config.session_timer is Use.OFF or not (first or self.interval):
            return ()
        seconds = max(self.interval or config.session_expires, self._min_se)
        headers: Headers = (("Session-Expires", str(seconds)),)
        if not first:
            who = "uac" if self._ours else "uas"
            headers = (("Session-Expires", f"{seconds};refresher={who}"),)
        if self._min_se > SHORTEST:
            headers += (("Min-SE", str(self._min_se)),)
        return headers

    def answered(self, response: Response, now: float) -> None:
        """A 2xx to our INVITE or UPDATE: without Session-Expires the session has no timer."""
        if self._session.core.config.session_timer is Use.OFF:
            return
        agreed = interval_in(response)
        self._raises = 0
        if agreed is None:
            self._stop()
        else:
            self._start(agreed.seconds, agreed.refresher != "uas", now)

    def raise_to(self, response: Response) -> bool:
        """A 422: take their Min-SE; whether another attempt makes sense (section 7.4)."""
        config = self._session.core.config
        theirs = clamped(response.header("Min-SE") or "", MAX_SECONDS) or 0
        asked = max(self.interval or config.session_expires, self._min_se)
        unasked = response.status != 422 or config.session_timer is Use.OFF
        if unasked or theirs <= asked or self._raises >= MAX_RAISES:
            return False
        self._raises += 1
        self._min_se = theirs
        return True

    def refused(self, response: Response, now: float) -> bool:
        """An INVITE or UPDATE of ours in the session failed; True if it was too short and is now
        longer. A refresh that was too short, or of a method that they do not take after all, is
        sent again at once; any other in its time, until the session is over."""
        dialog = self._session.dialog
        unknown_method = response.status in (405, 501) and response.cseq.method == "UPDATE"
        if unknown_method and dialog is not None:
            dialog.methods -= {"UPDATE"}
        longer = self.raise_to(response)
        if self.interval and self._ours and (unknown_method or longer):
            self._session.core.timers.set(self, "refresh", now)
        return longer

    # --- as the one who is asked

    def refuses(self, incoming: Incoming, now: float) -> bool:
        """Answer 422 to what would shorten the session too much; never to what was agreed before,
        for some grant less than they may."""
        config = self._session.core.config
        shortest = min(config.min_se, self.interval or config.min_se)
        if not too_short(incoming.request, config, shortest):
            return False
        incoming.respond(422, now, headers=(min_se(config),))
        return True

    def accept(self, request: Request, now: float) -> Headers:
        """Their INVITE or UPDATE is accepted: what the 2xx says of it (section 9, table 2)."""
        session = self._session
        asked, knows_it = interval_in(request), knows(request, TIMER)
        config = session.core.config
        if asked is None and knows_it:
            asked = self._unasked()
        usable = asked is not None and (knows_it or asked.seconds >= SHORTEST)
        off = config.session_timer is Use.OFF or session.state is not SessionState.CONFIRMED
        if off or asked is None or not usable:
            self._stop()
            return ()
        who = asked.refresher or ("uas" if self.interval and self._ours else "uac")
        if not knows_it:
            who = "uas"  # a proxy wants it: somebody has to
        self._start(asked.seconds, who == "uas", now)
        headers: Headers = (("Session-Expires", f"{asked.seconds};refresher={who}"),)
        return (*headers, ("Require", TIMER)) if knows_it else headers

    def _unasked(self) -> Interval | None:
        """For who knows session timers and does not name an interval: what was agreed goes on."""
        config = self._session.core.config
        required = config.session_expires if config.session_timer is Use.REQUIRED else 0
        seconds = self.interval or required
        return Interval(seconds, "") if seconds else None

    # --- its time

    def _start(self, seconds: int, ours: bool, now: float) -> None:
        self.interval, self._ours = seconds, ours
        timers = self._session.core.timers
        timers.cancel(self, "refresh")
        if ours:
            timers.set(self, "refresh", now + seconds / 2)
        timers.set(self, "expiry", now + seconds - min(32, seconds / 3))

    def _stop(self) -> None:
        self.interval = 0
        self.close()

    def close(self) -> None:
        for name in ("refresh", "expiry"):
            self._session.core.timers.cancel(self, name)

    def handle_timer(self, name: str, now: float) -> None:
        session = self._session
        if name == "expiry":
            self._stop()
            session.terminate(EndedBy.TIMEOUT, 408, "", None, now)
            return
        session.core.timers.set(self, "refresh", now + max(0.5, self.interval / 20))
        if session.can_update():
            session.update(None, now)
        elif session.can_reinvite:
            session.emit(RefreshDue(session))
