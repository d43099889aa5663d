"""Which way messages go: Via, rport, UDP and TCP (RFC 3261 section 18, RFC 3581)."""

import pytest

from applet.address import Address
from applet.sip.events import EndedBy, SessionEnded
from applet.sip.first_request import Sender
from applet.sip.hop import Hop, Transport
from applet.sip.invite import SessionState
from applet.sip.message import Response
from applet.sip.transport import MAX_FLOWS
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    answer,
    assert_empty,
    call,
    do,
    incoming,
    kinds,
    only,
    pair,
    reply,
    request,
    say,
    state,
    uri_of,
    within,
)
from tests.support.wire import Agent, Peer, Wire

LARGE = b"v=0\r\n" + b"a=padding\r\n" * 120


# --- responses over UDP


def test_without_rport_a_response_goes_to_the_port_that_sent_by_names() -> None:
    wire, agent, peer = pair()
    options = request("OPTIONS", peer, agent)
    options = options.with_header("Via", "SIP/2.0/UDP 192.0.2.2:7000;branch=z9hG4bKx")
    say(peer, agent, options)
    assert wire.sent[-1].target == Address("192.0.2.2", 7000)
    top = wire.sent[-1].message.top_via
    assert top.received is None and top.rport is None


def test_a_sent_by_without_a_port_means_5060() -> None:
    wire, agent, _ = pair()
    other = Peer(wire, "192.0.2.2", 6000)
    options = request("OPTIONS", other, agent)
    say(other, agent, options.with_header("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx"))
    assert wire.sent[-1].target == Address("192.0.2.2", 5060)


def test_received_is_noted_when_sent_by_names_another_address() -> None:
    wire, agent, peer = pair()
    options = request("OPTIONS", peer, agent)
    say(peer, agent, options.with_header("Via", "SIP/2.0/UDP pc.example:5060;branch=z9hG4bKx"))
    assert wire.sent[-1].target == peer.address
    assert wire.sent[-1].message.top_via.received == "192.0.2.2"


def test_with_rport_a_response_goes_back_to_where_the_request_came_from() -> None:
    wire, agent, _ = pair()
    natted = Peer(wire, "203.0.113.9", 40001)
    options = request("OPTIONS", natted, agent)
    via = "SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bKx, SIP/2.0/UDP 10.0.0.6;branch=z9hG4bKy"
    say(natted, agent, options.with_header("Via", via))
    assert wire.sent[-1].target == natted.address
    assert wire.sent[-1].message.values("Via") == [
        "SIP/2.0/UDP 10.0.0.5:5060;rport=40001;branch=z9hG4bKx;received=203.0.113.9",
        "SIP/2.0/UDP 10.0.0.6;branch=z9hG4bKy",
    ]


def test_all_responses_of_a_call_behind_a_nat_go_back_through_it() -> None:
    wire, agent, _ = pair()
    natted = Peer(wire, "203.0.113.9", 40001)
    invite = request("INVITE", natted, agent, body=OFFER)
    via = "SIP/2.0/UDP 10.0.0.5;rport;branch=z9hG4bKx"
    say(natted, agent, invite.with_header("Via", via))
    session = incoming(agent)
    do(agent, session.ring)
    do(agent, session.answer, ANSWER)
    wire.clock.run(1.0)
    assert {sent.target for sent in wire.matching("SIP/2.0", agent)} == {natted.address}
    assert wire.times("SIP/2.0 200") == [0, 0.5]


def test_our_requests_ask_for_rport_and_what_comes_back_in_it_does_not_matter() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    assert invite.top_via.has_param("rport") and invite.top_via.rport is None
    noted = invite.top_via.with_param("rport", "61000").with_param("received", "203.0.113.1")
    say(peer, agent, reply(peer, invite, 180).with_header("Via", str(noted)))
    assert state(session) is SessionState.EARLY


# --- large requests


def test_a_request_over_1300_bytes_goes_over_tcp() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer, LARGE)
    wire.clock.run(0.0)
    assert [sent.transport for sent in wire.sent] == [Transport.TCP]
    invite = peer.last_request("INVITE")
    assert invite.top_via.transport == "TCP" and invite.body == LARGE
    assert str(invite.contacts[0].uri) == "sip:caller@192.0.2.1:5060"
    peer.send_stream(reply(peer, invite, 200, ANSWER))
    wire.clock.run(0.0)
    assert state(session) is SessionState.CONFIRMED
    ack = wire.matching("ACK")[0]
    assert ack.transport is Transport.UDP
    do(agent, session.hang_up)
    assert wire.sent[-1].transport is Transport.UDP


def test_a_large_request_goes_over_udp_all_the_same_if_tcp_is_refused() -> None:
    wire, agent, peer = pair()
    wire.refuse_tcp.add(peer.address)
    session = call(agent, peer, LARGE)
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    assert [sent.transport for sent in wire.sent] == [Transport.UDP]
    assert invite.top_via.transport == "UDP" and invite.body == LARGE
    wire.clock.run(6.0)
    assert wire.times("INVITE") == [0, 0.5, 1.5, 3.5]
    answer(peer, agent, 200, ANSWER)
    assert state(session) is SessionState.CONFIRMED


def test_a_large_request_goes_over_udp_if_the_connection_does_not_come_about() -> None:
    wire, agent, peer = pair()
    wire.swallow_tcp.add(peer.address)
    call(agent, peer, LARGE)
    wire.clock.run(5.0)
    assert wire.times("INVITE") == [4.0, 4.5]
    assert agent.events == []


def test_a_large_request_that_neither_tcp_nor_udp_takes_fails_once() -> None:
    wire, agent, peer = pair()
    wire.refuse_tcp.add(peer.address)
    call(agent, peer, LARGE)
    wire.clock.run(0.0)
    agent.fail(Hop(Transport.UDP, peer.address))
    assert only(agent.take(), SessionEnded).by is EndedBy.TRANSPORT
    assert_empty(agent)


def test_a_large_request_stays_on_udp_where_we_have_no_tcp() -> None:
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1", tcp=False), Peer(wire, "192.0.2.2")
    call(agent, peer, LARGE)
    assert wire.sent[0].transport is Transport.UDP


def test_hanging_up_while_the_connection_is_refused_tries_nothing_else() -> None:
    wire, agent, peer = pair()
    wire.swallow_tcp.add(peer.address)
    session = call(agent, peer, LARGE)
    do(agent, session.hang_up)
    wire.clock.run(10.0)
    assert wire.sent == [] and state(session) is SessionState.ENDED
    assert_empty(agent)


def test_a_large_request_that_was_refused_is_not_sent_again_when_its_connection_breaks() -> None:
    wire, agent, peer = pair()
    call(agent, peer, LARGE)
    wire.clock.run(0.0)
    peer.send_stream(reply(peer, peer.last_request("INVITE"), 486))
    wire.clock.at(wire.now, lambda: agent.fail(Hop(Transport.TCP, peer.address)))
    wire.clock.run(1.0)
    assert wire.lines() == ["INVITE", "486 INVITE", "ACK"]


# --- TCP


def test_a_whole_call_over_tcp_uses_one_connection() -> None:
    wire, agent, peer = pair()
    session = call(agent, uri_of(peer, transport="tcp"))
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    assert str(invite.contacts[0].uri) == "sip:caller@192.0.2.1:5060;transport=tcp"
    contact = f"<{uri_of(peer, transport='tcp')}>"
    peer.send_stream(reply(peer, invite, 200, ANSWER, contact=contact))
    wire.clock.run(1.0)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    peer.send_stream(reply(peer, peer.last_request("BYE"), 200))
    wire.clock.run(0.0)
    assert wire.lines() == ["INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"]
    assert {sent.transport for sent in wire.sent} == {Transport.TCP}
    assert wire._flows == 2 and state(session) is SessionState.ENDED
    assert_empty(agent)


def test_the_transport_may_be_chosen_for_uris_that_name_none() -> None:
    wire, agent, peer = pair()
    call(agent, peer, transport=Transport.TCP)
    assert wire.sent[0].transport is Transport.TCP


def test_over_tcp_nothing_is_repeated_but_the_200_until_its_ack() -> None:
    wire, agent, peer = pair()
    wire.connect(peer, agent.address)
    peer.send_stream(request("INVITE", peer, agent, body=OFFER, transport="TCP"))
    wire.clock.run(0.0)
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    wire.clock.run(2.0)
    assert wire.times("SIP/2.0 200") == [0, 0.5, 1.5]
    assert {sent.transport for sent in wire.sent} == {Transport.TCP}


def test_a_refused_connection_ends_the_call_at_once() -> None:
    wire, agent, peer = pair()
    wire.refuse_tcp.add(peer.address)
    call(agent, uri_of(peer, transport="tcp"))
    wire.clock.run(0.0)
    assert only(agent.take(), SessionEnded).by is EndedBy.TRANSPORT
    assert_empty(agent)


def test_a_connection_that_does_not_come_about_ends_the_call_after_4_seconds() -> None:
    wire, agent, peer = pair()
    wire.swallow_tcp.add(peer.address)
    call(agent, uri_of(peer, transport="tcp"))
    wire.clock.run(3.9)
    assert agent.events == []
    wire.clock.run(0.2)
    assert only(agent.take(), SessionEnded).by is EndedBy.TRANSPORT
    assert_empty(agent)


def test_a_connection_that_stands_late_enough_is_not_given_up() -> None:
    wire, agent, peer = pair()
    wire.swallow_tcp.add(peer.address)
    session = call(agent, uri_of(peer, transport="tcp"))
    agent.endpoint.connection_opened(Hop(Transport.TCP, peer.address, 77), wire.now)
    wire.clock.run(10.0)
    assert state(session) is SessionState.CALLING


def test_a_connection_that_breaks_before_any_answer_ends_the_call_at_once() -> None:
    wire, agent, peer = pair()
    call(agent, uri_of(peer, transport="tcp"))
    wire.clock.run(0.0)
    wire.close(peer.flow)
    wire.clock.run(0.0)
    assert only(agent.take(), SessionEnded).by is EndedBy.TRANSPORT
    assert_empty(agent)


def test_a_connection_that_breaks_while_it_rings_does_not_end_the_call() -> None:
    wire, agent, peer = pair()
    session = call(agent, uri_of(peer, transport="tcp"))
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    peer.send_stream(reply(peer, invite, 180))
    wire.clock.run(0.0)
    wire.close(peer.flow)
    wire.clock.run(1.0)
    wire.connect(peer, agent.address)
    peer.send_stream(reply(peer, invite, 200, ANSWER))
    wire.clock.run(0.0)
    assert state(session) is SessionState.CONFIRMED


def test_responses_go_back_on_the_connection_of_the_request() -> None:
    wire, agent, peer = pair()
    wire.connect(peer, agent.address)
    peer.send_stream(request("OPTIONS", peer, agent, transport="TCP"))
    wire.clock.run(0.0)
    assert peer.count("200 OPTIONS") == 1 and wire._flows == 2


def test_when_the_connection_is_gone_a_response_goes_where_via_says() -> None:
    wire, agent, peer = pair()
    wire.connect(peer, agent.address)
    peer.send_stream(request("INVITE", peer, agent, body=OFFER, transport="TCP"))
    wire.clock.run(0.0)
    session = incoming(agent)
    wire.close(peer.flow)
    wire.clock.run(0.0)
    do(agent, session.ring)
    do(agent, session.answer, ANSWER)
    wire.clock.run(0.0)
    assert peer.count("180 INVITE") == peer.count("200 INVITE") == 1
    assert wire._flows == 4


def test_a_caller_behind_a_nat_gets_our_bye_on_its_own_connection() -> None:
    wire, agent, peer = pair()
    wire.connect(peer, agent.address)
    contact = "<sip:them@10.0.0.5:5060;transport=tcp>"
    invite = request("INVITE", peer, agent, body=OFFER, transport="TCP", contact=contact)
    peer.send_stream(invite)
    wire.clock.run(0.0)
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    wire.clock.run(0.0)
    ack = request("ACK", peer, agent, to_tag=session.local.tag or "", transport="TCP")
    peer.send_stream(ack)
    wire.clock.run(0.0)
    assert kinds(agent) == ["Confirmed"]
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    peer.send_stream(reply(peer, peer.last_request("INVITE"), 200, ANSWER, contact=contact))
    wire.clock.run(0.0)
    assert peer.count("ACK") == 1
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    assert peer.count("BYE") == 1 and wire._flows == 2


def test_messages_in_any_pieces_are_put_together() -> None:
    wire, agent, peer = pair()
    wire.connect(peer, agent.address)
    data = request("OPTIONS", peer, agent, transport="TCP").encode()
    for octet in data + request("OPTIONS", peer, agent, call_id="b", transport="TCP").encode():
        peer.send_stream(bytes([octet]))
    wire.clock.run(0.0)
    assert peer.count("200 OPTIONS") == 2


def test_a_ping_on_a_connection_gets_its_pong_and_a_pong_nothing() -> None:
    wire, agent, peer = pair()
    wire.connect(peer, agent.address)
    peer.send_stream(b"\r\n\r\n")
    wire.clock.run(0.0)
    assert peer.raw == [b"\r\n"]


def test_an_invite_and_its_cancel_in_one_piece_are_one_call_that_is_over() -> None:
    wire, agent, peer = pair()
    wire.connect(peer, agent.address)
    parts = [
        request("INVITE", peer, agent, body=OFFER, branch="z9hG4bKone", transport="TCP"),
        request("CANCEL", peer, agent, branch="z9hG4bKone", transport="TCP"),
    ]
    peer.send_stream(b"".join(part.encode() for part in parts))
    wire.clock.run(0.0)
    assert kinds(agent) == ["IncomingInvite", "SessionEnded"]
    assert [m.status for _, m in peer.got if isinstance(m, Response)] == [200, 487]


def test_bytes_of_a_connection_that_is_gone_are_dropped() -> None:
    _, agent, peer = pair()
    agent.endpoint.receive_stream(99, request("OPTIONS", peer, agent).encode(), 0.0)
    agent.endpoint.connection_closed(99, 0.0)
    assert agent.endpoint.events() == []


def test_connections_are_bounded() -> None:
    _, agent, _ = pair()
    for flow in range(MAX_FLOWS + 3):
        agent.endpoint.connection_opened(
            Hop(Transport.TCP, Address("192.0.2.3", 1000 + flow), flow), 0.0
        )
    assert agent.endpoint.flows_to_close() == [MAX_FLOWS, MAX_FLOWS + 1, MAX_FLOWS + 2]
    assert agent.endpoint.flows_to_close() == []


def test_of_two_connections_to_one_address_the_newer_is_used_until_it_closes() -> None:
    _, agent, peer = pair()
    agent.endpoint.connection_opened(Hop(Transport.TCP, peer.address, 1), 0.0)
    agent.endpoint.connection_opened(Hop(Transport.TCP, peer.address, 2), 0.0)
    agent.endpoint.connection_closed(1, 0.0)
    agent.endpoint.invite(
        uri_of(peer, transport="tcp"),
        Sender(request("INVITE", peer, agent).to, "x"),
        body=None,
        now=0.0,
    )
    assert agent.endpoint.datagrams_to_send()[0].hop.flow == 2


@pytest.mark.parametrize("transport", ["sctp", "ws"])
def test_a_transport_that_we_do_not_have_is_not_found(transport: str) -> None:
    wire, agent, peer = pair()
    call(agent, uri_of(peer, transport=transport))
    assert only(agent.take(), SessionEnded).by is EndedBy.LOOKUP
    assert wire.sent == []


def test_sips_is_never_sent_without_tls_even_where_a_connection_stands() -> None:
    wire, agent, peer = pair()
    agent.endpoint.connection_opened(Hop(Transport.TCP, peer.address, 1), 0.0)
    call(agent, uri_of(peer)._replace(scheme="sips"))
    assert wire.sent == [] and only(agent.take(), SessionEnded).by is EndedBy.TRANSPORT
    wire.connect(peer, agent.address)
    contact = f"<{uri_of(peer)._replace(scheme='sips')}>"
    peer.send_stream(request("INVITE", peer, agent, body=OFFER, transport="TCP", contact=contact))
    wire.clock.run(0.0)
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    ack = request("ACK", peer, agent, to_tag=session.local.tag or "", transport="TCP")
    peer.send_stream(ack)
    wire.clock.run(0.0)
    do(agent, session.hang_up)
    assert "BYE" not in wire.lines() and state(session) is SessionState.ENDED


def test_with_tls_sips_goes_over_it_and_not_over_tcp() -> None:
    wire, agent, peer = pair()
    agent.endpoint.set_local(Transport.TLS, Address("192.0.2.1", 5061))
    agent.endpoint.connection_opened(Hop(Transport.TCP, peer.address, 1), 0.0)
    agent.endpoint.invite(
        uri_of(peer)._replace(scheme="sips"),
        Sender(request("INVITE", peer, agent).to, "x"),
        body=None,
        now=wire.now,
    )
    (datagram,) = agent.endpoint.datagrams_to_send()
    assert datagram.hop == Hop(Transport.TLS, peer.address, None, peer.address.host)
    assert b"Contact: <sips:x@192.0.2.1:5061>" in datagram.data


def test_their_request_over_udp_in_a_tcp_call_moves_the_call_to_udp() -> None:
    wire, agent, peer = pair()
    wire.connect(peer, agent.address)
    peer.send_stream(request("INVITE", peer, agent, body=OFFER, transport="TCP"))
    wire.clock.run(0.0)
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    within("ACK", peer, agent, session, cseq=1)
    within("INVITE", peer, agent, session, cseq=2, body=OFFER)
    do(agent, session.answer_reinvite, ANSWER)
    within("ACK", peer, agent, session, cseq=2)
    do(agent, session.hang_up)
    assert wire.sent[-1].first_line.startswith("BYE")
    assert wire.sent[-1].transport is Transport.UDP
