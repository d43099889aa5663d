"""From the end of a session to the reason that a person can understand (RFC 3261 section 21)."""

from applet.phone.messages import Reason
from applet.sip.events import EndedBy, SessionEnded

NOT_ANSWERED = {
    EndedBy.TIMEOUT: Reason.SERVER_SILENT,
    EndedBy.NO_ANSWER: Reason.NO_ANSWER,
    EndedBy.TRANSPORT: Reason.UNREACHABLE,
    EndedBy.LOOKUP: Reason.NAME_NOT_FOUND,
    EndedBy.UNTRUSTED: Reason.CERTIFICATE_UNTRUSTED,
    EndedBy.EXPIRED: Reason.CERTIFICATE_EXPIRED,
    EndedBy.WRONG_NAME: Reason.CERTIFICATE_WRONG_NAME,
    EndedBy.NOT_SECURE: Reason.NOT_SECURE,
}
"""Why a request of ours has no final answer."""

_BY_STATUS = {
    401: Reason.WRONG_CREDENTIALS,
    403: Reason.FORBIDDEN,
    404: Reason.NOT_FOUND,
    407: Reason.WRONG_CREDENTIALS,
    408: Reason.SERVER_SILENT,
    410: Reason.NOT_FOUND,
    415: Reason.NO_COMMON_CODEC,
    416: Reason.BAD_ADDRESS,
    480: Reason.UNAVAILABLE,
    484: Reason.BAD_ADDRESS,
    485: Reason.NOT_FOUND,
    486: Reason.BUSY,
    487: Reason.NO_ANSWER,
    488: Reason.NO_COMMON_CODEC,
    600: Reason.BUSY,
    603: Reason.DECLINED,
    604: Reason.NOT_FOUND,
    606: Reason.NO_COMMON_CODEC,
}


def reason_for_status(status: int) -> Reason:
    """The reason for a final failure `status` (300-699) of a request of ours."""
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    if status < 400:
        return Reason.MOVED
    if 500 <= status < 600:
        return Reason.SERVER_TROUBLE
    return Reason.REFUSED


def why_it_ended(event: SessionEnded, *, outgoing: bool, connected: bool) -> Reason:
    if event.by is EndedBy.LOCAL:
        if connected:
            return Reason.HUNG_UP_HERE
        return Reason.CANCELLED_HERE if outgoing else Reason.REJECTED_HERE
    if event.by is EndedBy.TIMEOUT and connected:
        return Reason.LOST
    if event.by in NOT_ANSWERED:
        return NOT_ANSWERED[event.by]
    if connected:
        return Reason.HUNG_UP_THERE
    if outgoing:
        return reason_for_status(event.status)
    reason = "" if event.message is None else event.message.header("Reason") or ""
    return Reason.ANSWERED_ELSEWHERE if "cause=200" in reason else Reason.CALLER_GAVE_UP
