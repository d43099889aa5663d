"""Keys on their way to the other side, by the best way that it takes: telephone events (RFC 4733)
if they were agreed on, else INFO if the other side allows it, else as tones in the sound."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import DigitSent, Reason, Trouble
from applet.phone.orders import SendMediaDigits

if TYPE_CHECKING:
    from applet.phone.call import Call
    from applet.phone.outbox import Outbox
    from applet.sip.endpoint import Endpoint
    from applet.sip.invite import InviteSession

DIGITS = frozenset("0123456789*#ABCD")
_MOST_WAITING = 64


class Keys:
    """Of a session in which INFO is under way `_waiting` has the keys that are not yet answered,
    one at a time, so that they come in order."""

    __slots__ = ("_endpoint", "_outbox", "_waiting")

    def __init__(self, endpoint: Endpoint, outbox: Outbox) -> None:
        self._endpoint = endpoint
        self._outbox = outbox
        self._waiting: dict[InviteSession, str] = {}

    def send(self, call: Call, digits: str, now: float) -> None:
        """Only characters of `0-9 * # A-D`, only in a call that is up."""
        digits = digits.upper()
        session, negotiation = call.session, call.negotiation
        usable = bool(digits) and set(digits) <= DIGITS and call.talking
        if not usable or session is None or negotiation is None:
            self._outbox.tell(Trouble(call.number, Reason.NO_DIGITS, ""))
        elif negotiation.takes_digits:
            self._outbox.order(SendMediaDigits(call.number, digits))
        elif not call.takes_info:
            self._outbox.order(SendMediaDigits(call.number, digits, as_tones=True))
        elif session in self._waiting:
            self._waiting[session] = (self._waiting[session] + digits)[:_MOST_WAITING]
        else:
            self._waiting[session] = digits[:_MOST_WAITING]
            self._endpoint.services.send_digit(session, digits[0], now)

    def answered(self, call: Call | None, session: InviteSession, status: int, now: float) -> None:
        """The first that waits was taken (2xx), else INFO is nothing for them: it and all others
        go as tones."""
        digits = self._waiting.pop(session, "")
        if call is None or not call.talking or not digits:
            return
        if not 200 <= status < 300:
            call.takes_info = False
            self._outbox.order(SendMediaDigits(call.number, digits, as_tones=True))
            return
        self._outbox.tell(DigitSent(call.number, digits[0]))
        if digits[1:]:
            self._waiting[session] = digits[1:]
            self._endpoint.services.send_digit(session, digits[1], now)
