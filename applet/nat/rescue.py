"""When another way is tried in a running call, and when it is given up. No sound goes in, steps
come out.

    Fine ──missing──► Missing ──a step──► Trying ──answered──► Hoping ──missing──► Missing
      ▲                  │ ▲                 │
      └────── back ──────┘ └──── refused ────┘        Missing ──no step left──► GivenUp

`back` leads to Fine from everywhere. Each way is tried once, and at most one offer is made in
five seconds. A pair missing from the table changes nothing.
"""

from __future__ import annotations

from applet.enums import Enum
from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.nat.strategy import Way

OFFER_PAUSE = 5.0
"""Seconds between two offers of ours for a rescue."""
BUSY_PAUSE = 0.5
"""Seconds after which is looked again while another offer is open."""


class RescueState(Enum):
    FINE = "fine"
    MISSING = "missing"
    TRYING = "trying"
    HOPING = "hoping"
    GIVEN_UP = "given up"


class RescueInput(Enum):
    MISSING = "missing"
    BACK = "back"
    STEP = "step"
    ANSWERED = "answered"
    REFUSED = "refused"
    NO_STEP = "no step"


_TABLE = {
    (RescueState.FINE, RescueInput.MISSING): RescueState.MISSING,
    (RescueState.HOPING, RescueInput.MISSING): RescueState.MISSING,
    (RescueState.MISSING, RescueInput.BACK): RescueState.FINE,
    (RescueState.HOPING, RescueInput.BACK): RescueState.FINE,
    (RescueState.TRYING, RescueInput.BACK): RescueState.FINE,
    (RescueState.GIVEN_UP, RescueInput.BACK): RescueState.FINE,
    (RescueState.MISSING, RescueInput.STEP): RescueState.TRYING,
    (RescueState.TRYING, RescueInput.ANSWERED): RescueState.HOPING,
    (RescueState.TRYING, RescueInput.REFUSED): RescueState.MISSING,
    (RescueState.MISSING, RescueInput.NO_STEP): RescueState.GIVEN_UP,
}


class Step(NamedTuple):
    """What to try: another way for the sound, or (None) SIP over another transport."""

    way: Way | None


class Rescue:
    """`due`: when to call `next_step`; None: not now."""

    __slots__ = ("_last_offer", "_steps", "due", "state")

    def __init__(self) -> None:
        self.state = RescueState.FINE
        self.due: float | None = None
        self._steps: list[Step] | None = None
        self._last_offer = -OFFER_PAUSE

    @property
    def began(self) -> bool:
        return self._steps is not None

    @property
    def at_last(self) -> bool:
        """Nothing but SIP over another transport is left."""
        return self._steps == [Step(None)]

    def begin(self, steps: tuple[Step, ...]) -> None:
        """What there is to try in this call, in this order; the first time sound is missing."""
        self._steps = list(steps)

    def feed(self, given: RescueInput, now: float) -> bool:
        """Move along the table; False if nothing changed."""
        after = _TABLE.get((self.state, given))
        if after is None:
            return False
        self.state = after
        if given is RescueInput.BACK:
            self._steps = None  # the next trouble is another one
        waits = after is RescueState.MISSING
        self.due = max(now, self._last_offer + OFFER_PAUSE) if waits else None
        return True

    def next_step(self, free: bool, now: float) -> Step | None:
        """`due` has come; `free`: no offer is open. None: not now, or (state GivenUp) never."""
        self.due = None
        if not free:
            self.due = now + BUSY_PAUSE
        elif not self._steps:
            self.feed(RescueInput.NO_STEP, now)
        else:
            self.feed(RescueInput.STEP, now)
            return self._steps.pop(0)
        return None

    def offered(self, now: float) -> None:
        """A step has led to an offer."""
        self._last_offer = now
