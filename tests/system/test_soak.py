"""Many calls, with hold, digits, cancelling and early ends, leave nothing behind.

`build/dev.py soak [N]` makes it long. The callers are SIPp; each kind of call has a caller
of its own, so that the phone's person (`Person`) knows by the caller's port what to do.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.headless import Headless, Resources
from tests.support.process import wait_until
from tests.support.sipp import Sipp

CALLS = int(os.environ.get("SOAK_CALLS", "300"))
A_SECOND = 6
"""Calls that begin in each second, of all kinds together."""
KINDS = {
    "soak_talks": ("udp", 3),  # talks, holds every other time, hangs up
    "calls": ("tcp", 1),  # hangs up at once
    "calls_and_is_hung_up": ("tcp", 1),
    "gives_up": ("udp", 1),  # while it rings
}
"""Each with its transport and its share."""
SHARES = sum(share for _, share in KINDS.values())
MOST_GROWTH_KB = 2048
WARM = max(CALLS // 10, 100)
"""Calls until memory is looked at: a tenth, but not before all forty at once have been there."""


class Person:
    """Answers the calls that want it, presses digits in every third, hangs up where it is its
    turn, and counts the ends."""

    def __init__(self, phone: Headless, kinds: dict[int, str]) -> None:
        self.phone = phone
        self.ended: Counter[int] = Counter()
        self._kinds = kinds
        self._kind_of: dict[int, str] = {}
        self._seen = 0
        self._chance = random.Random(7)

    def attend(self) -> int:
        """Do what is to be done; how many calls have ended."""
        new = self.phone.events[self._seen :]
        self._seen += len(new)
        for event in new:
            self._attend_to(event)
        return len(self.ended)

    def _attend_to(self, event: dict[str, object]) -> None:
        number = int(str(event.get("id", 0)))
        match event["ev"], event.get("state"):
            case "incoming", _:
                kind = self._kinds[int(str(event["from"]).rpartition(":")[2].rstrip(">"))]
                self._kind_of[number] = kind
                if kind != "gives_up":
                    self.phone.send(f"answer 200 {number}")
            case "state", "connected" if self._kind_of[number] == "calls_and_is_hung_up":
                self.phone.send(f"hangup {number}")
            case "state", "connected" if self._chance.random() < 1 / 3:
                self.phone.send(f"dtmf 1# {number}")
            case "state", "ended":
                self.ended[number] += 1


def _calls(kind: str) -> int:
    """Its share; the first kind has what is left over."""
    first, *others = KINDS
    if kind == first:
        return CALLS - sum(map(_calls, others))
    return CALLS * KINDS[kind][1] // SHARES


def callers(folder: Path, phone: Headless) -> Iterator[tuple[str, Sipp]]:
    """As many calls of each kind as its share is."""
    for kind, (transport, share) in KINDS.items():
        rate = str(max(1, A_SECOND * share // SHARES))
        options = ("-r", rate, "-l", "40", "-d", "0", "-timeout", str(60 + CALLS))
        yield (
            kind,
            Sipp(
                kind,
                folder,
                *options,
                target=phone.address,
                calls=_calls(kind),
                transport=transport,
                rtp_port=20_000,
            ),
        )


@pytest.mark.peers
@pytest.mark.timeout(120 + CALLS // 4)
def test_calls_of_every_kind_leave_no_thread_no_socket_and_no_memory_behind(
    tmp_path: Path,
) -> None:
    options = ("--answer", "180", "--accept-any-user", "--max-calls", "100")
    with Headless(*options) as phone, ExitStack() as stack:
        held = Resources(phone.pid)
        held.wait_for_rest()
        threads, sockets = held.threads(), held.sockets()
        running = {kind: stack.enter_context(c) for kind, c in callers(tmp_path, phone)}
        person = Person(phone, {caller.port: kind for kind, caller in running.items()})
        long_enough = 60 + CALLS / 4
        wait_until(lambda: person.attend() >= WARM, long_enough, "the first calls")
        once_warm = held.memory_kb()
        wait_until(
            lambda: person.attend() >= CALLS, long_enough, "all calls", lambda: astray(person)
        )
        for caller in running.values():
            caller.check()
        assert person.ended == Counter(range(1, CALLS + 1)), astray(person)
        wait_until(
            lambda: (held.threads(), held.sockets()) == (threads, sockets),
            10,
            f"{threads} threads and {sockets} sockets as before",
            lambda: f"{held.threads()} threads, {held.sockets()} sockets",
        )
        growth = held.memory_kb() - once_warm
        print(f"{CALLS} calls; memory grew by {growth} kB after the first {WARM}")
        assert growth < MOST_GROWTH_KB
        assert phone.quit() == 0


def astray(person: Person) -> str:
    """Everything that was said of the calls that did not end exactly once."""
    told = [event for event in person.phone.events if event.get("id")]
    rows = [str(event) for event in told if person.ended[int(str(event["id"]))] != 1]
    return "\n".join(rows[-60:])
