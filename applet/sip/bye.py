"""Ending a dialog (RFC 3261 section 15.1.1)."""

from __future__ import annotations

from collections.abc import Callable

from applet.hints import TYPE_CHECKING
from applet.sip.in_dialog import send_in_dialog

if TYPE_CHECKING:
    from applet.sip.authenticator import Authenticator
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

    def over(_: Response | EndedBy, at: float) -> None:
        if done is not None:
            done(at)

    dialog.terminate()
    send_in_dialog(core, dialog, "BYE", (), b"", preferred, authenticator, over, now)
