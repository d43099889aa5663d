"""Provisional responses that are proved by PRACK (RFC 3262): ours and theirs."""

import pytest

from applet.sip.endpoint import EndpointConfig
from applet.sip.events import (
    Answered,
    AnswerReceived,
    EndedBy,
    OfferReceived,
    Provisional,
    SessionEnded,
)
from applet.sip.extensions import Use
from applet.sip.grammar import LocalProtocolError
from applet.sip.invite import InviteSession, OfferState, SessionState
from applet.sip.message import Request
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    answer,
    assert_empty,
    call,
    do,
    established_out,
    incoming,
    kinds,
    offer_state,
    only,
    pair,
    request,
    say,
    state,
    uri_of,
    within,
)
from tests.support.wire import Agent, Peer, Wire

SECOND = b"v=0\r\ns=second\r\n"
ASKED = (("Supported", "100rel"),)
DEMANDED = (("Require", "100rel"),)
Lines = tuple[tuple[str, str], ...]
DOUBLING = [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


def rings(
    headers: Lines = ASKED,
    body: bytes = OFFER,
    config: EndpointConfig | None = None,
) -> tuple[Wire, Agent, Peer, InviteSession]:
    """They call and know PRACK."""
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1", config), Peer(wire, "192.0.2.2")
    say(peer, agent, request("INVITE", peer, agent, body=body, headers=headers))
    return wire, agent, peer, incoming(agent)


def rseq(peer: Peer, line: str = "180 INVITE") -> int:
    return int(peer.last_response(line).header("RSeq") or "")


def prack(
    peer: Peer,
    agent: Agent,
    session: InviteSession,
    number: int,
    *,
    cseq: int = 2,
    body: bytes = b"",
    rack: str = "",
) -> Request:
    headers = (("RAck", rack or f"{number} 1 INVITE"),)
    return within("PRACK", peer, agent, session, cseq=cseq, body=body, headers=headers)


# --- ours


@pytest.mark.parametrize("headers", [ASKED, DEMANDED])
def test_ringing_is_repeated_with_doubling_intervals_until_prack(
    headers: Lines,
) -> None:
    wire, agent, peer, session = rings(headers)
    do(agent, session.ring)
    wire.clock.run(2.0)
    ringing = peer.last_response("180 INVITE")
    assert ringing.require == ("100rel",) and 0 < rseq(peer) < 2**31
    assert ringing.contacts and ringing.to.tag
    prack(peer, agent, session, rseq(peer))
    assert wire.lines()[-1] == "200 PRACK"
    wire.clock.run(20.0)
    assert wire.times("SIP/2.0 180 Ringing", agent) == DOUBLING[:3]
    do(agent, session.answer, ANSWER)
    within("ACK", peer, agent, session, cseq=1)
    assert peer.last_response("200 INVITE").body == ANSWER
    do(agent, session.hang_up)
    assert_empty(agent)


def test_without_prack_the_call_is_refused_with_504_after_32_seconds() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.ring)
    wire.clock.run(32.0)
    assert wire.times("SIP/2.0 180 Ringing", agent) == DOUBLING
    assert wire.times("SIP/2.0 504 Server Time-out", agent)[0] == 32.0
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.TIMEOUT, 504)
    assert_empty(agent)


def test_whoever_does_not_know_prack_is_not_bothered() -> None:
    wire, agent, peer, session = rings(headers=())
    do(agent, session.ring)
    wire.clock.run(10.0)
    assert not peer.last_response("180 INVITE").header("RSeq")
    assert peer.count("180 INVITE") == 1
    prack(peer, agent, session, 1)
    assert wire.lines()[-1] == "481 PRACK"


@pytest.mark.parametrize(
    "rack", ["{} 1 ACK", "{} 2 INVITE", "{}", "x 1 INVITE", "9{} 1 INVITE", "{} 1 INVITE x"]
)
def test_a_prack_for_something_else_gets_481_and_proves_nothing(rack: str) -> None:
    wire, agent, peer, session = rings()
    do(agent, session.ring)
    wire.clock.run(0.0)
    prack(peer, agent, session, 0, rack=rack.format(rseq(peer)))
    assert wire.lines()[-1] == "481 PRACK"
    wire.clock.run(1.0)
    assert peer.count("180 INVITE") == 2


def test_a_second_prack_for_the_same_gets_481() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.ring)
    wire.clock.run(0.0)
    for cseq in (2, 3):
        prack(peer, agent, session, rseq(peer), cseq=cseq)
    assert wire.lines()[-3:] == ["200 PRACK", "PRACK", "481 PRACK"]


def test_one_at_a_time_and_the_numbers_rise_by_one() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.ring)
    do(agent, session.progress, 183, ANSWER)
    wire.clock.run(0.0)
    assert peer.count("183 INVITE") == 0
    first = rseq(peer)
    prack(peer, agent, session, first)
    wire.clock.run(0.0)
    assert rseq(peer, "183 INVITE") == first + 1
    assert peer.last_response("183 INVITE").body == ANSWER


def test_ringing_for_long_is_told_again_each_minute_with_a_number_of_its_own() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.ring)
    wire.clock.run(0.0)
    first = rseq(peer)
    prack(peer, agent, session, first)
    wire.clock.run(60.0)
    assert (peer.count("180 INVITE"), rseq(peer)) == (2, first + 1)


def test_an_answer_in_a_reliable_183_holds_the_200_up_and_is_not_repeated_in_it() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.progress, 183, ANSWER)
    assert offer_state(session) is OfferState.STABLE and not session.can_update(offer=True)
    do(agent, session.answer, ANSWER)
    wire.clock.run(0.0)
    assert peer.count("200 INVITE") == 0 and state(session) is SessionState.EARLY
    prack(peer, agent, session, rseq(peer, "183 INVITE"))
    wire.clock.run(0.0)
    ok = peer.last_response("200 INVITE")
    assert ok.body == b"" and ok.contacts and ok.header("Content-Type") is None
    assert wire.lines()[-2:] == ["200 PRACK", "200 INVITE"]
    within("ACK", peer, agent, session, cseq=1)
    assert kinds(agent) == ["Confirmed"]
    assert session.can_reinvite


def test_a_second_183_after_the_answer_carries_no_description() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.progress, 183, ANSWER)
    wire.clock.run(0.0)
    prack(peer, agent, session, rseq(peer, "183 INVITE"))
    do(agent, session.progress, 183, ANSWER)
    wire.clock.run(0.0)
    assert peer.last_response("183 INVITE").body == b""


def test_an_answer_whose_prack_never_comes_ends_the_call() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.progress, 183, ANSWER)
    do(agent, session.answer, ANSWER)
    wire.clock.run(32.0)
    assert only(agent.take(), SessionEnded).status == 504
    assert peer.count("200 INVITE") == 0
    assert_empty(agent)


def test_hanging_up_while_the_200_waits_refuses_the_call() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.progress, 183, ANSWER)
    do(agent, session.answer, ANSWER)
    do(agent, session.hang_up)
    assert wire.lines()[-1] == "603 INVITE"
    assert_empty(agent)


def test_a_cancel_while_the_200_waits_ends_the_call() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.progress, 183, ANSWER)
    do(agent, session.answer, ANSWER)
    wire.clock.run(0.0)
    cancel = request(
        "CANCEL", peer, agent, branch=wire.sent[0].message.top_via.branch, from_tag="theirs"
    )
    say(peer, agent, cancel)
    assert wire.lines()[-2:] == ["200 CANCEL", "487 INVITE"]
    assert_empty(agent)


def test_a_call_without_an_offer_that_demands_it_gets_our_offer_with_the_ringing() -> None:
    wire, agent, peer, session = rings(DEMANDED, body=b"")
    assert session.wants_offer_to_ring
    do(agent, session.progress, 180, OFFER)
    assert offer_state(session) is OfferState.LOCAL_OFFER and not session.wants_offer_to_ring
    wire.clock.run(0.0)
    assert peer.last_response("180 INVITE").body == OFFER
    prack(peer, agent, session, rseq(peer), body=ANSWER)
    assert only(agent.take(), AnswerReceived).body == ANSWER
    assert offer_state(session) is OfferState.STABLE
    do(agent, session.answer, b"ignored")
    wire.clock.run(0.0)
    assert peer.last_response("200 INVITE").body == b""


def test_a_call_without_an_offer_rings_without_proof_where_that_is_allowed() -> None:
    wire, agent, peer, session = rings(ASKED, body=b"")
    assert not session.wants_offer_to_ring
    do(agent, session.ring)
    wire.clock.run(5.0)
    assert peer.count("180 INVITE") == 1 and not peer.last_response("180 INVITE").header("RSeq")
    do(agent, session.progress, 183, OFFER)
    wire.clock.run(0.0)
    assert rseq(peer, "183 INVITE")


def test_an_offer_in_prack_is_answered_in_its_200_and_then_the_call_is() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.progress, 183, ANSWER)
    do(agent, session.answer, ANSWER)
    wire.clock.run(0.0)
    prack(peer, agent, session, rseq(peer, "183 INVITE"), body=SECOND)
    offered = only(agent.take(), OfferReceived)
    assert (offered.body, offered.branch) == (SECOND, "theirs")
    assert offer_state(session) is OfferState.REMOTE_OFFER and peer.count("200 INVITE") == 0
    do(agent, session.answer_offer, ANSWER)
    wire.clock.run(0.0)
    assert peer.last_response("200 PRACK").body == ANSWER
    assert wire.lines()[-2:] == ["200 PRACK", "200 INVITE"]


def test_an_offer_in_prack_may_be_refused_and_proves_all_the_same() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.progress, 183, ANSWER)
    wire.clock.run(0.0)
    prack(peer, agent, session, rseq(peer, "183 INVITE"), body=SECOND)
    do(agent, session.reject_offer, 488)
    assert wire.lines()[-1] == "488 PRACK"
    wire.clock.run(10.0)
    assert peer.count("183 INVITE") == 1


def test_an_offer_in_prack_before_theirs_is_answered_is_refused() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.ring)
    wire.clock.run(0.0)
    prack(peer, agent, session, rseq(peer), body=SECOND)
    assert wire.lines()[-1] == "488 PRACK"


@pytest.mark.parametrize(("body", "status"), [(b"", 200), (SECOND, 491)])
def test_a_prack_that_meets_our_update_is_not_its_answer(body: bytes, status: int) -> None:
    wire, agent, peer, session = rings((*ASKED, ("Allow", "UPDATE")))
    do(agent, session.progress, 183, ANSWER)
    wire.clock.run(0.0)
    prack(peer, agent, session, rseq(peer, "183 INVITE"))
    do(agent, session.ring)
    do(agent, session.update, SECOND)
    wire.clock.run(0.0)
    prack(peer, agent, session, rseq(peer), cseq=3, body=body)
    assert wire.lines()[-1] == f"{status} PRACK"
    assert offer_state(session) is OfferState.LOCAL_OFFER and kinds(agent) == []


def test_hanging_up_answers_an_offer_that_is_open() -> None:
    wire, agent, peer, session = rings()
    do(agent, session.progress, 183, ANSWER)
    wire.clock.run(0.0)
    prack(peer, agent, session, rseq(peer, "183 INVITE"), body=SECOND)
    do(agent, session.hang_up)
    assert wire.lines()[-2:] == ["603 INVITE", "487 PRACK"]
    assert_empty(agent)


def test_answering_an_offer_that_nobody_made_is_a_bug_of_ours() -> None:
    _, agent, _, session = rings()
    with pytest.raises(LocalProtocolError, match="no offer of theirs"):
        do(agent, session.answer_offer, ANSWER)


# --- off and required


def test_switched_off_it_is_neither_offered_nor_taken() -> None:
    off = EndpointConfig(reliable=Use.OFF, session_timer=Use.OFF)
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1", off), Peer(wire, "192.0.2.2")
    call(agent, peer)
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    assert "100rel" not in invite.supported and not invite.header("Session-Expires")
    say(peer, agent, request("INVITE", peer, agent, headers=DEMANDED))
    wire.clock.run(0.0)
    assert peer.last_response("420 INVITE").values("Unsupported") == ["100rel"]
    say(peer, agent, request("INVITE", peer, agent, call_id="2", body=OFFER, headers=ASKED))
    do(agent, incoming(agent).ring)
    wire.clock.run(0.0)
    assert not peer.last_response("180 INVITE").header("RSeq")


@pytest.mark.parametrize(
    ("config", "tag"),
    [
        (EndpointConfig(reliable=Use.REQUIRED), "100rel"),
        (EndpointConfig(session_timer=Use.REQUIRED), "timer"),
    ],
)
def test_required_it_is_demanded_of_both_sides(config: EndpointConfig, tag: str) -> None:
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1", config), Peer(wire, "192.0.2.2")
    call(agent, peer)
    wire.clock.run(0.0)
    assert peer.last_request("INVITE").require == (tag,)
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    wire.clock.run(0.0)
    assert peer.last_response("421 INVITE").require == (tag,)
    knows = (("Supported", tag),)
    say(peer, agent, request("INVITE", peer, agent, call_id="2", body=OFFER, headers=knows))
    incoming(agent)


# --- theirs


def proved(wire: Wire, peer: Peer) -> list[str]:
    wire.clock.run(0.0)
    return [
        sent.message.header("RAck") or ""
        for sent in wire.sent
        if isinstance(sent.message, Request) and sent.message.method == "PRACK"
    ]


def reliably(number: int) -> Lines:
    return (("Require", "100rel"), ("RSeq", str(number)))


def test_what_comes_reliably_is_proved_in_its_early_dialog() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    moved = Peer(wire, "192.0.2.7")
    contact, route = f"<{uri_of(moved)}>", (("Record-Route", f"<{uri_of(peer, '', lr=None)}>"),)
    answer(peer, agent, 183, ANSWER, headers=(*reliably(7), *route), contact=contact)
    told = only(agent.take(), Provisional)
    assert (told.body, told.final) == (ANSWER, True)
    wire.clock.run(0.0)
    sent = peer.last_request("PRACK")
    invite = peer.last_request("INVITE")
    assert sent.header("RAck") == f"7 {invite.cseq.number} INVITE"
    assert sent.cseq.number == invite.cseq.number + 1
    assert sent.uri == uri_of(moved) and len(sent.routes) == 1 and sent.to.tag == "theirs"
    answer(peer, agent, 200, method="PRACK")
    answer(peer, agent, 200, contact=contact)
    answered = only(agent.take(), Answered)
    assert answered.body is None and offer_state(session) is OfferState.STABLE
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    assert moved.last_request("BYE").cseq.number == invite.cseq.number + 2


def test_what_comes_again_or_out_of_turn_is_neither_proved_nor_told() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    for number in (5, 5, 7, 4, 6, 7):
        answer(peer, agent, 180, headers=reliably(number))
    number = peer.last_request("INVITE").cseq.number
    assert proved(wire, peer) == [f"{n} {number} INVITE" for n in (5, 6, 7)]
    assert len(agent.take()) == 3


def test_each_branch_of_a_fork_counts_for_itself() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 183, ANSWER, tag="one", headers=reliably(1))
    answer(peer, agent, 183, SECOND, tag="two", headers=reliably(100))
    answer(peer, agent, 180, tag="one", headers=reliably(2))
    told = [(e.branch, e.body, e.final) for e in agent.take() if isinstance(e, Provisional)]
    assert told == [("one", ANSWER, True), ("two", SECOND, True), ("one", None, False)]
    assert len(proved(wire, peer)) == 3


@pytest.mark.parametrize(
    "headers",
    [(("RSeq", "1"),), (("Require", "100rel"),), (("Require", "100rel"), ("RSeq", "one"))],
)
def test_what_is_not_reliable_gets_no_prack(
    headers: Lines,
) -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 183, ANSWER, headers=headers)
    told = only(agent.take(), Provisional)
    assert (told.body, told.final) == (ANSWER, False)
    assert proved(wire, peer) == []


def test_a_description_after_the_reliable_answer_is_none() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 183, ANSWER, headers=reliably(1))
    answer(peer, agent, 183, SECOND, headers=reliably(2))
    answer(peer, agent, 183, SECOND)
    told = [(e.body, e.final) for e in agent.take() if isinstance(e, Provisional)]
    assert told == [(ANSWER, True), (None, False), (None, False)]


def test_a_call_without_an_offer_does_not_ask_for_it() -> None:
    wire, agent, peer = pair()
    call(agent, peer, None)
    wire.clock.run(0.0)
    assert peer.last_request("INVITE").supported == ("replaces", "norefersub", "timer")


def test_a_late_2xx_of_a_branch_that_was_proved_is_ended_by_a_bye_with_a_newer_number() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 180, tag="loser", headers=reliably(1))
    answer(peer, agent, 200, ANSWER, tag="winner")
    answer(peer, agent, 200, ANSWER, tag="loser")
    wire.clock.run(0.0)
    bye = peer.last_request("BYE")
    assert bye.to.tag == "loser"
    assert bye.cseq.number == peer.last_request("PRACK").cseq.number + 1


def test_reliable_responses_to_our_reinvite_are_proved_and_may_bring_the_answer() -> None:
    wire, agent, peer, session = established_out()
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 183, ANSWER, headers=reliably(1))
    answer(peer, agent, 183, b"v=0\r\ns=other\r\n", headers=reliably(2))
    assert len(proved(wire, peer)) == 2
    answer(peer, agent, 200)
    assert kinds(agent) == ["ReinviteAnswered"]
    assert session.can_reinvite
