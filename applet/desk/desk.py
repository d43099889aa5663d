"""The embedded support desk: who answers, greets, echoes and understands three keys."""

from collections.abc import Callable

from applet.desk.voice import DeskVoice
from applet.phone.messages import (
    CallState,
    CallStateChanged,
    Command,
    DigitReceived,
    Event,
    HangUp,
    Hold,
    RequestStatistics,
    Resume,
    Statistics,
)

HOLD_SECONDS = 5.0


class Desk:
    """Decides what the desk does: events and `now` go in, commands come out.

    Keys of the caller: 1 = hold for 5 s with music, 2 = hang up, 3 = the quality of the line.
    `say` gets each plain line that the desk has to tell.
    """

    __slots__ = ("_asked", "_resume_at", "_say", "_voices")

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._voices: dict[int, DeskVoice] = {}
        self._resume_at: dict[int, float] = {}
        self._asked: set[int] = set()

    def voice(self, call: int) -> DeskVoice:
        """The device of `call`, made when its media opens."""
        return self._voices.setdefault(call, DeskVoice())

    def handle(self, event: Event, now: float) -> list[Command]:
        match event:
            case CallStateChanged(call=call, state=CallState.CONNECTED, peer=peer):
                self._say(f"call {call} with {peer}")
            case CallStateChanged(call=call, state=CallState.ENDED):
                self._forget(call)
            case DigitReceived(call=call, digit=digit):
                return self._key(call, digit, now)
            case Statistics(call=call) if call in self._asked:
                self._asked.discard(call)
                self._say(_quality(event))
        return []

    def next_timer(self) -> float | None:
        return min(self._resume_at.values(), default=None)

    def handle_timers(self, now: float) -> list[Command]:
        due = [call for call, at in self._resume_at.items() if at <= now]
        for call in due:
            del self._resume_at[call]
            self.voice(call).holding = False
        return [Resume(call) for call in due]

    def _key(self, call: int, digit: str, now: float) -> list[Command]:
        if digit == "1":
            self.voice(call).holding = True
            self._resume_at[call] = now + HOLD_SECONDS
            return [Hold(call, with_music=True)]
        if digit == "2":
            return [HangUp(call)]
        if digit == "3":
            self._asked.add(call)
            return [RequestStatistics(call)]
        return []

    def _forget(self, call: int) -> None:
        self._voices.pop(call, None)
        self._resume_at.pop(call, None)
        self._asked.discard(call)


def _quality(numbers: Statistics) -> str:
    return (
        f"line quality of call {numbers.call}: MOS {numbers.mos:.1f}, "
        f"{numbers.lost} of {numbers.received + numbers.lost} packets lost, "
        f"jitter {numbers.jitter_ms:.0f} ms, delay {numbers.delay_ms:.0f} ms"
    )
