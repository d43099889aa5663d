"""INVITEs inside a call (RFC 3261 section 14, RFC 5407)."""

import pytest

from applet.sip.endpoint import EndpointConfig
from applet.sip.events import (
    Confirmed,
    EndedBy,
    ReinviteAnswered,
    ReinviteConfirmed,
    ReinviteFailed,
    ReinviteReceived,
    ReinviteRetryDue,
    SessionEnded,
)
from applet.sip.grammar import LocalProtocolError
from applet.sip.hop import Hop, Transport
from applet.sip.invite import InviteSession, OfferState, SessionState
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    answer,
    assert_empty,
    call,
    do,
    established_in,
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

SECOND = b"v=0\r\ns=second offer\r\n"
Established = tuple[Wire, Agent, Peer, InviteSession]


@pytest.fixture(params=["we called", "they called"])
def talking(request: pytest.FixtureRequest) -> Established:
    return established_out() if request.param == "we called" else established_in()


def their_next(session: InviteSession) -> int:
    """A CSeq number for their next request."""
    assert session.dialog is not None
    return (session.dialog.remote_sequence or 0) + 1


# --- ours


def test_our_reinvite_is_answered(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    assert offer_state(session) is OfferState.LOCAL_OFFER and not session.can_reinvite
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    assert session.dialog is not None
    assert invite.body == SECOND and invite.to.tag == session.dialog.remote.tag
    assert invite.from_.tag == session.dialog.local.tag and invite.contacts
    answer(peer, agent, 100)
    answer(peer, agent, 200, ANSWER)
    assert only(agent.take(), ReinviteAnswered).body == ANSWER
    wire.clock.run(0.0)
    assert peer.last_request("ACK").cseq.number == invite.cseq.number
    assert session.can_reinvite
    answer(peer, agent, 200, ANSWER)
    assert len(wire.matching("ACK", agent)) >= 2
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    assert peer.last_request("BYE").cseq.number == invite.cseq.number + 1
    assert_empty(agent)


def test_an_offerless_reinvite_of_ours_answers_in_the_ack(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, None)
    wire.clock.run(0.0)
    answer(peer, agent, 200, OFFER)
    assert only(agent.take(), ReinviteAnswered).body == OFFER
    assert offer_state(session) is OfferState.REMOTE_OFFER and not session.can_reinvite
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    assert wire.lines()[-1] == "491 INVITE"
    do(agent, session.acknowledge, ANSWER)
    wire.clock.run(0.0)
    assert peer.last_request("ACK").body == ANSWER and session.can_reinvite


def test_the_other_side_may_move_with_its_answer(talking: Established) -> None:
    wire, agent, peer, session = talking
    moved = Peer(wire, "192.0.2.7")
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER, contact=f"<{uri_of(moved)}>")
    wire.clock.run(0.0)
    assert moved.last_request("ACK").uri == uri_of(moved)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    assert moved.count("BYE") == 1


def test_two_reinvites_at_once_are_a_bug_of_ours(talking: Established) -> None:
    _, agent, _, session = talking
    do(agent, session.reinvite, SECOND)
    with pytest.raises(LocalProtocolError, match="an INVITE is open"):
        do(agent, session.reinvite, SECOND)


def test_a_reinvite_before_the_answer_is_a_bug_of_ours() -> None:
    _, agent, peer = pair()
    session = call(agent, peer)
    with pytest.raises(LocalProtocolError):
        do(agent, session.reinvite, SECOND)


@pytest.mark.parametrize("status", [488, 500, 503, 606, 403])
def test_a_refused_reinvite_leaves_the_call_as_it_was(talking: Established, status: int) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    response = answer(peer, agent, status)
    failed = only(agent.take(), ReinviteFailed)
    assert (failed.status, failed.will_retry, failed.retry_after) == (status, False, None)
    assert failed.response == response
    assert state(session) is SessionState.CONFIRMED and session.can_reinvite
    wire.clock.run(60.0)
    assert kinds(agent) == []


def test_a_reinvite_that_nobody_answers_leaves_the_call_as_it_was(talking: Established) -> None:
    wire, agent, _, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(32.0)
    failed = only(agent.take(), ReinviteFailed)
    assert (failed.status, failed.response, failed.will_retry) == (408, None, False)
    assert state(session) is SessionState.CONFIRMED and session.can_reinvite


def test_a_reinvite_that_cannot_be_sent_leaves_the_call_as_it_was(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    agent.fail(Hop(Transport.UDP, peer.address))
    assert only(agent.take(), ReinviteFailed).status == 0
    assert session.can_reinvite


def test_481_to_a_reinvite_ends_the_call_without_a_bye(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 481)
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.REMOTE, 481)
    assert "BYE" not in wire.lines() and state(session) is SessionState.ENDED
    assert_empty(agent)


def test_408_to_a_reinvite_ends_the_call_by_bye(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 408)
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.REMOTE, 408)
    assert wire.lines()[-1] == "BYE" and state(session) is SessionState.TERMINATING
    assert_empty(agent)


def test_a_bye_during_our_reinvite_ends_the_call_and_its_late_answer_is_acknowledged(
    talking: Established,
) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    within("BYE", peer, agent, session, cseq=their_next(session))
    assert kinds(agent) == ["SessionEnded"]
    answer(peer, agent, 200, ANSWER)
    assert wire.lines()[-1] == "ACK" and kinds(agent) == []
    assert_empty(agent)


def test_a_refusal_of_our_reinvite_after_a_bye_is_not_told(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    within("BYE", peer, agent, session, cseq=their_next(session))
    answer(peer, agent, 487)
    assert kinds(agent) == ["SessionEnded"]
    assert_empty(agent)


def test_a_reinvite_answered_with_another_tag_as_well_is_only_acknowledged() -> None:
    wire, agent, peer, session = established_out()
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER)
    reinvite = peer.last_request("INVITE")
    other = reinvite.reply(200, headers=(("Contact", f"<{uri_of(peer)}>"),))
    changed = other.with_header("To", str(reinvite.to.with_tag("stranger")))
    say(peer, agent, changed)
    assert kinds(agent) == ["ReinviteAnswered"] and "BYE" not in wire.lines()


# --- 491 and Retry-After


@pytest.mark.parametrize("seed", range(30))
def test_fault_04_after_491_the_owner_of_the_call_id_waits_2_1_to_4_seconds(seed: int) -> None:
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1", seed=seed), Peer(wire, "192.0.2.2")
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER)
    waited = _wait_after_491(wire, agent, peer, session)
    assert 2.1 <= waited <= 4.0 and abs(waited * 100 - round(waited * 100)) < 1e-6


@pytest.mark.parametrize("seed", range(30))
def test_fault_04_after_491_the_other_side_waits_0_to_2_seconds(seed: int) -> None:
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1", seed=seed), Peer(wire, "192.0.2.2")
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    within("ACK", peer, agent, session, cseq=1)
    waited = _wait_after_491(wire, agent, peer, session)
    assert 0 <= waited <= 2.0 and abs(waited * 100 - round(waited * 100)) < 1e-6


def _wait_after_491(wire: Wire, agent: Agent, peer: Peer, session: InviteSession) -> float:
    agent.take()
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    start = wire.now
    answer(peer, agent, 491)
    failed = agent.events[0]
    assert isinstance(failed, ReinviteFailed) and failed.status == 491 and failed.will_retry
    wire.clock.run(5.0)
    assert [type(event) for event in agent.events] == [ReinviteFailed, ReinviteRetryDue]
    assert session.can_reinvite
    return agent.times[1] - start


def test_fault_04_500_with_retry_after_is_tried_again_then(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 500, headers=(("Retry-After", "7"),))
    failed = only(agent.take(), ReinviteFailed)
    assert (failed.retry_after, failed.will_retry) == (7, True)
    wire.clock.run(10.0)
    assert [type(e) for e in agent.events] == [ReinviteRetryDue] and agent.times == [7.0]


def test_a_server_that_wants_us_to_wait_very_long_is_not_tried_again(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 500, headers=(("Retry-After", "3600"),))
    assert only(agent.take(), ReinviteFailed).will_retry is False


def test_491_again_and_again_is_given_up_after_ten_times(talking: Established) -> None:
    wire, agent, peer, session = talking
    for turn in range(11):
        do(agent, session.reinvite, SECOND)
        wire.clock.run(0.0)
        answer(peer, agent, 491)
        assert only(agent.take(), ReinviteFailed).will_retry is (turn < 10)
        wire.clock.run(5.0)
        agent.take()


def test_a_retry_that_is_due_waits_until_their_reinvite_is_over(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 500, headers=(("Retry-After", "1"),))
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    wire.clock.run(2.0)
    assert kinds(agent) == ["ReinviteFailed", "ReinviteReceived"]
    do(agent, session.answer_reinvite, ANSWER)
    assert kinds(agent) == []
    within("ACK", peer, agent, session, cseq=their_next(session) - 1)
    assert kinds(agent) == ["ReinviteConfirmed", "ReinviteRetryDue"]


def test_a_retry_that_is_due_comes_after_their_reinvite_is_refused(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 500, headers=(("Retry-After", "1"),))
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    wire.clock.run(2.0)
    agent.take()
    do(agent, session.reject_reinvite, 488)
    assert kinds(agent) == ["ReinviteRetryDue"]


def test_a_session_that_ends_is_not_asked_to_try_again(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 491)
    within("BYE", peer, agent, session, cseq=their_next(session))
    assert kinds(agent) == ["ReinviteFailed", "SessionEnded"]
    wire.clock.run(10.0)
    assert kinds(agent) == []
    assert_empty(agent)


# --- theirs


def test_their_reinvite_is_answered(talking: Established) -> None:
    wire, agent, peer, session = talking
    number = their_next(session)
    within("INVITE", peer, agent, session, cseq=number, body=OFFER)
    received = only(agent.take(), ReinviteReceived)
    assert received.body == OFFER and offer_state(session) is OfferState.REMOTE_OFFER
    assert not session.can_reinvite
    do(agent, session.answer_reinvite, ANSWER)
    wire.clock.run(0.0)
    ok = peer.last_response("200 INVITE")
    assert ok.body == ANSWER and ok.contacts
    wire.clock.run(1.0)
    assert peer.count("200 INVITE") >= 2
    within("ACK", peer, agent, session, cseq=number)
    assert only(agent.take(), ReinviteConfirmed).body is None and session.can_reinvite


def test_their_offerless_reinvite_gets_our_offer_and_answers_in_the_ack(
    talking: Established,
) -> None:
    wire, agent, peer, session = talking
    number = their_next(session)
    within("INVITE", peer, agent, session, cseq=number)
    assert only(agent.take(), ReinviteReceived).body is None
    do(agent, session.answer_reinvite, OFFER)
    assert offer_state(session) is OfferState.LOCAL_OFFER
    within("ACK", peer, agent, session, cseq=number, body=ANSWER)
    assert only(agent.take(), ReinviteConfirmed).body == ANSWER
    assert offer_state(session) is OfferState.STABLE


def test_their_reinvite_may_be_refused(talking: Established) -> None:
    wire, agent, peer, session = talking
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    warning = (("Warning", '304 - "no"'),)
    session.reject_reinvite(488, wire.now, warning)
    agent.collect()
    wire.clock.run(0.0)
    assert peer.last_response("488 INVITE").header("Warning") == '304 - "no"'
    assert session.can_reinvite and offer_state(session) is OfferState.STABLE


def test_they_move_with_their_reinvite_once_it_is_accepted(talking: Established) -> None:
    wire, agent, peer, session = talking
    moved = Peer(wire, "192.0.2.7")
    contact = f"<{uri_of(moved)}>"
    number = their_next(session)
    within("INVITE", peer, agent, session, cseq=number, body=OFFER, contact=contact)
    do(agent, session.answer_reinvite, ANSWER)
    within("ACK", peer, agent, session, cseq=number)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    assert moved.last_request("BYE").uri == uri_of(moved)


def test_answering_a_reinvite_that_nobody_sent_is_a_bug_of_ours(talking: Established) -> None:
    _, agent, _, session = talking
    with pytest.raises(LocalProtocolError, match="no re-INVITE waits"):
        do(agent, session.answer_reinvite, ANSWER)
    with pytest.raises(LocalProtocolError, match="no re-INVITE waits"):
        do(agent, session.reject_reinvite, 488)


def test_their_reinvite_that_meets_ours_gets_491(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    assert wire.lines()[-1] == "491 INVITE" and kinds(agent) == []


def test_a_second_reinvite_before_the_first_is_answered_gets_500_and_retry_after(
    talking: Established,
) -> None:
    wire, agent, peer, session = talking
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    wire.clock.run(0.0)
    refusal = peer.last_response("500 INVITE")
    assert refusal.retry_after is not None and 0 <= refusal.retry_after <= 10
    assert kinds(agent) == ["ReinviteReceived"]


def test_an_invite_before_the_first_is_answered_gets_500_and_retry_after() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.ring)
    within("INVITE", peer, agent, session, cseq=2, body=OFFER)
    wire.clock.run(0.0)
    assert peer.last_response("500 INVITE").header("Retry-After")


def test_a_reinvite_shows_that_the_ack_before_it_was_only_lost() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    within("INVITE", peer, agent, session, cseq=2, body=OFFER)
    events = agent.take()
    assert [type(e) for e in events] == [Confirmed, ReinviteReceived]
    do(agent, session.answer_reinvite, ANSWER)
    within("INVITE", peer, agent, session, cseq=3, body=OFFER)
    assert kinds(agent) == ["ReinviteConfirmed", "ReinviteReceived"]


def test_a_reinvite_while_our_offer_in_a_200_is_open_gets_491() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent))
    session = incoming(agent)
    do(agent, session.answer, OFFER)
    within("INVITE", peer, agent, session, cseq=2, body=OFFER)
    assert wire.lines()[-1] == "491 INVITE" and kinds(agent) == []


def test_a_200_to_their_reinvite_that_is_never_acknowledged_ends_the_call(
    talking: Established,
) -> None:
    wire, agent, peer, session = talking
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    do(agent, session.answer_reinvite, ANSWER)
    agent.take()
    wire.clock.run(32.0)
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.TIMEOUT, 408)
    assert wire.times("BYE") == [32.0]
    assert_empty(agent)


def test_hanging_up_during_their_reinvite_answers_it_first(talking: Established) -> None:
    wire, agent, peer, session = talking
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    do(agent, session.hang_up)
    assert wire.lines()[-2:] == ["487 INVITE", "BYE"]
    assert_empty(agent)


def test_hanging_up_after_our_200_to_a_reinvite_repeats_it_no_more(talking: Established) -> None:
    wire, agent, peer, session = talking
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    do(agent, session.answer_reinvite, ANSWER)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    answer(peer, agent, 200, method="BYE")
    before = wire.times("SIP/2.0 200 OK", agent)
    wire.clock.run(60.0)
    assert wire.times("SIP/2.0 200 OK", agent) == before
    assert_empty(agent)


def test_a_reinvite_of_theirs_that_stays_unacknowledged_while_our_bye_is_lost(
    talking: Established,
) -> None:
    wire, agent, peer, session = talking
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    do(agent, session.answer_reinvite, ANSWER)
    wire.clock.run(1.0)
    do(agent, session.hang_up)
    assert kinds(agent) == ["ReinviteReceived", "SessionEnded"]
    assert_empty(agent)
    assert kinds(agent) == []


def test_a_cancel_of_a_reinvite_comes_too_late(talking: Established) -> None:
    wire, agent, peer, session = talking
    invite = within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    assert session.dialog is not None
    cancel = request(
        "CANCEL",
        peer,
        agent,
        call_id=session.call_id,
        cseq=invite.cseq.number,
        branch=invite.top_via.branch,
        from_tag=session.dialog.remote.tag or "",
        to_tag=session.dialog.local.tag or "",
    )
    say(peer, agent, cancel)
    assert wire.lines()[-1] == "200 CANCEL"
    do(agent, session.answer_reinvite, ANSWER)
    assert wire.lines()[-1] == "200 INVITE"


def test_an_unreachable_peer_is_not_told_from_a_slow_one_during_its_reinvite(
    talking: Established,
) -> None:
    _, agent, peer, session = talking
    within("INVITE", peer, agent, session, cseq=their_next(session), body=OFFER)
    agent.fail(Hop(Transport.UDP, peer.address))
    assert kinds(agent) == ["ReinviteReceived"]
    do(agent, session.answer_reinvite, ANSWER)
    assert state(session) is SessionState.CONFIRMED


# --- both at once


def test_glare_between_two_phones_resolves_itself() -> None:
    wire = Wire(delay=0.05)
    alice, bob = Agent(wire, "192.0.2.1"), Agent(wire, "192.0.2.2", EndpointConfig())
    ours = call(alice, bob)
    wire.clock.run(0.06)
    theirs = incoming(bob)
    do(bob, theirs.answer, ANSWER)
    wire.clock.run(1.0)
    alice.take(), bob.take()
    do(alice, ours.reinvite, SECOND)
    do(bob, theirs.reinvite, SECOND)
    wire.clock.run(0.2)
    assert kinds(alice) == ["ReinviteFailed"] and kinds(bob) == ["ReinviteFailed"]
    assert wire.lines().count("491 INVITE") == 2
    wire.clock.run(2.05)
    assert kinds(bob) == ["ReinviteRetryDue"] and kinds(alice) == []
    do(bob, theirs.reinvite, SECOND)
    wire.clock.run(0.06)
    assert kinds(alice)[0] == "ReinviteReceived"
    do(alice, ours.answer_reinvite, ANSWER)
    wire.clock.run(5.0)
    assert "ReinviteAnswered" in kinds(bob)
    assert kinds(alice) == ["ReinviteConfirmed", "ReinviteRetryDue"]
    do(alice, ours.hang_up)
    assert_empty(alice)
    assert_empty(bob)


# --- a peer that says 100 and then no more: no timer of the transaction runs (figure 5)


def test_a_reinvite_that_is_never_answered_for_good_is_given_up(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    answer(peer, agent, 100)
    answer(peer, agent, 180)
    wire.clock.run(32.0)
    assert peer.count("CANCEL") == 1
    wire.clock.run(33.0)
    assert only(agent.take(), ReinviteFailed).status == 408
    assert state(session) is SessionState.CONFIRMED and session.can_reinvite


def test_a_reinvite_that_is_called_off_and_refused_leaves_the_call_as_it_was(
    talking: Established,
) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    answer(peer, agent, 180)
    wire.clock.run(33.0)
    answer(peer, agent, 487)
    assert only(agent.take(), ReinviteFailed).status == 487
    assert session.can_reinvite


def test_a_reinvite_that_hangs_does_not_outlive_its_call(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    answer(peer, agent, 180)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    answer(peer, agent, 200, method="BYE")
    assert_empty(agent)
