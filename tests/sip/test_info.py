"""Keys by INFO, and the answers to every other INFO (RFC 6086, RFC 2976)."""

import pytest

from applet.sip.events import InfoAnswered, InfoDigit
from applet.sip.hop import Hop, Transport
from tests.sip.playbook import (
    answer,
    established_in,
    established_out,
    pair,
    request,
    say,
    within,
)

RELAY = ("Content-Type", "application/dtmf-relay")
PLAIN = ("Content-Type", "application/dtmf")


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", "5"),
        (RELAY, b"Signal= *\r\nDuration= 160\r\n", "*"),
        (RELAY, b"Duration=250\nsignal = #", "#"),
        (RELAY, b"Signal=10\r\n", "*"),
        (RELAY, b"Signal=11\r\n", "#"),
        (RELAY, b"Signal=d\r\n", "D"),
        (PLAIN, b"7", "7"),
        (PLAIN, b" 7\r\n", "7"),
        (PLAIN, b"12", "A"),
    ],
)
def test_a_key_is_told_once(kind: tuple[str, str], body: bytes, digit: str) -> None:
    wire, agent, peer, session = established_in()
    message = request(
        "INFO",
        peer,
        agent,
        call_id=session.call_id,
        cseq=3,
        from_tag="theirs",
        to_tag=session.local.tag or "",
        headers=(kind,),
    ).replaced(body=body)
    for _ in range(2):
        say(peer, agent, message)
    wire.clock.run(0.0)
    assert peer.count("200 INFO") == 2
    assert [e.digit for e in agent.take() if isinstance(e, InfoDigit)] == [digit]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ((RELAY,), b"Signal=99\r\n", 400),
        ((RELAY,), b"Signal=\r\n", 400),
        ((RELAY,), b"nothing", 400),
        ((PLAIN,), b"12345678901234567890", 400),
        ((PLAIN,), b"\xff", 400),
        ((("Content-Type", "application/media_control+xml"),), b"<x/>", 415),
        ((), b"x", 415),
        ((), b"", 200),
        ((("Info-Package", "foo"),), b"", 469),
    ],
)
def test_other_infos_get_their_answer_and_are_told_to_nobody(
    headers: tuple[tuple[str, str], ...], body: bytes, status: int
) -> None:
    wire, agent, peer, session = established_in()
    message = request(
        "INFO",
        peer,
        agent,
        call_id=session.call_id,
        cseq=3,
        from_tag="theirs",
        to_tag=session.local.tag or "",
        headers=headers,
    ).replaced(body=body)
    say(peer, agent, message)
    wire.clock.run(0.0)
    assert peer.count(f"{status} INFO") == 1
    assert agent.take() == []
    if status == 469:
        assert peer.last_response("469 INFO").header("Recv-Info") == ""


def test_an_info_outside_every_call_belongs_to_nothing() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INFO", peer, agent))
    wire.clock.run(0.0)
    assert peer.count("481 INFO") == 1


@pytest.mark.parametrize("status", [200, 415])
def test_our_key_goes_out_and_its_fate_is_told(status: int) -> None:
    wire, agent, peer, session = established_out()
    agent.endpoint.services.send_digit(session, "#", wire.now)
    agent.collect()
    wire.clock.run(0.0)
    info = peer.last_request("INFO")
    assert info.content_type == "application/dtmf-relay"
    assert info.body == b"Signal=#\r\nDuration=160\r\n"
    answer(peer, agent, status, method="INFO")
    assert agent.take() == [InfoAnswered(session, status)]


def test_a_key_that_nobody_answers_is_told_too() -> None:
    wire, agent, peer, session = established_out()
    agent.endpoint.services.send_digit(session, "1", wire.now)
    agent.collect()
    wire.clock.run(33.0)
    assert agent.take() == [InfoAnswered(session, 408)]
    agent.endpoint.services.send_digit(session, "1", wire.now)
    agent.collect()
    agent.fail(Hop(Transport.UDP, peer.address))
    assert agent.take() == [InfoAnswered(session, 0)]


def test_options_inside_a_call_tell_what_we_can_do() -> None:
    wire, agent, peer, session = established_in()
    agent.endpoint.availability = 486
    within("OPTIONS", peer, agent, session, cseq=3)
    wire.clock.run(0.0)
    assert "INFO" in peer.last_response("200 OPTIONS").values("Allow")
