"""What comes to the phone from outside its window: links that were followed in other programs, the
question whether to keep the program, and mistakes that other threads report."""

from __future__ import annotations

import re

from applet.hints import TYPE_CHECKING
from applet.pattern import pattern
from applet.phone.messages import Reason
from applet.ui.strings import Say
from applet.ui.view import AUTOSTART, Act, Keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.ui.screen_state import ScreenState

_LINK = pattern(r"(?:sips?|tel):[^\s<>\"]+", re.IGNORECASE)


class Visits:
    """Changes `state` and leaves effects in it; `show` brings the window to the front."""

    def __init__(self, state: ScreenState, show: Callable[[str, float], None]) -> None:
        self._state = state
        self._show = show
        self.doors: dict[Act, Callable[[str, float], None]] = {
            Act.LINK: self._link,
            Act.OFFER_KEEP: self._offer_keep,
            Act.KEEP: self._keep,
            Act.NOT_NOW: self._not_now,
            Act.KEPT: self._kept,
            Act.NOT_KEPT: self._not_kept,
            Act.FAILED: self._failed,
            Act.SHOW_LOG: self._show_log,
        }

    def _link(self, address: str, now: float) -> None:
        state = self._state
        self._show("", now)
        if state.stopped or not state.brand.dialling.links:
            return
        if state.call is not None:
            state.report(Reason.ONE_CALL_AT_A_TIME)
        elif not _LINK.fullmatch(address):
            state.report(Reason.BAD_ADDRESS)
        else:
            state.ask_to_call(address, Say.LINK)

    def _offer_keep(self, _: str, __: float) -> None:
        state = self._state
        state.can_be_kept = True
        state.keep_offered = state.settings.keep_asked != state.brand.version

    def _keep(self, value: str, _: float) -> None:
        if self._state.can_be_kept:
            self._state.can_be_kept = False
            self._answered()
            self._state.do(Keep(value == AUTOSTART))

    def _not_now(self, _: str, __: float) -> None:
        self._answered()

    def _answered(self) -> None:
        state = self._state
        state.keep_offered = False
        state.settings = state.settings._replace(keep_asked=state.brand.version)
        state.save()

    def _kept(self, _: str, __: float) -> None:
        self._state.report(Say.KEPT)

    def _not_kept(self, why: str, _: float) -> None:
        self._state.can_be_kept = True
        self._state.log_line("The program could not be kept", why)
        self._state.report(Say.NOT_KEPT)

    def _failed(self, trace: str, _: float) -> None:
        self._state.log_line("! unexpected error", trace)
        self._state.report(Reason.INTERNAL)

    def _show_log(self, _: str, now: float) -> None:
        self._show("", now)
        self._state.help_open = True
