"""An OPTIONS of ours: its answer, its deadline, and what is left behind."""

import pytest

from applet.address import Address
from applet.sip.events import Pinged
from applet.sip.first_request import Sender
from applet.sip.grammar import LocalProtocolError
from applet.sip.headers import NameAddr
from applet.sip.hop import Hop, Transport
from applet.sip.ping import Ping
from applet.sip.uri import SipUri
from tests.support.wire import Agent, Peer, Wire

FAR = "192.0.2.2"
US = NameAddr("", SipUri.of("us", "192.0.2.1"))


def pinging(limit: float = 4.0, host: str = FAR) -> tuple[Wire, Agent, Peer]:
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1"), Peer(wire, FAR)
    target = SipUri.of("", host, 5060)
    agent.endpoint.ping(target, Sender(US, "us"), limit=limit, now=wire.now, name="first")
    agent.collect()
    return wire, agent, peer


def pinged(agent: Agent) -> Pinged:
    (event,) = agent.take()
    assert isinstance(event, Pinged)
    return event


def test_any_final_answer_is_one() -> None:
    wire, agent, peer = pinging()
    wire.clock.run(0.1)
    request = peer.last_request("OPTIONS")
    peer.send(request.reply(100), agent)
    peer.send(request.reply(404, to_tag="x"), agent)
    wire.clock.run(0.1)
    event = pinged(agent)
    assert event.name == "first" and event.response is not None and event.response.status == 404
    assert event.hop is not None and event.hop.address == peer.address
    assert event.sent.contacts and event.sent.top_via.has_param("rport")


def test_silence_ends_at_the_limit_and_a_late_answer_is_nothing() -> None:
    wire, agent, peer = pinging(limit=2.0)
    assert agent.endpoint.quiet
    wire.clock.run(1.9)
    assert agent.take() == []
    wire.clock.run(0.2)
    assert pinged(agent).response is None
    peer.send(peer.last_request("OPTIONS").reply(200, to_tag="x"), agent)
    wire.clock.run(40.0)
    assert agent.take() == []
    assert agent.endpoint.transactions == 0


def test_a_name_that_nobody_finds_is_an_end_too() -> None:
    wire, agent, _ = pinging(limit=2.0, host="nowhere.example")
    wire.clock.run(3.0)
    event = agent.take()[-1]
    assert isinstance(event, Pinged) and event.hop is None and event.response is None


def test_without_credentials_nothing_is_sent_twice() -> None:
    with pytest.raises(LocalProtocolError):
        Ping.next_sequence(None)  # type: ignore[arg-type]


def test_what_a_server_sees_of_us_is_shown_to_it_and_to_nobody_else() -> None:
    wire, agent, peer = pinging()
    seen = Address("198.51.100.7", 40000)
    hop = peer.address
    agent.endpoint.set_seen(Transport.UDP, hop, seen)
    assert agent.endpoint.local_address(Hop(Transport.UDP, hop)) == seen
    other = Hop(Transport.UDP, Address("192.0.2.9", 5060))
    assert agent.endpoint.local_address(other) == agent.address
    agent.endpoint.set_seen(Transport.UDP, hop, None)
    assert agent.endpoint.local_address(Hop(Transport.UDP, hop)) == agent.address
