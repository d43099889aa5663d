"""From what the other side gives as a reason to what a person can understand: SIP status codes
(RFC 3261 section 21), Reason (RFC 3326, with the causes of ITU-T Q.850), Warning (section 20.43)
and Retry-After (20.33)."""

from __future__ import annotations

import re

from applet.hints import TYPE_CHECKING
from applet.pattern import pattern
from applet.phone.messages import Reason
from applet.phone.words import remark
from applet.sip.events import EndedBy
from applet.sip.grammar import QUOTED, TOKEN, clamped, find_param, read_params, unquoted
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.sip.message import Message

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
# The causes that say more than a status does; 16 and 31 are "normal", and say nothing.
_BY_CAUSE = {
    1: Reason.NOT_FOUND, 2: Reason.UNREACHABLE, 3: Reason.UNREACHABLE, 17: Reason.BUSY,
    18: Reason.NO_ANSWER, 19: Reason.NO_ANSWER, 20: Reason.UNAVAILABLE, 21: Reason.DECLINED,
    22: Reason.MOVED, 23: Reason.MOVED, 27: Reason.UNAVAILABLE, 28: Reason.BAD_ADDRESS,
    34: Reason.LINES_BUSY, 38: Reason.SERVER_TROUBLE, 41: Reason.SERVER_TROUBLE,
    42: Reason.LINES_BUSY, 44: Reason.LINES_BUSY, 47: Reason.LINES_BUSY, 50: Reason.FORBIDDEN,
    52: Reason.FORBIDDEN, 54: Reason.FORBIDDEN, 55: Reason.FORBIDDEN, 57: Reason.FORBIDDEN,
    58: Reason.LINES_BUSY, 65: Reason.NO_COMMON_CODEC, 79: Reason.NO_COMMON_CODEC,
    88: Reason.NO_COMMON_CODEC, 102: Reason.SERVER_SILENT, 111: Reason.SERVER_TROUBLE,
    127: Reason.SERVER_TROUBLE,
}  # fmt: skip
_ELSEWHERE = {("sip", 200), ("q.850", 26)}
_NARROW = 370
_UNSUITABLE = range(300, 332)
_LONGEST_WAIT = 86_400
"""Seconds; who asks for more has not thought of a person."""
_warning = pattern(rf"([0-9]{{3}}) ++{TOKEN}(?::[0-9]++)? ++({QUOTED})", re.DOTALL)


class Why(NamedTuple):
    """`said`: their own words, fit to be shown. `retry_after`: seconds, 0 if they name none."""

    reason: Reason
    said: str = ""
    retry_after: int = 0


NO_REASON = Why(Reason.NONE)

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


def why_refused(status: int, message: Message | None) -> Why:
    """Why a call of ours was refused with `status`."""
    return _why(reason_for_status(status), message)


def why_hung_up(message: Message | None) -> Why:
    """Why the other side ended a call that was up."""
    return _why(Reason.HUNG_UP_THERE, message)


def why_cancelled(message: Message | None) -> Why:
    """Why a call to us stopped ringing."""
    if message is not None and any(cause in _ELSEWHERE for cause, _ in _causes(message)):
        return Why(Reason.ANSWERED_ELSEWHERE)
    return Why(Reason.CALLER_GAVE_UP)


def _why(reason: Reason, message: Message | None) -> Why:
    if message is None:
        return Why(reason)
    said = ""
    for (protocol, cause), text in _causes(message):
        if protocol == "q.850" and cause in _BY_CAUSE:
            reason = _BY_CAUSE[cause]
        elif protocol == "sip" and reason is Reason.HUNG_UP_THERE and cause in _BY_STATUS:
            reason = _BY_STATUS[cause]
        elif protocol not in ("q.850", "sip"):
            said = said or remark(text)
    for code, text in _warnings(message):
        if code == _NARROW:
            reason = Reason.LINE_TOO_NARROW
        elif code in _UNSUITABLE:
            reason = Reason.NO_COMMON_CODEC
        else:
            said = remark(text) or said
    wait = message.retry_after or 0
    return Why(reason, said, wait if wait <= _LONGEST_WAIT else 0)


def _causes(message: Message) -> list[tuple[tuple[str, int], str]]:
    """(protocol in lower case, cause) and text of each value of Reason."""
    found = []
    for value in message.values("Reason"):
        protocol, semicolon, rest = value.partition(";")
        params = read_params(semicolon + rest)
        cause = clamped(find_param(params, "cause") or "", 999) or 0
        text = unquoted(find_param(params, "text") or "")
        found.append(((protocol.strip().lower(), cause), text))
    return found


def _warnings(message: Message) -> list[tuple[int, str]]:
    found = [_warning.match(value) for value in message.values("Warning")]
    return [(int(one[1]), unquoted(one[2])) for one in found if one is not None]
