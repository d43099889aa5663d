"""Ways that are kept open (RFC 5626 section 4.4)."""

import itertools

import pytest

from applet.sip.hop import Hop, Transport
from applet.sip.keep_alive import CONNECTION_INTERVAL, DATAGRAM_INTERVAL, FIRST_PING, KeepAlive
from applet.sip.transport import PONG_LIMIT
from tests.sip.playbook import (
    answer,
    assert_empty,
    do,
    established_in,
    established_out,
    kinds,
    pair,
    request,
)
from tests.support.wire import Agent, Peer, Wire

PING, PONG = b"\r\n\r\n", b"\r\n"


class User:
    """Somebody who needs a way."""

    def __init__(self) -> None:
        self.lost: list[float] = []

    def on_flow_lost(self, now: float) -> None:
        self.lost.append(now)


def keeper(agent: Agent) -> KeepAlive:
    return agent.endpoint._core.keep_alive


def pings(wire: Wire) -> list[float]:
    return [sent.at for sent in wire.sent if sent.data == PING]


def connected() -> tuple[Wire, Agent, Peer, Hop, User]:
    """A connection that is kept for a user."""
    wire, agent, peer = pair()
    wire.connect(agent, peer.address)
    hop = Hop(Transport.TCP, peer.address)
    user = User()
    keeper(agent).keep(user, hop, wire.now)
    return wire, agent, peer, hop, user


def test_over_udp_the_binding_is_kept_by_line_breaks_less_than_half_a_minute_apart() -> None:
    wire, agent, peer = pair()
    keeper(agent).keep(User(), Hop(Transport.UDP, peer.address), 0.0)
    wire.clock.run(300)
    at = pings(wire)
    gaps = [later - sooner for sooner, later in zip([0.0, *at], at, strict=False)]
    assert all(0.8 * DATAGRAM_INTERVAL - 0.001 <= gap <= DATAGRAM_INTERVAL for gap in gaps)
    assert len(set(gaps)) > 5, "all phones would speak at once"
    assert {sent.transport for sent in wire.sent} == {Transport.UDP}


def test_a_connection_is_asked_soon_and_then_every_two_minutes_or_so() -> None:
    wire, agent, peer, _, user = connected()
    wire.clock.run(1000)
    at = pings(wire)
    assert at[0] == FIRST_PING
    gaps = [later - sooner for sooner, later in itertools.pairwise(at)]
    assert all(0.8 * CONNECTION_INTERVAL - 0.001 <= gap <= CONNECTION_INTERVAL for gap in gaps)
    # Somebody who never answers pings is not taken for dead.
    assert user.lost == [] and len(gaps) >= 7


def test_who_answered_a_ping_and_does_not_answer_the_next_is_dead() -> None:
    wire, agent, peer, hop, user = connected()
    wire.clock.run(FIRST_PING)
    peer.send_stream(PONG)
    wire.clock.run(PONG_LIMIT + 1)
    assert user.lost == []
    wire.clock.run(CONNECTION_INTERVAL + PONG_LIMIT)
    second = pings(wire)[1]
    assert user.lost == [pytest.approx(second + PONG_LIMIT)]
    assert not agent.endpoint._core.transport.is_connected(hop)
    assert len(keeper(agent)) == 0 and agent.endpoint.next_timer() is None


def test_a_pong_is_not_half_a_ping_of_theirs_and_their_ping_gets_its_pong() -> None:
    wire, agent, peer, _, user = connected()
    wire.clock.run(FIRST_PING)
    peer.send_stream(PONG)
    peer.send_stream(PING)
    wire.clock.run(0.0)
    assert peer.raw == [PING, PONG]
    for count in range(2, 7):
        while len(pings(wire)) < count:
            wire.clock.run(1)
        peer.send_stream(PONG)
    wire.clock.run(PONG_LIMIT)
    assert user.lost == []


def test_a_message_between_ping_and_pong_is_read() -> None:
    wire, agent, peer, _, _ = connected()
    wire.clock.run(FIRST_PING)
    peer.send_stream(request("OPTIONS", peer, agent, transport="TCP").encode() + PONG)
    wire.clock.run(0.0)
    assert peer.count("200 OPTIONS") == 1


def test_a_connection_that_closes_is_told_to_all_who_need_it_once() -> None:
    wire, agent, peer, hop, user = connected()
    second, third = User(), User()
    keeper(agent).keep(second, hop, 0.0)
    keeper(agent).keep(third, hop, 0.0)
    keeper(agent).release(third)
    keeper(agent).release(third)
    wire.close(peer.flow)
    wire.clock.run(0.0)
    assert (user.lost, second.lost, third.lost) == ([0.0], [0.0], [])
    assert len(keeper(agent)) == 0 and agent.endpoint.next_timer() is None


def test_an_unreachable_server_is_told_too_and_another_one_is_not() -> None:
    wire, agent, peer = pair()
    user = User()
    keeper(agent).keep(user, Hop(Transport.UDP, peer.address), 0.0)
    agent.fail(Hop(Transport.TCP, peer.address))
    assert user.lost == []
    agent.fail(Hop(Transport.UDP, peer.address))
    assert user.lost == [0.0]


def test_a_way_is_kept_until_nobody_needs_it() -> None:
    wire, agent, peer, hop, user = connected()
    keeper(agent).keep(user, hop, 0.0)  # as before
    other = User()
    keeper(agent).keep(other, hop, 0.0)
    keeper(agent).release(user)
    wire.clock.run(FIRST_PING)
    assert len(pings(wire)) == 1
    keeper(agent).keep(other, Hop(Transport.UDP, peer.address), wire.now)
    assert len(keeper(agent)) == 1
    keeper(agent).release(other)
    assert len(keeper(agent)) == 0 and agent.endpoint.next_timer() is None


def test_a_connection_that_does_not_stand_yet_is_not_asked() -> None:
    wire, agent, peer = pair()
    keeper(agent).keep(User(), Hop(Transport.TCP, peer.address), 0.0)
    wire.clock.run(FIRST_PING)
    assert wire.sent == []


def test_only_a_connection_over_which_we_are_called_shows_our_end_of_it() -> None:
    wire, agent, peer = pair()
    transport = agent.endpoint._core.transport
    hop = Hop(Transport.TCP, peer.address)
    flow = wire.connect(agent, peer.address)
    answer = request("OPTIONS", peer, agent, via=";rport=4321;received=203.0.113.5").reply(200)
    transport.learn(answer.top_via, hop._replace(flow=flow))
    assert str(transport.contact("x", hop)) == "sip:x@192.0.2.1:5060;transport=tcp"
    user = User()
    keeper(agent).keep(user, hop, wire.now)
    assert str(transport.contact("x", hop)) == "sip:x@192.0.2.1:5060;transport=tcp"
    keeper(agent).keep(user, hop, wire.now, called_over=True)
    assert str(transport.contact("x", hop)) == "sip:x@203.0.113.5:4321;transport=tcp"


def test_the_way_of_a_call_is_kept_open_in_both_roles_until_it_ends() -> None:
    for begin in (established_out, established_in):
        wire, agent, peer, session = begin()
        wire.clock.run(100)
        assert len(pings(wire)) >= 3
        assert {sent.target for sent in wire.sent if sent.data == PING} == {peer.address}
        do(agent, session.hang_up)
        wire.clock.run(0.0)
        answer(peer, agent, 200, method="BYE")
        assert_empty(agent)
        assert len(keeper(agent)) == 0


def test_a_call_does_not_end_with_its_connection() -> None:
    wire, agent, peer, session = established_out()
    agent.fail(Hop(Transport.UDP, peer.address))
    assert kinds(agent) == [] and session.can_reinvite
