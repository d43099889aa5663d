"""What is done in a cell: two calls of the real phone, with everything that a call has.

The phone registers and calls; a tone goes each way; it holds and resumes; the far end offers
again; the phone says BYE. Then the far end calls, and says BYE itself.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from tests.netlab.cell import Cell
from tests.netlab.desk_call import DeskCall
from tests.netlab.ear import Ear
from tests.netlab.expectation import Signalling, Way, expected
from tests.netlab.house import House
from tests.netlab.network import CARRIER_WAN, SERVERS, WAN
from tests.netlab.router import client_address
from tests.netlab.services import mappings
from tests.netlab.talk import STEP_LIMIT_S, Talk, talk
from tests.support.process import ROOT, wait_until

DIST = ROOT / "dist"

ADDRESSES = {
    Way.DIRECT: ("own",),
    Way.LATCHED: ("own", "router", "other"),
    Way.ALG: ("router",),
    Way.MAPPED: ("router",),
    Way.STUN: ("router",),
    Way.RELAY: ("relay",),
}
"""Whose address the far end is given, by the way."""


class Result(NamedTuple):
    """What happened in one cell. Times in seconds from the answer; None: never."""

    cell: Cell
    problem: str = "it did not run"
    signalling: str = ""
    address: str = ""
    """Whose address the phone's last SDP gave: own, router, relay or other."""
    way: str = ""
    """In the phone's own word, the last one of the call that it made."""
    heard_by_desk_s: float | None = None
    heard_by_phone_s: float | None = None
    starved: bool = False
    took_s: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.problem

    @property
    def slowest_s(self) -> float | None:
        """From the answer until both have heard the other; None if one never did."""
        if self.heard_by_desk_s is None or self.heard_by_phone_s is None:
            return None
        return max(self.heard_by_desk_s, self.heard_by_phone_s)

    @property
    def line(self) -> str:
        told = f"{self.way or '?'} by {self.signalling or '?'}, {self.address or 'no'} address"
        verdict = self.problem or f"two-way in {self.slowest_s} s"
        return f"{self.cell.name:45} {verdict} ({told}; {self.took_s} s)"


def play(house: House, cell: Cell) -> Result:
    """The whole story in one cell."""
    began = time.monotonic()
    with talk(house, cell) as told:
        story = _Story(cell, told)
        problem = story.tell()
        story.keep_log()
        result = story.result(problem)
    return result._replace(took_s=round(time.monotonic() - began, 1))


class _Story:
    """One telling."""

    def __init__(self, cell: Cell, told: Talk) -> None:
        self._cell, self._talk, self._phone = cell, told, told.phone
        self._first: DeskCall | None = None
        self._ear: Ear | None = None
        self._way = ""

    def tell(self) -> str:
        """What went wrong, and in which step; empty if nothing did."""
        steps: tuple[Callable[[], None], ...] = (
            *(self.registers, self.calls, self.is_heard, self.holds, self.resumes),
            *(self.is_offered_again, self.went_an_expected_way, self.says_bye),
            *(self.is_called, self.is_told_bye, self.leaves_nothing_behind),
        )
        for step in steps:
            try:
                step()
            except (AssertionError, OSError, ValueError) as error:
                return f"{step.__name__}: {str(error).splitlines()[0]}"
        return ""

    def registers(self) -> None:
        self._talk.registers()

    def calls(self) -> None:
        self._talk.dials()
        self._first, self._ear = self._talk.call, self._talk.ear

    def is_heard(self) -> None:
        self._talk.both_hear()

    def holds(self) -> None:
        self._phone.send("hold")
        self._phone.wait_for("hold", STEP_LIMIT_S, by="us")
        offered = self._talk.call.sdps[-1].direction
        assert offered in ("inactive", "sendonly"), f"hold was offered as {offered}"
        self._talk.falls_silent()

    def resumes(self) -> None:
        self._phone.send("resume")
        self._phone.wait_for("hold", STEP_LIMIT_S, by="none")
        self._talk.both_hear()

    def is_offered_again(self) -> None:
        self._talk.call.reinvite()
        self._talk.both_hear()

    def went_an_expected_way(self) -> None:
        """What the far end saw is explained by a pair of the table."""
        by, address = self._talk.call.signalling, self._address()
        seen = {(Signalling(by), way) for way, given in ADDRESSES.items() if address in given}
        assert seen & {*expected(self._cell).pairs}, (
            f"{address} address by {by} is not in the table"
        )

    def says_bye(self) -> None:
        self._phone.send("hangup")
        self._phone.wait_for_state("ended", STEP_LIMIT_S)
        wait_until(lambda: self._talk.call.ended_by == "phone", STEP_LIMIT_S, "the phone's BYE")
        self._way = self._told()

    def is_called(self) -> None:
        self._talk.is_called()
        self._talk.both_hear()

    def is_told_bye(self) -> None:
        self._talk.call.hang_up()
        self._phone.wait_for_state("ended", STEP_LIMIT_S)

    def leaves_nothing_behind(self) -> None:
        assert self._phone.quit() == 0, "it did not end well"
        left = mappings(self._talk.house.network)
        assert not left, f"a port mapping is left: {left}"

    def keep_log(self) -> None:
        """What the phone said, for whoever asks why."""
        folder = DIST / "nat-matrix"
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"{self._cell.name.replace('/', '-')}.log"
        heard = "\n".join(f"desk: {line}" for line in self._talk.desk.heard)
        log.write_text(f"{self._phone.transcript(1000)}\n{heard}\n")

    def result(self, problem: str) -> Result:
        at, frame = self._talk.answered
        call, ear = self._first, self._ear
        desk_first = call.line.first_tone(0.0) if call else None
        phone_first = ear.first_tone(0) if ear else None
        return Result(
            self._cell,
            problem,
            call.signalling if call else "",
            self._address(),
            self._way or self._told(),
            None if desk_first is None else round(max(desk_first - at, 0), 2),
            None if phone_first is None else round(max(phone_first - frame, 0) / 50, 2),
            self._talk.starved(),
        )

    def _told(self) -> str:
        told = [str(event["way"]) for event in self._phone.events if event["ev"] == "nat"]
        return told[-1] if told else ""

    def _address(self) -> str:
        """Whose address the phone named last in the first call, unless the relay speaks for it:
        an ALG may have written another address."""
        if self._first is None or not self._first.sdps:
            return ""
        if any(frame.source[0] == SERVERS[0] for frame in self._first.line.frames[-1:]):
            return "relay"
        owners = {WAN: "router", CARRIER_WAN: "router", SERVERS[0]: "relay"}
        owners[client_address(self._cell)] = "own"
        return owners.get(self._first.sdps[-1].place[0], "other")
