"""Ending a dialog (RFC 3261 section 15.1.1)."""

from __future__ import annotations

from collections.abc import Callable

from applet.sip.authenticator import Authenticator
from applet.sip.client_request import ClientRequest, Way
from applet.sip.core import Core
from applet.sip.dialog import Dialog
from applet.sip.events import EndedBy
from applet.sip.hop import Transport
from applet.sip.message import Response

Done = Callable[[float], None]


def send_bye(
    core: Core,
    dialog: Dialog,
    preferred: Transport | None,
    authenticator: Authenticator | None,
    done: Done | None,
    now: float,
) -> None:
    """Send BYE and, whatever is answered or not, call `done(now)`: the dialog is over."""
    dialog.terminate()
    headers = (("User-Agent", core.config.user_agent),)
    request = dialog.request("BYE", dialog.next_sequence(), headers)
    way = Way(dialog.next_hop, preferred, dialog.flow)
    ClientRequest(core, request, way, _Bye(dialog, done), authenticator).start(now)


class _Bye:
    __slots__ = ("_dialog", "_done")

    def __init__(self, dialog: Dialog, done: Done | None) -> None:
        self._dialog = dialog
        self._done = done

    def next_sequence(self) -> int:
        return self._dialog.next_sequence()

    def on_sent(self, now: float) -> None:
        pass

    def on_provisional(self, response: Response, now: float) -> None:
        pass

    def on_final(self, response: Response, now: float) -> None:
        if self._done is not None:
            self._done(now)

    def on_failed(self, by: EndedBy, now: float) -> None:
        if self._done is not None:
            self._done(now)
