"""Requests inside a dialog beside INVITE, ACK and BYE (RFC 3261 section 12.2, RFC 5057): who takes
theirs, and how ours are sent.

A part that understands such a method registers for it in `Core.in_dialog`; the session has
checked CSeq and that it has not ended before it hands a request over.
"""

from __future__ import annotations

from collections.abc import Callable

from applet.hints import TYPE_CHECKING
from applet.sip.client_request import ClientRequest, Way

if TYPE_CHECKING:
    from applet.sip.authenticator import Authenticator
    from applet.sip.core import Core, Incoming
    from applet.sip.dialog import Dialog
    from applet.sip.events import EndedBy
    from applet.sip.hop import Transport
    from applet.sip.invite import InviteSession
    from applet.sip.message import Response
    from applet.sip.uas import Headers

Receiver = Callable[["InviteSession", "Incoming", float], None]
"""Takes one request of theirs, and answers it sooner or later."""

Outcome = Callable[["Response | EndedBy", float], None]
"""Called once: with the final response, or with the reason why there is none."""


def send_in_dialog(
    core: Core,
    dialog: Dialog,
    method: str,
    headers: Headers,
    body: bytes,
    preferred: Transport | None,
    authenticator: Authenticator | None,
    done: Outcome,
    now: float,
    contact_user: str | None = None,
) -> None:
    """Send one request; `contact_user` for methods that refresh the target or make a usage."""
    lines = (*headers, ("User-Agent", core.config.user_agent))
    request = dialog.request(method, dialog.next_sequence(), lines, body)
    way = Way(dialog.next_hop, preferred, dialog.flow)
    user = _User(dialog, done)
    ClientRequest(core, request, way, user, authenticator, contact_user=contact_user).start(now)


class _User:
    """RequestUser: only the end matters."""

    __slots__ = ("_dialog", "_done")

    def __init__(self, dialog: Dialog, done: Outcome) -> None:
        self._dialog = dialog
        self._done = done

    def next_sequence(self) -> int:
        return self._dialog.next_sequence()

    def on_sent(self, now: float) -> None:
        pass

    def on_provisional(self, response: Response, now: float) -> None:
        pass

    def on_final(self, response: Response, now: float) -> None:
        self._done(response, now)

    def on_failed(self, by: EndedBy, now: float) -> None:
        self._done(by, now)
