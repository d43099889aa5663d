"""Five hundred calls in a row leave nothing behind."""

from collections import Counter
from pathlib import Path

import pytest

from tests.support.headless import Headless, Resources
from tests.support.process import wait_until
from tests.support.sipp import Sipp

CALLS = 500


@pytest.mark.peers
@pytest.mark.timeout(240)
def test_five_hundred_calls_leave_no_thread_no_socket_and_no_memory_behind(tmp_path: Path) -> None:
    options = ("-r", "8", "-d", "800", "-l", "20")
    with Headless("--answer", "auto", "--accept-any-user", "--max-calls", "30") as phone:
        held = Resources(phone.pid)
        threads, sockets = held.threads(), held.sockets()
        with Sipp(
            "calls", tmp_path, *options, target=phone.address, calls=CALLS, rtp_port=20_000
        ) as sipp:
            wait_until(lambda: len(ended(phone)) >= CALLS // 10, 60, "a tenth of the calls")
            after_a_tenth = held.memory_kb()
            sipp.check(timeout_s=120)
        wait_until(lambda: len(ended(phone)) >= CALLS, 10, "every end", lambda: astray(phone))
        assert sorted(ended(phone)) == list(range(1, CALLS + 1)), astray(phone)
        wait_until(
            lambda: (held.threads(), held.sockets()) == (threads, sockets),
            10,
            f"{threads} threads and {sockets} sockets as before",
            lambda: f"{held.threads()} threads, {held.sockets()} sockets",
        )
        assert held.memory_kb() - after_a_tenth < 2048
        assert phone.quit() == 0


def ended(phone: Headless) -> list[int]:
    """The ids of the calls that have ended, each as often as it was said."""
    return [int(str(event["id"])) for event in list(phone.events) if event.get("state") == "ended"]


def astray(phone: Headless) -> str:
    """Everything that was said of the calls that did not end exactly once."""
    ids = Counter({event.get("id"): 0 for event in phone.events})
    ids.update(ended(phone))
    rows = [str(event) for event in phone.events if ids[event.get("id")] != 1]
    return "\n".join(rows)
