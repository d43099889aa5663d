"""What a session tells, on its way to the call that it belongs to."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip import events as sip

if TYPE_CHECKING:
    from applet.phone.call import Call
    from applet.phone.negotiation import Negotiation


def tell_call(call: Call, event: sip.Event, now: float) -> None:
    match event:
        case sip.Provisional():
            call.provisional(event)
        case sip.Answered():
            call.answered(event, now)
        case sip.Confirmed():
            call.confirmed(event, now)
        case sip.AnswerReceived(body=body):
            call.early_offer_answered(body, now)
        case sip.SessionEnded():
            call.session_ended(event, now)
        case _:
            assert call.negotiation is not None  # without it there is no dialog
            _tell_negotiation(call.negotiation, event, now)
    if call.rescuer is not None:
        call.rescuer.session_event(event, now)
    call.show()


def _tell_negotiation(negotiation: Negotiation, event: sip.Event, now: float) -> None:
    match event:
        case sip.OfferReceived(branch=branch, body=body):
            negotiation.offered_at_once(branch, body, now)
        case sip.RefreshDue():
            negotiation.refresh(now)
        case sip.ReinviteReceived(body=body):
            negotiation.offered(body, now)
        case sip.ReinviteConfirmed(body=body):
            negotiation.offer_confirmed(body, now)
        case sip.ReinviteAnswered():
            negotiation.offer_answered(event, now)
        case sip.ReinviteFailed():
            negotiation.offer_failed(event, now)
        case _:  # ReinviteRetryDue
            negotiation.retry(now)
