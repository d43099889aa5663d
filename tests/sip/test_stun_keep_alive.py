"""Keep-alive by STUN, where a server has agreed to it (RFC 5626 section 4.4.2, RFC 6223)."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.sip.digest import Credentials
from applet.sip.first_request import Sender
from applet.sip.headers import NameAddr
from applet.sip.keep_alive import DATAGRAM_INTERVAL, SHORTEST_INTERVAL, STUN_WAITS
from applet.sip.registration import RECONNECT_WITHIN, Registration, RegistrationState
from applet.sip.stun_ping import binding_request, mapped_address
from applet.sip.uri import SipUri
from applet.stun_frame import COOKIE, is_stun
from tests.sip.playbook import ANY_MACHINE, answer, do, kinds, pair, uri_of
from tests.sip.test_registration import state_of
from tests.support.wire import Agent, Peer, Wire

HERE = bytes((0x15, 0xB3, 203, 0, 113, 5))
ELSEWHERE = bytes((0x15, 0xB4, 203, 0, 113, 5))


def response(question: bytes, mapped: bytes = HERE, kind: bytes = b"\x01\x01") -> bytes:
    """The answer of a server that sees us at `mapped` (port and IPv4 address)."""
    masked = bytes(one ^ other for one, other in zip(mapped, COOKIE[:2] + COOKIE, strict=True))
    software = b"\x80\x22\x00\x03abc\x00"
    body = software + b"\x00\x20\x00\x08\x00\x01" + masked
    return kind + len(body).to_bytes(2, "big") + question[4:20] + body


def registered(keep: str | None = "30") -> tuple[Wire, Agent, Peer, Registration]:
    """Over UDP, at a server that has answered our `keep` in this way."""
    wire, agent, peer = pair()
    registration = agent.endpoint.register(
        uri_of(peer, ""),
        Sender(
            NameAddr("", SipUri.of("me", "example.com")),
            "me",
            credentials=Credentials("me", "secret"),
        ),
        expires=3600,
        now=0.0,
    )
    agent.collect()
    wire.clock.run(0.0)
    challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n"')
    answer(peer, agent, 401, method="REGISTER", headers=(challenge,))
    wire.clock.run(0.0)
    request = peer.last_request("REGISTER")
    via = request.top_via
    assert via.has_param("keep") and via.param("keep") is None
    if keep is not None:
        request = request.without("Via").prepended("Via", str(via.with_param("keep", keep)))
    peer.send(request.reply(200, to_tag="t"), agent)
    wire.clock.run(0.0)
    assert kinds(agent) == ["Registered"]
    return wire, agent, peer, registration


def next_question(wire: Wire, peer: Peer, within: float = DATAGRAM_INTERVAL) -> bytes:
    count, limit = len(peer.raw), wire.now + within
    while len(peer.raw) == count:
        assert wire.now < limit, "no question came"
        wire.clock.run(0.1)
    return peer.raw[-1]


def say(wire: Wire, agent: Agent, peer: Peer, data: bytes) -> None:
    peer.send(data, agent)
    wire.clock.run(0.0)


def test_a_server_that_agreed_is_asked_by_stun_as_often_as_it_wants() -> None:
    wire, agent, peer, registration = registered("20")
    at: list[float] = []
    for _ in range(8):
        question = next_question(wire, peer)
        assert is_stun(question) and len(question) == 20
        at.append(wire.now)
        say(wire, agent, peer, response(question))
    gaps = [later - sooner for sooner, later in itertools.pairwise(at)]
    # The first interval was drawn before the server's word was known.
    assert all(0.8 * 20 - 0.2 <= gap <= 20.2 for gap in gaps[1:])
    assert len(set(peer.raw)) == 8
    assert state_of(registration) is RegistrationState.REGISTERED


@pytest.mark.parametrize("keep", [None, "soon"])
def test_a_server_that_did_not_agree_gets_line_breaks(keep: str | None) -> None:
    wire, _, peer, _ = registered(keep)
    wire.clock.run(100)
    assert peer.raw == [] and b"\r\n\r\n" in [sent.data for sent in wire.sent]


def test_a_server_without_a_wish_is_asked_at_the_usual_times_and_none_too_often() -> None:
    for keep, shortest in (("0", 0.8 * DATAGRAM_INTERVAL), ("1", 0.8 * SHORTEST_INTERVAL)):
        wire, agent, peer, _ = registered(keep)
        say(wire, agent, peer, response(next_question(wire, peer)))
        begin = wire.now
        next_question(wire, peer)
        assert wire.now - begin >= shortest - 0.2


def test_a_server_that_does_not_answer_is_dead_and_is_registered_with_anew() -> None:
    wire, agent, peer, registration = registered()
    question = next_question(wire, peer)
    wire.clock.run(sum(STUN_WAITS) - 0.2)
    assert peer.raw == [question] * len(STUN_WAITS)
    assert state_of(registration) is RegistrationState.REGISTERED
    wire.clock.run(0.3)
    assert state_of(registration) is RegistrationState.WAITING
    wire.clock.run(RECONNECT_WITHIN)
    assert peer.count("REGISTER") >= 3


def test_another_address_of_ours_is_registered_anew() -> None:
    wire, agent, peer, registration = registered()
    for mapped in (HERE, HERE, ELSEWHERE):
        assert state_of(registration) is RegistrationState.REGISTERED
        say(wire, agent, peer, response(next_question(wire, peer), mapped))
    assert state_of(registration) is RegistrationState.WAITING


def test_answers_of_strangers_and_old_ones_are_not_heard() -> None:
    wire, agent, peer, registration = registered()
    stranger = Peer(wire, "192.0.2.66")
    question = next_question(wire, peer)
    say(wire, agent, stranger, response(question))
    say(wire, agent, peer, response(binding_request(b"guess.guess.")))
    wire.clock.run(0.7)
    assert len(peer.raw) == 2, "the question is repeated"
    say(wire, agent, peer, response(question))
    say(wire, agent, peer, response(question, ELSEWHERE))
    wire.clock.run(5)
    assert len(peer.raw) == 2 and state_of(registration) is RegistrationState.REGISTERED


def test_an_error_shows_that_they_live_and_nothing_of_our_address() -> None:
    wire, agent, peer, registration = registered()
    for kind in (b"\x01\x01", b"\x01\x11", b"\x01\x01"):
        question = next_question(wire, peer)
        say(wire, agent, peer, response(question, HERE, kind))
    assert state_of(registration) is RegistrationState.REGISTERED
    do(agent, registration.unregister)


@pytest.mark.parametrize("cut", range(20, 40))
def test_a_damaged_answer_tells_nothing(cut: int) -> None:
    whole = response(binding_request(bytes(12)))
    assert mapped_address(whole) == HERE
    assert mapped_address(whole[:cut]) in (None, HERE) and len(whole) == 40
    assert mapped_address(whole[:39]) is None


@ANY_MACHINE
@given(st.binary(max_size=120))
def test_any_bytes_are_read_without_a_mistake(noise: bytes) -> None:
    is_stun(noise)
    mapped_address(noise)
    mapped_address(b"\x01\x01" + noise)
