"""UPnP routers that refuse, lie, talk nonsense, say nothing or vanish, before the real miniupnpc:
none of them holds anybody up, and nothing is left open."""

import os
import time
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from applet.address import Address
from applet.nat.knowledge import Mapper, MapperSeen
from applet.threads.mappings import LOOK_LIMIT, OPEN_LIMIT, STOP_LIMIT, Mapped, Mappings
from applet.threads.routers import find_upnp
from tests.netlab.namespaces import inside
from tests.netlab.poor_igd import HOST, PoorIgd
from tests.support.process import wait_until

pytestmark = [pytest.mark.netns, pytest.mark.timeout(60)]
NOBODY = MapperSeen(None, "")
RTP, RTCP = Address(HOST, 20000), Address(HOST, 20001)
NAMESPACE = f"t{os.getpid()}igd-lan"
SLACK_S = 0.5


class Home:
    """Our mappings in the network of one router, which has been looked for."""

    def __init__(self, **poor: Any) -> None:
        self.igd = PoorIgd(NAMESPACE, **poor)
        self.mappings = Mappings((find_upnp,))
        answers: SimpleQueue[MapperSeen] = SimpleQueue()
        began = time.monotonic()
        with inside(NAMESPACE):
            self.mappings.look(5060, answers.put)
            self.seen = answers.get(timeout=20)
        assert time.monotonic() - began < LOOK_LIMIT + SLACK_S
        assert self.igd.asked, "the router was not found at all"

    def open(self) -> Mapped | None:
        """Within its limit, whatever happens."""
        answers: SimpleQueue[Mapped | None] = SimpleQueue()
        began = time.monotonic()
        with inside(NAMESPACE):
            self.mappings.open(RTP, RTCP, answers.put)
        mapped = answers.get(timeout=10)
        assert time.monotonic() - began < OPEN_LIMIT + SLACK_S
        return mapped

    def leave(self) -> None:
        began = time.monotonic()
        self.mappings.stop()
        assert time.monotonic() - began < STOP_LIMIT + SLACK_S
        self.igd.stop()


@pytest.fixture
def home(possible: None, request: pytest.FixtureRequest) -> Iterator[Home]:
    home = Home(**request.param)
    yield home
    home.leave()


@pytest.mark.parametrize("home", [{}], indirect=True)
def test_one_that_is_what_it_says_opens_the_ports_and_closes_them(home: Home) -> None:
    assert home.seen == MapperSeen(Mapper.UPNP, "5.5.1.2")
    mapped = home.open()
    assert mapped is not None and mapped.rtp == ("5.5.1.2", 20000)
    assert home.igd.mapped == {"20000", "20001"}
    mapped.close()
    wait_until(lambda: not home.igd.mapped, 5, "the mappings to be taken away")


@pytest.mark.parametrize(
    "home",
    [{"external": ""}, {"external": "192.168.0.9"}, {"external": "100.64.0.9"}, {"garbage": True}],
    indirect=True,
    ids=["no address", "a private address", "a carrier's address", "garbage"],
)
def test_one_that_leads_nowhere_is_none(home: Home) -> None:
    assert home.seen == NOBODY
    assert home.open() is None


@pytest.mark.parametrize("home", [{"refuses": True}], indirect=True)
def test_one_that_refuses_costs_the_call_nothing(home: Home) -> None:
    assert home.seen.mapper is Mapper.UPNP
    assert home.open() is None
    assert "AddPortMapping" in home.igd.asked


@pytest.mark.parametrize("home", [{}], indirect=True)
def test_one_that_vanishes_costs_the_call_nothing(home: Home) -> None:
    mapped = home.open()
    home.igd.vanish()
    assert home.open() is None
    assert mapped is not None
    mapped.close()


@pytest.mark.parametrize("home", [{"silent": True}], indirect=True)
def test_one_that_says_nothing_is_none_in_the_end_and_nobody_waits_for_it(home: Home) -> None:
    assert home.seen == NOBODY
    assert home.open() is None
