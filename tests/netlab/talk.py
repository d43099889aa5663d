"""The real phone and the far end in one home, and whether each hears the other's tone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.netlab.cell import Cell
from tests.netlab.desk import URI, Desk
from tests.netlab.desk_call import DESK_HZ, PHONE_HZ, DeskCall
from tests.netlab.ear import Ear
from tests.netlab.house import RELAY, House
from tests.netlab.network import SERVERS
from tests.support.headless import Headless
from tests.support.process import wait_until

PROVEN_S = 0.6
"""So much tone with hardly a gap proves a direction."""
AUDIO_LIMIT_S = 15.0
"""Time for a rescue or two: what the phone needed is in the result."""
ANSWER_LIMIT_S = 20.0
STEP_LIMIT_S = 10.0
SLOW_START_MS = 2000
"""A phone that needs so long to be ready is starved: a tenth of it is usual."""


class Talk:
    """`call` is the one that is meant by `both_hear`, `ear` the phone's in it; `answered` the
    answer to the call that was dialled, as a time and as a frame of the phone's recording."""

    ear: Ear

    def __init__(self, house: House, desk: Desk, phone: Headless, folder: Path) -> None:
        self.house, self.desk, self.phone = house, desk, phone
        self._folder, self._calls = folder, 0
        self.answered = (0.0, 0)
        self._call: DeskCall | None = None

    @property
    def call(self) -> DeskCall:
        assert self._call is not None, "there is no call at the far end"
        return self._call

    def starved(self) -> bool:
        """One of the two had no processor when it needed one: what was missed proves nothing."""
        started = next(event for event in self.phone.events if event["ev"] == "ready")
        return self.desk.starved() or int(str(started["ready_ms"])) > SLOW_START_MS

    def registers(self) -> None:
        self.phone.wait_for("registered", ANSWER_LIMIT_S)
        assert self.desk.registered is not None, "the registrar knows nothing of it"

    def dials(self) -> None:
        self._listens()
        self.phone.send(f"call {URI}")
        self.phone.wait_for_state("connected", ANSWER_LIMIT_S)
        self.answered = (time.monotonic(), self.ear.frames())
        self._call = self.desk.wait_for_call(len(self.desk.calls) - 1, STEP_LIMIT_S)

    def is_called(self) -> None:
        """By the far end, which needs the phone's registration for it."""
        self._listens()
        self._call = self.desk.call_the_phone()
        self.phone.wait_for_state("connected", ANSWER_LIMIT_S)

    def _listens(self) -> None:
        """To the next call: each has a recording of its own."""
        self._calls += 1
        self.ear = Ear(recording(self._folder, str(self._calls)), DESK_HZ, PHONE_HZ)

    def both_hear(self, limit: float = AUDIO_LIMIT_S) -> float:
        """The seconds from now until each has heard enough of the other."""
        began, frame = time.monotonic(), self.ear.frames()
        line, hearing = self.call.line, set[str]()

        def look() -> bool:
            if line.hears(PROVEN_S, began):
                hearing.add("the far end")
            if self.ear.hears(PROVEN_S, frame):
                hearing.add("the phone")
            return len(hearing) == 2

        with suppress(AssertionError):
            wait_until(look, limit, "both tones")
        deaf = {"the far end", "the phone"} - hearing
        assert not deaf, " and ".join(sorted(deaf)) + " hears nothing"
        return time.monotonic() - began

    def falls_silent(self, limit: float = STEP_LIMIT_S) -> None:
        """The far end does not hear the phone any more."""
        wait_until(lambda: self.call.line.is_silent(0.3), limit, "silence at the far end")


def recording(folder: Path, call: str) -> Path:
    """What the phone's loudspeaker plays of the call with this number."""
    return folder / f"heard-{call}.wav"


@contextmanager
def talk(
    house: House, cell: Cell, *, stun: tuple[str, ...] = SERVERS, turn: str = RELAY
) -> Iterator[Talk]:
    """The phone, started in the home of `cell`; nothing is said yet."""
    for heard in house.folder.glob("heard-*.wav"):
        heard.unlink()
    with house.furnished(cell) as desk:
        sound = ("--audio-in", f"tone:{PHONE_HZ}", "--audio-out", recording(house.folder, "%d"))
        with house.phone(*sound, stun=stun, turn=turn) as phone:
            yield Talk(house, desk, phone, house.folder)
