"""Replaces: an INVITE that takes over a dialog of ours (RFC 3891)."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.pattern import pattern
from applet.sip.grammar import PARAMS, MessageError, find_param, has_param, read_params
from applet.sip.session_table import SessionState
from applet.sip.uas import RefusedError
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from applet.sip.core import DialogUser
    from applet.sip.dialog import DialogId
    from applet.sip.invite import InviteSession
    from applet.sip.message import Request

# A Call-ID is printable and has no separator of this header's; so nothing that was escaped inside
# a URI can become a line of its own.
_replaces = pattern(rf"[ \t]*+([!-+\--:<-~]++)({PARAMS})")

_NO_TAG = "0"
"""Stands for the tag of an RFC 2543 peer that has none (section 4)."""
_OVER = (SessionState.TERMINATING, SessionState.CANCELLING, SessionState.ENDED)


class Replaces(NamedTuple):
    """A dialog as its reader knows it: `to_tag` is the tag of whoever gets this header."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    @classmethod
    def parse(cls, text: str) -> Replaces:
        """Raises MessageError."""
        found = _replaces.fullmatch(text)
        params = read_params(found[2]) if found is not None else ()
        to_tag, from_tag = find_param(params, "to-tag"), find_param(params, "from-tag")
        if found is None or to_tag is None or from_tag is None:
            raise MessageError("Replaces cannot be read")
        return cls(found[1], to_tag, from_tag, has_param(params, "early-only"))

    def __str__(self) -> str:
        early = ";early-only" if self.early_only else ""
        to_tag, from_tag = self.to_tag or _NO_TAG, self.from_tag or _NO_TAG
        return f"{self.call_id};to-tag={to_tag};from-tag={from_tag}{early}"


def replaced_by(request: Request, dialogs: Mapping[DialogId, DialogUser]) -> InviteSession | None:
    """The session whose dialog `request` wants to take over (section 3), None if it has no such
    wish. Whether its sender may is not known here. Raises MessageError with the status."""
    lines = request.lines("Replaces")
    if not lines:
        return None
    if len(lines) > 1:
        raise MessageError("Replaces is there twice")
    wanted = Replaces.parse(lines[0])
    session = _session(wanted, dialogs)
    if session is None:
        raise RefusedError(481)
    if session.state in _OVER:
        raise RefusedError(603)
    if session.state is SessionState.CONFIRMED:
        if wanted.early_only:
            raise RefusedError(486)
    elif not session.outgoing:
        raise RefusedError(481)
    return session


def _session(wanted: Replaces, dialogs: Mapping[DialogId, DialogUser]) -> InviteSession | None:
    from applet.sip.invite import InviteSession  # with the first call, as in `endpoint`

    for tag in (wanted.from_tag, "") if wanted.from_tag == _NO_TAG else (wanted.from_tag,):
        user = dialogs.get((wanted.call_id, wanted.to_tag, tag))
        if isinstance(user, InviteSession):
            return user
    return None
