"""Several ways for the sound of one call, opened side by side on the real media thread."""

import random
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from applet.address import Address
from applet.audio.file import NullDevice
from applet.nat.knowledge import Mapper, MapperSeen, RelayServer
from applet.nat.port_mapping import LEASE, Granted
from applet.nat.strategy import DIRECT, Kind, OpenedWay, Way
from applet.phone.orders import CloseMedia, HurryWay, KeepWay, OpenMedia, OpenWay, UpdateMedia
from applet.threads.mappings import Mappings
from applet.threads.media import MediaThread
from applet.threads.media_answers import MediaAnswer, WayOpened
from applet.threads.ways import MappingMoved
from tests.support.ports import free_port
from tests.support.process import wait_until
from tests.support.stun_server import Lab, good, lab
from tests.threads.test_media import parameters

OUTSIDE = "5.5.1.2"
BY_UPNP = Way(Kind.MAPPED, mapper=Mapper.UPNP)
NO_RELAY = Way(Kind.RELAY, relay=RelayServer(Address("127.0.0.1", 9), "tcp", "u", "p"))


class Gateway:
    """A router that answers when it is let; `open` has the ports that are mapped."""

    kind = Mapper.UPNP
    external = OUTSIDE
    place = "here"

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.open: set[int] = set()
        self.shift = 10000

    def look_again(self) -> None:
        """It keeps its address."""

    def add(self, internal: int, lifetime: int = LEASE) -> Granted:
        self.answers.wait(5)
        self.open.add(internal)
        return Granted(Address(OUTSIDE, internal + self.shift), lifetime)

    def remove(self, internal: int, external: int) -> None:
        self.open.discard(internal)


class Line:
    """A media thread with one call, a router and a STUN server."""

    def __init__(self, server: Lab) -> None:
        self.gateway = Gateway()
        self.mappings = Mappings((lambda _: self.gateway,))
        seen: SimpleQueue[MapperSeen] = SimpleQueue()
        self.mappings.look(5060, seen.put)
        seen.get(timeout=5)
        self.by_stun = Way(Kind.STUN, stun=server.server)
        self.answers: SimpleQueue[MediaAnswer] = SimpleQueue()
        self.thread = MediaThread(
            lambda call: NullDevice(),
            random.SystemRandom(),
            bind_host="127.0.0.1",
            mappings=self.mappings,
        )
        self.thread.start(self.answers.put)
        opened = self.thread.open(1, "127.0.0.1")
        self.rtp, self.rtcp = opened.sockets.rtp_address, opened.sockets.rtcp_address
        self.own = OpenedWay(DIRECT, self.rtp, self.rtcp)
        self.thread.adopt(opened)

    def open(self, *ways: Way, every: bool = False) -> None:
        self.thread.submit(OpenMedia(1, "127.0.0.1", ways, every))

    def mapped(self, shift: int = 10000) -> tuple[Address, Address]:
        return Address(OUTSIDE, self.rtp.port + shift), Address(OUTSIDE, self.rtcp.port + shift)

    def opened(self) -> OpenedWay:
        while True:
            answer = self.answers.get(timeout=10)
            if isinstance(answer, WayOpened):
                return answer.opened

    def take_what_is_open(self) -> OpenedWay:
        """Once the STUN server has answered."""
        self.thread.submit(HurryWay(1, take=False))
        wait_until(lambda: self.stun_is_in(), 5, "the STUN server's answer")
        self.thread.submit(HurryWay(1, take=True))
        return self.opened()

    def stun_is_in(self) -> bool:
        return any(
            opening.ended.get(1) is not None for opening in self.thread._ways._openings.values()
        )

    def agree(self) -> None:
        self.thread.submit(UpdateMedia(1, parameters(free_port())))


@pytest.fixture
def line() -> Iterator[Line]:
    with lab(good) as server:
        line = Line(server)
        yield line
        line.gateway.answers.set()
        line.thread.submit(CloseMedia(1))
        line.thread.stop()
        assert line.gateway.open == set(), "nothing is left behind"


def test_the_best_way_is_alone_as_long_as_nobody_hurries(line: Line) -> None:
    line.gateway.answers.set()
    line.open(BY_UPNP, line.by_stun)
    opened = line.opened()
    assert opened == OpenedWay(BY_UPNP, *line.mapped(), (line.rtp, line.rtcp), (line.own,))


def test_who_hurries_gets_what_is_open_and_the_better_way_when_it_comes(line: Line) -> None:
    line.open(BY_UPNP, line.by_stun)
    opened = line.take_what_is_open()
    assert (opened.way, opened.late) == (line.by_stun, False)
    line.gateway.answers.set()
    late = line.opened()
    assert (late.way, late.late, late.rtp) == (BY_UPNP, True, line.mapped()[0])
    line.agree()
    wait_until(lambda: len(line.gateway.open) == 2, 5, "both ports")


def test_a_way_that_comes_late_and_is_not_wanted_is_given_back(line: Line) -> None:
    line.open(BY_UPNP, line.by_stun)
    line.take_what_is_open()
    line.gateway.answers.set()
    line.opened()
    line.thread.submit(KeepWay(1))
    wait_until(lambda: not line.gateway.open, 5, "the mappings to be taken away")


def test_with_nothing_open_who_hurries_gets_the_sockets_as_they_are(line: Line) -> None:
    line.open(BY_UPNP)
    line.thread.submit(HurryWay(1, take=True))
    assert line.opened() == line.own
    line.thread.submit(HurryWay(1, take=True))
    line.gateway.answers.set()
    assert line.opened().late, "a second hurry is none"


def test_what_fails_makes_room_for_the_next_at_once(line: Line) -> None:
    line.open(NO_RELAY, line.by_stun)
    assert line.opened().way == line.by_stun
    line.open(NO_RELAY, NO_RELAY._replace(relay=NO_RELAY.relay), Way(Kind.RPORT))
    assert line.opened() == line.own._replace(way=Way(Kind.RPORT))


def test_for_ice_every_way_is_opened_and_kept(line: Line) -> None:
    line.gateway.answers.set()
    line.open(BY_UPNP, line.by_stun, NO_RELAY, every=True)
    opened = line.opened()
    own = (line.rtp, line.rtcp)
    by_stun = OpenedWay(line.by_stun, *own, own)
    assert opened == OpenedWay(BY_UPNP, *line.mapped(), own, (by_stun, line.own))


def test_for_ice_too_who_hurries_gets_what_is_open(line: Line) -> None:
    line.open(BY_UPNP, line.by_stun, every=True)
    opened = line.take_what_is_open()
    assert (opened.way, opened.others) == (line.by_stun, (line.own,))


def test_another_opening_makes_an_end_of_the_one_before(line: Line) -> None:
    line.open(BY_UPNP)
    line.thread.submit(OpenWay(1, (line.by_stun,)))
    assert line.opened().way == line.by_stun
    line.gateway.answers.set()
    wait_until(lambda: not line.gateway.open, 5, "the mappings to be taken away")


def test_a_call_that_ends_while_its_ways_are_opened_leaves_nothing_behind(line: Line) -> None:
    line.gateway.answers.set()
    line.open(BY_UPNP, NO_RELAY._replace(relay=None, stun=Address("127.0.0.1", 9)), every=True)
    wait_until(lambda: len(line.gateway.open) == 2, 5, "both ports")
    line.thread.submit(CloseMedia(1))
    wait_until(lambda: not line.gateway.open, 5, "the mappings to be taken away")


def test_a_mapping_that_a_renewal_moves_is_told_while_it_is_the_way(line: Line) -> None:
    line.gateway.answers.set()
    line.open(BY_UPNP)
    line.opened()
    line.agree()
    line.gateway.shift = 20000
    line.mappings._renew_at = 0.0
    line.mappings._do(lambda: None)
    while not isinstance(answer := line.answers.get(timeout=5), MappingMoved):
        pass
    assert answer == MappingMoved(1, *line.mapped(20000))
