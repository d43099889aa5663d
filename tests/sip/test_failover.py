"""Several servers of one domain: the next one when one is dead (RFC 3263 section 4.3)."""

import pytest

from applet.address import Address
from applet.sip.client_request import CONNECT_LIMIT, MOST_TRIES, SILENCE_LIMIT
from applet.sip.events import EndedBy, SessionEnded
from applet.sip.first_request import Sender
from applet.sip.headers import NameAddr
from applet.sip.hop import Hop, Transport
from applet.sip.invite import InviteSession, SessionState
from applet.sip.records import Question, Record, Srv, Value
from applet.sip.registration import RECONNECT_WITHIN, Registration, RegistrationState
from applet.sip.uri import SipUri
from tests.sip.playbook import (
    ANSWER,
    answer,
    assert_empty,
    call,
    do,
    kinds,
    only,
    reply,
    state,
)
from tests.support.wire import Agent, Peer, Wire

DOMAIN = SipUri.of("desk", "a.example")
SRV = {
    Transport.UDP: Question(Record.SRV, "_sip._udp.a.example"),
    Transport.TCP: Question(Record.SRV, "_sip._tcp.a.example"),
}


def town(servers: int = 2, wire: Wire | None = None) -> tuple[Wire, Agent, list[Peer]]:
    """A phone and the servers of a.example, 192.0.2.11 and up, in the order of their priority."""
    wire = wire or Wire()
    agent = Agent(wire, "192.0.2.1")
    return wire, agent, [Peer(wire, f"192.0.2.{11 + n}") for n in range(servers)]


def tell(agent: Agent, question: Question, *values: Value) -> None:
    agent.endpoint.looked_up(question, values, agent.wire.now)
    agent.collect()


def names(agent: Agent, servers: list[Peer], transport: Transport = Transport.UDP) -> None:
    """DNS knows them."""
    records = [Srv(n, 0, 5060, f"s{n}.example") for n in range(len(servers))]
    tell(agent, SRV[transport], *records)
    for n, server in enumerate(servers):
        tell(agent, Question(Record.ADDRESS, f"s{n}.example"), server.address.host)


def ring(agent: Agent, servers: list[Peer], transport: Transport = Transport.UDP) -> InviteSession:
    """Call the domain, and let it be looked up if nobody did before."""
    session = call(agent, DOMAIN, transport=transport)
    names(agent, servers, transport)
    agent.wire.clock.run(0.0)
    return session


def test_503_goes_to_the_next_server_with_a_branch_of_its_own() -> None:
    wire, agent, (one, two) = town()
    session = ring(agent, [one, two])
    answer(one, agent, 503)
    wire.clock.run(0.0)
    first, second = one.last_request("INVITE"), two.last_request("INVITE")
    assert first.top_via.branch != second.top_via.branch
    assert (first.call_id, first.cseq) == (second.call_id, second.cseq)
    assert one.count("ACK") == 1
    answer(two, agent, 200, ANSWER)
    assert state(session) is SessionState.CONFIRMED


def test_the_last_503_is_the_answer() -> None:
    wire, agent, servers = town(3)
    ring(agent, servers)
    for server in servers:
        answer(server, agent, 503)
        wire.clock.run(0.0)
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.REMOTE, 503)
    assert_empty(agent)


@pytest.mark.parametrize("status", [486, 500, 603])
def test_any_other_refusal_is_the_answer_of_all(status: int) -> None:
    wire, agent, (one, two) = town()
    ring(agent, [one, two])
    answer(one, agent, status)
    assert only(agent.take(), SessionEnded).status == status and two.got == []


def test_an_unreachable_server_is_left_at_once() -> None:
    wire, agent, (one, two) = town()
    ring(agent, [one, two])
    agent.fail(Hop(Transport.UDP, one.address))
    wire.clock.run(0.0)
    assert two.count("INVITE") == 1 and kinds(agent).count("SessionEnded") == 0


def test_a_silent_server_is_left_after_four_datagrams() -> None:
    wire, agent, (one, two) = town()
    ring(agent, [one, two])
    wire.clock.run(SILENCE_LIMIT)
    assert one.got_times("INVITE") == [0, 0.5, 1.5, 3.5]
    assert two.got_times("INVITE") == [SILENCE_LIMIT]
    answer(two, agent, 486)
    assert only(agent.take(), SessionEnded).status == 486
    assert_empty(agent)


def test_a_server_that_said_anything_is_waited_for() -> None:
    wire, agent, (one, two) = town()
    session = ring(agent, [one, two])
    answer(one, agent, 100)
    wire.clock.run(60)
    assert two.got == [] and state(session) is SessionState.PROCEEDING


def test_the_last_server_has_the_full_time() -> None:
    wire, agent, servers = town()
    ring(agent, servers)
    wire.clock.run(SILENCE_LIMIT + 31)
    assert kinds(agent).count("SessionEnded") == 0
    wire.clock.run(1.1)
    assert only(agent.take(), SessionEnded).by is EndedBy.TIMEOUT
    assert_empty(agent)


def test_a_server_that_wakes_up_too_late_is_called_off() -> None:
    wire, agent, (one, two) = town()
    ring(agent, [one, two])
    wire.clock.run(SILENCE_LIMIT)
    one.send(reply(one, one.last_request("INVITE"), 180), agent)
    wire.clock.run(0.0)
    cancel = one.last_request("CANCEL")
    assert cancel.top_via.branch == one.last_request("INVITE").top_via.branch
    one.send(reply(one, cancel, 200), agent)
    one.send(reply(one, one.last_request("INVITE"), 487), agent)
    wire.clock.run(0.0)
    assert one.count("ACK") == 1
    answer(two, agent, 200, ANSWER)
    assert kinds(agent)[-1] == "Answered"


def test_a_server_that_wakes_up_and_falls_asleep_again_is_called_off_once_and_forgotten() -> None:
    wire, agent, (one, two) = town()
    ring(agent, [one, two])
    wire.clock.run(SILENCE_LIMIT)
    for _ in range(3):
        one.send(reply(one, one.last_request("INVITE"), 180), agent)
        wire.clock.run(0.0)
    assert one.count("CANCEL") == 1
    answer(two, agent, 486)
    assert_empty(agent)


def test_whoever_answers_first_has_the_call_even_through_a_server_that_was_left() -> None:
    wire, agent, (one, two) = town()
    session = ring(agent, [one, two])
    wire.clock.run(SILENCE_LIMIT)
    one.send(reply(one, one.last_request("INVITE"), 200, ANSWER, tag="first"), agent)
    wire.clock.run(0.0)
    assert state(session) is SessionState.CONFIRMED and one.count("ACK") == 1
    answer(two, agent, 200, ANSWER, tag="second")
    wire.clock.run(0.0)
    assert two.count("ACK") == 1 and two.count("BYE") == 1


def test_a_server_that_was_left_may_die_in_peace() -> None:
    wire, agent, (one, two) = town()
    session = ring(agent, [one, two])
    wire.clock.run(SILENCE_LIMIT)
    answer(two, agent, 180)
    agent.fail(Hop(Transport.UDP, one.address))
    wire.clock.run(30)
    assert state(session) is SessionState.EARLY
    do(agent, session.hang_up)


def test_a_dead_server_is_not_asked_first_again_for_a_while() -> None:
    wire, agent, (one, two) = town()
    ring(agent, [one, two])
    answer(one, agent, 503, headers=(("Retry-After", "30"),))
    wire.clock.run(0.0)
    answer(two, agent, 486)
    call(agent, DOMAIN, transport=Transport.UDP)
    wire.clock.run(0.0)
    assert one.count("INVITE") == 1 and two.count("INVITE") == 2
    answer(two, agent, 486)
    wire.clock.run(30.0)
    call(agent, DOMAIN, transport=Transport.UDP)
    wire.clock.run(0.0)
    assert one.count("INVITE") == 2


def test_hanging_up_tries_nobody_else() -> None:
    wire, agent, (one, two) = town()
    session = ring(agent, [one, two])
    do(agent, session.hang_up)
    wire.clock.run(SILENCE_LIMIT)
    agent.fail(Hop(Transport.UDP, one.address))
    wire.clock.run(0.0)
    assert two.got == []
    assert_empty(agent)


def test_the_requests_of_a_call_go_to_the_next_server_when_theirs_has_died() -> None:
    wire, agent, (one, two) = town()
    session = ring(agent, [one, two])
    route = ("Record-Route", "<sip:a.example;lr;transport=udp>")
    answer(one, agent, 200, ANSWER, headers=(route,), contact="<sip:desk@192.0.2.99>")
    wire.clock.run(0.0)
    assert one.count("ACK") == 1
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    agent.fail(Hop(Transport.UDP, one.address))
    wire.clock.run(0.0)
    assert two.count("BYE") == 1
    answer(two, agent, 200, method="BYE")
    assert_empty(agent)


def test_a_bye_to_a_silent_server_goes_to_the_next_one_too() -> None:
    wire, agent, (one, two) = town()
    session = ring(agent, [one, two])
    route = ("Record-Route", "<sip:a.example;lr;transport=udp>")
    answer(one, agent, 200, ANSWER, headers=(route,))
    do(agent, session.hang_up)
    wire.clock.run(SILENCE_LIMIT)
    assert two.got_times("BYE") == [SILENCE_LIMIT]
    answer(two, agent, 200, method="BYE")
    assert_empty(agent)


def test_a_server_that_says_100_and_then_nothing_is_left_after_its_full_time() -> None:
    wire, agent, (one, two) = town()
    session = ring(agent, [one, two])
    route = ("Record-Route", "<sip:a.example;lr;transport=udp>")
    answer(one, agent, 200, ANSWER, headers=(route,))
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    answer(one, agent, 100, method="BYE")
    wire.clock.run(32.1)
    assert two.got_times("BYE") == [32.0]
    answer(two, agent, 200, method="BYE")
    assert_empty(agent)


def test_in_another_network_the_dead_may_live_and_the_name_may_lead_elsewhere() -> None:
    wire, agent, (one, two) = town()
    ring(agent, [one, two])
    answer(one, agent, 503)
    wire.clock.run(0.0)
    answer(two, agent, 486)
    agent.endpoint.forget_servers()
    agent.take()
    ring(agent, [one, two])
    assert one.count("INVITE") == 2


def test_a_refused_connection_goes_to_the_next_server() -> None:
    wire, agent, (one, two) = town()
    wire.refuse_tcp.add(one.address)
    ring(agent, [one, two], Transport.TCP)
    wire.clock.run(0.0)
    assert two.count("INVITE") == 1


def test_a_connection_that_does_not_come_about_goes_to_the_next_server() -> None:
    wire, agent, (one, two) = town()
    wire.swallow_tcp.add(one.address)
    ring(agent, [one, two], Transport.TCP)
    wire.clock.run(CONNECT_LIMIT)
    assert two.got_times("INVITE") == [CONNECT_LIMIT]


def test_a_server_that_takes_the_connection_and_says_nothing_is_left_too() -> None:
    wire, agent, (one, two) = town()
    ring(agent, [one, two], Transport.TCP)
    wire.clock.run(CONNECT_LIMIT + SILENCE_LIMIT)
    assert one.got_times("INVITE") == [0]
    assert two.got_times("INVITE") == [CONNECT_LIMIT + SILENCE_LIMIT]


def test_the_number_of_servers_that_are_tried_is_bounded() -> None:
    wire, agent, _ = town(0)
    call(agent, SipUri.of("desk", "a.example", 5060), transport=Transport.UDP)
    addresses = [f"192.0.2.{n}" for n in range(100, 130)]
    tell(agent, Question(Record.ADDRESS, "a.example"), *addresses)
    for host in addresses:
        agent.fail(Hop(Transport.UDP, Address(host, 5060)))
    assert only(agent.take(), SessionEnded).by is EndedBy.TRANSPORT
    assert len({sent.target for sent in wire.sent}) == MOST_TRIES


@pytest.mark.parametrize(
    "by", [EndedBy.UNTRUSTED, EndedBy.EXPIRED, EndedBy.WRONG_NAME, EndedBy.NOT_SECURE]
)
def test_a_wrong_certificate_is_told_and_nobody_else_is_tried(by: EndedBy) -> None:
    wire, agent, _ = town(0)
    agent.endpoint.set_local(Transport.TLS, Address("192.0.2.1", 5061))
    agent.endpoint.invite(
        SipUri.of("desk", "a.example", 5061)._replace(scheme="sips"),
        Sender(NameAddr("", SipUri.of("me", "a.example")), "me"),
        body=b"",
        now=0.0,
    )
    agent.endpoint.looked_up(
        Question(Record.ADDRESS, "a.example"), ("192.0.2.11", "192.0.2.12"), 0.0
    )
    (datagram,) = agent.endpoint.datagrams_to_send()
    assert datagram.hop == Hop(Transport.TLS, Address("192.0.2.11", 5061), None, "a.example")
    agent.endpoint.connection_failed(datagram.hop, 0.0, by)
    assert agent.endpoint.datagrams_to_send() == []
    agent.collect()
    assert only(agent.take(), SessionEnded).by is by
    assert_empty(agent)


def registered(agent: Agent, servers: list[Peer]) -> Registration:
    """At the first server that answers."""
    registration = agent.endpoint.register(
        SipUri.of("", "a.example"),
        Sender(NameAddr("", SipUri.of("me", "a.example")), "me", transport=Transport.UDP),
        expires=600,
        now=agent.wire.now,
    )
    agent.collect()
    names(agent, servers)
    agent.wire.clock.run(0.0)
    return registration


def test_a_call_goes_to_the_server_where_we_are_registered_as_long_as_that_one_lives() -> None:
    wire, agent, (one, two) = town()
    registration = registered(agent, [one, two])
    answer(one, agent, 503, method="REGISTER")
    wire.clock.run(0.0)
    answer(two, agent, 200, method="REGISTER")
    wire.clock.run(100.0)  # the first one has done its time, and the names are asked for again
    ring(agent, [one, two])
    assert one.count("INVITE") == 0 and two.count("INVITE") == 1
    # It dies: the call goes elsewhere, and so does the registration.
    wire.clock.run(SILENCE_LIMIT)
    assert one.count("INVITE") == 1
    assert registration.state is RegistrationState.WAITING
    wire.clock.run(RECONNECT_WITHIN)
    assert one.last_request("REGISTER").cseq.number > two.last_request("REGISTER").cseq.number
    answer(one, agent, 200, method="REGISTER")
    assert kinds(agent).count("Registered") == 2
