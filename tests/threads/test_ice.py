"""The media thread's ICE on loopback, with aioice as the other side."""

import asyncio
import random
import socket
import struct
import time
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest
from aioice import Candidate, Connection

from applet.address import Address
from applet.audio.file import FileDevice, parse_source
from applet.media.events import ConsentLost, PathFound
from applet.media.parameters import MediaParameters
from applet.nat import binding
from applet.nat.binding import read_binding, write_binding
from applet.nat.ice import CONSENT, LIMIT, Base, IceAgent, IceSetup, Route, Target
from applet.phone.orders import CloseMedia, OpenMicrophone, RequestMediaStatistics, UpdateMedia
from applet.threads.core_inbox import MediaAnswer, MediaCounted, MediaHappened
from applet.threads.ice import IcePath
from applet.threads.media import MediaThread
from tests.support.ports import free_port, free_ports

OURS = ("ours", "our-password-of-22-chars")
NOWHERE = Address("127.0.0.1", 9)


class OnLoopback(Connection):
    """aioice leaves 127.0.0.1 out; here it is all there is."""

    async def get_component_candidates(self, component: int, *_: Any, **__: Any) -> list[Candidate]:
        return await super().get_component_candidates(component, ["127.0.0.1"])


class Line:
    """A media thread with one call whose description leads nowhere."""

    def __init__(self) -> None:
        self.answers: SimpleQueue[MediaAnswer] = SimpleQueue()
        self.thread = MediaThread(
            lambda call: FileDevice(parse_source("tone:440")),
            random.SystemRandom(),
            bind_host="127.0.0.1",
        )
        self.thread.start(self.answers.put)
        opened = self.thread.open(1, "127.0.0.1")
        self.rtp, self.rtcp = opened.sockets.rtp_address, opened.sockets.rtcp_address
        self.thread.adopt(opened)

    def agree(self, ice: IceSetup | None, plain: Address = NOWHERE) -> None:
        parameters = MediaParameters(
            plain,
            plain._replace(port=plain.port + 1),
            "PCMU",
            0,
            ((0, "PCMU"),),
            None,
            None,
            None,
            "sendrecv",
        )
        self.thread.submit(UpdateMedia(1, parameters, ice))
        self.thread.submit(OpenMicrophone(1))

    def counted(self) -> MediaCounted:
        self.thread.submit(RequestMediaStatistics(1))
        while True:
            answer = self.answers.get(timeout=5)
            if isinstance(answer, MediaCounted):
                return answer

    def received(self, packets: int) -> int:
        """How many have come, as soon as there are so many."""
        deadline = time.monotonic() + 5
        while (count := self.counted().statistics.received) < packets:
            assert time.monotonic() < deadline, f"{count} packets of {packets}"
        return count

    def found(self) -> Address:
        while True:
            answer = self.answers.get(timeout=10)
            if isinstance(answer, MediaHappened) and isinstance(answer.event, PathFound):
                return answer.event.remote


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.thread.submit(CloseMedia(1))
    line.thread.stop()


def packet(number: int, ssrc: int = 7) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, number, number * 160, ssrc) + bytes(160)


async def peer(line: Line, controlling: bool) -> OnLoopback:
    """Gathered and told of us; we are told of it."""
    made = OnLoopback(ice_controlling=controlling, components=2, use_ipv6=False)
    made.remote_is_lite = False
    await made.gather_candidates()
    made.remote_username, made.remote_password = OURS
    for component, address in ((1, line.rtp), (2, line.rtcp)):
        host, port = address
        await made.add_remote_candidate(
            Candidate("1", component, "udp", 100 - component, host, port, "host")
        )
    await made.add_remote_candidate(None)
    targets = tuple(
        Target(each.component, Address(each.host, each.port), each.priority)
        for each in made.local_candidates
    )
    line.agree(IceSetup(OURS, (made.local_username, made.local_password), targets))
    return made


async def next_of(made: Connection, component: int) -> bytes:
    while True:
        data, of = await asyncio.wait_for(made.recvfrom(), 5)
        if of == component:
            return data


@pytest.mark.parametrize("controlling", [True, False])
def test_the_sound_goes_where_the_checks_lead_and_comes_from_there_alone(
    line: Line, controlling: bool
) -> None:
    async def talk() -> None:
        made = await peer(line, controlling)
        await asyncio.wait_for(made.connect(), 10)
        local = {each.component: each.port for each in made.local_candidates}
        assert await asyncio.to_thread(line.found) == ("127.0.0.1", local[1])
        heard = await next_of(made, 1)
        assert heard[0] == 0x80 and heard[1] & 0x7F == 0
        report = await next_of(made, 2)
        assert 200 <= report[1] <= 204
        for number in range(20):
            await made.sendto(packet(number), 1)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.bind(("127.0.0.1", free_port()))
                stranger.sendto(packet(number, ssrc=8), line.rtp)
            assert await asyncio.to_thread(line.received, number + 1) == number + 1
        await made.close()

    asyncio.run(talk())


def test_without_consent_nothing_is_sent_any_more_and_it_is_told(line: Line) -> None:
    """Half a minute without an answer: the clock of the consent is turned back in its place."""

    async def talk() -> int:
        made = await peer(line, True)
        await asyncio.wait_for(made.connect(), 10)
        await asyncio.to_thread(line.found)
        await next_of(made, 1)
        (port,) = {each.port for each in made.local_candidates if each.component == 1}
        await made.close()
        return port

    port = asyncio.run(talk())
    agent = line.thread._calls[1]._ice._agent
    assert agent is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", port))
        there.settimeout(5)
        assert there.recv(500)[0] >> 6 in (0, 2), "until then it goes on"
        agent._consents[1] -= CONSENT
        while not (
            isinstance(answer := line.answers.get(timeout=5), MediaHappened)
            and isinstance(answer.event, ConsentLost)
        ):
            pass
        there.settimeout(0.2)
        with pytest.raises(TimeoutError):
            for _ in range(50):  # no more than was on its way
                there.recv(500)


def test_where_no_check_succeeds_the_sound_goes_by_the_plain_addresses(line: Line) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.settimeout(5)
        port = free_ports(2)
        plain.bind(("127.0.0.1", port))
        there = Address("127.0.0.1", port)
        setup = IceSetup(OURS, ("them", "x" * 22), (Target(1, there, 1),))
        line.agree(setup, there)
        kinds = {plain.recv(500)[0] >> 6 for _ in range(40)}
        assert kinds == {0, 2}, "checks and sound"
        for number in range(20):
            plain.sendto(packet(number), line.rtp)
        assert line.received(20) == 20


PLAIN, THERE, BETTER = (Address("10.0.0.2", port) for port in (9, 1, 2))
SETUP = IceSetup(OURS, ("them", "x" * 22), (Target(1, THERE, 1), Target(1, BETTER, 2)), lite=True)


def signed(kind: int, transaction: bytes, password: str) -> bytes:
    user = ((binding.USERNAME, f"{OURS[0]}:{SETUP.remote[0]}".encode()),)
    return write_binding(kind, transaction, user, password)


def settled() -> tuple[IcePath, IceAgent]:
    """Over to THERE: what we check there is answered."""
    path = IcePath(random.Random(1))
    assert path.inward(1, THERE) == THERE and path.outward(1) is None
    path.follow(SETUP, {1: PLAIN, 2: None}, 0.0)
    for now in (0.0, 0.05, 0.1, 0.15):
        for component, data, route in path.serve(now):
            message = read_binding(data)
            assert message is not None
            if route.address == THERE:
                answer = signed(binding.SUCCESS, message.transaction, SETUP.remote[1])
                assert path.receive(component, answer, THERE, now)
    assert path.outward(1) == Route(Base.SOCKET, THERE)
    agent = path._agent
    assert agent is not None
    return path, agent


def test_what_was_chosen_is_told_once_and_so_is_that_they_stopped_consenting() -> None:
    path, agent = settled()
    assert path.take_found() == Route(Base.SOCKET, THERE) and path.take_found() is None
    assert path.inward(1, THERE) == PLAIN and path.inward(2, THERE) == THERE
    assert path.inward(1, PLAIN) is None and path.inward(1, THERE, Base.RELAY) is None
    agent.lost.add(1)
    assert path.take_lost() and not path.take_lost() and not path.may_send(1)
    assert path.inward(1, PLAIN) == PLAIN, "they may have gone back to it"
    assert path.inward(1, THERE) == PLAIN
    agent.lost.clear()
    assert path.may_send(1) and not path.take_lost()


def test_they_are_heard_from_wherever_they_have_proved_to_be() -> None:
    """They may have chosen another pair than we: our check on it was lost."""
    path, _ = settled()
    assert path.inward(1, BETTER) is None
    assert path.receive(1, signed(binding.REQUEST, bytes(12), OURS[1]), BETTER, 1.0)
    assert path.inward(1, BETTER) == PLAIN and path.inward(1, THERE) == PLAIN
    assert path.outward(1) == Route(Base.SOCKET, THERE)


def test_a_restart_without_any_answer_ends_with_the_plain_addresses() -> None:
    path, before = settled()
    path.follow(SETUP._replace(local=("new0", "z" * 22)), {1: PLAIN}, 2.0)
    assert path._agent is not before
    assert path.inward(1, THERE) == PLAIN, "until there is better"
    assert path.inward(1, PLAIN) == PLAIN, "they may be back there already"
    path.serve(2.0 + LIMIT)
    assert path.outward(1) is None and path.inward(1, PLAIN) == PLAIN
    path.serve(2.0 + CONSENT)
    assert path.may_send(1) and not path.take_lost()


def test_without_ice_in_the_next_description_the_plain_addresses_count_again() -> None:
    path, agent = settled()
    path.follow(SETUP._replace(targets=(Target(1, PLAIN, 1),)), {1: PLAIN}, 1.0)
    assert path._agent is agent, "the same credentials keep what runs"
    path.follow(None, {1: PLAIN}, 3.0)
    assert path.outward(1) is None and path.may_send(1) and path.serve(3.0) == []
    assert path.inward(1, BETTER) == BETTER
