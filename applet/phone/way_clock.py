"""How long an INVITE, or the ringing, waits for a way that has to be opened."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.network import CALL_WAIT
from applet.phone.orders import HurryWay

if TYPE_CHECKING:
    from applet.phone.outbox import Outbox

REST_AFTER = 0.1
"""Seconds the best way has for itself; then the others are opened beside it."""


class WayClock:
    """Of one call: it waits `CALL_WAIT` seconds in all, what is not known yet included."""

    __slots__ = ("_due", "_until")

    def __init__(self) -> None:
        self._until = 0.0
        self._due: list[tuple[float, bool]] = []

    def begin(self, now: float) -> None:
        """The person has clicked, or somebody calls."""
        self._until = now + CALL_WAIT

    def start(self, now: float) -> None:
        """Its ways are being opened."""
        rest = (now + REST_AFTER, False)
        self._due = [due for due in (rest, (self._until, True)) if due[0] <= self._until]

    def next_timer(self) -> float | None:
        return self._due[0][0] if self._due else None

    def handle_timers(self, call: int, outbox: Outbox, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            outbox.order(HurryWay(call, self._due.pop(0)[1]))
