"""What the person sees and hears of one call beside its sound: its state, tones and silence.

What happens to the call is `phone.call`.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.media.tones import Tone
from applet.phone.messages import (
    CallState,
    CallStateChanged,
    HeldBy,
    MuteChanged,
    Reason,
)
from applet.phone.orders import HoldMedia, InjectFile, MuteMedia, PlayTone
from applet.phone.reasons import NO_REASON, Why

if TYPE_CHECKING:
    from applet.phone.negotiation import Negotiation
    from applet.phone.outbox import Outbox

_HELD_HERE = (HeldBy.US, HeldBy.BOTH)


class CallFace:
    """`peer` is the other side's URI. `negotiation` is there as soon as sockets are bound."""

    __slots__ = (
        "_connected",
        "_end",
        "_outbox",
        "_passed_on",
        "_queued",
        "_state",
        "_tone",
        "muted",
        "negotiation",
        "number",
        "outgoing",
        "peer",
    )

    def __init__(self, number: int, peer: str, outgoing: bool, outbox: Outbox) -> None:
        self.number = number
        self.peer = peer
        self.outgoing = outgoing
        self.negotiation: Negotiation | None = None
        self.muted = False
        self._outbox = outbox
        self._state = CallState.DIALLING
        self._connected = False
        self._end: tuple[Why, int] | None = None
        self._tone: Tone | None = None
        self._queued = ""
        self._passed_on = False

    @property
    def live(self) -> bool:
        """Whether the person still sees it: not ended."""
        return self._end is None

    @property
    def talking(self) -> bool:
        """Answered and not over, held or not."""
        return self._connected and self._end is None

    @property
    def state(self) -> CallState:
        return self._state

    @property
    def end_status(self) -> int:
        """The SIP status it ended with; 0 if there was none, or it has not ended."""
        return self._end[1] if self._end is not None else 0

    @property
    def held_here(self) -> bool:
        """The person has put it on hold."""
        return self.negotiation is not None and self.negotiation.held_by in _HELD_HERE

    # --- what the person does to its sound

    def mute(self, on: bool) -> None:
        if self._end is None:
            self.muted = on
            self._outbox.order(MuteMedia(self.number, on))
            self._outbox.tell(MuteChanged(self.number, on))

    def play_file(self, path: str) -> None:
        if self.talking:
            self._outbox.order(InjectFile(self.number, path))

    def wait_silently(self, on: bool) -> None:
        """Neither heard nor hearing while another call is tried in its place, and then (unless
        the person holds it) as before. It ends as one that was passed on."""
        self._passed_on = on
        if self._end is None and not self.held_here:
            self._outbox.order(HoldMedia(self.number, on))

    # --- what is told

    def show(self, code: int = 0) -> None:
        """Tell the state of a connected call, and let the hold tone follow it."""
        if not self.talking or self.negotiation is None:
            return
        on_hold = self.negotiation.on_hold
        if not on_hold or self._state not in (CallState.CONNECTED, CallState.ON_HOLD):
            self.tell_state(CallState.CONNECTED, code)
        if on_hold:
            self.tell_state(CallState.ON_HOLD)
        self.play(Tone.HOLD if self.negotiation.held_in_silence else None)

    def tell_queued(self, said: str) -> None:
        """Every new word of where the call stands in their queue."""
        if said != self._queued or self._state is CallState.DIALLING:
            self._queued = said
            self._state = CallState.DIALLING
            self.tell_state(CallState.RINGING, 182, Why(Reason.QUEUED, said))

    def play(self, tone: Tone | None) -> None:
        """A tone for the person until the next; None: silence."""
        if tone is not self._tone:
            self._tone = tone
            self._outbox.order(PlayTone(self.number, tone))

    def tell_state(self, state: CallState, code: int = 0, why: Why = NO_REASON) -> None:
        """Once for every change."""
        if state is self._state and state is not CallState.DIALLING:
            return
        self._state = state
        peer, outgoing = self.peer, self.outgoing
        self._outbox.tell(
            CallStateChanged(
                self.number, state, code, why.reason, peer, outgoing, why.said, why.retry_after
            )
        )
