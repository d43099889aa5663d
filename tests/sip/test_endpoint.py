"""What an endpoint does with requests, responses and noise (RFC 3261 sections 8.2, 11, 17)."""

import random

import pytest

from applet.address import Address
from applet.sip.endpoint import Endpoint, EndpointConfig
from applet.sip.events import IncomingInvite, Trace
from applet.sip.hop import Hop, Transport
from applet.sip.invite import SessionState
from applet.sip.message import Request
from applet.sip.uas import METHODS_BUILT
from applet.sip.uri import SipUri
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    answer,
    assert_empty,
    call,
    do,
    established_in,
    incoming,
    kinds,
    only,
    pair,
    request,
    say,
    state,
    within,
)
from tests.support.wire import Agent, Peer, Wire


def test_fault_10_options_tells_what_we_can_do() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("OPTIONS", peer, agent))
    wire.clock.run(0.0)
    ok = peer.last_response("200 OPTIONS")
    assert ok.values("Allow") == list(METHODS_BUILT)
    assert {"application/sdp", "text/plain", "message/sipfrag"} < set(ok.values("Accept"))
    assert {"replaces", "norefersub"} <= set(ok.supported)
    assert ok.values("Allow-Events") == ["refer", "message-summary"]
    assert ok.header("Accept-Encoding") and ok.header("Accept-Language") and ok.to.tag
    assert_empty(agent)


def test_a_repeated_request_gets_the_same_answer_again() -> None:
    wire, agent, peer = pair()
    options = request("OPTIONS", peer, agent)
    say(peer, agent, options)
    wire.clock.run(20.0)
    say(peer, agent, options)
    first, second = wire.matching("SIP/2.0 200")
    assert first.data == second.data


@pytest.mark.parametrize(
    "method",
    ["PUBLISH", "REGISTER"],
)
def test_fault_10_a_known_method_that_is_not_built_gets_405_with_allow(method: str) -> None:
    wire, agent, peer = pair()
    say(peer, agent, request(method, peer, agent))
    wire.clock.run(0.0)
    assert peer.last_response(f"405 {method}").header("Allow")
    assert_empty(agent)


def test_fault_10_an_unknown_method_gets_501_with_allow_in_a_call_too() -> None:
    wire, agent, peer, session = established_in()
    within("DANCE", peer, agent, session, cseq=2)
    within("PUBLISH", peer, agent, session, cseq=3)
    wire.clock.run(0.0)
    assert peer.last_response("501 DANCE").header("Allow")
    assert peer.last_response("405 PUBLISH").header("Allow")
    assert state(session) is SessionState.CONFIRMED


def test_an_unknown_extension_that_is_required_gets_420() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, headers=(("Require", "100rel, y, x"),)))
    wire.clock.run(0.0)
    assert peer.last_response("420 INVITE").values("Unsupported") == ["y", "x"]
    assert agent.take() == []


def test_a_request_inside_a_dialog_that_we_do_not_know_gets_481_and_costs_no_memory() -> None:
    wire, agent, peer = pair()
    for method in ("BYE", "INVITE", "OPTIONS"):
        say(peer, agent, request(method, peer, agent, to_tag="unknown"))
    wire.clock.run(0.0)
    assert [peer.count(f"481 {method}") for method in ("BYE", "INVITE", "OPTIONS")] == [1, 1, 1]
    assert agent.endpoint.transactions == 0


def test_a_bye_outside_every_dialog_gets_481() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("BYE", peer, agent))
    assert wire.lines() == ["BYE", "481 BYE"]
    assert_empty(agent)


def test_a_spoofed_bye_with_wrong_tags_does_not_end_a_call() -> None:
    wire, agent, peer, session = established_in()
    stranger = Peer(wire, "192.0.2.66")
    say(stranger, agent, request("BYE", stranger, agent, call_id=session.call_id, to_tag="x"))
    assert state(session) is SessionState.CONFIRMED and kinds(agent) == []


def test_a_request_that_came_on_two_ways_is_merged() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    assert wire.lines()[-1] == "482 INVITE"
    assert kinds(agent) == ["IncomingInvite"]


def test_an_ack_to_nothing_is_dropped() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("ACK", peer, agent, to_tag="x"))
    say(peer, agent, b"ACK sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2\r\n\r\n")
    say(peer, agent, b"ACK nonsense\r\nVia: SIP/2.0/UDP 192.0.2.2\r\n\r\n")
    assert len(wire.sent) == 3


def test_unsolicited_responses_are_dropped() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    for changed in (
        invite.reply(200, to_tag="x").with_header("CSeq", f"{invite.cseq.number} OPTIONS"),
        invite.reply(200, to_tag="x").with_header("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx"),
        invite.reply(200, to_tag="x").prepended(
            "Via", "SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKx"
        ),
        request("OPTIONS", peer, agent).reply(200),
    ):
        say(peer, agent, changed)
    assert state(session) is SessionState.CALLING and agent.take() == []
    assert wire.times("INVITE") == [0.0] and len(wire.sent) == 5


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\r\n", b"\0", b"\0\0\0\0"])
def test_keep_alives_over_udp_say_nothing(data: bytes) -> None:
    _, agent, _ = pair()
    agent.endpoint.receive_datagram(data, Address("192.0.2.2", 5060), 0.0)
    assert agent.endpoint.events() == [] and agent.endpoint.datagrams_to_send() == []


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_survived(seed: int) -> None:
    dice = random.Random(seed)
    wire, agent, peer = pair()
    options = request("OPTIONS", peer, agent).encode()
    for _ in range(200):
        data = bytearray(options)
        for _ in range(dice.randrange(1, 12)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        agent.endpoint.receive_datagram(bytes(data), peer.address, wire.now)
    agent.endpoint.receive_datagram(dice.randbytes(300), peer.address, wire.now)
    agent.collect()
    say(peer, agent, request("OPTIONS", peer, agent, call_id="after"))
    assert wire.lines()[-1] == "200 OPTIONS"
    wire.clock.run(40.0)
    for event in agent.take():
        assert isinstance(event, IncomingInvite)
    assert agent.endpoint.transactions <= 1


def test_what_cannot_be_answered_is_dropped() -> None:
    wire, agent, peer = pair()
    say(peer, agent, b"OPTIONS sip:x@y SIP/2.0\r\nVia: nonsense\r\n\r\n")
    say(peer, agent, b"SIP/2.0 200 OK\r\n\r\n")
    say(peer, agent, b"hello")
    assert len(wire.sent) == 3


def test_a_broken_request_gets_the_same_answer_each_time_and_costs_no_memory() -> None:
    wire, agent, peer = pair()
    broken = request("OPTIONS", peer, agent).without("CSeq")
    say(peer, agent, broken)
    say(peer, agent, broken)
    first, second = wire.matching("SIP/2.0 400")
    assert first.data == second.data and b"CSeq is missing" in first.data
    assert agent.endpoint.transactions == 0


# --- users, bodies


def called(invite: Request, user: str) -> Request:
    """The same with a user part as it stands on the wire."""
    return invite.replaced(uri=SipUri("sip", user, None, "192.0.2.1", 5060))


def test_only_our_users_are_called_where_not_any_user_is_allowed() -> None:
    wire = Wire()
    agent = Agent(wire, "192.0.2.1", EndpointConfig(users=("alice",), allow_any_user=False))
    peer = Peer(wire, "192.0.2.2")
    for number, user in enumerate(("bob", "", "alice", "%61lice")):
        invite = request("INVITE", peer, agent, body=OFFER, call_id=f"c{number}")
        say(peer, agent, called(invite, user))
    assert peer.count("404 INVITE") == 1
    sessions = [e.session for e in agent.take() if isinstance(e, IncomingInvite)]
    assert len(sessions) == 3
    do(agent, sessions[0].answer, ANSWER)
    wire.clock.run(0.0)
    assert str(peer.last_response("200 INVITE").contacts[0].uri) == "sip:alice@192.0.2.1:5060"


def test_whoever_has_no_name_is_called_by_any() -> None:
    agent = Agent(Wire(), "192.0.2.1", EndpointConfig(allow_any_user=False))
    peer = Peer(agent.wire, "192.0.2.2")
    say(peer, agent, called(request("INVITE", peer, agent, body=OFFER), "service"))
    assert kinds(agent) == ["IncomingInvite"]


def test_the_called_user_is_our_contact_with_its_escapes() -> None:
    wire, agent, peer = pair()
    invite = request("INVITE", peer, agent, body=OFFER)
    say(peer, agent, called(invite, "a%40b"))
    do(agent, incoming(agent).ring)
    wire.clock.run(0.0)
    assert str(peer.last_response("180 INVITE").contacts[0].uri) == "sip:a%40b@192.0.2.1:5060"


def with_type(invite: Request, kind: str, **more: str) -> Request:
    changed = invite.with_header("Content-Type", kind)
    for name, value in more.items():
        changed = changed.with_header(name.replace("_", "-"), value)
    return changed


def test_a_body_that_we_cannot_read_gets_415_unless_it_is_optional() -> None:
    wire, agent, peer = pair()
    invite = request("INVITE", peer, agent, body=b"x")
    say(peer, agent, with_type(invite, "application/xml"))
    say(peer, agent, with_type(invite, "application/sdp", Content_Encoding="gzip"))
    assert peer.count("415 INVITE") == 2
    optional = with_type(invite, "text/plain", Content_Disposition="render; handling=optional")
    say(peer, agent, optional)
    assert only(agent.take(), IncomingInvite).body is None


@pytest.mark.parametrize(
    ("accept", "calls"),
    [
        ("text/plain", 0),
        ("application/sdp;level=1, text/plain", 1),
        ("application/*", 1),
        ("*/*;q=0.1", 1),
    ],
)
def test_a_caller_who_accepts_no_sdp_gets_406(accept: str, calls: int) -> None:
    _, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, headers=(("Accept", accept),)))
    assert len(agent.take()) == calls and peer.count("406 INVITE") == 1 - calls


def test_a_tel_uri_is_a_scheme_that_we_do_not_serve() -> None:
    wire, agent, peer = pair()
    data = request("INVITE", peer, agent, body=OFFER).encode()
    say(peer, agent, data.replace(b"INVITE sip:phone@192.0.2.1:5060", b"INVITE tel:+49301234", 1))
    assert wire.sent[-1].first_line == "SIP/2.0 416 Unsupported URI Scheme"


# --- bounds


def test_beyond_the_limit_strangers_get_503_and_a_running_call_goes_on() -> None:
    wire = Wire()
    agent = Agent(wire, "192.0.2.1", EndpointConfig(max_transactions=20))
    peer = Peer(wire, "192.0.2.2")
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    within("ACK", peer, agent, session, cseq=1)
    for number in range(100):
        say(peer, agent, request("BYE", peer, agent, call_id=f"flood{number}"))
    assert agent.endpoint.transactions == 20
    assert peer.count("481 BYE") == 19 and peer.count("503 BYE") == 81
    assert peer.last_response("503 BYE").retry_after == 5
    within("BYE", peer, agent, session, cseq=2)
    assert wire.lines()[-1] == "200 BYE" and state(session) is SessionState.ENDED
    assert_empty(agent)


def test_a_flood_inside_a_call_is_bounded_too() -> None:
    wire = Wire()
    agent = Agent(wire, "192.0.2.1", EndpointConfig(max_transactions=20))
    peer = Peer(wire, "192.0.2.2")
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    within("ACK", peer, agent, session, cseq=1)
    for number in range(100):
        within("OPTIONS", peer, agent, session, cseq=2 + number)
    assert agent.endpoint.transactions == 40 and peer.count("503 OPTIONS") == 61
    wire.clock.run(40.0)
    within("BYE", peer, agent, session, cseq=500)
    assert_empty(agent)


def test_a_flood_of_calls_is_forgotten_when_it_is_over() -> None:
    wire, agent, peer = pair()
    for number in range(300):
        invite = request("INVITE", peer, agent, body=OFFER, call_id=f"flood{number}")
        say(peer, agent, invite)
    for event in agent.take():
        assert isinstance(event, IncomingInvite)
        do(agent, event.session.reject, 486)
    assert_empty(agent)


# --- what is told, and addresses


def test_every_message_is_traced_as_it_went_over_the_wire() -> None:
    endpoint = Endpoint(EndpointConfig(), random.Random(1), lambda host: "192.0.2.1")
    endpoint.set_local(Transport.UDP, Address("0.0.0.0", 5060))
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1"), Peer(wire, "192.0.2.2")
    data = request("OPTIONS", peer, agent).encode()
    endpoint.receive_datagram(data, peer.address, 0.0)
    received, sent = endpoint.events()
    hop = Hop(Transport.UDP, peer.address)
    assert received == Trace(False, data, hop)
    assert isinstance(sent, Trace) and sent.sent and sent.hop == hop
    assert [datagram.data for datagram in endpoint.datagrams_to_send()] == [sent.data]
    assert endpoint.events() == [] and endpoint.datagrams_to_send() == []


def test_what_we_call_ourselves_depends_on_where_it_goes_until_something_is_advertised() -> None:
    endpoint = Endpoint(EndpointConfig(), random.Random(1), lambda host: f"to-{host}")
    endpoint.set_local(Transport.UDP, Address("0.0.0.0", 7666))
    udp = Hop(Transport.UDP, Address("192.0.2.2", 5060))
    tcp = Hop(Transport.TCP, Address("192.0.2.2", 5060))
    assert endpoint.local_address(udp) == ("to-192.0.2.2", 7666)
    assert endpoint.local_address(tcp) == ("to-192.0.2.2", 7666)
    endpoint.set_local(Transport.TCP, Address("127.0.0.1", 7667))
    assert endpoint.local_address(tcp) == ("127.0.0.1", 7667)
    endpoint.set_advertised(Transport.UDP, Address("203.0.113.5", 40000))
    assert endpoint.local_address(udp) == ("203.0.113.5", 40000)
    endpoint.set_advertised(Transport.UDP, None)
    endpoint.set_advertised(Transport.UDP, None)
    assert endpoint.local_address(udp) == ("to-192.0.2.2", 7666)


def test_ipv6_addresses_stand_in_brackets_where_they_must() -> None:
    wire = Wire()
    agent, peer = Agent(wire, "2001:db8::1"), Peer(wire, "2001:db8::2")
    call(agent, peer)
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    assert str(invite.uri) == "sip:desk@[2001:db8::2]:5060"
    assert invite.header("Contact") == "<sip:caller@[2001:db8::1]:5060>"
    assert invite.top_via.host == "2001:db8::1" and "[2001:db8::1]:5060" in str(invite.top_via)
    answer(peer, agent, 486)
    assert kinds(agent) == ["SessionEnded"]
    assert wire.lines() == ["INVITE", "486 INVITE", "ACK"]
