"""Does sound come at all? Decides when a silence is a broken way and not a quiet person.

    answered ──3 s without RTP──► missing        RTP ──6 s without──► missing
                                     └───── RTP comes ─────► back

Nothing is missing while the call does not receive, while either side holds it, after comfort
noise (they said that they fall silent), or while RTCP shows that the way is open: any report
within the six seconds; after an answer only one of a peer that has not sent sound either, for one
that has sent some tells that it is lost.
"""

from __future__ import annotations

AFTER_ANSWER = 3.0
LATER = 6.0
"""Seconds without a valid RTP packet."""


class Liveness:
    """Times are `now` of the session. `due`: when to look again; None: never. `heard`: sound came
    since the last agreement that was another one."""

    __slots__ = ("_comfort", "_listening", "_missing", "_report", "due", "heard")

    def __init__(self) -> None:
        self.due: float | None = None
        self.heard = False
        self._listening = False
        self._comfort = False
        self._missing = False
        self._report = -LATER

    @property
    def missing(self) -> bool:
        return self._missing

    def listen(self, on: bool, now: float) -> None:
        """A new agreement: the other side should be heard from now on, or not."""
        self.heard = self._comfort = self._missing = False
        self._listening = on
        self._report = now - LATER
        self.due = now + AFTER_ANSWER if on else None

    def rtp(self, comfort_noise: bool, now: float) -> bool:
        """A valid packet came. True: it was missing before."""
        self._comfort = comfort_noise
        was_missing, self._missing = self._missing, False
        if self._listening:
            self.heard = True
            self.due = now + LATER
        return was_missing

    def rtcp(self, sends: bool, now: float) -> None:
        """A report came; `sends`: of somebody who has sent sound since the one before."""
        if self.heard or not sends:
            self._report = now

    def look(self, now: float) -> bool:
        """True once `due` has come and sound is missing; told once until it is back."""
        if self.due is None or self.due > now:
            return False
        self.due = None
        if self._comfort:
            return False
        shown_until = self._report + (LATER if self.heard else AFTER_ANSWER)
        if shown_until > now:  # `now - report < window` may be true at this very moment: rounding
            self.due = shown_until
            return False
        self._missing = True
        return True
