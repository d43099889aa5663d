"""Keys by INFO (RFC 6086, its older usage; RFC 2976): `application/dtmf-relay` and
`application/dtmf`, and the answer to every other INFO."""

from __future__ import annotations

import re

from applet.hints import TYPE_CHECKING
from applet.pattern import pattern
from applet.sip.events import EndedBy, InfoAnswered, InfoDigit
from applet.sip.in_dialog import send_in_dialog

if TYPE_CHECKING:
    from applet.sip.core import Core, Incoming
    from applet.sip.invite import InviteSession
    from applet.sip.message import Request, Response

RELAY = "application/dtmf-relay"
PLAIN = "application/dtmf"
TYPES = (RELAY, PLAIN)
DIGIT_MS = 160

_DIGITS = "0123456789*#ABCD"
_signal = pattern(rb"^[ \t]*signal[ \t]*=[ \t]*([0-9A-D*#]{1,2})[ \t]*\r?$", re.I | re.M)
_NUMBERED = {str(number): digit for number, digit in enumerate(_DIGITS)}
"""Some write `*` and `#` as the event numbers 10 and 11 (RFC 4733 section 3.2)."""


def receive_info(core: Core, session: InviteSession, incoming: Incoming, now: float) -> None:
    """200 to a key and to an empty body, 415 to anything else; 469 to an Info Package, for none
    was announced (RFC 6086 section 4.2.2)."""
    request = incoming.request
    if request.header("Info-Package") is not None:
        incoming.respond(469, now, headers=(("Recv-Info", ""),))
    elif not request.body:
        incoming.respond(200, now)
    elif request.content_type not in TYPES:
        incoming.respond(415, now, headers=(("Accept", ", ".join(TYPES)),))
    else:
        digit = digit_in(request)
        incoming.respond(200 if digit else 400, now)
        if digit:
            core.emit(InfoDigit(session, digit))


def digit_in(request: Request) -> str:
    """The key in the body, "" if there is none."""
    if request.content_type == RELAY:
        found = _signal.search(request.body)
        text = found[1].decode() if found is not None else ""
    else:
        text = request.body[:8].decode("ascii", "replace").strip()
    text = text.upper()
    return text if len(text) == 1 and text in _DIGITS else _NUMBERED.get(text, "")


def send_digit(core: Core, session: InviteSession, digit: str, now: float) -> None:
    """One key; `InfoAnswered` tells when the next may follow (each its own transaction, in
    order)."""
    dialog = session.dialog
    assert dialog is not None  # keys are sent in a confirmed session only

    def answered(outcome: Response | EndedBy, at: float) -> None:
        if isinstance(outcome, EndedBy):
            core.emit(InfoAnswered(session, 408 if outcome is EndedBy.TIMEOUT else 0))
        else:
            core.emit(InfoAnswered(session, outcome.status))

    body = f"Signal={digit}\r\nDuration={DIGIT_MS}\r\n".encode()
    headers = (("Content-Type", RELAY),)
    send_in_dialog(
        core, dialog, "INFO", headers, body, session.preferred, session.authenticator, answered, now
    )
