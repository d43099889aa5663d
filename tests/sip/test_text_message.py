"""MESSAGE in and out (RFC 3428)."""

import pytest

from applet.sip.digest import Credentials
from applet.sip.events import MessageAnswered, MessageReceived
from applet.sip.first_request import Sender
from applet.sip.headers import NameAddr
from applet.sip.hop import Hop, Transport
from tests.sip.playbook import (
    answer,
    assert_empty,
    established_in,
    only,
    pair,
    request,
    say,
    uri_of,
)
from tests.support.wire import Agent, Peer, Wire


def _say(peer: Peer, agent: Agent, kind: str, body: bytes, *more: tuple[str, str]) -> None:
    headers = (("Content-Type", kind), *more) if kind else more
    say(peer, agent, request("MESSAGE", peer, agent, headers=headers).replaced(body=body))
    agent.wire.clock.run(0.0)


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/plain", b"hello", "hello"),
        ("text/plain;charset=UTF-8", "käse".encode(), "käse"),
        ("Text/Plain; charset=iso-8859-1", b"k\xe4se", "käse"),
        ("text/plain", b"k\xe4se", "k�se"),
        ("text/plain", b"", ""),
    ],
)
def test_plain_text_is_told_and_answered_by_whoever_gets_it(
    kind: str, body: bytes, text: str
) -> None:
    wire, agent, peer = pair()
    _say(peer, agent, kind, body)
    event = only(agent.take(), MessageReceived)
    assert event.text == text and event.session is None
    assert peer.got == []
    event.incoming.respond(200, wire.now)
    agent.collect()
    wire.clock.run(0.0)
    assert peer.count("200 MESSAGE") == 1
    assert_empty(agent)


def test_in_a_call_it_comes_with_its_session() -> None:
    wire, agent, peer, session = established_in()
    message = request(
        "MESSAGE",
        peer,
        agent,
        call_id=session.call_id,
        cseq=3,
        from_tag="theirs",
        to_tag=session.local.tag or "",
        headers=(("Content-Type", "text/plain"),),
    ).replaced(body=b"hi")
    say(peer, agent, message)
    assert only(agent.take(), MessageReceived).session is session


@pytest.mark.parametrize(
    ("kind", "body", "more", "status"),
    [
        ("text/html", b"<b>", (), 415),
        ("", b"x", (), 415),
        ("text/plain", b"x", (("Content-Encoding", "gzip"),), 415),
        ("text/plain", b"x" * 1301, (), 413),
    ],
)
def test_anything_else_is_refused(
    kind: str, body: bytes, more: tuple[tuple[str, str], ...], status: int
) -> None:
    _, agent, peer = pair()
    _say(peer, agent, kind, body, *more)
    assert peer.count(f"{status} MESSAGE") == 1 and agent.take() == []


def _sent() -> tuple[Wire, Agent, Peer]:
    wire, agent, peer = pair()
    agent.endpoint.services.message(
        uri_of(peer),
        Sender(NameAddr("", uri_of(agent, "me")), "me", credentials=Credentials("me", "secret")),
        "grüß dich",
        7,
        wire.now,
    )
    agent.collect()
    wire.clock.run(0.0)
    return wire, agent, peer


@pytest.mark.parametrize("status", [200, 202, 404])
def test_ours_goes_out_as_utf_8_and_its_fate_is_told(status: int) -> None:
    _, agent, peer = _sent()
    sent = peer.last_request("MESSAGE")
    assert sent.body.decode() == "grüß dich" and sent.content_type == "text/plain"
    assert not sent.contacts, "MESSAGE makes no dialog (section 4)"
    answer(peer, agent, 100, method="MESSAGE")
    answer(peer, agent, status, method="MESSAGE")
    assert agent.take() == [MessageAnswered(7, status)]


def test_fault_08_a_challenge_is_answered_in_the_header_that_it_asks_for() -> None:
    wire, agent, peer = _sent()
    challenge = ("Proxy-Authenticate", 'Digest realm="r", nonce="n"')
    answer(peer, agent, 407, method="MESSAGE", headers=(challenge,))
    wire.clock.run(0.0)
    again = peer.last_request("MESSAGE")
    assert again.header("Proxy-Authorization") and again.body.decode() == "grüß dich"


def test_silence_and_a_closed_port_are_told() -> None:
    wire, agent, _ = _sent()
    wire.clock.run(33.0)
    assert agent.take() == [MessageAnswered(7, 408)]
    _, agent, peer = _sent()
    agent.fail(Hop(Transport.UDP, peer.address))
    assert agent.take() == [MessageAnswered(7, 0)]
