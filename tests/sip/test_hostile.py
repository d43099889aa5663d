"""Senders who mean no good, or do not know better: nothing of it ends or changes a call."""

import pytest

from applet.sip.endpoint import EndpointConfig
from applet.sip.events import IncomingInvite, LookupNeeded, ReinviteReceived, SessionEnded
from applet.sip.invite import SessionState
from applet.sip.message import Request
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    assert_empty,
    do,
    established_in,
    established_out,
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

MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")


# --- who is not in the call


@pytest.mark.parametrize("method", ["BYE", "INVITE", "OPTIONS", "CANCEL"])
@pytest.mark.parametrize("wrong", ["from_tag", "to_tag", "call_id"])
def test_a_stranger_with_a_wrong_tag_changes_nothing(method: str, wrong: str) -> None:
    wire, agent, _, session = established_in()
    stranger = Peer(wire, "198.51.100.1")
    assert session.dialog is not None
    ours = session.dialog.local.tag or ""
    guess = request(
        method,
        stranger,
        agent,
        cseq=9,
        body=OFFER,
        call_id="guessed" if wrong == "call_id" else "call",
        from_tag="guessed" if wrong == "from_tag" else "theirs",
        to_tag="guessed" if wrong == "to_tag" else ours,
    )
    say(stranger, agent, guess)
    assert stranger.got[-1][1].start_line().startswith("SIP/2.0 481")
    assert state(session) is SessionState.CONFIRMED and kinds(agent) == []
    assert session.dialog.remote_sequence == 1


def test_a_cancel_with_the_right_branch_and_a_wrong_tag_leaves_the_call_ringing() -> None:
    _, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, branch="z9hG4bKone", body=OFFER))
    session = incoming(agent)
    do(agent, session.ring)
    spoofed = request("CANCEL", peer, agent, branch="z9hG4bKone", from_tag="guessed")
    say(peer, agent, spoofed)
    assert peer.count("481 CANCEL") == 1 and state(session) is SessionState.EARLY
    say(peer, agent, request("CANCEL", peer, agent, branch="z9hG4bKone"))
    assert peer.count("487 INVITE") == 1 and state(session) is SessionState.ENDED


@pytest.mark.parametrize("method", ["BYE", "INVITE"])
def test_a_recorded_request_that_is_played_again_changes_nothing(method: str) -> None:
    """From elsewhere and with a branch of its own, so that it is no retransmission."""
    wire, agent, peer, session = established_in()
    recorded = within("INVITE", peer, agent, session, cseq=5, body=OFFER)
    do(agent, only(agent.take(), ReinviteReceived).session.answer_reinvite, ANSWER)
    within("ACK", peer, agent, session, cseq=5)
    agent.take()
    stranger = Peer(wire, "198.51.100.1")
    via = f"SIP/2.0/UDP {stranger.address};branch=z9hG4bKagain"
    again = recorded.with_header("Via", via).with_header("CSeq", f"5 {method}")
    say(stranger, agent, again.replaced(method=method))
    assert stranger.count(f"500 {method}") == 1
    assert state(session) is SessionState.CONFIRMED and kinds(agent) == []
    assert session.can_reinvite


def test_a_bye_that_is_played_again_after_the_call_is_481() -> None:
    wire, agent, peer, session = established_in()
    bye = within("BYE", peer, agent, session, cseq=2)
    wire.clock.run_out()
    say(peer, agent, bye)
    assert wire.lines()[-1] == "481 BYE" and only(agent.take(), SessionEnded)
    assert_empty(agent)


# --- responses that nobody asked for


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("CSeq", "7777 INVITE"),
        ("CSeq", "1 OPTIONS"),
        ("CSeq", "1 BYE"),
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKguessed"),
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060"),
    ],
)
def test_a_response_that_does_not_fit_our_request_is_dropped(header: str, value: str) -> None:
    wire, agent, peer, session = established_out()
    sent = peer.last_request("INVITE")
    say(peer, agent, sent.reply(200, to_tag="other").with_header(header, value))
    say(peer, agent, sent.reply(486, to_tag="other").with_header(header, value))
    assert state(session) is SessionState.CONFIRMED and kinds(agent) == []
    assert peer.count("ACK") == 1 and peer.count("BYE") == 0


# --- what is missing, doubled, absurd


@pytest.mark.parametrize("name", MANDATORY)
def test_without_a_mandatory_header_a_call_is_refused_or_dropped(name: str) -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER).without(name))
    assert kinds(agent) == []
    answers = [sent for sent in wire.sent if sent.source == agent.address]
    assert len(answers) == (0 if name == "Via" else 1)
    assert all(sent.first_line.startswith("SIP/2.0 400") for sent in answers)
    assert_empty(agent)


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type"])
def test_a_header_that_is_there_twice_is_a_400(name: str) -> None:
    wire, agent, peer = pair()
    message = request("INVITE", peer, agent, body=OFFER)
    doubled = message.prepended(name, message.header(name) or "")
    say(peer, agent, doubled)
    assert wire.lines()[-1].startswith("400") and kinds(agent) == []
    assert_empty(agent)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CSeq", "4294967296 INVITE"),
        ("CSeq", "-1 INVITE"),
        ("CSeq", f"{'9' * 60_000} INVITE"),
        ("CSeq", "1 BYE"),
        ("Contact", "<sip:them@192.0.2.2:99999>"),
        ("Via", "SIP/2.0/UDP 192.0.2.2:99999;branch=z9hG4bKx"),
    ],
)
def test_an_absurd_number_where_it_matters_is_a_400(name: str, value: str) -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER).with_header(name, value))
    answers = [sent.first_line[:11] for sent in wire.sent if sent.source == agent.address]
    assert answers == ["SIP/2.0 400"] and kinds(agent) == []
    assert_empty(agent)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Expires", "9" * 5_000),
        ("Expires", "-1"),
        ("Max-Forwards", "99999"),
        ("Max-Forwards", "0"),
        ("Timestamp", "9" * 5_000),
        ("Date", "Mon, 99 Foo 99999 99:99:99 GMT"),
        ("Session-Expires", "9" * 40),
        ("Min-SE", "9" * 40),
        ("Retry-After", "9" * 40),
        ("Warning", "999999 x y"),
        ("X-Nobody-Knows", "\0\x01\x7f" * 20_000),
    ],
)
def test_an_absurd_number_where_it_does_not_matter_is_passed_over(name: str, value: str) -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER).with_header(name, value))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    within("ACK", peer, agent, session, cseq=1)
    within("BYE", peer, agent, session, cseq=2)
    assert wire.lines()[-1] == "200 BYE"
    assert_empty(agent)


def test_a_via_host_that_nobody_can_look_up_is_answered_at_once_and_not_looked_up() -> None:
    """Section 18.2.2: `received` is where it came from."""
    wire, agent, peer = pair()
    message = request("INVITE", peer, agent, body=OFFER)
    say(peer, agent, message.with_header("Via", "SIP/2.0/UDP no.such.host;branch=z9hG4bKx"))
    session = incoming(agent)
    do(agent, session.reject, 486)
    assert wire.lines() == ["INVITE", "486 INVITE"]
    assert wire.sent[-1].target == peer.address
    assert not any(isinstance(event, LookupNeeded) for event in agent.events)


@pytest.mark.parametrize("size", [1_000, 20_000, 64_000])
@pytest.mark.parametrize("name", ["From", "Call-ID", "Contact", "Record-Route", "X-Long"])
def test_a_header_of_any_length_is_served_or_refused_and_leaves_nothing(
    name: str, size: int
) -> None:
    wire, agent, peer = pair()
    value = {
        "From": f'"{"a" * size}" <sip:a@192.0.2.2>;tag=theirs',
        "Contact": f"<sip:{'a' * size}@192.0.2.2>",
        "Record-Route": ",".join(["<sip:192.0.2.2;lr>"] * (size // 19)),
    }.get(name, "x" * size)
    message = request("INVITE", peer, agent, body=OFFER).with_header(name, value)
    peer.send(message.encode()[:65_000], agent)
    wire.clock.run(0.1)
    for event in agent.take():
        if isinstance(event, IncomingInvite):
            do(agent, event.session.reject, 486)
    assert len([sent for sent in wire.sent if sent.source == agent.address]) == 1
    assert_empty(agent)


# --- floods


def flooded(method: str, count: int, pad: str = "") -> tuple[Wire, Agent, Peer]:
    """`count` different requests of one stranger, during a call."""
    wire = Wire()
    agent = Agent(wire, "192.0.2.1", EndpointConfig(max_transactions=300, max_held=100_000))
    peer, stranger = Peer(wire, "192.0.2.2"), Peer(wire, "198.51.100.1")
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    within("ACK", peer, agent, session, cseq=1)
    for number in range(count):
        body = OFFER if method == "INVITE" else b""
        message = request(method, stranger, agent, call_id=f"{number}{pad}", body=body)
        say(stranger, agent, message)
        for event in agent.take():
            if isinstance(event, IncomingInvite):
                do(agent, event.session.reject, 486)
    within("BYE", peer, agent, session, cseq=2)
    assert peer.count("200 BYE") == 1
    return wire, agent, stranger


def test_a_flood_of_options_is_answered_and_costs_no_memory() -> None:
    _, agent, stranger = flooded("OPTIONS", 1000)
    assert stranger.count("200 OPTIONS") == 1000
    assert agent.endpoint.transactions < 5
    assert_empty(agent)


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
@pytest.mark.parametrize("pad", ["", "x" * 30_000])
def test_a_flood_is_refused_as_soon_as_it_would_cost_too_much(method: str, pad: str) -> None:
    _, agent, stranger = flooded(method, 1000, pad)
    assert agent.endpoint.transactions <= 302
    held = agent.endpoint._core.transactions.held
    assert 0 < held <= 100_000 + len(pad) + 2_000
    assert stranger.count(f"503 {method}") >= 690
    assert_empty(agent)
    assert agent.endpoint._core.transactions.held == 0


def test_a_repeated_options_gets_the_same_answer_again() -> None:
    wire, agent, peer = pair()
    asked: Request = request("OPTIONS", peer, agent)
    say(peer, agent, asked)
    say(peer, agent, asked)
    first, second = [sent.data for sent in wire.sent if sent.source == agent.address]
    assert first == second and agent.endpoint.transactions == 0
