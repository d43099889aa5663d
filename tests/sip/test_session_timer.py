"""Session timers (RFC 4028), with either side as the refresher."""

import pytest

from applet.sip.endpoint import EndpointConfig
from applet.sip.events import EndedBy, SessionEnded
from applet.sip.extensions import Use
from applet.sip.invite import InviteSession
from applet.sip.message import Response
from applet.sip.session_timer import Interval, interval_in
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    answer,
    assert_empty,
    call,
    do,
    incoming,
    kinds,
    only,
    request,
    say,
    within,
)
from tests.support.wire import Agent, Peer, Wire

TAKES = ("Allow", "INVITE, ACK, BYE, UPDATE")
KNOWS = ("Supported", "timer")
Scene = tuple[Wire, Agent, Peer, InviteSession]
Lines = tuple[tuple[str, str], ...]


def we_call(*headers: tuple[str, str], config: EndpointConfig | None = None) -> Scene:
    """And are answered by a 200 with these headers."""
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1", config), Peer(wire, "192.0.2.2")
    session = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER, headers=headers)
    wire.clock.run(0.0)
    agent.take()
    return wire, agent, peer, session


def they_call(*headers: tuple[str, str], config: EndpointConfig | None = None) -> Scene:
    """With these headers, and are answered."""
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1", config), Peer(wire, "192.0.2.2")
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, headers=headers))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    wire.clock.run(0.0)
    within("ACK", peer, agent, session, cseq=1)
    agent.take()
    return wire, agent, peer, session


def granted(peer: Peer, line: str = "200 INVITE") -> tuple[str | None, tuple[str, ...]]:
    ok = peer.last_response(line)
    return ok.header("Session-Expires"), ok.require


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("1800", Interval(1800, "")),
        ("90;refresher=uac", Interval(90, "uac")),
        (" 90 ; refresher = UAS ", Interval(90, "uas")),
        ("90;refresher=them", Interval(90, "")),
        ("90;x=uac", Interval(90, "")),
        ("0", None),
        ("soon", None),
        ("", None),
        ("99999999999999", Interval(2**32 - 1, "")),
    ],
)
def test_session_expires_as_it_is_written(value: str, found: Interval | None) -> None:
    assert interval_in(Response(200, "OK", [("Session-Expires", value)])) == found


def test_without_session_expires_nothing_is_agreed() -> None:
    assert interval_in(Response(200, "OK")) is None
    wire, agent, peer, session = we_call()
    wire.clock.run(4000.0)
    assert kinds(agent) == [] and session.timer.interval == 0


# --- we refresh


def test_we_refresh_by_update_after_half_the_time_and_the_session_goes_on() -> None:
    wire, agent, peer, session = we_call(("Session-Expires", "100;refresher=uac"), TAKES)
    for turn in (1, 2, 3):
        wire.clock.run(50.0)
        assert wire.times("UPDATE", agent) == [50.0 * n for n in range(1, turn + 1)]
        sent = peer.last_request("UPDATE")
        assert sent.header("Session-Expires") == "100;refresher=uac" and not sent.body
        assert "timer" in sent.supported
        more = (("Session-Expires", "100;refresher=uac"),)
        answer(peer, agent, 200, method="UPDATE", headers=more)
    assert kinds(agent) == []


def test_who_takes_no_update_is_refreshed_by_reinvite() -> None:
    wire, agent, peer, session = we_call(("Session-Expires", "100"))
    wire.clock.run(50.0)
    assert kinds(agent) == ["RefreshDue"]
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    assert peer.last_request("INVITE").header("Session-Expires") == "100;refresher=uac"
    answer(peer, agent, 200, ANSWER, headers=(("Session-Expires", "100;refresher=uac"),))
    agent.take()
    wire.clock.run(49.0)
    assert kinds(agent) == []
    wire.clock.run(1.0)
    assert kinds(agent) == ["RefreshDue"]


@pytest.mark.parametrize("status", [405, 501])
def test_an_update_that_is_not_taken_after_all_is_followed_by_a_reinvite(status: int) -> None:
    wire, agent, peer, session = we_call(("Session-Expires", "100;refresher=uac"), TAKES)
    wire.clock.run(50.0)
    answer(peer, agent, status, method="UPDATE")
    wire.clock.run(0.0)
    assert kinds(agent) == ["RefreshDue"]


def test_a_refresh_that_is_too_short_is_sent_again_longer() -> None:
    wire, agent, peer, session = we_call(("Session-Expires", "100;refresher=uac"), TAKES)
    wire.clock.run(50.0)
    answer(peer, agent, 422, method="UPDATE", headers=(("Min-SE", "300"),))
    wire.clock.run(0.0)
    sent = peer.last_request("UPDATE")
    assert sent.header("Session-Expires") == "300;refresher=uac"
    assert sent.header("Min-SE") == "300"


def test_a_refresh_that_fails_is_tried_again_until_the_time_is_over() -> None:
    wire, agent, peer, session = we_call(("Session-Expires", "100;refresher=uac"), TAKES)
    wire.clock.run(50.0)
    answer(peer, agent, 503, method="UPDATE")
    wire.clock.run(5.0)
    assert peer.count("UPDATE") == 2
    wire.clock.run(20.0)
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.TIMEOUT, 408)
    assert wire.times("BYE", agent)[0] == 68.0
    assert_empty(agent)


def test_a_refresh_waits_for_what_is_open() -> None:
    wire, agent, peer, session = we_call(("Session-Expires", "100;refresher=uac"))
    within("INVITE", peer, agent, session, cseq=2, body=OFFER)
    agent.take()
    wire.clock.run(50.0)
    assert kinds(agent) == []


# --- they refresh


def test_when_nobody_refreshes_the_session_ends_shortly_before_its_time() -> None:
    wire, agent, peer, session = we_call(("Session-Expires", "90;refresher=uas"))
    wire.clock.run(59.0)
    assert kinds(agent) == []
    wire.clock.run(1.0)
    assert only(agent.take(), SessionEnded).by is EndedBy.TIMEOUT
    assert wire.times("BYE", agent)[0] == 60.0


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
def test_their_refresh_begins_the_time_anew(method: str) -> None:
    wire, agent, peer, session = they_call(KNOWS, ("Session-Expires", "90;refresher=uac"))
    wire.clock.run(45.0)
    headers = (KNOWS, ("Session-Expires", "90;refresher=uac"))
    within(method, peer, agent, session, cseq=2, headers=headers)
    if method == "INVITE":
        do(agent, session.answer_reinvite, OFFER)
        wire.clock.run(0.0)
        within("ACK", peer, agent, session, cseq=2, body=ANSWER)
    wire.clock.run(0.0)
    assert granted(peer, f"200 {method}") == ("90;refresher=uac", ("timer",))
    agent.take()
    wire.clock.run(59.0)
    assert kinds(agent) == []
    wire.clock.run(1.0)
    assert kinds(agent) == ["SessionEnded"]


def test_a_reinvite_of_theirs_without_a_timer_ends_it() -> None:
    wire, agent, peer, session = they_call(KNOWS, ("Session-Expires", "90"))
    within("UPDATE", peer, agent, session, cseq=2)
    wire.clock.run(0.0)
    assert granted(peer, "200 UPDATE") == (None, ())
    wire.clock.run(500.0)
    assert kinds(agent) == []


@pytest.mark.parametrize("who", ["uac", "uas"])
def test_what_was_agreed_goes_on_when_a_request_of_theirs_does_not_name_it(who: str) -> None:
    wire, agent, peer, session = they_call(KNOWS, ("Session-Expires", f"90;refresher={who}"))
    within("UPDATE", peer, agent, session, cseq=2, headers=(KNOWS,))
    wire.clock.run(0.0)
    assert granted(peer, "200 UPDATE") == (f"90;refresher={who}", ("timer",))


def test_who_refreshes_stays_when_they_do_not_say() -> None:
    wire, agent, peer, session = they_call(KNOWS, ("Session-Expires", "90;refresher=uas"))
    assert granted(peer) == ("90;refresher=uas", ("timer",))
    headers = (KNOWS, ("Session-Expires", "90"))
    within("UPDATE", peer, agent, session, cseq=2, headers=headers)
    wire.clock.run(0.0)
    assert granted(peer, "200 UPDATE") == ("90;refresher=uas", ("timer",))


# --- what is asked and granted


@pytest.mark.parametrize(
    ("headers", "expires", "require"),
    [
        ((KNOWS, ("Session-Expires", "1800")), "1800;refresher=uac", ("timer",)),
        ((KNOWS, ("x", "120;refresher=uas")), "120;refresher=uas", ("timer",)),
        ((KNOWS, ("Session-Expires", "120;refresher=uac")), "120;refresher=uac", ("timer",)),
        ((("Session-Expires", "120"),), "120;refresher=uas", ()),
        ((("Session-Expires", "120;refresher=uac"),), "120;refresher=uas", ()),
        ((("Session-Expires", "30"),), None, ()),
        ((KNOWS,), None, ()),
        ((), None, ()),
    ],
)
def test_what_the_called_side_grants(
    headers: Lines, expires: str | None, require: tuple[str, ...]
) -> None:
    long = tuple(("Session-Expires" if name == "x" else name, value) for name, value in headers)
    _, _, peer, _ = they_call(*long)
    assert granted(peer) == (expires, require)


def test_required_it_is_granted_without_being_asked_for() -> None:
    _, _, peer, _ = they_call(KNOWS, config=EndpointConfig(session_timer=Use.REQUIRED))
    assert granted(peer) == ("1800;refresher=uac", ("timer",))


def test_switched_off_nothing_is_granted_and_nothing_begins() -> None:
    off = EndpointConfig(session_timer=Use.OFF)
    _, _, peer, _ = they_call(KNOWS, ("Session-Expires", "30"), config=off)
    assert granted(peer) == (None, ())
    wire, agent, peer, session = we_call(("Session-Expires", "100;refresher=uac"), config=off)
    wire.clock.run(500.0)
    assert kinds(agent) == []


def test_switched_off_a_422_ends_the_call() -> None:
    wire = Wire()
    config = EndpointConfig(session_timer=Use.OFF)
    agent, peer = Agent(wire, "192.0.2.1", config), Peer(wire, "192.0.2.2")
    call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 422, headers=(("Min-SE", "3600"),))
    assert only(agent.take(), SessionEnded).status == 422


def test_too_short_a_session_is_refused_with_the_shortest_we_grant() -> None:
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1"), Peer(wire, "192.0.2.2")
    headers = (KNOWS, ("Session-Expires", "89"))
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, headers=headers))
    wire.clock.run(0.0)
    assert peer.last_response("422 INVITE").header("Min-SE") == "90"
    assert kinds(agent) == []


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_refresh_that_shortens_the_session_too_much_is_refused(method: str) -> None:
    wire, agent, peer, session = they_call(KNOWS, ("Session-Expires", "120"))
    within(method, peer, agent, session, cseq=2, headers=(KNOWS, ("Session-Expires", "30")))
    wire.clock.run(0.0)
    assert peer.last_response(f"422 {method}").header("Min-SE") == "90"
    assert kinds(agent) == []


def test_what_they_have_granted_too_short_they_may_refresh() -> None:
    wire, agent, peer, session = we_call(("Session-Expires", "20;refresher=uas"))
    headers = (KNOWS, ("Session-Expires", "20;refresher=uac"))
    within("UPDATE", peer, agent, session, cseq=2, headers=headers)
    wire.clock.run(0.0)
    assert granted(peer, "200 UPDATE") == ("20;refresher=uac", ("timer",))


def test_422_to_our_invite_is_followed_by_a_second_with_a_longer_session() -> None:
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1"), Peer(wire, "192.0.2.2")
    session = call(agent, peer)
    wire.clock.run(0.0)
    first = peer.last_request("INVITE")
    answer(peer, agent, 180, tag="first")
    answer(peer, agent, 422, headers=(("Min-SE", "3600"),))
    wire.clock.run(0.0)
    second = peer.last_request("INVITE")
    assert second.cseq.number == first.cseq.number + 1
    assert (second.call_id, second.from_, second.body) == (first.call_id, first.from_, first.body)
    assert (second.header("Session-Expires"), second.header("Min-SE")) == ("3600", "3600")
    answer(peer, agent, 200, ANSWER, headers=(("Session-Expires", "3600;refresher=uas"),))
    assert kinds(agent) == ["Provisional", "Answered"]
    do(agent, session.hang_up)
    assert_empty(agent)


@pytest.mark.parametrize("min_se", ["1800", "", "none"])
def test_a_422_that_asks_for_nothing_longer_ends_the_call(min_se: str) -> None:
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1"), Peer(wire, "192.0.2.2")
    call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 422, headers=(("Min-SE", min_se),))
    assert only(agent.take(), SessionEnded).status == 422


def test_a_server_that_is_never_content_is_given_up() -> None:
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1"), Peer(wire, "192.0.2.2")
    call(agent, peer)
    for turn in range(4):
        wire.clock.run(0.0)
        answer(peer, agent, 422, headers=(("Min-SE", str(3000 + turn)),))
    assert only(agent.take(), SessionEnded).status == 422
    assert peer.count("INVITE") == 4
    assert_empty(agent)


def test_our_hold_keeps_the_timer_and_its_refresher() -> None:
    wire, agent, peer, session = we_call(("Session-Expires", "100;refresher=uas"))
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    assert peer.last_request("INVITE").header("Session-Expires") == "100;refresher=uas"


def test_our_hold_that_is_too_short_a_session_is_tried_again_at_once() -> None:
    wire, agent, peer, session = we_call(("Session-Expires", "100;refresher=uas"))
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    answer(peer, agent, 422, headers=(("Min-SE", "300"),))
    wire.clock.run(0.0)
    assert kinds(agent) == ["ReinviteFailed", "ReinviteRetryDue"]
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    assert peer.last_request("INVITE").header("Session-Expires") == "300;refresher=uas"


def test_an_update_before_the_answer_begins_no_timer() -> None:
    wire = Wire()
    agent, peer = Agent(wire, "192.0.2.1"), Peer(wire, "192.0.2.2")
    headers = (KNOWS, TAKES)
    say(peer, agent, request("INVITE", peer, agent, body=OFFER, headers=headers))
    session = incoming(agent)
    do(agent, session.ring)
    timer = (KNOWS, ("Session-Expires", "100"))
    within("UPDATE", peer, agent, session, cseq=2, headers=timer)
    wire.clock.run(0.0)
    assert granted(peer, "200 UPDATE") == (None, ())
