"""Whole sessions between two endpoints, on a good wire and on bad ones."""

from collections import Counter

import pytest

from applet.sip.endpoint import EndpointConfig
from applet.sip.events import (
    EndedBy,
    IncomingInvite,
    ReinviteFailed,
    ReinviteReceived,
    ReinviteRetryDue,
    SessionEnded,
)
from applet.sip.hop import Transport
from applet.sip.invite import InviteSession, SessionState
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    assert_empty,
    call,
    do,
    incoming,
    kinds,
    only,
    state,
    uri_of,
)
from tests.support.wire import Agent, Sent, Wire, always_arrives, bad_network


def two(wire: Wire) -> tuple[Agent, Agent]:
    return Agent(wire, "192.0.2.1"), Agent(wire, "192.0.2.2", EndpointConfig())


def wait_for_call(wire: Wire, agent: Agent) -> InviteSession:
    """The first incoming call, however often the INVITE had to be sent."""
    for _ in range(400):
        wire.clock.run(0.1)
        for event in agent.events:
            if isinstance(event, IncomingInvite):
                return event.session
    raise AssertionError("the call never came")


def test_a_call_between_two_endpoints_in_exact_order() -> None:
    wire = Wire(delay=0.02)
    alice, bob = two(wire)
    ours = call(alice, bob)
    wire.clock.run(0.03)
    theirs = incoming(bob)
    do(bob, theirs.ring)
    wire.clock.run(2.0)
    do(bob, theirs.answer, ANSWER)
    wire.clock.run(1.0)
    do(alice, ours.hang_up)
    wire.clock.run(1.0)
    ringing, talking, over = ["180 INVITE", "PRACK", "200 PRACK"], ["200 INVITE", "ACK"], ["BYE"]
    assert wire.lines() == ["INVITE", *ringing, *talking, *over, "200 BYE"]
    times = [0, 0.03, 0.05, 0.07, 2.03, 2.05, 3.03, 3.05]
    assert [round(sent.at, 3) for sent in wire.sent] == times
    assert kinds(alice) == ["Provisional", "Answered", "SessionEnded"]
    assert kinds(bob) == ["Confirmed", "SessionEnded"]
    assert_empty(alice)
    assert_empty(bob)


def test_crossed_byes_end_both_sides() -> None:
    wire = Wire(delay=0.05)
    alice, bob = two(wire)
    ours = call(alice, bob)
    wire.clock.run(0.1)
    theirs = incoming(bob)
    do(bob, theirs.answer, ANSWER)
    wire.clock.run(1.0)
    do(alice, ours.hang_up)
    do(bob, theirs.hang_up)
    wire.clock.run(1.0)
    assert state(ours) is state(theirs) is SessionState.ENDED
    assert wire.lines().count("200 BYE") == 2
    for agent in (alice, bob):
        assert kinds(agent).count("SessionEnded") == 1
        assert_empty(agent)


def test_cancel_and_answer_cross_and_both_sides_end() -> None:
    wire = Wire(delay=0.05)
    alice, bob = two(wire)
    ours = call(alice, bob)
    wire.clock.run(0.1)
    theirs = incoming(bob)
    do(bob, theirs.ring)
    wire.clock.run(0.1)
    do(alice, ours.hang_up)
    do(bob, theirs.answer, ANSWER)
    wire.clock.run(2.0)
    assert state(ours) is state(theirs) is SessionState.ENDED
    assert kinds(bob) == ["Confirmed", "SessionEnded"]
    for agent in (alice, bob):
        assert_empty(agent)


def test_a_call_over_tcp_between_two_endpoints() -> None:
    wire = Wire(delay=0.02)
    alice, bob = two(wire)
    ours = call(alice, uri_of(bob, transport="tcp"))
    wire.clock.run(0.1)
    theirs = incoming(bob)
    do(bob, theirs.answer, ANSWER)
    wire.clock.run(0.1)
    do(bob, theirs.hang_up)
    wire.clock.run(0.1)
    assert {sent.transport for sent in wire.sent} == {Transport.TCP}
    assert state(ours) is state(theirs) is SessionState.ENDED
    assert only([e for e in alice.take() if isinstance(e, SessionEnded)], SessionEnded)
    for agent in (alice, bob):
        assert_empty(agent)


def lose_first(start: str, times: int) -> Wire:
    """A wire that swallows the first messages that begin with `start`."""
    left = [times]

    def fate(sent: Sent) -> list[float]:
        if sent.first_line.startswith(start) and left[0] > 0:
            left[0] -= 1
            return []
        return always_arrives(sent)

    return Wire(fate=fate)


@pytest.mark.parametrize("start", ["INVITE", "SIP/2.0 180", "SIP/2.0 200", "ACK", "BYE"])
@pytest.mark.parametrize("times", [1, 3])
def test_whichever_message_is_lost_the_call_stands_and_ends(start: str, times: int) -> None:
    wire = lose_first(start, times)
    alice, bob = two(wire)
    ours = call(alice, bob)
    theirs = wait_for_call(wire, bob)
    do(bob, theirs.ring)
    wire.clock.run(1.0)
    do(bob, theirs.answer, ANSWER)
    wire.clock.run(30.0)
    assert state(ours) is state(theirs) is SessionState.CONFIRMED
    do(alice, ours.hang_up)
    wire.clock.run(30.0)
    assert state(ours) is state(theirs) is SessionState.ENDED
    for agent in (alice, bob):
        assert_empty(agent)


def test_when_every_ack_is_lost_both_sides_end_after_64_t1() -> None:
    wire = lose_first("ACK", 1000)
    alice, bob = two(wire)
    ours = call(alice, bob)
    wire.clock.run(0.0)
    theirs = incoming(bob)
    do(bob, theirs.answer, ANSWER)
    wire.clock.run(32.0)
    assert wire.times("SIP/2.0 200 OK", bob)[:11] == [
        0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5,
    ]  # fmt: skip
    assert wire.times("ACK", alice) == wire.times("SIP/2.0 200 OK", bob)[:11]
    assert only(bob.take(), SessionEnded).by is EndedBy.TIMEOUT
    ended = alice.take()[-1]
    assert isinstance(ended, SessionEnded) and ended.session is ours
    assert ended.by is EndedBy.REMOTE and ended.message is not None
    assert state(theirs) is SessionState.ENDED
    for agent in (alice, bob):
        assert_empty(agent)


# --- 20 % loss, reordering and duplication


def told_once(agent: Agent) -> Counter[str]:
    """What was told, by name; no event may say that something happened twice."""
    names = Counter(type(event).__name__ for event in agent.events)
    assert names["SessionEnded"] == 1 and names["IncomingInvite"] <= 1
    assert names["Answered"] <= 1 and names["Confirmed"] <= 1
    assert type(agent.events[-1]).__name__ == "SessionEnded"
    return names


@pytest.mark.parametrize("seed", range(25))
def test_on_a_bad_line_a_call_stands_is_held_and_ends(seed: int) -> None:
    wire = Wire(delay=0.03, fate=bad_network(seed, 0.2, 0.2, 0.2))
    alice, bob = two(wire)
    ours = call(alice, bob)
    theirs = wait_for_call(wire, bob)
    do(bob, theirs.ring)
    wire.clock.run(1.0)
    do(bob, theirs.answer, ANSWER)
    wire.clock.run(20.0)
    assert state(ours) is state(theirs) is SessionState.CONFIRMED
    do(bob, theirs.reinvite, OFFER)
    wire.clock.run(12.0)
    assert any(isinstance(event, ReinviteReceived) for event in alice.events)
    do(alice, ours.answer_reinvite, ANSWER)
    wire.clock.run(15.0)
    do(bob if seed % 2 else alice, (theirs if seed % 2 else ours).hang_up)
    for agent in (alice, bob):
        assert_empty(agent)
    assert told_once(alice)["Answered"] == 1
    bobs = told_once(bob)
    assert bobs["Confirmed"] == 1 and bobs["ReinviteAnswered"] == 1


@pytest.mark.parametrize("seed", range(25))
def test_on_a_bad_line_a_cancelled_call_ends(seed: int) -> None:
    wire = Wire(delay=0.03, fate=bad_network(seed, 0.2, 0.2, 0.2))
    alice, bob = two(wire)
    ours = call(alice, bob)
    theirs = wait_for_call(wire, bob)
    do(bob, theirs.ring)
    wire.clock.run(0.5)
    do(alice, ours.hang_up)
    for agent in (alice, bob):
        assert_empty(agent)
        told_once(agent)


@pytest.mark.parametrize("seed", range(25))
def test_on_a_bad_line_a_declined_call_ends(seed: int) -> None:
    wire = Wire(delay=0.03, fate=bad_network(seed, 0.2, 0.2, 0.2))
    alice, bob = two(wire)
    call(alice, bob)
    do(bob, wait_for_call(wire, bob).reject, 603)
    for agent in (alice, bob):
        assert_empty(agent)
        told_once(agent)
    ended = alice.events[-1]
    assert isinstance(ended, SessionEnded) and ended.status == 603


@pytest.mark.parametrize("seed", range(25))
def test_on_a_bad_line_both_may_renegotiate_at_once(seed: int) -> None:
    wire = Wire(delay=0.03, fate=bad_network(seed, 0.2, 0.2, 0.2))
    alice, bob = two(wire)
    ours = call(alice, bob)
    theirs = wait_for_call(wire, bob)
    do(bob, theirs.answer, ANSWER)
    wire.clock.run(20.0)
    done: set[Agent] = set()
    for agent, session in ((alice, ours), (bob, theirs)):
        agent.take()
        do(agent, session.reinvite, OFFER)
    for _ in range(1200):
        wire.clock.run(0.1)
        for agent, session in ((alice, ours), (bob, theirs)):
            for event in agent.take():
                match event:
                    case ReinviteReceived():
                        do(agent, session.answer_reinvite, ANSWER)
                    case ReinviteRetryDue():
                        do(agent, session.reinvite, OFFER)
                    case ReinviteFailed():
                        assert event.will_retry
                    case _ if type(event).__name__ == "ReinviteAnswered":
                        done.add(agent)
    assert done == {alice, bob}
    assert ours.can_reinvite and theirs.can_reinvite
    do(alice, ours.hang_up)
    for agent in (alice, bob):
        assert_empty(agent)
