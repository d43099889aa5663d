"""What is done in a cell: two calls of the real phone, with everything that a call has.

The phone registers and calls; a tone goes each way; it holds and resumes; the far end offers
again; the phone says BYE. Then the far end calls, and says BYE itself.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from tests.netlab.cell import Cell
from tests.netlab.desk import URI, Desk
from tests.netlab.desk_call import DESK_HZ, PHONE_HZ, DeskCall
from tests.netlab.ear import Ear
from tests.netlab.expectation import Signalling, Way, expected
from tests.netlab.house import House
from tests.netlab.network import CARRIER_WAN, SERVERS, WAN
from tests.netlab.router import client_address
from tests.netlab.services import mappings
from tests.support.headless import Headless
from tests.support.process import ROOT, wait_until

PROVEN_S = 0.6
"""So much tone without a break proves a direction."""
AUDIO_LIMIT_S = 15.0
"""Time for a rescue or two: what the phone needed is in the result."""
ANSWER_LIMIT_S = 20.0
DIST = ROOT / "dist"
STEP_LIMIT_S = 10.0


class Result(NamedTuple):
    """What happened in one cell. Times in seconds from the answer; None: never."""

    cell: Cell
    problem: str = "it did not run"
    signalling: str = ""
    address: str = ""
    """Whose address the phone's last SDP gave: own, router, relay or other."""
    way: str = ""
    """In the phone's own word, the last one."""
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
    recording = house.folder / "heard.wav"
    recording.unlink(missing_ok=True)
    with house.furnished(cell) as desk:
        sound = ("--audio-in", f"tone:{PHONE_HZ}", "--audio-out", recording)
        with house.phone(cell, *sound) as phone:
            story = _Story(cell, desk, phone, Ear(recording, DESK_HZ, PHONE_HZ))
            problem = story.tell()
            _keep(cell, phone.transcript(1000))
        if not problem and mappings(house.network):
            problem = f"the phone left a port mapping behind: {mappings(house.network)}"
        result = story.result(problem)
    return result._replace(took_s=round(time.monotonic() - began, 1))


def _keep(cell: Cell, transcript: str) -> None:
    folder = DIST / "nat-matrix"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{cell.name.replace('/', '-')}.log").write_text(transcript)


class _Story:
    """One telling."""

    def __init__(self, cell: Cell, desk: Desk, phone: Headless, ear: Ear) -> None:
        self._cell, self._desk, self._phone, self._ear = cell, desk, phone, ear
        self._call: DeskCall | None = None
        self._answered = (0.0, 0)
        self._step = ""

    def tell(self) -> str:
        """What went wrong, and in which step; empty if nothing did."""
        steps: tuple[Callable[[], None], ...] = (
            *(self.registers, self.calls, self.is_heard, self.holds, self.resumes),
            *(self.is_offered_again, self.says_bye, self.is_called, self.is_told_bye),
            self.went_an_expected_way,
        )
        for step in steps:
            self._step = step.__name__
            try:
                step()
            except (AssertionError, OSError, ValueError) as error:
                return f"{self._step}: {str(error).splitlines()[0]}"
        return ""

    def registers(self) -> None:
        self._phone.wait_for("registered", ANSWER_LIMIT_S)
        assert self._desk.registered is not None, "the registrar knows nothing of it"

    def calls(self) -> None:
        self._phone.send(f"call {URI}")
        self._phone.wait_for_state("connected", ANSWER_LIMIT_S)
        self._answered = (time.monotonic(), self._ear.frames())
        self._call = self._desk.wait_for_call(0, STEP_LIMIT_S)

    def is_heard(self) -> None:
        self._both_hear(self._answered[0], 0)

    def holds(self) -> None:
        self._phone.send("hold")
        self._phone.wait_for("hold", STEP_LIMIT_S, by="us")
        assert self.call.sdps[-1].direction in ("inactive", "sendonly"), self.call.sdps[-1]
        wait_until(lambda: self.call.line.is_silent(0.3), STEP_LIMIT_S, "silence at the far end")

    def resumes(self) -> None:
        begin = (time.monotonic(), self._ear.frames())
        self._phone.send("resume")
        self._phone.wait_for("hold", STEP_LIMIT_S, by="none")
        self._both_hear(*begin)

    def is_offered_again(self) -> None:
        self.call.reinvite()
        self._both_hear(time.monotonic(), self._ear.frames())

    def says_bye(self) -> None:
        self._phone.send("hangup")
        self._phone.wait_for_state("ended", STEP_LIMIT_S)
        wait_until(lambda: self.call.ended_by == "phone", STEP_LIMIT_S, "the phone's BYE")

    def is_called(self) -> None:
        """The recording is of the first call only: here the phone counts what it hears."""
        self._desk.call_the_phone()
        self._phone.wait_for_state("connected", ANSWER_LIMIT_S)
        self._call = self._desk.wait_for_call(len(self._desk.calls) - 1, STEP_LIMIT_S)
        self._call.line.wait_for_tone(PROVEN_S, 0.0, AUDIO_LIMIT_S)
        wait_until(self._hears_packets, AUDIO_LIMIT_S, "the far end's packets at the phone")

    def is_told_bye(self) -> None:
        self.call.hang_up()
        self._phone.wait_for_state("ended", STEP_LIMIT_S)

    def went_an_expected_way(self) -> None:
        """What the far end saw is explained by a pair of the table."""
        seen = {
            (Signalling(self.call.signalling), way)
            for way, addresses in ADDRESSES.items()
            if self.address() in addresses
        }
        assert seen & {*expected(self._cell).pairs}, (
            f"not an expected way: {self.call.signalling} with {self.address()} address"
        )

    @property
    def call(self) -> DeskCall:
        assert self._call is not None, "no call at the far end"
        return self._call

    def address(self) -> str:
        """Whose address the phone named last."""
        host = self.call.sdps[-1].place[0] if self.call.sdps else ""
        owners = {WAN: "router", CARRIER_WAN: "router", SERVERS[0]: "relay"}
        owners[client_address(self._cell)] = "own"
        return owners.get(host, "other")

    def result(self, problem: str) -> Result:
        told = [str(event["way"]) for event in self._phone.events if event["ev"] == "nat"]
        call = self._desk.calls[0] if self._desk.calls else None
        at, frame = self._answered
        desk_first = call.line.first_tone(at - 1) if call and at else None
        phone_first = self._ear.first_tone(0) if at else None
        self._call = call or self._call
        return Result(
            self._cell,
            problem,
            call.signalling if call else "",
            self.address() if call else "",
            told[-1] if told else "",
            None if desk_first is None else round(max(desk_first - at, 0), 2),
            None if phone_first is None else round(max(phone_first - frame, 0) / 50, 2),
            self._desk.starved(),
        )

    def _both_hear(self, since: float, frame: int) -> None:
        lost = []
        with suppress(AssertionError):
            self.call.line.wait_for_tone(PROVEN_S, since, AUDIO_LIMIT_S)
            lost.append("")
        try:
            self._ear.wait_for_tone(PROVEN_S, frame, AUDIO_LIMIT_S)
        except AssertionError:
            raise AssertionError(
                "the phone hears nothing" if lost else "nobody hears anything"
            ) from None
        assert lost, "the far end hears nothing"

    def _hears_packets(self) -> bool:
        received = self._phone.stats()["rx"]
        return isinstance(received, int) and received >= 25


ADDRESSES = {
    Way.DIRECT: ("own",),
    Way.LATCHED: ("own", "router", "other"),
    Way.ALG: ("router",),
    Way.MAPPED: ("router",),
    Way.STUN: ("router",),
    Way.RELAY: ("relay",),
}
"""Whose address the far end sees, by the way."""
