"""How the screen follows a call that is passed on: to the person it stays one call, under another
number of the phone's and with somebody else at its other end."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import TransferChanged, TransferState
from applet.ui.shown_call import ShownCall, link_address
from applet.ui.strings import Say
from applet.ui.view import RaiseWindow

if TYPE_CHECKING:
    from applet.ui.screen_state import ScreenState


def transfer_changed(state: ScreenState, event: TransferChanged) -> None:
    call = state.call
    if call is None or call.number != event.call:
        return
    call.asked_about = event.peer if event.state is TransferState.ASKED else ""
    if event.state is TransferState.ASKED:
        _ask(state, call)
    elif event.state is TransferState.FOLLOWING:
        address = link_address(event.peer)
        state.next_call = ShownCall(event.other, address, address, outgoing=True)
        call.passed_on = True
    elif event.state is TransferState.DONE and event.other:
        go_on(state)
    elif event.state is TransferState.FAILED:
        state.next_call = None
        call.passed_on = False


def go_on(state: ScreenState) -> None:
    """The next call takes the place of the one that is shown."""
    old, new = state.call, state.next_call
    if old is None or new is None:
        return
    if new.talking:
        new.connected_at = old.connected_at
    state.call, state.next_call = new, None
    state.who = new.who


def _ask(state: ScreenState, call: ShownCall) -> None:
    asked = state.speaker.say(Say.TRANSFER_ASKED, call.who, link_address(call.asked_about))
    state.do(RaiseWindow())
    state.window_shown = True
    state.notify(asked.headline, asked.advice)
