"""Several ways for the sound of one call, opened side by side on the real media thread."""

import random
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from applet.address import Address
from applet.audio.file import NullDevice
from applet.nat.knowledge import Mapper, MapperSeen, RelayServer
from applet.nat.port_mapping import LEASE, Granted
from applet.nat.strategy import DIRECT, Kind, OpenedWay, Way
from applet.phone.orders import (
    CloseMedia,
    HurryWay,
    KeepWay,
    OpenMedia,
    OpenWay,
    RequestMediaStatistics,
    UpdateMedia,
)
from applet.threads.core_inbox import MappingMoved, MediaAnswer, MediaCounted, WayOpened
from applet.threads.helpers import Helpers
from applet.threads.mappings import Mappings
from applet.threads.media import MediaThread
from applet.threads.media_call import MediaCall
from applet.threads.relay import Allocation, Receive, Relayed, RelayThread
from tests.support.ports import free_port
from tests.support.process import wait_until
from tests.support.stun_server import Lab, good, lab
from tests.threads.test_media import parameters

OUTSIDE = "5.5.1.2"
BY_UPNP = Way(Kind.MAPPED, mapper=Mapper.UPNP)
RELAY = "5.5.3.10"
BY_RELAY = Way(Kind.RELAY, relay=RelayServer(Address(RELAY, 3478), "udp", "u", "p"))
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


class Allocated(Allocation):
    """What a relay gave out, without the relay."""

    def __init__(self, port: int) -> None:
        self.address, self.related = Address(RELAY, port), Address(OUTSIDE, port)
        self.sent: list[bytes] = []
        self.closed = False

    def send(self, data: bytes, to: Address) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True


class Relays(RelayThread):
    """BY_RELAY is open at once, any other not at all. `hear`: what comes through each of `relays`
    for RTP."""

    def __init__(self) -> None:
        super().__init__()
        self.relays: list[Relayed] = []
        self.hear: list[Receive] = []

    def open(
        self,
        server: RelayServer,
        receivers: tuple[Receive, Receive],
        answer: Callable[[Relayed | None], None],
    ) -> None:
        if server != BY_RELAY.relay:
            super().open(server, receivers, answer)
            return
        port = 50000 + 2 * len(self.relays)
        relay = Relayed(Allocated(port), Allocated(port + 1))
        self.hear.append(receivers[0])
        answer(relay)
        self.relays.append(relay)

    def closed(self, number: int = 0) -> bool:
        rtp, rtcp = self.relays[number]
        assert isinstance(rtp, Allocated) and isinstance(rtcp, Allocated)
        return rtp.closed and rtcp.closed


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
        self.relays = Relays()
        self.thread = MediaThread(
            lambda call: NullDevice(),
            random.SystemRandom(),
            bind_host="127.0.0.1",
            helpers=Helpers(relays=self.relays, mappings=self.mappings),
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

    @property
    def call(self) -> MediaCall:
        return self.thread._calls[1]

    def settle(self) -> None:
        """Everything that was ordered is done."""
        self.thread.submit(RequestMediaStatistics(1))
        while not isinstance(self.answers.get(timeout=5), MediaCounted):
            pass

    def receive_by_relays(self, source: Address) -> list[bytes]:
        """Each relay hands on its number; which of them the call has heard."""
        self.settle()
        heard: list[bytes] = []
        self.call.rtp.receive = lambda data, source, now: heard.append(data)
        for number, hear in enumerate(self.relays.hear):
            hear(str(number).encode(), source)
        self.settle()
        return heard

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

    def agree(self, local: Address) -> None:
        """They have been told of `local`, and say yes."""
        self.thread.submit(UpdateMedia(1, parameters(free_port()), local=local))

    def take_the_relay(self) -> OpenedWay:
        """It is open at once, and the router is not."""
        self.open(BY_UPNP, BY_RELAY)
        self.thread.submit(HurryWay(1, take=False))
        wait_until(lambda: self.relays.relays != [], 5, "the relay")
        self.thread.submit(HurryWay(1, take=True))
        return self.opened()


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
    line.agree(late.rtp)
    wait_until(lambda: len(line.gateway.open) == 2, 5, "both ports")


def test_the_relay_of_an_open_invite_stays_until_they_agree_to_the_better_way(line: Line) -> None:
    first = line.take_the_relay()
    assert (first.way, first.rtp) == (BY_RELAY, (RELAY, 50000))
    line.gateway.answers.set()
    late = line.opened()
    assert late.late
    line.agree(first.rtp)  # the answer to the INVITE
    line.settle()
    assert not line.relays.closed(), "they send to it"
    assert line.call.paths.plain[0] == line.relays.relays[0].rtp.send
    line.agree(late.rtp)
    wait_until(line.relays.closed, 5, "the relay to be given back")
    assert line.call.paths.plain[0] == line.call.rtp.send
    assert len(line.gateway.open) == 2


def test_the_relay_of_an_open_invite_goes_on_when_the_better_way_is_refused(line: Line) -> None:
    first = line.take_the_relay()
    line.gateway.answers.set()
    late = line.opened()
    line.agree(first.rtp)
    line.thread.submit(KeepWay(1, late.rtp))
    wait_until(lambda: not line.gateway.open, 5, "the mappings to be taken away")
    line.agree(first.rtp)  # to a hold, say
    line.settle()
    assert not line.relays.closed()


def test_another_way_leaves_the_one_alone_that_is_offered_already(line: Line) -> None:
    line.open(BY_UPNP, line.by_stun, BY_RELAY)
    line.thread.submit(OpenWay(1, (BY_RELAY,)))
    second = line.opened()
    line.thread.submit(OpenWay(1, (BY_RELAY,)))
    third = line.opened()
    line.agree(second.rtp)
    line.settle()
    assert not line.relays.closed(0) and not line.relays.closed(1)
    line.agree(third.rtp)
    wait_until(line.relays.closed, 5, "the relay before it to be given back")
    assert not line.relays.closed(1)


def test_an_agreement_closes_what_was_prepared_before_it(line: Line) -> None:
    line.gateway.answers.set()
    line.open(BY_UPNP)
    line.opened()
    for _ in range(3):
        line.thread.submit(OpenWay(1, (BY_RELAY,)))
        rtp = line.opened().rtp
    line.agree(rtp)
    line.settle()
    assert [line.relays.closed(number) for number in range(3)] == [True, True, False]


def test_what_comes_through_a_relay_that_was_given_back_is_not_of_the_call(line: Line) -> None:
    first = line.take_the_relay()
    line.agree(first.rtp)
    line.thread.submit(OpenWay(1, (BY_RELAY,)))
    second = line.opened()
    stranger = Address(RELAY, 7)
    received = line.receive_by_relays(stranger)
    assert received == [b"0", b"1"], "they may use the new one before we know that they agree"
    line.thread.submit(KeepWay(1, second.rtp))
    assert line.receive_by_relays(stranger) == [b"0"]
    line.thread.submit(OpenWay(1, (DIRECT,)))
    line.agree(line.opened().rtp)
    assert line.receive_by_relays(stranger) == []


def test_two_openings_in_a_row_leave_nothing_of_the_first(line: Line) -> None:
    line.open(DIRECT)
    line.opened()
    line.thread.submit(OpenWay(1, (BY_UPNP, BY_RELAY)))
    wait_until(lambda: line.relays.relays != [], 5, "the relay, while the router is awaited")
    line.settle()
    line.thread.submit(OpenWay(1, (line.by_stun,)))
    assert line.opened().way == line.by_stun
    assert line.relays.closed()


def test_a_way_that_comes_late_and_is_not_wanted_is_given_back(line: Line) -> None:
    line.open(BY_UPNP, line.by_stun)
    line.take_what_is_open()
    line.gateway.answers.set()
    line.thread.submit(KeepWay(1, line.opened().rtp))
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


@pytest.mark.parametrize("agreed", [True, False])
def test_a_mapping_that_a_renewal_moves_is_told_while_it_is_the_way(
    line: Line, agreed: bool
) -> None:
    line.gateway.answers.set()
    line.open(BY_UPNP)
    opened = line.opened()
    if agreed:
        line.agree(opened.rtp)
    line.gateway.shift = 20000
    line.mappings._renew_at = 0.0
    line.mappings._do(lambda: None)
    while not isinstance(answer := line.answers.get(timeout=5), MappingMoved):
        pass
    assert answer == MappingMoved(1, *line.mapped(20000))
