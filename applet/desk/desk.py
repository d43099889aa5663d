"""The embedded support desk: who answers, greets, echoes and understands three keys."""

from __future__ import annotations

from applet.desk.voice import DeskVoice
from applet.hints import TYPE_CHECKING
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    Command,
    DigitReceived,
    Event,
    HangUp,
    Hold,
    IncomingCall,
    RequestStatistics,
    Resume,
    Statistics,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RING_SECONDS = 1.0
HOLD_SECONDS = 5.0


class Desk:
    """Decides what the desk does: events and `now` go in, commands come out.

    It lets a call ring for a second and answers. The caller's keys: 1 = hold for 5 s with music,
    2 = hang up, 3 = the quality of the line. `say` gets each plain line that it has to tell.
    """

    __slots__ = ("_asked", "_later", "_say", "_voices")

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._voices: dict[int, DeskVoice] = {}
        self._later: dict[int, tuple[float, Command]] = {}  # per call: what comes next, and when
        self._asked: set[int] = set()

    def voice(self, call: int) -> DeskVoice:
        """The device of `call`, made when its media opens."""
        return self._voices.setdefault(call, DeskVoice())

    def handle(self, event: Event, now: float) -> list[Command]:
        match event:
            case IncomingCall(call=call, caller_uri=caller):
                self._say(f"call {call} from {caller}")
                self._later[call] = (now + RING_SECONDS, Answer(call))
            case CallStateChanged(call=call, state=CallState.ENDED):
                self._forget(call)
            case DigitReceived(call=call, digit=digit):
                return self._key(call, digit, now)
            case Statistics(call=call) if call in self._asked:
                self._asked.discard(call)
                self._say(_quality(event))
        return []

    def next_timer(self) -> float | None:
        return min((at for at, _ in self._later.values()), default=None)

    def handle_timers(self, now: float) -> list[Command]:
        due = [call for call, (at, _) in self._later.items() if at <= now]
        for call in due:
            self.voice(call).holding = False
        return [self._later.pop(call)[1] for call in due]

    def _key(self, call: int, digit: str, now: float) -> list[Command]:
        if digit == "1":
            self.voice(call).holding = True
            self._later[call] = (now + HOLD_SECONDS, Resume(call))
            return [Hold(call, with_music=True)]
        if digit == "2":
            return [HangUp(call)]
        if digit == "3":
            self._asked.add(call)
            return [RequestStatistics(call)]
        return []

    def _forget(self, call: int) -> None:
        self._voices.pop(call, None)
        self._later.pop(call, None)
        self._asked.discard(call)


def _quality(numbers: Statistics) -> str:
    return (
        f"line quality of call {numbers.call}: MOS {numbers.mos:.1f}, "
        f"{numbers.lost} of {numbers.received + numbers.lost} packets lost, "
        f"jitter {numbers.jitter_ms:.0f} ms, delay {numbers.delay_ms:.0f} ms"
    )
