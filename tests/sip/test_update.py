"""UPDATE (RFC 3311) in both roles, before and after the answer."""

import pytest

from applet.sip.events import (
    EndedBy,
    OfferReceived,
    ReinviteAnswered,
    ReinviteFailed,
    SessionEnded,
)
from applet.sip.grammar import LocalProtocolError
from applet.sip.hop import Hop, Transport
from applet.sip.invite import InviteSession, OfferState, SessionState
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    SDP,
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

SECOND = b"v=0\r\ns=second\r\n"
TAKES = ("Allow", "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE")
Established = tuple[Wire, Agent, Peer, InviteSession]


@pytest.fixture(params=["we called", "they called"])
def talking(request: pytest.FixtureRequest) -> Established:
    """In a call with somebody who takes UPDATE."""
    wire, agent, peer, session = (
        established_out() if request.param == "we called" else established_in()
    )
    assert session.dialog is not None
    session.dialog.methods = frozenset(("UPDATE",))
    return wire, agent, peer, session


@pytest.fixture
def early() -> Established:
    """We call; their answer came reliably with the ringing."""
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    headers = (("Require", "100rel"), ("RSeq", "1"), TAKES)
    answer(peer, agent, 183, ANSWER, headers=headers)
    answer(peer, agent, 200, method="PRACK")
    agent.take()
    return wire, agent, peer, session


def next_of(session: InviteSession) -> int:
    dialog = session.dialog or session.early("theirs")
    assert dialog is not None
    return (dialog.remote_sequence or 0) + 1


def update(
    peer: Peer,
    agent: Agent,
    session: InviteSession,
    body: bytes = b"",
    contact: str | None = None,
) -> None:
    headers = (("Contact", contact or f"<{uri_of(peer, 'them')}>"),)
    early = session.early("theirs")
    cseq = next_of(session)
    if early is None:
        within("UPDATE", peer, agent, session, cseq=cseq, body=body, headers=headers)
        return
    message = request(
        "UPDATE",
        peer,
        agent,
        call_id=session.call_id,
        cseq=cseq,
        to_tag=early.local.tag or "",
        body=body,
        headers=headers,
    )
    say(peer, agent, message)


# --- ours


def test_our_update_is_answered(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.update, SECOND)
    assert offer_state(session) is OfferState.LOCAL_OFFER
    assert not session.can_reinvite and not session.can_update()
    wire.clock.run(0.0)
    sent = peer.last_request("UPDATE")
    assert (sent.body, sent.content_type) == (SECOND, "application/sdp")
    assert sent.contacts and sent.header("Supported") and sent.header("Allow")
    moved = Peer(wire, "192.0.2.7")
    answer(peer, agent, 200, ANSWER, method="UPDATE", contact=f"<{uri_of(moved)}>")
    assert only(agent.take(), ReinviteAnswered).body == ANSWER
    assert offer_state(session) is OfferState.STABLE and session.can_update(offer=True)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    assert moved.count("BYE") == 1


def test_an_update_without_an_offer_tells_nobody(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.update, None)
    assert session.can_reinvite, "an offer may go its way beside it"
    wire.clock.run(0.0)
    assert not peer.last_request("UPDATE").body
    answer(peer, agent, 200, method="UPDATE")
    assert kinds(agent) == []


@pytest.mark.parametrize("status", [488, 504, 500])
def test_a_refused_update_leaves_the_call_as_it_was(talking: Established, status: int) -> None:
    wire, agent, peer, session = talking
    do(agent, session.update, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, status, method="UPDATE")
    failed = only(agent.take(), ReinviteFailed)
    assert (failed.status, failed.will_retry) == (status, False)
    assert state(session) is SessionState.CONFIRMED and session.can_update(offer=True)


def test_491_to_an_update_is_tried_again_after_the_back_off(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.update, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 491, method="UPDATE")
    assert only(agent.take(), ReinviteFailed).will_retry
    wire.clock.run(5.0)
    assert kinds(agent) == ["ReinviteRetryDue"]


def test_an_update_that_cannot_be_sent_is_told(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.update, SECOND)
    agent.fail(Hop(Transport.UDP, peer.address))
    assert only(agent.take(), ReinviteFailed).status == 0


@pytest.mark.parametrize(("status", "ends_with"), [(481, "UPDATE"), (408, "BYE")])
@pytest.mark.parametrize("body", [None, SECOND])
def test_481_and_408_to_an_update_end_the_call(
    talking: Established, status: int, ends_with: str, body: bytes | None
) -> None:
    wire, agent, peer, session = talking
    do(agent, session.update, body)
    wire.clock.run(0.0)
    answer(peer, agent, status, method="UPDATE")
    assert only(agent.take(), SessionEnded).by is EndedBy.REMOTE
    assert wire.lines()[-1].endswith(ends_with)
    assert_empty(agent)


def test_an_update_before_the_answer(early: Established) -> None:
    wire, agent, peer, session = early
    assert session.can_update("theirs", offer=True)
    do_update(agent, session, SECOND)
    wire.clock.run(0.0)
    assert peer.last_request("UPDATE").to.tag == "theirs"
    answer(peer, agent, 200, ANSWER, method="UPDATE")
    assert kinds(agent) == ["ReinviteAnswered"]


def do_update(agent: Agent, session: InviteSession, body: bytes | None) -> None:
    session.update(body, agent.wire.now, "theirs")
    agent.collect()


@pytest.mark.parametrize("status", [481, 408, 488])
def test_an_early_update_that_fails_does_not_end_the_call(early: Established, status: int) -> None:
    wire, agent, peer, session = early
    do_update(agent, session, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, status, method="UPDATE")
    assert kinds(agent) == ["ReinviteFailed"]
    assert state(session) is SessionState.EARLY


def test_the_answer_to_an_update_may_come_after_the_200_of_the_call(early: Established) -> None:
    wire, agent, peer, session = early
    do_update(agent, session, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 200, b"", headers=(TAKES,))
    assert offer_state(session) is OfferState.LOCAL_OFFER
    answer(peer, agent, 200, ANSWER, method="UPDATE")
    assert kinds(agent) == ["Answered", "ReinviteAnswered"]
    assert session.can_reinvite


def test_the_answer_to_an_update_of_a_branch_that_lost_is_not_told(early: Established) -> None:
    wire, agent, peer, session = early
    do_update(agent, session, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER, tag="winner")
    agent.take()
    answer(peer, agent, 200, ANSWER, method="UPDATE")
    assert kinds(agent) == []


def test_an_update_out_of_place_is_a_bug_of_ours() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    with pytest.raises(LocalProtocolError, match="UPDATE cannot be sent"):
        do(agent, session.update, None)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER)
    assert not session.can_update(), "they do not take it"
    do(agent, session.hang_up)
    do(agent, session.update, None)
    assert "UPDATE" not in wire.lines()


def test_no_update_after_the_end(talking: Established) -> None:
    _, agent, _, session = talking
    do(agent, session.hang_up)
    assert not session.can_update()


def test_the_called_side_may_update_before_it_answers() -> None:
    wire, agent, peer = pair()
    headers = (("Supported", "100rel"), TAKES)
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, headers=headers))
    session = incoming(agent)
    do(agent, session.progress, 183, ANSWER)
    assert session.can_update() and not session.can_update(offer=True)
    wire.clock.run(0.0)
    rack = f"{peer.last_response('183 INVITE').header('RSeq')} 1 INVITE"
    within("PRACK", peer, agent, session, cseq=2, headers=(("RAck", rack),))
    do(agent, session.update, SECOND)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER, method="UPDATE")
    assert kinds(agent) == ["ReinviteAnswered"]


# --- theirs


def test_their_update_is_answered_and_may_move_them(talking: Established) -> None:
    wire, agent, peer, session = talking
    moved = Peer(wire, "192.0.2.7")
    update(peer, agent, session, SECOND, contact=f"<{uri_of(moved)}>")
    received = only(agent.take(), OfferReceived)
    assert received.body == SECOND and offer_state(session) is OfferState.REMOTE_OFFER
    do(agent, session.answer_offer, ANSWER)
    wire.clock.run(0.0)
    ok = peer.last_response("200 UPDATE")
    assert (ok.body, ok.content_type) == (ANSWER, "application/sdp")
    assert ok.contacts and ok.header("Allow")
    assert offer_state(session) is OfferState.STABLE
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    assert moved.count("BYE") == 1


def test_their_update_without_an_offer_is_a_sign_of_life(talking: Established) -> None:
    wire, agent, peer, session = talking
    moved = Peer(wire, "192.0.2.7")
    update(peer, agent, session, contact=f"<{uri_of(moved)}>")
    assert wire.lines()[-1] == "200 UPDATE" and kinds(agent) == []
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    assert moved.count("BYE") == 1


def test_their_update_may_be_refused(talking: Established) -> None:
    wire, agent, peer, session = talking
    update(peer, agent, session, SECOND)
    do(agent, session.reject_offer, 488)
    assert wire.lines()[-1] == "488 UPDATE" and session.can_reinvite


def test_their_update_that_meets_an_offer_of_ours_gets_491(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.reinvite, SECOND)
    update(peer, agent, session, OFFER)
    assert wire.lines()[-1] == "491 UPDATE" and kinds(agent) == []
    update(peer, agent, session)
    assert wire.lines()[-1] == "200 UPDATE"


def test_their_reinvite_that_meets_our_update_gets_491(talking: Established) -> None:
    wire, agent, peer, session = talking
    do(agent, session.update, SECOND)
    within("INVITE", peer, agent, session, cseq=next_of(session), body=OFFER)
    assert wire.lines()[-1] == "491 INVITE"


def test_what_comes_before_their_update_is_answered_gets_500_with_retry_after(
    talking: Established,
) -> None:
    wire, agent, peer, session = talking
    update(peer, agent, session, SECOND)
    update(peer, agent, session, SECOND)
    within("INVITE", peer, agent, session, cseq=next_of(session), body=OFFER)
    wire.clock.run(0.0)
    for line in ("500 UPDATE", "500 INVITE"):
        seconds = peer.last_response(line).retry_after
        assert seconds is not None and 0 <= seconds <= 10


def test_an_update_before_the_answer_to_the_first_offer_gets_491_or_500() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 183, ANSWER)
    update(peer, agent, session, SECOND)
    assert wire.lines()[-1] == "491 UPDATE"
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.ring)
    update(peer, agent, session, SECOND)
    wire.clock.run(0.0)
    assert peer.last_response("500 UPDATE").retry_after is not None


def test_their_update_before_the_answer(early: Established) -> None:
    wire, agent, peer, session = early
    update(peer, agent, session, SECOND)
    received = only(agent.take(), OfferReceived)
    assert (received.body, received.branch) == (SECOND, "theirs")
    do(agent, session.answer_offer, ANSWER)
    wire.clock.run(0.0)
    assert peer.last_response("200 UPDATE").body == ANSWER


def test_an_update_after_the_end_gets_481(early: Established) -> None:
    wire, agent, peer, session = early
    do(agent, session.hang_up)
    update(peer, agent, session, SECOND)
    assert wire.lines()[-1] == "481 UPDATE"
    answer(peer, agent, 487)
    assert_empty(agent)


def test_verbs_after_the_end_are_ignored(talking: Established) -> None:
    wire, agent, peer, session = talking
    update(peer, agent, session, SECOND)
    within("BYE", peer, agent, session, cseq=next_of(session))
    assert "487 UPDATE" in wire.lines()
    do(agent, session.answer_offer, ANSWER)
    do(agent, session.reject_offer, 488)
    assert_empty(agent)


def test_a_body_that_is_no_description_is_refused(talking: Established) -> None:
    wire, agent, peer, session = talking
    message = request(
        "UPDATE",
        peer,
        agent,
        call_id=session.call_id,
        cseq=next_of(session),
        from_tag=session.remote.tag or "",
        to_tag=session.local.tag or "",
        headers=(("Content-Type", "text/plain"),),
    )
    say(peer, agent, message.replaced(body=b"hello"))
    assert wire.lines()[-1] == "415 UPDATE" and SDP[1] == "application/sdp"


@pytest.mark.parametrize("method", ["UPDATE", "PRACK"])
def test_outside_a_call_there_is_nothing_to_update(method: str) -> None:
    wire, agent, peer = pair()
    say(peer, agent, request(method, peer, agent))
    assert wire.lines()[-1] == f"481 {method}"
    assert_empty(agent)
