"""Calls that come in, from a scripted peer (RFC 3261 sections 9.2, 13.3 and 15)."""

import pytest

from applet.sip.events import Confirmed, EndedBy, IncomingInvite, SessionEnded
from applet.sip.grammar import LocalProtocolError
from applet.sip.hop import Hop, Transport
from applet.sip.invite import OfferState, SessionState
from applet.sip.message import Request
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    answer,
    assert_empty,
    do,
    established_in,
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


def test_a_call_comes_in_rings_is_answered_and_hung_up_by_the_caller() -> None:
    wire, agent, peer = pair()
    invite = request("INVITE", peer, agent, body=OFFER)
    say(peer, agent, invite)
    event = only(agent.take(), IncomingInvite)
    session = event.session
    assert event.body == OFFER and event.request.call_id == "call"
    assert state(session) is SessionState.PROCEEDING and not session.outgoing
    assert offer_state(session) is OfferState.REMOTE_OFFER
    assert session.remote.display == "Them" and session.remote_address == peer.address
    do(agent, session.ring)
    assert state(session) is SessionState.EARLY
    wire.clock.run(3.0)
    do(agent, session.answer, ANSWER)
    assert state(session) is SessionState.CONFIRMED and not session.can_reinvite
    wire.clock.run(0.0)
    ok = peer.last_response("200 INVITE")
    assert ok.body == ANSWER and ok.content_type == "application/sdp"
    assert str(ok.contacts[0].uri) == "sip:phone@192.0.2.1:5060"
    assert ok.to.tag == peer.last_response("180 INVITE").to.tag == session.local.tag
    within("ACK", peer, agent, session, cseq=1)
    assert only(agent.take(), Confirmed).body is None and session.can_reinvite
    within("BYE", peer, agent, session, cseq=2)
    assert only(agent.take(), SessionEnded).by is EndedBy.REMOTE
    assert wire.lines() == ["INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"]
    assert_empty(agent)


def test_nothing_but_100_is_sent_until_the_user_decides() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    wire.clock.run(1.0)
    assert wire.lines() == ["INVITE", "100 INVITE"]
    assert wire.times("SIP/2.0 100") == [0.2]
    assert peer.last_response("100 INVITE").to.tag is None


def test_a_repeated_invite_is_one_call_and_gets_the_newest_response_again() -> None:
    wire, agent, peer = pair()
    invite = request("INVITE", peer, agent, body=OFFER)
    say(peer, agent, invite)
    session = incoming(agent)
    do(agent, session.ring)
    say(peer, agent, invite)
    wire.clock.run(0.0)
    assert peer.count("180 INVITE") == 2 and agent.take() == []


def test_hanging_up_an_incoming_call_declines_it() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.hang_up)
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status, ended.reason) == (EndedBy.LOCAL, 603, "Decline")
    assert wire.times("SIP/2.0 603") == [0.0]
    wire.clock.run(2.0)
    say(peer, agent, _ack_to_refusal(peer, agent))
    assert wire.times("SIP/2.0 603") == [0.0, 0.5, 1.5]
    assert_empty(agent)


def _ack_to_refusal(peer: Peer, agent: Agent) -> Request:
    """The ACK that a peer sends to a refusal: with the INVITE's branch."""
    invite = agent.wire.matching("INVITE", peer)[0].message
    refusal = peer.got[-1][1]
    return request("ACK", peer, agent, branch=invite.top_via.branch, to_tag=refusal.to.tag or "")


def test_fault_07_a_rejected_call_gets_the_status_that_was_chosen_and_not_600() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.reject, 486)
    wire.clock.run(0.0)
    assert peer.last_response("486 INVITE").reason == "Busy Here"
    assert only(agent.take(), SessionEnded).status == 486
    assert_empty(agent)


def test_fault_07_the_caller_is_taken_from_from_and_the_called_from_to() -> None:
    _, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    assert str(session.remote.uri) == "sip:them@192.0.2.2"
    assert str(session.local.uri) == "sip:phone@192.0.2.1"


def test_a_refusal_may_say_why() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    session.reject(488, wire.now, "No Codec", (("Warning", '305 - "no codec"'),))
    agent.collect()
    wire.clock.run(0.0)
    refusal = peer.last_response("488 INVITE")
    assert refusal.reason == "No Codec" and refusal.header("Warning") == '305 - "no codec"'


def test_early_media_goes_out_with_183() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.progress, 183, ANSWER)
    wire.clock.run(0.0)
    progress = peer.last_response("183 INVITE")
    assert progress.body == ANSWER and progress.contacts


def test_an_offerless_invite_gets_our_offer_in_the_200_and_answers_in_the_ack() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent))
    event = only(agent.take(), IncomingInvite)
    assert event.body is None and offer_state(event.session) is OfferState.STABLE
    do(agent, event.session.answer, OFFER)
    assert offer_state(event.session) is OfferState.LOCAL_OFFER
    wire.clock.run(0.0)
    within("ACK", peer, agent, event.session, cseq=1, body=ANSWER)
    assert only(agent.take(), Confirmed).body == ANSWER
    assert offer_state(event.session) is OfferState.STABLE


# --- the ACK that does not come


def test_a_200_is_repeated_until_its_ack_comes() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    wire.clock.run(12.0)
    within("ACK", peer, agent, session, cseq=1)
    within("ACK", peer, agent, session, cseq=1)
    wire.clock.run(50.0)
    assert wire.times("SIP/2.0 200") == [0, 0.5, 1.5, 3.5, 7.5, 11.5]
    assert kinds(agent) == ["Confirmed"]


def test_fault_09_a_lost_ack_makes_the_200_come_again_until_64_t1_and_then_a_bye() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    wire.clock.run(32.0)
    assert wire.times("SIP/2.0 200") == [
        0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5,
    ]  # fmt: skip
    assert wire.times("BYE") == [32.0]
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.TIMEOUT, 408)
    answer(peer, agent, 200, method="BYE")
    assert state(session) is SessionState.ENDED
    assert_empty(agent)


def test_fault_09_no_bye_is_sent_to_a_call_that_has_ended() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    wire.clock.run(0.0)
    within("BYE", peer, agent, session, cseq=2)
    do(agent, session.hang_up)
    wire.clock.run(60.0)
    assert wire.lines() == ["INVITE", "200 INVITE", "BYE", "200 BYE"]
    assert_empty(agent)


def test_hanging_up_before_the_ack_waits_for_it() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    do(agent, session.hang_up)
    assert kinds(agent) == ["SessionEnded"]
    assert state(session) is SessionState.TERMINATING and not agent.endpoint.quiet
    wire.clock.run(1.0)
    assert "BYE" not in wire.lines()
    within("ACK", peer, agent, session, cseq=1)
    assert wire.lines()[-1] == "BYE"
    answer(peer, agent, 200, method="BYE")
    assert state(session) is SessionState.ENDED and kinds(agent) == []
    assert_empty(agent)


def test_hanging_up_before_an_ack_that_never_comes_sends_bye_after_64_t1() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    do(agent, session.hang_up)
    wire.clock.run(32.0)
    assert wire.times("BYE") == [32.0]
    assert_empty(agent)


def test_an_ack_for_another_cseq_confirms_nothing() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    within("ACK", peer, agent, session, cseq=9)
    assert kinds(agent) == []
    wire.clock.run(1.0)
    assert peer.count("200 INVITE") == 2


def test_an_ack_that_repeats_the_invites_branch_is_taken_too() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, branch="z9hG4bKsame"))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    say(
        peer,
        agent,
        request("ACK", peer, agent, branch="z9hG4bKsame", to_tag=session.local.tag or ""),
    )
    assert kinds(agent) == ["Confirmed"]


# --- the caller gives up


def test_the_caller_cancels_while_it_rings() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, branch="z9hG4bKone"))
    session = incoming(agent)
    do(agent, session.ring)
    reason = (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)
    cancel = request("CANCEL", peer, agent, branch="z9hG4bKone", headers=reason)
    say(peer, agent, cancel)
    wire.clock.run(0.0)
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.REMOTE, 487)
    assert ended.message is not None and "elsewhere" in (ended.message.header("Reason") or "")
    assert wire.lines()[-2:] == ["200 CANCEL", "487 INVITE"]
    assert peer.last_response("200 CANCEL").to.tag == peer.last_response("487 INVITE").to.tag
    say(peer, agent, _ack_to_refusal(peer, agent))
    assert_empty(agent)


def test_a_cancel_after_the_answer_has_no_effect() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, branch="z9hG4bKone"))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    say(peer, agent, request("CANCEL", peer, agent, branch="z9hG4bKone"))
    wire.clock.run(0.0)
    assert peer.last_response("200 CANCEL") and state(session) is SessionState.CONFIRMED
    assert kinds(agent) == []


def test_a_cancel_of_nothing_gets_481() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("CANCEL", peer, agent))
    assert wire.lines() == ["CANCEL", "481 CANCEL"]


def test_the_caller_may_end_an_early_dialog_by_bye() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.ring)
    within("BYE", peer, agent, session, cseq=2)
    assert wire.lines()[-2:] == ["200 BYE", "487 INVITE"]
    assert only(agent.take(), SessionEnded).by is EndedBy.REMOTE
    assert_empty(agent)


def test_a_call_that_nobody_answers_is_refused_at_the_limit() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.ring)
    wire.clock.run(179.0)
    assert wire.times("SIP/2.0 180") == [0, 60.0, 120.0]
    wire.clock.run(1.0)
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.NO_ANSWER, 480)
    assert wire.times("SIP/2.0 480") == [180.0]
    assert_empty(agent)


def test_an_invite_may_say_itself_how_long_it_is_to_ring() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, headers=(("Expires", "20"),)))
    wire.clock.run(19.9)
    assert wire.times("SIP/2.0 487") == []
    wire.clock.run(0.2)
    assert wire.times("SIP/2.0 487") == [20.0]


def test_cancel_is_not_refused_for_what_it_requires() -> None:
    """Section 8.2.2.3."""
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, branch="z9hG4bKone"))
    more = (("Require", "x"), ("Proxy-Require", "y"))
    say(peer, agent, request("CANCEL", peer, agent, branch="z9hG4bKone", headers=more))
    assert wire.lines()[-2:] == ["200 CANCEL", "487 INVITE"]


def test_a_caller_who_cannot_be_reached_any_more_ends_the_call() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.ring)
    agent.fail(Hop(Transport.UDP, peer.address))
    assert only(agent.take(), SessionEnded).by is EndedBy.TRANSPORT
    assert state(session) is SessionState.ENDED
    assert_empty(agent)


def test_an_unreachable_caller_does_not_end_an_answered_call_before_its_time() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    agent.fail(Hop(Transport.UDP, peer.address))
    within("ACK", peer, agent, session, cseq=1)
    assert kinds(agent) == ["Confirmed"]


# --- routes and the dialog's numbers


def test_the_routes_of_the_invite_come_back_and_are_used_for_our_bye() -> None:
    wire, agent, peer = pair()
    proxy = Peer(wire, "192.0.2.9")
    routes = (("Record-Route", "<sip:192.0.2.9;lr>, <sip:192.0.2.8;lr>"),)
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, headers=routes))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    wire.clock.run(0.0)
    ok = peer.last_response("200 INVITE")
    assert [str(route.uri) for route in ok.record_routes] == [
        "sip:192.0.2.9;lr", "sip:192.0.2.8;lr",
    ]  # fmt: skip
    within("ACK", peer, agent, session, cseq=1)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    bye = proxy.last_request("BYE")
    assert bye.lines("Route") == ["<sip:192.0.2.9;lr>", "<sip:192.0.2.8;lr>"]
    assert bye.uri == uri_of(peer, "them")


def test_a_request_that_is_older_than_the_last_gets_500() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, cseq=10))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    within("ACK", peer, agent, session, cseq=10)
    within("BYE", peer, agent, session, cseq=9)
    assert wire.lines()[-1] == "500 BYE" and state(session) is SessionState.CONFIRMED
    within("BYE", peer, agent, session, cseq=500)
    assert wire.lines()[-1] == "200 BYE"


def test_options_inside_a_call_are_answered() -> None:
    wire, agent, peer, session = established_in()
    within("OPTIONS", peer, agent, session, cseq=2)
    wire.clock.run(0.0)
    assert peer.last_response("200 OPTIONS").header("Allow")
    assert state(session) is SessionState.CONFIRMED and kinds(agent) == []


def test_an_invite_without_contact_or_tag_of_rfc_2543s_times_is_a_call() -> None:
    wire, agent, peer = pair()
    invite = Request(
        "INVITE",
        uri_of(agent, "phone"),
        [
            ("Via", "SIP/2.0/UDP 192.0.2.2:5060"),
            ("From", "<sip:old@192.0.2.2>"),
            ("To", "<sip:phone@192.0.2.1>"),
            ("Call-ID", "old"),
            ("CSeq", "1 INVITE"),
        ],
    )
    say(peer, agent, invite)
    say(peer, agent, invite)
    session = incoming(agent)
    do(agent, session.answer, OFFER)
    wire.clock.run(0.0)
    ok = peer.last_response("200 INVITE")
    ack = Request(
        "ACK",
        invite.uri,
        [
            ("Via", "SIP/2.0/UDP 192.0.2.2:5060"),
            ("From", "<sip:old@192.0.2.2>"),
            ("To", ok.header("To") or ""),
            ("Call-ID", "old"),
            ("CSeq", "1 ACK"),
        ],
    )
    say(peer, agent, ack)
    assert kinds(agent) == ["Confirmed"]
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    bye = peer.last_request("BYE")
    assert str(bye.uri) == "sip:old@192.0.2.2" and bye.to.tag is None
    answer(peer, agent, 200, method="BYE")
    assert_empty(agent)


def test_answering_twice_is_a_bug_of_ours() -> None:
    _, agent, _, session = established_in()
    with pytest.raises(LocalProtocolError, match="2xx in state confirmed"):
        do(agent, session.answer, ANSWER)


def test_ringing_goes_on_in_an_established_call_is_a_bug_of_ours() -> None:
    _, agent, _, session = established_in()
    with pytest.raises(LocalProtocolError):
        do(agent, session.ring)


def test_an_answer_to_a_call_that_was_cancelled_meanwhile_is_ignored() -> None:
    wire, agent, peer = pair(Wire())
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, branch="z9hG4bKone"))
    session = incoming(agent)
    say(peer, agent, request("CANCEL", peer, agent, branch="z9hG4bKone"))
    do(agent, session.ring)
    do(agent, session.answer, ANSWER)
    wire.clock.run(0.0)
    assert peer.count("180 INVITE") == peer.count("200 INVITE") == 0
