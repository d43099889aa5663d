"""Two Kamailios behind one name (SRV with priorities), and one of them is killed: before a call,
while it rings, and in the middle of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.dns_server import DnsServer
from tests.support.headless import Headless
from tests.support.kamailio import PASSWORD, Kamailio

pytestmark = pytest.mark.peers

DOMAIN = "lab.example"


class Town(NamedTuple):
    """`first` is asked as long as it lives; `desk` is behind both of them."""

    caller: Headless
    desk: Headless
    first: Kamailio
    second: Kamailio
    uri: str

    def call(self, timeout_s: float) -> None:
        self.caller.call(self.uri, timeout_s)
        self.desk.connected()

    def invites(self) -> tuple[int, int]:
        """How many reached each of them, challenged ones included."""
        return len(self.first.requests("INVITE")), len(self.second.requests("INVITE"))


Build = Callable[..., Town]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    with ExitStack() as stack:

        def town(transport: str, answer: str = "auto") -> Town:
            names = stack.enter_context(DnsServer())
            dns = ("--dns", str(names.address), "--nat", "none")
            desk = stack.enter_context(Headless("--accept-any-user", "--answer", answer, *dns))
            uri = f"sip:desk@{desk.address};transport={transport}"
            # Who writes the domain into Record-Route can be replaced in the middle of a call.
            route = f"{DOMAIN};transport={transport}"
            first, second = (
                stack.enter_context(Kamailio(tmp_path / name, DOMAIN, desk=uri, record_route=route))
                for name in ("first", "second")
            )
            names.add("server.example", "A", "127.0.0.1")
            records = (f"10 0 {first.port} server.example.", f"20 0 {second.port} server.example.")
            names.add(f"_sip._{transport}.{DOMAIN}", "SRV", *records)
            account = ("--id", f"sip:me@{DOMAIN}", "--user", "me", "--password", PASSWORD)
            caller = stack.enter_context(Headless(*account, *dns))
            return Town(caller, desk, first, second, f"sip:desk@{DOMAIN};transport={transport}")

        yield town


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_server_that_is_dead_before_the_call_is_passed_over(transport: str, build: Build) -> None:
    town = build(transport)
    town.call(5)
    town.caller.hang_up()
    assert town.invites() == (2, 0)
    town.first.kill()
    town.call(8)
    town.caller.hang_up()
    # Who was found dead is not asked first by the next call.
    town.call(2)
    town.desk.hang_up()
    town.caller.wait_for_state("ended")
    assert town.invites()[1] == 4


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_server_that_dies_while_it_rings_costs_that_call_and_not_the_next(
    transport: str, build: Build
) -> None:
    town = build(transport, "manual")
    town.caller.send(f"call {town.uri}")
    town.caller.wait_for_state("ringing")
    town.first.kill()
    ended = town.caller.hang_up()
    assert ended["text"] == "You cancelled the call."
    town.desk.send("reject 486")
    town.desk.wait_for_state("ended")
    town.caller.send(f"call {town.uri}")
    town.desk.wait_for("incoming", 8)
    town.desk.send("answer")
    town.caller.connected()
    town.caller.hang_up()
    town.desk.wait_for_state("ended")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_whose_server_dies_goes_on_through_the_other(transport: str, build: Build) -> None:
    town = build(transport)
    town.call(5)
    town.first.kill()
    town.caller.send("hold")
    town.desk.wait_for("hold", 10, by="them")
    town.caller.wait_for("hold", by="us")
    town.caller.send("resume")
    town.desk.wait_for("hold", 10, by="none")
    town.desk.hang_up()
    town.caller.wait_for("state", 10, state="ended")
    assert len(town.second.requests("BYE")) == 1
