"""What a registration learns from the answers, and what happens to the way it took: redirection,
Service-Route (RFC 3608), our own address, lost connections (RFC 5626)."""

import pytest

from applet.sip.events import EndedBy, Registered, RegistrationFailed
from applet.sip.message import Request
from applet.sip.records import Question, Record
from applet.sip.registration import (
    ADDRESS_EVERY,
    ADDRESSES_AT_ONCE,
    MOST_TURNS,
    RECONNECT_WITHIN,
    Registration,
    RegistrationState,
)
from applet.sip.uri import SipUri
from tests.sip.playbook import answer, assert_empty, do, kinds, only, pair, say, uri_of
from tests.sip.test_registration import CONTACT, give_up, leave, register, state_of
from tests.support.wire import Agent, Peer, Wire

# --- elsewhere


def test_a_redirection_inside_the_domain_is_followed() -> None:
    wire, agent, peer = pair()
    other = Peer(wire, "192.0.2.3")
    registration = register(agent, SipUri.of("", "example.com", maddr="192.0.2.2"))
    contact = "<tel:1>, <sip:elsewhere.test>, <sip:x@pbx.example.com;maddr=192.0.2.3>"
    answer(peer, agent, 302, method="REGISTER", contact=contact)
    wire.clock.run(0.0)
    sent = other.last_request("REGISTER")
    assert str(sent.uri) == "sip:pbx.example.com;maddr=192.0.2.3"
    assert sent.call_id == peer.last_request("REGISTER").call_id
    answer(other, agent, 200, method="REGISTER", contact=CONTACT)
    assert kinds(agent) == ["Registered"]
    leave(agent, other, registration)


@pytest.mark.parametrize("contact", ["<sip:elsewhere.test>", "<sip:notexample.com>", "<tel:1>"])
def test_a_redirection_to_somebody_else_is_not_followed(contact: str) -> None:
    wire, agent, peer = pair()
    registration = register(agent, SipUri.of("", "example.com", maddr="192.0.2.2"))
    answer(peer, agent, 302, method="REGISTER", contact=contact)
    assert only(agent.take(), RegistrationFailed).status == 302
    give_up(agent, registration)


def test_a_redirection_that_never_ends_is_given_up() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer, ""))
    for _ in range(MOST_TURNS + 1):
        answer(peer, agent, 302, method="REGISTER", contact=f"<{uri_of(peer, '')}>")
        wire.clock.run(0.0)
    assert only(agent.take(), RegistrationFailed).status == 302
    give_up(agent, registration)


# --- what the answer teaches


def test_the_service_route_is_told() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    routes = ("Service-Route", "<sip:a.example;lr>, <sip:b.example;lr>")
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT, headers=(routes,))
    told = only(agent.take(), Registered)
    assert [str(route.uri) for route in told.service_route] == [
        "sip:a.example;lr",
        "sip:b.example;lr",
    ]
    leave(agent, peer, registration)


@pytest.mark.parametrize(
    "routes", ["nonsense", "<sip:strict.example>", "<tel:1;lr>", ", ".join(["<sip:a;lr>"] * 9)]
)
def test_a_service_route_that_cannot_be_followed_is_left_out(routes: str) -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    header = ("Service-Route", routes)
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT, headers=(header,))
    assert only(agent.take(), Registered).service_route == ()
    leave(agent, peer, registration)


def seen_as(request: Request, address: str, port: int) -> Request:
    """`request` as a server keeps it that saw it come from there."""
    via = request.top_via.with_param("received", address).with_param("rport", str(port))
    return request.without("Via").prepended("Via", str(via))


def reply_seen(
    peer: Peer, agent: Agent, status: int, port: int, *, flow: bool = True, **headers: str
) -> None:
    sent = seen_as(peer.last_request("REGISTER"), "203.0.113.9", port)
    lines = [(name.replace("_", "-"), value) for name, value in headers.items()]
    message = sent.reply(status, to_tag="t", headers=lines)
    (peer.send_stream(message) if flow else peer.send(message, agent))
    agent.wire.clock.run(0.0)


def over_tcp() -> tuple[Wire, Agent, Peer, Registration]:
    wire, agent, peer = pair()
    return wire, agent, peer, register(agent, uri_of(peer, "", transport="tcp"))


def test_over_a_connection_our_end_of_it_is_bound_as_the_registrar_sees_it() -> None:
    wire, agent, peer, registration = over_tcp()
    listening = "<sip:line1@192.0.2.1:5060;transport=tcp>"
    assert peer.last_request("REGISTER").header("Contact") == listening
    challenge = 'Digest realm="r", nonce="n"'
    reply_seen(peer, agent, 401, 41234, WWW_Authenticate=challenge)
    ours = "<sip:line1@203.0.113.9:41234;transport=tcp>"
    assert peer.last_request("REGISTER").header("Contact") == ours
    reply_seen(peer, agent, 200, 41234, Contact=f"{ours};expires=60")
    told = only(agent.take(), Registered)
    assert (told.expires, told.contact) == (60, ours[1:-1])
    # Another address: the new one is bound, the old one is taken away.
    do(agent, registration.register)
    wire.clock.run(0.0)
    reply_seen(peer, agent, 200, 50000, Contact=f"{ours};expires=60")
    there = "<sip:line1@203.0.113.9:50000;transport=tcp>"
    assert peer.last_request("REGISTER").lines("Contact") == [f"{there}, {ours};expires=0"]
    reply_seen(peer, agent, 200, 50000, Contact=f"{there};expires=60")
    assert kinds(agent) == ["Registered"]
    do(agent, registration.unregister)
    wire.clock.run(0.0)
    last = peer.last_request("REGISTER")
    assert (last.header("Contact"), last.expires) == (there, 0)
    reply_seen(peer, agent, 200, 50000)
    assert kinds(agent) == ["Unregistered"]
    assert_empty(agent)


def test_nothing_is_learnt_from_a_response_that_nobody_asked_for() -> None:
    """Whoever forges the registrar's address could else send our calls to his own."""
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    sent = seen_as(peer.last_request("REGISTER"), "198.51.100.66", 6666)
    guess = str(sent.top_via.with_param("branch", "z9hG4bKguessed"))
    say(peer, agent, sent.reply(200, to_tag="t").without("Via").prepended("Via", guess))
    challenge = 'Digest realm="r", nonce="n"'
    answer(peer, agent, 401, method="REGISTER", headers=(("WWW-Authenticate", challenge),))
    contact = peer.last_request("REGISTER").header("Contact") or ""
    assert peer.count("REGISTER") == 2 and "198.51.100.66" not in contact
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT)
    leave(agent, peer, registration)


@pytest.mark.parametrize("flow", [True, False])
def test_a_registrar_that_sees_us_elsewhere_each_time_is_not_asked_without_end(
    flow: bool,
) -> None:
    """Whoever watches for another address of ours looks again after each answer."""
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer, "", **({"transport": "tcp"} if flow else {})))
    port = 40000

    def seen_elsewhere_for(seconds: float) -> int:
        nonlocal port
        before, end = peer.count("REGISTER"), wire.now + seconds
        while wire.now < end:
            port += 1
            reply_seen(peer, agent, 200, port, flow=flow, Contact=CONTACT + ";expires=3600")
            do(agent, registration.check_address)
            wire.clock.run(0.4)  # before anything is repeated
        return peer.count("REGISTER") - before

    assert ADDRESSES_AT_ONCE <= seen_elsewhere_for(10.0) <= ADDRESSES_AT_ONCE + 1
    for _ in range(3):
        assert seen_elsewhere_for(60.0) == 60.0 / ADDRESS_EVERY, "late, but the truth gets bound"
    assert set(kinds(agent)) >= {"Registered"}
    wire.clock.run(60.0)  # the answers agree from here on
    reply_seen(peer, agent, 200, port, flow=flow, Contact=CONTACT + ";expires=3600")
    wire.clock.run(10 * ADDRESS_EVERY)
    quiet = peer.count("REGISTER")
    for restart in (50001, 50002, 50003):
        do(agent, registration.register)
        wire.clock.run(0.0)
        for _ in range(2):
            reply_seen(peer, agent, 200, restart, flow=flow, Contact=CONTACT + ";expires=3600")
            do(agent, registration.check_address)
            wire.clock.run(0.0)
        assert f":{restart}" in peer.last_request("REGISTER").lines("Contact")[0]
    assert peer.count("REGISTER") == quiet + 6


def test_an_address_that_turns_up_while_we_leave_does_not_bring_us_back() -> None:
    wire, agent, peer, registration = over_tcp()
    reply_seen(peer, agent, 200, 40000)
    reply_seen(peer, agent, 200, 40000)
    do(agent, registration.register)
    wire.clock.run(0.0)
    do(agent, registration.unregister)
    do(agent, registration.check_address)
    do(agent, registration.move)
    reply_seen(peer, agent, 200, 50000)
    for verb in (registration.check_address, registration.move):
        do(agent, verb)
    assert peer.last_request("REGISTER").expires == 0
    reply_seen(peer, agent, 200, 50000)
    for verb in (registration.check_address, registration.move):
        do(agent, verb)
    wire.clock.run(60.0)
    assert kinds(agent)[-1] == "Unregistered"
    assert state_of(registration) is RegistrationState.UNREGISTERED
    assert peer.last_request("REGISTER").expires == 0
    assert_empty(agent)


def test_over_udp_the_address_behind_a_router_is_bound_as_the_registrar_sees_it() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    challenge = 'Digest realm="r", nonce="n"'
    reply_seen(peer, agent, 401, 4321, flow=False, WWW_Authenticate=challenge)
    ours = "<sip:line1@203.0.113.9:4321>"
    assert peer.last_request("REGISTER").header("Contact") == ours
    reply_seen(peer, agent, 200, 4321, flow=False, Contact=f"{ours};expires=60")
    told = only(agent.take(), Registered)
    assert (told.expires, told.contact) == (60, ours[1:-1])
    leave(agent, peer, registration)


def test_over_udp_without_a_router_our_own_address_stays() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    sent = seen_as(peer.last_request("REGISTER"), "192.0.2.1", 5060)
    peer.send(sent.reply(200, to_tag="t", headers=[("Contact", CONTACT)]), agent)
    wire.clock.run(0.0)
    assert only(agent.take(), Registered).contact == "sip:line1@192.0.2.1:5060"
    leave(agent, peer, registration)


# --- the connection (RFC 5626)


def over_tcp_registered() -> tuple[Wire, Agent, Peer, Registration]:
    wire, agent, peer, registration = over_tcp()
    peer.send_stream(peer.last_request("REGISTER").reply(200, to_tag="t"))
    wire.clock.run(0.0)
    assert kinds(agent) == ["Registered"]
    return wire, agent, peer, registration


def test_a_lost_connection_is_made_again_soon() -> None:
    wire, agent, peer, registration = over_tcp_registered()
    wire.close(peer.flow)
    wire.clock.run(0.0)
    assert state_of(registration) is RegistrationState.WAITING and kinds(agent) == []
    wire.clock.run(RECONNECT_WITHIN)
    assert peer.count("REGISTER") == 2
    assert state_of(registration) is RegistrationState.REGISTERING


def test_a_server_that_stays_away_is_tried_with_the_usual_patience() -> None:
    wire, agent, peer, registration = over_tcp_registered()
    wire.refuse_tcp.add(peer.address)
    wire.close(peer.flow)
    wire.clock.run(RECONNECT_WITHIN)
    failed = only(agent.take(), RegistrationFailed)
    assert failed.by is EndedBy.TRANSPORT and 15 <= failed.retry_in <= 30
    wire.refuse_tcp.clear()
    wire.clock.run(30)
    assert peer.count("REGISTER") == 2


def test_in_another_network_nobody_waits_for_answers_from_the_old_one() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    wire.clock.run(10)
    first = peer.last_request("REGISTER")
    do(agent, registration.move)
    wire.clock.run(0.0)
    second = peer.last_request("REGISTER")
    assert second.cseq.number == first.cseq.number + 1
    peer.send(first.reply(500, to_tag="t"), agent)  # too late
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT)
    assert kinds(agent) == ["Registered"]
    do(agent, registration.move)
    wire.clock.run(0.0)
    assert peer.last_request("REGISTER").cseq.number == second.cseq.number + 1
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT)
    leave(agent, peer, registration)


def test_another_network_while_the_registrar_is_looked_up_sends_one_register() -> None:
    wire, agent, peer = pair()
    registration = register(agent, SipUri.of("", "registrar.example", 5060))
    do(agent, registration.move)
    agent.endpoint.looked_up(
        Question(Record.ADDRESS, "registrar.example"), (peer.address.host,), wire.now
    )
    agent.collect()
    wire.clock.run(0.0)
    assert peer.count("REGISTER") == 1
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT)
    leave(agent, peer, registration)


# --- elsewhere than expected


def test_a_register_that_waits_for_an_answer_is_sent_anew_where_the_server_answers() -> None:
    wire, agent, peer = pair()
    other = Peer(wire, "192.0.2.3")
    registration = register(agent, SipUri.of("", "example.com", maddr="192.0.2.2"))
    first = peer.last_request("REGISTER")
    for _ in range(2):
        registration.reroute(SipUri.of("", "example.com", maddr="192.0.2.3"), wire.clock.now)
    wire.clock.run(1.0)
    sent = other.last_request("REGISTER")
    assert (sent.uri, sent.call_id) == (first.uri, first.call_id)
    assert sent.cseq.number == first.cseq.number + 1, "once, though it was said twice"
    answer(other, agent, 200, method="REGISTER", contact=CONTACT)
    assert kinds(agent) == ["Registered"]
    leave(agent, other, registration)
