"""PRACK (RFC 3262): ours for what comes reliably, theirs for what we sent reliably."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.extensions import RELIABLE, demands
from applet.sip.grammar import clamped
from applet.sip.in_dialog import send_in_dialog

if TYPE_CHECKING:
    from applet.sip.core import Incoming
    from applet.sip.dialog import Dialog
    from applet.sip.events import EndedBy
    from applet.sip.invite import InviteSession
    from applet.sip.message import Response

_HIGHEST = 2**32 - 1


def receive_prack(session: InviteSession, incoming: Incoming, now: float) -> None:
    session.called.receive_prack(incoming, now)


def reliable_number(response: Response) -> int | None:
    """RSeq of a provisional response that wants a PRACK, None for any other."""
    if not 100 < response.status < 200 or not demands(response, RELIABLE):
        return None
    return clamped(response.header("RSeq") or "", _HIGHEST)


class Proofs:
    """RFC 3262 section 4, for one INVITE of ours: in each early dialog the numbers rise by one, and
    what comes again, or out of turn, is neither proved nor looked at."""

    __slots__ = ("_last", "_session")

    def __init__(self, session: InviteSession) -> None:
        self._session = session
        self._last: dict[str, int] = {}

    def take(self, dialog: Dialog, number: int, response: Response, now: float) -> bool:
        """Send PRACK for a reliable response; False if it is to be ignored."""
        tag = dialog.remote.tag or ""
        last = self._last.get(tag)
        if last is not None and number != last + 1:
            return False
        self._last[tag] = number
        session = self._session
        headers = (("RAck", f"{number} {response.cseq.number} INVITE"),)
        send_in_dialog(
            session.core,
            dialog,
            "PRACK",
            headers,
            b"",
            session.preferred,
            session.authenticator,
            _nothing_follows,
            now,
        )
        return True


def _nothing_follows(_: Response | EndedBy, now: float) -> None:
    """Without its PRACK the other side gives the INVITE up by itself."""
