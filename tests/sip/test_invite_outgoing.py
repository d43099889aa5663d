"""Calls that we make, against a scripted peer (RFC 3261 sections 9, 13 and 15)."""

from collections.abc import Callable

import pytest

from applet.address import Address
from applet.sip.endpoint import EndpointConfig
from applet.sip.events import (
    Answered,
    EndedBy,
    LookupNeeded,
    Provisional,
    SessionEnded,
)
from applet.sip.grammar import LocalProtocolError
from applet.sip.headers import NameAddr
from applet.sip.hop import Hop, Transport
from applet.sip.invite import OfferState, SessionState
from applet.sip.records import Question, Record
from applet.sip.uas import METHODS_BUILT
from applet.sip.uri import SipUri
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    answer,
    assert_empty,
    call,
    do,
    established_out,
    kinds,
    offer_state,
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


def test_a_call_is_answered_talked_and_hung_up() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    assert state(session) is SessionState.CALLING
    assert offer_state(session) is OfferState.LOCAL_OFFER
    wire.clock.run(0.1)
    answer(peer, agent, 100, tag="")
    assert state(session) is SessionState.PROCEEDING
    answer(peer, agent, 180)
    assert state(session) is SessionState.EARLY
    wire.clock.run(2.0)
    answer(peer, agent, 200, ANSWER)
    assert state(session) is SessionState.CONFIRMED
    assert offer_state(session) is OfferState.STABLE and session.can_reinvite
    wire.clock.run(10.0)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    assert state(session) is SessionState.TERMINATING and not agent.endpoint.quiet
    answer(peer, agent, 200, method="BYE")
    assert state(session) is SessionState.ENDED and agent.endpoint.quiet
    ringing, answered, ended = agent.take()
    assert isinstance(ringing, Provisional) and (ringing.status, ringing.branch) == (180, "theirs")
    assert isinstance(answered, Answered) and answered.body == ANSWER
    assert ended == SessionEnded(session, EndedBy.LOCAL, 0, "", None)
    assert wire.lines() == [
        "INVITE", "100 INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE",
    ]  # fmt: skip
    assert_empty(agent)


def test_the_invite_says_what_a_first_request_must_say() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer, headers=(("Subject", "help"),))
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    assert str(invite.uri) == "sip:desk@192.0.2.2:5060"
    assert invite.max_forwards == 70 and invite.header("Subject") == "help"
    assert invite.to == NameAddr("", uri_of(peer)) and invite.from_.display == "Caller"
    assert len(invite.from_.tag or "") == 16 and len(invite.call_id) == 32
    assert str(invite.contacts[0].uri) == "sip:caller@192.0.2.1:5060"
    assert invite.content_type == "application/sdp" and invite.body == OFFER
    assert invite.values("Allow") == list(METHODS_BUILT)
    assert set(invite.supported) == {"replaces", "norefersub", "timer", "100rel"}
    assert not invite.require
    assert invite.header("Session-Expires") == "1800"
    assert invite.header("User-Agent") == "Call Support"
    assert invite.top_via.has_param("rport") and invite.top_via.branch.startswith("z9hG4bK")
    assert session.call_id == invite.call_id and session.remote_address == peer.address
    assert session.local.uri == uri_of(agent, "caller") and session.remote.uri == uri_of(peer)


def test_headers_and_body_inside_the_target_uri_are_dropped() -> None:
    wire, agent, peer = pair()
    call(agent, uri_of(peer)._replace(headers="Route=%3Csip:evil%3E&body=x"))
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    assert "evil" not in str(invite.encode()) and invite.body == OFFER


def test_an_invite_of_ours_stays_under_1200_bytes() -> None:
    wire, agent, peer = pair()
    target = uri_of(peer, "a-support-desk-with-a-long-name", transport="udp")
    body = b"v=0\r\n" + b"a=rtpmap:101 telephone-event/8000\r\n" * 12  # 413 bytes
    call(agent, target, body, route=(uri_of(peer, "proxy", lr=None),))
    assert len(wire.sent[0].data) < 1200


def test_busy_ends_the_call_with_its_status() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    response = answer(peer, agent, 486)
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status, ended.reason) == (EndedBy.REMOTE, 486, "Busy Here")
    assert ended.message == response
    assert wire.lines() == ["INVITE", "486 INVITE", "ACK"]
    assert state(session) is SessionState.ENDED
    assert_empty(agent)


def test_a_repeated_refusal_is_acknowledged_again_and_told_once() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 603)
    answer(peer, agent, 603)
    answer(peer, agent, 486)
    assert wire.lines().count("ACK") == 3
    assert kinds(agent) == ["SessionEnded"]
    assert_empty(agent)


def test_no_answer_at_all_ends_after_64_t1() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(31.9)
    assert agent.events == []
    wire.clock.run(0.1)
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status, ended.message) == (EndedBy.TIMEOUT, 408, None)
    assert wire.times("INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert_empty(agent)


def test_a_call_that_only_rings_is_cancelled_at_the_limit() -> None:
    wire = Wire()
    agent = Agent(wire, "192.0.2.1", EndpointConfig(ring_limit=60.0))
    peer = Peer(wire, "192.0.2.2")
    session = call(agent, peer)
    wire.clock.run(1.0)
    answer(peer, agent, 180)
    answer(peer, agent, 180)
    wire.clock.run(59.9)
    assert "CANCEL" not in wire.lines()
    wire.clock.run(0.2)
    assert wire.times("CANCEL") == [61.0]
    ended = only([e for e in agent.take() if not isinstance(e, Provisional)], SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.NO_ANSWER, 408)
    answer(peer, agent, 200, method="CANCEL")
    answer(peer, agent, 487)
    assert state(session) is SessionState.ENDED
    assert kinds(agent) == []
    assert_empty(agent)


# --- CANCEL


def test_cancel_waits_for_a_provisional_response() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    do(agent, session.hang_up)
    wire.clock.run(1.0)
    assert state(session) is SessionState.CANCELLING and "CANCEL" not in wire.lines()
    answer(peer, agent, 100, tag="")
    wire.clock.run(0.0)
    invite, cancel = peer.last_request("INVITE"), peer.last_request("CANCEL")
    assert cancel.uri == invite.uri and cancel.lines("Via") == invite.lines("Via")
    assert cancel.from_ == invite.from_ and cancel.to == invite.to
    assert cancel.call_id == invite.call_id and cancel.cseq == (invite.cseq.number, "CANCEL")
    answer(peer, agent, 180)
    assert wire.lines().count("CANCEL") == 1
    answer(peer, agent, 200, method="CANCEL")
    answer(peer, agent, 487)
    ended = only(agent.take(), SessionEnded)
    assert ended.by is EndedBy.LOCAL
    assert wire.lines()[-2:] == ["487 INVITE", "ACK"]
    assert_empty(agent)


def test_cancelled_while_ringing() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 180)
    do(agent, session.hang_up)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    answer(peer, agent, 200, method="CANCEL")
    answer(peer, agent, 487)
    assert kinds(agent) == ["Provisional", "SessionEnded"]
    assert wire.lines().count("CANCEL") == 1
    assert_empty(agent)


def test_a_cancelled_call_that_nobody_ever_answered_ends_with_timer_b() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    do(agent, session.hang_up)
    assert kinds(agent) == ["SessionEnded"]
    wire.clock.run(32.0)
    assert state(session) is SessionState.ENDED and agent.take() == []
    assert_empty(agent)


def test_a_cancel_without_any_effect_ends_the_call_after_64_t1() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 180)
    do(agent, session.hang_up)
    wire.clock.run(31.9)
    assert state(session) is SessionState.CANCELLING
    wire.clock.run(0.2)
    assert state(session) is SessionState.ENDED
    assert wire.times("CANCEL")[:4] == [0.0, 0.5, 1.5, 3.5]
    assert_empty(agent)


def test_a_200_that_crosses_the_cancel_is_acknowledged_and_ended() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 180)
    do(agent, session.hang_up)
    answer(peer, agent, 200, ANSWER)
    wire.clock.run(0.0)
    assert wire.lines()[-4:] == ["CANCEL", "200 INVITE", "ACK", "BYE"]
    bye = peer.last_request("BYE")
    assert bye.cseq.number == peer.last_request("INVITE").cseq.number + 1
    assert not agent.endpoint.quiet
    answer(peer, agent, 200, method="BYE")
    assert agent.endpoint.quiet and state(session) is SessionState.ENDED
    assert kinds(agent) == ["Provisional", "SessionEnded"]
    assert_empty(agent)


def test_a_200_before_any_provisional_ends_a_cancelled_call_too() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER)
    assert wire.lines() == ["INVITE", "200 INVITE", "ACK", "BYE"]
    assert_empty(agent)


def test_after_a_cancel_nothing_is_tried_again() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    answer(peer, agent, 401, headers=(("WWW-Authenticate", 'Digest realm="r", nonce="n"'),))
    assert wire.lines() == ["INVITE", "401 INVITE", "ACK"]
    assert state(session) is SessionState.ENDED
    assert_empty(agent)


# --- ACK


def test_every_repeated_200_gets_its_ack_again() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER)
    for _ in range(3):
        wire.clock.run(1.0)
        answer(peer, agent, 200, ANSWER)
    acks = wire.matching("ACK")
    assert len(acks) == 4 and len({ack.data for ack in acks}) == 1
    assert peer.last_request("ACK").top_via.branch != peer.last_request("INVITE").top_via.branch
    assert kinds(agent) == ["Answered"]


def test_fault_04_a_200_without_sdp_is_acknowledged_all_the_same() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 200)
    assert only(agent.take(), Answered).body is None
    assert wire.lines()[-1] == "ACK" and state(session) is SessionState.CONFIRMED


def test_an_offerless_call_puts_the_answer_into_the_ack() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer, None)
    wire.clock.run(0.0)
    assert peer.last_request("INVITE").body == b""
    answer(peer, agent, 200, OFFER)
    assert only(agent.take(), Answered).body == OFFER
    assert offer_state(session) is OfferState.REMOTE_OFFER and not session.can_reinvite
    answer(peer, agent, 200, OFFER)
    assert "ACK" not in wire.lines()
    do(agent, session.acknowledge, ANSWER)
    wire.clock.run(0.0)
    ack = peer.last_request("ACK")
    assert ack.body == ANSWER and ack.content_type == "application/sdp"
    assert session.can_reinvite
    answer(peer, agent, 200, OFFER)
    assert [sent.message.body for sent in wire.matching("ACK")] == [ANSWER, ANSWER]


def test_an_offerless_call_that_is_hung_up_before_the_ack_sends_ack_and_bye() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer, None)
    wire.clock.run(0.0)
    answer(peer, agent, 200, OFFER)
    do(agent, session.hang_up)
    assert wire.lines()[-2:] == ["ACK", "BYE"]


def test_acknowledge_without_a_waiting_200_is_a_bug_of_ours() -> None:
    _, agent, peer = pair()
    session = call(agent, peer)
    with pytest.raises(LocalProtocolError, match="no 2xx waits"):
        session.acknowledge(ANSWER, 0.0)


# --- forking


def test_forked_with_two_answers_the_first_wins_and_the_other_gets_ack_and_bye() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 180, tag="one")
    answer(peer, agent, 183, ANSWER, tag="two")
    answer(peer, agent, 180, tag="two")
    answer(peer, agent, 200, ANSWER, tag="two")
    answer(peer, agent, 200, ANSWER, tag="one")
    wire.clock.run(0.0)
    assert [e.branch for e in agent.take() if isinstance(e, Provisional | Answered)] == [
        "one", "two", "two", "two",
    ]  # fmt: skip
    assert session.remote.tag == "two"
    assert [ack.message.to.tag for ack in wire.matching("ACK")] == ["two", "one"]
    byes = wire.matching("BYE")
    assert [bye.message.to.tag for bye in byes] == ["one"]
    answer(peer, agent, 200, ANSWER, tag="one")
    assert len(wire.matching("ACK")) == 3 and len(wire.matching("BYE")) == 1
    assert state(session) is SessionState.CONFIRMED
    do(agent, session.hang_up)
    assert_empty(agent)


def test_two_hundred_branches_of_a_fork_cost_no_memory() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    for number in range(200):
        answer(peer, agent, 180, tag=f"t{number}")
    assert len(agent.endpoint._core.dialogs) <= 16
    for number in range(200):
        answer(peer, agent, 200, ANSWER, tag=f"t{number}")
    assert len(wire.matching("BYE")) <= 16
    do(agent, session.hang_up)
    assert_empty(agent)


def test_early_media_of_each_branch_is_told() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 183, ANSWER, tag="one")
    event = only(agent.take(), Provisional)
    assert (event.status, event.reason, event.body, event.branch) == (
        183, "Session Progress", ANSWER, "one",
    )  # fmt: skip


def test_a_provisional_response_without_a_tag_makes_no_dialog() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 182, tag="")
    assert only(agent.take(), Provisional).branch == ""
    assert state(session) is SessionState.PROCEEDING
    assert agent.endpoint._core.dialogs == {}


def test_a_branch_may_end_its_early_dialog_and_another_answer() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 180, tag="one")
    invite = peer.last_request("INVITE")
    bye = request(
        "BYE", peer, agent, call_id=session.call_id, from_tag="one", to_tag=invite.from_.tag or ""
    )
    say(peer, agent, bye)
    assert wire.lines()[-1] == "200 BYE" and state(session) is SessionState.EARLY
    again = request(
        "INVITE",
        peer,
        agent,
        call_id=session.call_id,
        from_tag="one",
        to_tag=invite.from_.tag or "",
    )
    say(peer, agent, again)
    assert wire.lines()[-1] == "481 INVITE"
    answer(peer, agent, 200, ANSWER, tag="two")
    assert state(session) is SessionState.CONFIRMED


def test_an_invite_inside_an_early_dialog_meets_ours() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 180)
    tag = peer.last_request("INVITE").from_.tag or ""
    early = request("INVITE", peer, agent, call_id=session.call_id, to_tag=tag, body=OFFER)
    say(peer, agent, early)
    assert peer.last_response("491 INVITE").to.tag == tag


# --- the end


def test_they_hang_up() -> None:
    wire, agent, peer, session = established_out()
    bye = within("BYE", peer, agent, session, cseq=1, headers=(("Reason", "Q.850;cause=16"),))
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status, ended.reason) == (EndedBy.REMOTE, 0, "")
    assert ended.message is not None and ended.message.header("Reason") == "Q.850;cause=16"
    assert wire.lines()[-1] == "200 BYE"
    say(peer, agent, bye)
    assert wire.lines()[-2:] == ["BYE", "200 BYE"]
    assert_empty(agent)


def test_crossed_byes_are_both_answered_and_the_end_is_told_once() -> None:
    wire, agent, peer, session = established_out()
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    within("BYE", peer, agent, session, cseq=1)
    assert wire.lines()[-1] == "200 BYE"
    assert state(session) is SessionState.TERMINATING
    answer(peer, agent, 481, method="BYE")
    assert state(session) is SessionState.ENDED
    assert kinds(agent) == ["SessionEnded"]
    assert_empty(agent)


def test_other_requests_that_cross_our_bye_find_no_call() -> None:
    wire, agent, peer, session = established_out()
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    within("INVITE", peer, agent, session, cseq=1, body=OFFER)
    assert wire.lines()[-1] == "481 INVITE"


def test_a_lost_bye_is_repeated_and_the_session_ends_in_any_case() -> None:
    wire, agent, _, session = established_out()
    do(agent, session.hang_up)
    wire.clock.run(40.0)
    assert wire.times("BYE") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert state(session) is SessionState.ENDED
    assert kinds(agent) == ["SessionEnded"]
    assert_empty(agent)


def test_after_the_end_every_verb_is_ignored() -> None:
    wire, agent, peer, session = established_out()
    within("BYE", peer, agent, session, cseq=1)
    agent.take()
    before = len(wire.sent)
    verbs: list[tuple[Callable[..., None], tuple[object, ...]]] = [
        (session.hang_up, ()),
        (session.acknowledge, (ANSWER,)),
        (session.reinvite, (OFFER,)),
        (session.answer_reinvite, (ANSWER,)),
        (session.reject_reinvite, (488,)),
        (session.ring, ()),
        (session.answer, (ANSWER,)),
        (session.reject, (486,)),
    ]
    for verb, arguments in verbs:
        do(agent, verb, *arguments)
    assert len(wire.sent) == before and agent.take() == []


def test_the_called_sides_verbs_make_no_sense_in_a_call_of_ours() -> None:
    _, agent, peer = pair()
    session = call(agent, peer)
    with pytest.raises(LocalProtocolError):
        do(agent, session.ring)
    with pytest.raises(LocalProtocolError):
        do(agent, session.answer, ANSWER)
    with pytest.raises(LocalProtocolError):
        do(agent, session.reject, 486)


# --- finding and reaching the other side


def test_the_name_of_a_host_is_looked_up_first() -> None:
    wire, agent, peer = pair()
    session = call(agent, SipUri.of("desk", "support.example", 5060))
    assert state(session) is SessionState.IDLE and wire.sent == []
    assert session.remote_address is None
    asked = only(agent.take(), LookupNeeded)
    assert asked.question == Question(Record.ADDRESS, "support.example")
    agent.endpoint.looked_up(asked.question, ("192.0.2.2",), wire.now)
    agent.collect()
    wire.clock.run(0.0)
    assert state(session) is SessionState.CALLING
    assert str(peer.last_request("INVITE").uri) == "sip:desk@support.example:5060"
    answer(peer, agent, 200, ANSWER, contact="<sip:desk@support.example:5060>")
    do(agent, session.hang_up)
    assert wire.lines()[-2:] == ["ACK", "BYE"] and wire.sent[-1].target == peer.address
    assert_empty(agent)


def test_a_name_that_is_not_found_ends_the_call() -> None:
    wire, agent, _ = pair()
    call(agent, SipUri.of("desk", "support.example", 5060))
    agent.endpoint.looked_up(Question(Record.ADDRESS, "support.example"), (), wire.now)
    agent.collect()
    ended = agent.take()[-1]
    assert isinstance(ended, SessionEnded) and ended.by is EndedBy.LOOKUP and ended.status == 0
    assert_empty(agent)


def test_hanging_up_during_the_look_up_sends_nothing() -> None:
    wire, agent, _ = pair()
    session = call(agent, SipUri.of("desk", "support.example", 5060))
    do(agent, session.hang_up)
    assert state(session) is SessionState.ENDED
    asked = Question(Record.ADDRESS, "support.example")
    agent.endpoint.looked_up(asked, ("192.0.2.2",), wire.now)
    agent.collect()
    assert wire.sent == []
    assert [type(e) for e in agent.take()] == [LookupNeeded, SessionEnded]
    assert_empty(agent)


def test_an_icmp_error_ends_the_call_at_once() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    agent.fail(Hop(Transport.UDP, peer.address))
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.TRANSPORT, 0)
    assert wire.times("INVITE") == [0]
    assert_empty(agent)


def test_an_icmp_error_after_the_first_response_changes_nothing() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 180)
    agent.fail(Hop(Transport.UDP, peer.address))
    assert state(session) is SessionState.EARLY


def test_the_ack_goes_nowhere_if_the_contact_cannot_be_found() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER, contact="<sip:desk@gone.example:5060>")
    agent.endpoint.looked_up(Question(Record.ADDRESS, "gone.example"), (), wire.now)
    agent.collect()
    assert wire.lines() == ["INVITE", "200 INVITE"]
    do(agent, session.hang_up)
    agent.endpoint.looked_up(Question(Record.ADDRESS, "gone.example"), (), wire.now)
    agent.collect()
    assert state(session) is SessionState.ENDED
    assert_empty(agent)


def test_an_icmp_error_for_somebody_else_changes_nothing() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    agent.fail(Hop(Transport.UDP, Address("192.0.2.77", 5060)))
    agent.fail(Hop(Transport.TCP, peer.address))
    agent.endpoint.connection_opened(Hop(Transport.TCP, peer.address, 1), wire.now)
    agent.endpoint.connection_closed(1, wire.now)
    assert state(session) is SessionState.CALLING and agent.take() == []


def test_an_icmp_error_after_a_refusal_is_not_told() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 486)
    agent.fail(Hop(Transport.UDP, peer.address))
    assert kinds(agent) == ["SessionEnded"]
    assert_empty(agent)


def test_a_cancel_that_cannot_be_sent_ends_the_call_after_64_t1() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 180)
    do(agent, session.hang_up)
    agent.fail(Hop(Transport.UDP, peer.address))
    wire.clock.run(32.0)
    assert state(session) is SessionState.ENDED
    assert_empty(agent)


def test_a_provisional_response_to_a_bye_is_waited_out() -> None:
    wire, agent, peer, session = established_out()
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    answer(peer, agent, 100, method="BYE")
    assert state(session) is SessionState.TERMINATING
    answer(peer, agent, 200, method="BYE")
    assert state(session) is SessionState.ENDED


def test_a_bye_that_cannot_be_sent_ends_the_session_all_the_same() -> None:
    wire, agent, peer, session = established_out()
    do(agent, session.hang_up)
    agent.fail(Hop(Transport.UDP, peer.address))
    assert state(session) is SessionState.ENDED
    assert_empty(agent)


def test_an_outbound_proxy_is_the_next_hop_and_the_first_route() -> None:
    wire, agent, peer = pair()
    proxy = Peer(wire, "192.0.2.9")
    call(agent, peer, route=(uri_of(proxy, "", lr=None),))
    wire.clock.run(0.0)
    invite = proxy.last_request("INVITE")
    assert str(invite.uri) == "sip:desk@192.0.2.2:5060"
    assert invite.header("Route") == "<sip:192.0.2.9:5060;lr>"
    say(proxy, agent, reply(proxy, invite, 486))
    ack = wire.matching("ACK")[0]
    assert ack.target == proxy.address and ack.message.header("Route") == invite.header("Route")


def test_a_strict_outbound_proxy_finds_itself_in_the_request_uri() -> None:
    wire, agent, peer = pair()
    proxy = Peer(wire, "192.0.2.9")
    call(agent, peer, route=(uri_of(proxy, ""),))
    wire.clock.run(0.0)
    invite = proxy.last_request("INVITE")
    assert str(invite.uri) == "sip:192.0.2.9:5060"
    assert invite.lines("Route") == ["<sip:desk@192.0.2.2:5060>"]
