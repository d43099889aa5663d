"""TCP connections of the signalling, over loopback."""

import os
import socket
import sys
from collections.abc import Callable, Iterator

import pytest

from applet.address import Address
from applet.sip.events import EndedBy
from applet.sip.hop import Hop, Transport
from applet.threads.flows import (
    CONNECT_LIMIT,
    LISTEN_AGAIN,
    MOST_FLOWS,
    MOST_UNSENT,
    UNANSWERED_LIMIT,
    Flows,
)
from applet.threads.loop import Loop, clock
from applet.threads.sockets import SipSockets, bind_sip
from tests.support.ports import free_port


class Side:
    """One phone's connections, and what it was told about them."""

    def __init__(self) -> None:
        self.sip: SipSockets = bind_sip(Address("127.0.0.1", free_port()))
        self.loop = Loop(lambda value, now: None, self.mistaken)
        self.flows = Flows(self.loop, self)
        self.flows.listen(self.sip.tcp)
        self.told: list[tuple[object, ...]] = []
        self.data: dict[int, bytes] = {}

    def mistaken(self, error: Exception, now: float) -> None:
        raise error

    def stream_received(self, flow: int, data: bytes, now: float) -> None:
        self.data[flow] = self.data.get(flow, b"") + data

    def stream_opened(self, hop: Hop, now: float) -> None:
        self.told.append(("opened", hop.flow))

    def stream_closed(self, flow: int, now: float) -> None:
        self.told.append(("closed", flow))

    def stream_failed(self, hop: Hop, by: EndedBy, now: float) -> None:
        assert by is EndedBy.TRANSPORT
        self.told.append(("failed", hop.address, hop.flow))

    def until(self, condition: Callable[[], bool], others: tuple["Side", ...] = ()) -> None:
        limit = clock() + 10
        while not condition():
            assert clock() < limit, self.told
            for side in (self, *others):
                side.loop.wait(clock() + 0.01)

    def send(self, data: bytes, to: Address, flow: int | None = None) -> None:
        self.flows.send(data, Hop(Transport.TCP, to, flow), clock())

    def close(self) -> None:
        self.flows.close_all()
        self.sip.udp.close()
        self.loop.close()


@pytest.fixture
def sides() -> Iterator[tuple[Side, Side]]:
    sides = Side(), Side()
    yield sides
    for side in sides:
        side.close()


def connect(side: Side) -> socket.socket:
    sock = socket.create_connection(side.sip.address, timeout=5)
    count = len(side.told)
    side.until(lambda: len(side.told) > count)
    return sock


def test_a_message_opens_a_connection_and_the_answer_comes_back_on_it(
    sides: tuple[Side, Side],
) -> None:
    ours, theirs = sides
    ours.send(b"INVITE", theirs.sip.address)
    ours.send(b"more", theirs.sip.address)
    ours.until(lambda: theirs.data == {1: b"INVITEmore"}, (theirs,))
    theirs.send(b"200", Address("127.0.0.1", 1), flow=1)
    ours.until(lambda: ours.data == {1: b"200"}, (theirs,))
    ours.send(b"ACK", theirs.sip.address)
    ours.until(lambda: theirs.data == {1: b"INVITEmoreACK"}, (theirs,))
    assert ours.told == theirs.told == [("opened", 1)]
    assert ours.flows.counts().open == 1


def test_a_connection_that_they_opened_is_used_for_their_address(
    sides: tuple[Side, Side],
) -> None:
    ours, _ = sides
    with connect(ours) as sock:
        ours.send(b"hello", Address(*sock.getsockname()))
        assert sock.recv(100) == b"hello"
        assert ours.flows.counts().open == 1


def test_a_refused_connection_is_told_once(sides: tuple[Side, Side]) -> None:
    ours, _ = sides
    nobody = Address("127.0.0.1", free_port())
    ours.send(b"INVITE", nobody)
    ours.until(lambda: bool(ours.told))
    assert ours.told == [("failed", nobody, None)]
    assert ours.flows.counts().open == 0


def test_a_connection_that_is_not_made_in_4_seconds_has_failed(
    sides: tuple[Side, Side],
) -> None:
    ours, _ = sides
    # The queue of a listener that never accepts is full: the connection hangs, unanswered.
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", free_port()))
        deaf.listen(0)
        where = Address(*deaf.getsockname())
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(where)
            fillers.append(filler)
        begin = clock()
        ours.flows.send(b"INVITE", Hop(Transport.TCP, where), begin)
        assert ours.flows.counts().connecting == 1
        assert ours.flows.next_deadline() == begin + CONNECT_LIMIT
        ours.flows.handle_deadlines(begin + CONNECT_LIMIT - 0.1)
        assert ours.told == []
        ours.flows.handle_deadlines(begin + CONNECT_LIMIT)
        assert ours.told == [("failed", where, None)]
        assert ours.flows.next_deadline() is None
        for filler in fillers:
            filler.close()


def test_sending_never_blocks_and_a_peer_that_does_not_read_is_given_up(
    sides: tuple[Side, Side],
) -> None:
    ours, _ = sides
    with connect(ours):
        begin = clock()
        for _ in range(400):
            ours.send(bytes(60_000), Address("", 0), flow=1)
            if ours.told[-1][0] != "opened":
                break
        assert ours.told[-1] == ("closed", 1)
        assert clock() - begin < 5


def test_a_full_pipe_is_emptied_when_the_peer_reads_again(sides: tuple[Side, Side]) -> None:
    ours, _ = sides
    with connect(ours) as sock:
        sent = 0
        flow = ours.flows._flows[1]
        while not flow.out:
            ours.send(bytes(50_000), Address("", 0), flow=1)
            sent += 50_000
        assert len(flow.out) <= MOST_UNSENT
        sock.setblocking(False)
        got = 0

        def drained() -> bool:
            nonlocal got
            try:
                got += len(sock.recv(1 << 20))
            except BlockingIOError:
                return False
            return got == sent

        ours.until(drained)
        assert not flow.out


def test_a_closed_connection_is_told_and_what_is_sent_on_it_has_failed(
    sides: tuple[Side, Side],
) -> None:
    ours, _ = sides
    sock = connect(ours)
    sock.close()
    ours.until(lambda: ("closed", 1) in ours.told)
    gone = Address("127.0.0.1", 9)
    ours.send(b"200", gone, flow=1)
    assert ours.told[-1] == ("failed", gone, 1)


def test_a_reset_connection_is_told_like_a_closed_one(sides: tuple[Side, Side]) -> None:
    ours, _ = sides
    sock = connect(ours)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
    ours.until(lambda: ("closed", 1) in ours.told)


def test_who_says_no_more_still_hears_the_answer(sides: tuple[Side, Side]) -> None:
    ours, _ = sides
    with connect(ours) as sock:
        sock.sendall(b"OPTIONS")
        sock.shutdown(socket.SHUT_WR)
        ours.until(lambda: ours.data == {1: b"OPTIONS"})
        assert ours.told == [("opened", 1)]
        ours.send(b"200", Address("127.0.0.1", 1), flow=1)
        ours.until(lambda: ("closed", 1) in ours.told)
        assert sock.recv(10) == b"200"


def test_a_connection_closed_by_us_is_not_told(sides: tuple[Side, Side]) -> None:
    ours, _ = sides
    with connect(ours) as sock:
        ours.flows.close(1)
        ours.flows.close(1)
        assert sock.recv(10) == b""
        assert ours.told == [("opened", 1)]


def test_a_stranger_that_is_never_answered_is_closed_after_32_seconds(
    sides: tuple[Side, Side],
) -> None:
    ours, _ = sides
    with connect(ours) as silent, connect(ours) as answered:
        ours.send(b"200", Address("", 0), flow=2)
        now = clock()
        silent.send(b"I")
        ours.until(lambda: ours.data == {1: b"I"})
        ours.flows.handle_deadlines(now + UNANSWERED_LIMIT - 1)
        assert ours.flows.counts().open == 2
        ours.flows.handle_deadlines(now + UNANSWERED_LIMIT + 1)
        assert ours.told[-1] == ("closed", 1)
        assert ours.flows.counts().open == 1
        assert answered.recv(10) == b"200"


def test_more_than_100_connections_push_out_the_stranger_that_was_silent_longest(
    sides: tuple[Side, Side],
) -> None:
    ours, _ = sides
    first = connect(ours)
    ours.send(b"200", Address("", 0), flow=1)
    others = [connect(ours) for _ in range(MOST_FLOWS)]
    assert ours.flows.counts().open == MOST_FLOWS
    assert ("closed", 1) not in ours.told
    assert ("closed", 2) in ours.told
    for sock in (first, *others):
        sock.close()


def test_strangers_never_push_out_the_connection_that_we_opened(sides: tuple[Side, Side]) -> None:
    ours, theirs = sides
    ours.send(b"REGISTER", theirs.sip.address)
    ours.until(lambda: ("opened", 1) in ours.told)
    strangers = []
    for number in range(2, MOST_FLOWS + 10):
        strangers.append(connect(ours))
        ours.send(b"200", Address("", 0), flow=number)
    assert ours.flows.counts().open == MOST_FLOWS
    assert ("closed", 1) not in ours.told and ("closed", 2) in ours.told
    for sock in strangers:
        sock.close()


@pytest.mark.parametrize("where", [Address("pbx.example", 5060), Address("127.0.0.1", 99999)])
def test_an_address_that_is_none_fails_at_once(sides: tuple[Side, Side], where: Address) -> None:
    ours, _ = sides
    ours.send(b"INVITE", where)
    assert ours.told == [("failed", where, None)]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of descriptors to run into")
def test_without_a_descriptor_the_listener_rests_and_listens_again(
    sides: tuple[Side, Side],
) -> None:
    import resource

    ours, _ = sides
    sock = socket.create_connection(ours.sip.address, timeout=5)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
    try:
        begin = clock()
        ours.loop.wait(begin + 5)
        rests_until = ours.flows.next_deadline()
        assert rests_until is not None
        assert begin + LISTEN_AGAIN <= rests_until <= clock() + LISTEN_AGAIN
        ours.loop.wait(clock() + 0.05)
        assert ours.told == []
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    ours.flows.handle_deadlines(rests_until)
    ours.until(lambda: ours.told == [("opened", 1)])
    sock.close()


def test_a_connection_that_cannot_even_be_begun_has_failed(sides: tuple[Side, Side]) -> None:
    ours, _ = sides
    where = Address("255.255.255.255", 5060)
    ours.send(b"INVITE", where)
    assert ours.told == [("failed", where, None)]
