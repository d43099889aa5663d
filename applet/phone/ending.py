"""Why a call ended, told from the last event of its session."""

from __future__ import annotations

from applet.phone.messages import Reason
from applet.phone.reasons import NOT_ANSWERED, Why, why_cancelled, why_hung_up, why_refused
from applet.sip.events import EndedBy, SessionEnded


def why_ended(event: SessionEnded, outgoing: bool, connected: bool) -> Why:
    """`connected`: it was answered before."""
    if event.by is EndedBy.LOCAL:
        if connected:
            return Why(Reason.HUNG_UP_HERE)
        return Why(Reason.CANCELLED_HERE if outgoing else Reason.REJECTED_HERE)
    if event.by is EndedBy.TIMEOUT and connected:
        return Why(Reason.LOST)
    if event.by in NOT_ANSWERED:
        return Why(NOT_ANSWERED[event.by])
    if connected and event.status:
        return Why(Reason.LOST)  # they know of no such call (481), or nobody is there (408)
    if connected:
        return why_hung_up(event.message)
    if outgoing:
        return why_refused(event.status, event.message)
    return why_cancelled(event.message)
