"""Subscriptions of ours (RFC 6665), and what becomes of everything that others do with events."""

import pytest

from applet.sip.digest import Credentials
from applet.sip.events import LookupNeeded, Notified, SubscriptionEnded, UnsolicitedNotify
from applet.sip.first_request import Sender
from applet.sip.headers import NameAddr
from applet.sip.message import Request, Response
from applet.sip.subscription import State, Subscription
from tests.sip.playbook import (
    assert_empty,
    do,
    established_in,
    only,
    pair,
    request,
    say,
    uri_of,
    within,
)
from tests.support.wire import Agent, Peer, Wire

EVENT = "message-summary"


def _subscribed(expires: int = 3600) -> tuple[Wire, Agent, Peer, Subscription]:
    """SUBSCRIBE has arrived and is not yet answered."""
    wire, agent, peer = pair()
    subscription = agent.endpoint.services.subscribe(
        uri_of(peer, "box"),
        Sender(NameAddr("", uri_of(agent, "me")), "me", credentials=Credentials("me", "secret")),
        EVENT,
        "application/simple-message-summary",
        expires=expires,
        now=wire.now,
    )
    agent.collect()
    wire.clock.run(0.0)
    return wire, agent, peer, subscription


def _answer(
    peer: Peer, agent: Agent, status: int, *headers: tuple[str, str], tag: str = "n"
) -> None:
    asked = peer.last_request("SUBSCRIBE")
    contact = ("Contact", f"<{uri_of(peer, 'notifier')}>")
    peer.send(asked.reply(status, to_tag=tag, headers=(contact, *headers)), agent)
    agent.wire.clock.run(0.0)


def _notify(
    peer: Peer,
    agent: Agent,
    cseq: int,
    state: str | None = "active",
    *,
    tag: str = "n",
    event: str = EVENT,
    method: str = "NOTIFY",
) -> Response:
    asked = peer.last_request("SUBSCRIBE")
    headers = [("Event", event), ("Contact", f"<{uri_of(peer, 'notifier')}>")]
    if state is not None:
        headers.append(("Subscription-State", state))
    message = request(
        method,
        peer,
        agent,
        call_id=asked.call_id,
        cseq=cseq,
        from_tag=tag,
        to_tag=asked.from_.tag or "",
        headers=tuple(headers),
    )
    say(peer, agent, message)
    agent.wire.clock.run(0.0)
    found = peer.got[-1][1]
    assert isinstance(found, Response)
    return found


def _active(expires: int = 3600) -> tuple[Wire, Agent, Peer, Subscription]:
    wire, agent, peer, subscription = _subscribed(expires)
    _answer(peer, agent, 200, ("Expires", str(expires)))
    _notify(peer, agent, 1, f"active;expires={expires}")
    assert _state(subscription) is State.ACTIVE
    agent.take()
    return wire, agent, peer, subscription


def _state(subscription: Subscription) -> State:
    return subscription.state


def _ended(agent: Agent) -> tuple[int, float | None]:
    event = only(agent.take(), SubscriptionEnded)
    return event.status, event.again_after


def test_the_subscribe_says_what_it_must() -> None:
    _, _, peer, _ = _subscribed()
    asked = peer.last_request("SUBSCRIBE")
    assert asked.header("Event") == EVENT
    assert asked.header("Accept") == "application/simple-message-summary"
    assert asked.header("Expires") == "3600"
    assert asked.contacts and asked.header("Allow")


def test_every_notify_is_answered_and_told() -> None:
    _, agent, peer, subscription = _subscribed()
    _answer(peer, agent, 202, ("Expires", "3600"))
    assert _state(subscription) is State.NOTIFY_WAIT
    assert _notify(peer, agent, 1, "pending;expires=3000").status == 200
    assert _state(subscription) is State.PENDING
    assert _notify(peer, agent, 2).status == 200
    assert _state(subscription) is State.ACTIVE
    assert len([event for event in agent.take() if isinstance(event, Notified)]) == 2


def test_a_notify_may_come_before_the_200_and_without_a_state() -> None:
    wire, agent, peer, subscription = _subscribed()
    assert _notify(peer, agent, 1, None).status == 200
    assert _state(subscription) is State.ACTIVE
    _answer(peer, agent, 200, ("Expires", "100"))
    wire.clock.run(70.0)
    refresh = peer.last_request("SUBSCRIBE")
    assert refresh.to.tag == "n" and refresh.header("Expires") == "3600"
    assert refresh.cseq.number > 0 and str(refresh.uri) == str(uri_of(peer, "notifier"))


def test_what_does_not_belong_to_it_is_refused() -> None:
    wire, agent, peer, _ = _active()
    assert _notify(peer, agent, 2, tag="fork").status == 481
    assert _notify(peer, agent, 2, event="presence").status == 489
    assert _notify(peer, agent, 2, event="(").status == 489
    assert _notify(peer, agent, 1).status == 500, "older than what has come"
    assert _notify(peer, agent, 3, method="OPTIONS").status == 405
    asked = peer.last_request("SUBSCRIBE")
    ack = request(
        "ACK", peer, agent, call_id=asked.call_id, from_tag="n", to_tag=asked.from_.tag or ""
    )
    say(peer, agent, ack)
    assert agent.take() == []


def test_it_is_refreshed_in_time_and_again() -> None:
    wire, agent, peer, subscription = _active(600)
    for round_ in (1, 2):
        wire.clock.run(569.0)
        assert peer.count("SUBSCRIBE") == round_
        wire.clock.run(1.0)
        assert peer.count("SUBSCRIBE") == round_ + 1
        _answer(peer, agent, 200, ("Expires", "600"))
    assert _state(subscription) is State.ACTIVE and agent.take() == []


def test_a_short_one_is_refreshed_after_half_its_time_but_not_all_the_time() -> None:
    wire, _, peer, _ = _active(20)
    wire.clock.run(10.0)
    assert peer.count("SUBSCRIBE") == 2
    wire, agent, peer, _ = _active(4)
    wire.clock.run(5.0)
    assert peer.count("SUBSCRIBE") == 1
    assert _ended(agent) == (408, 60.0)


def test_a_longer_time_is_asked_for_after_423() -> None:
    wire, agent, peer, subscription = _subscribed(60)
    _answer(peer, agent, 423, ("Min-Expires", "300"))
    wire.clock.run(0.0)
    assert peer.last_request("SUBSCRIBE").header("Expires") == "300"
    _answer(peer, agent, 200)
    _notify(peer, agent, 1)
    wire.clock.run(270.0)
    _answer(peer, agent, 423, ("Min-Expires", "900"))
    wire.clock.run(0.0)
    assert peer.last_request("SUBSCRIBE").header("Expires") == "900"
    _answer(peer, agent, 423, ("Min-Expires", "10"))
    assert _state(subscription) is State.ACTIVE, "a refused refresh alone ends nothing"


@pytest.mark.parametrize("headers", [(), (("Min-Expires", "10"),), (("Min-Expires", "x"),)])
def test_423_without_a_longer_time_is_a_refusal(headers: tuple[tuple[str, str], ...]) -> None:
    _, agent, peer, _ = _subscribed(60)
    _answer(peer, agent, 423, *headers)
    assert _ended(agent) == (423, None)


def test_fault_08_a_challenge_is_answered_in_the_header_that_it_asks_for() -> None:
    wire, agent, peer, _ = _subscribed()
    _answer(peer, agent, 401, ("WWW-Authenticate", 'Digest realm="r", nonce="n"'))
    wire.clock.run(0.0)
    again = peer.last_request("SUBSCRIBE")
    assert again.header("Authorization") and again.header("Event") == EVENT
    _answer(peer, agent, 200)
    _notify(peer, agent, 1)
    assert _ended_none(agent)


def _ended_none(agent: Agent) -> bool:
    return not [event for event in agent.take() if isinstance(event, SubscriptionEnded)]


@pytest.mark.parametrize(
    ("status", "headers", "again"),
    [
        (489, (), None),
        (403, (), None),
        (404, (), None),
        (403, (("Retry-After", "20"),), 20.0),
        (503, (), 60.0),
        (503, (("Retry-After", "7"),), 7.0),
        (481, (), 60.0),
    ],
)
def test_a_refusal_ends_it_and_says_whether_to_try_again(
    status: int, headers: tuple[tuple[str, str], ...], again: float | None
) -> None:
    _, agent, peer, subscription = _subscribed()
    _answer(peer, agent, status, *headers)
    assert _ended(agent) == (status, again)
    assert _state(subscription) is State.TERMINATED
    assert_empty(agent)
    assert agent.endpoint._core.subscriptions == {}


def test_a_refusal_after_a_notify_has_ended_it_changes_nothing() -> None:
    _, agent, peer, _ = _subscribed()
    _notify(peer, agent, 1, "terminated;reason=rejected")
    assert _ended(agent) == (0, None)
    _answer(peer, agent, 503)
    assert agent.take() == []


def test_silence_ends_it() -> None:
    wire, agent, _, _ = _subscribed()
    wire.clock.run(33.0)
    assert _ended(agent) == (408, 60.0)
    assert_empty(agent)


def test_a_host_that_is_not_found_ends_it() -> None:
    wire, agent, _ = pair()
    agent.endpoint.services.subscribe(
        uri_of(agent)._replace(host="nowhere.example"),
        Sender(NameAddr("", uri_of(agent, "me")), "me"),
        EVENT,
        "text/plain",
        expires=60,
        now=wire.now,
    )
    agent.collect()
    asked = only(agent.take(), LookupNeeded)
    agent.endpoint.looked_up(asked.question, (), wire.now)
    agent.collect()
    assert _ended(agent) == (0, 60.0)


def test_a_200_without_a_notify_ends_it() -> None:
    wire, agent, peer, _ = _subscribed()
    _answer(peer, agent, 200)
    wire.clock.run(33.0)
    assert _ended(agent) == (408, 60.0)


@pytest.mark.parametrize(
    ("state", "again"),
    [
        ("terminated;reason=deactivated", 0.0),
        ("terminated;reason=timeout", 0.0),
        ("terminated;reason=probation;retry-after=5", 5.0),
        ("terminated;reason=probation", 60.0),
        ("terminated;reason=giveup", 60.0),
        ("terminated;reason=rejected", None),
        ("terminated;reason=noresource", None),
        ("terminated;reason=invariant", None),
        ("terminated", 60.0),
    ],
)
def test_the_last_notify_says_whether_to_try_again(state: str, again: float | None) -> None:
    _, agent, peer, _ = _active()
    assert _notify(peer, agent, 2, state).status == 200
    assert _ended(agent) == (0, again)
    assert _notify(peer, agent, 3).status == 481
    assert_empty(agent)


@pytest.mark.parametrize("status", [481, 404, 489])
def test_a_refresh_that_is_refused_for_good_ends_it(status: int) -> None:
    wire, agent, peer, _ = _active(600)
    wire.clock.run(570.0)
    _answer(peer, agent, status)
    assert _ended(agent) == (status, 60.0 if status == 481 else None)


def test_after_a_refresh_that_failed_it_lasts_until_it_expires() -> None:
    wire, agent, peer, subscription = _active(600)
    wire.clock.run(570.0)
    _answer(peer, agent, 500)
    assert _state(subscription) is State.ACTIVE
    wire.clock.run(31.0)
    assert _ended(agent) == (408, 60.0)
    wire, agent, peer, subscription = _active(3600)
    wire.clock.run(3570.0 + 31.0)
    assert _ended(agent) == (408, 60.0), "it expires before silence is certain"
    assert_empty(agent)


def test_leaving_asks_for_no_more_and_waits_for_the_last_notify() -> None:
    wire, agent, peer, subscription = _active()
    do(agent, subscription.unsubscribe)
    do(agent, subscription.unsubscribe)
    wire.clock.run(0.0)
    assert peer.count("SUBSCRIBE") == 2
    assert peer.last_request("SUBSCRIBE").header("Expires") == "0"
    _answer(peer, agent, 200, ("Expires", "0"))
    assert not agent.endpoint.quiet
    _notify(peer, agent, 2, "terminated;reason=timeout")
    assert _ended(agent) == (0, None)
    assert agent.endpoint.quiet
    do(agent, subscription.unsubscribe)
    assert_empty(agent)


@pytest.mark.parametrize("answered", [True, False])
def test_leaving_ends_without_the_last_notify_too(answered: bool) -> None:
    wire, agent, peer, subscription = _active()
    do(agent, subscription.unsubscribe)
    wire.clock.run(0.0)
    _answer(peer, agent, 481) if answered else wire.clock.run(33.0)
    status, again = _ended(agent)
    assert status in (481, 408)
    assert agent.endpoint.quiet


def test_leaving_before_the_first_answer_ends_it_at_once() -> None:
    wire, agent, peer, subscription = _subscribed()
    do(agent, subscription.unsubscribe)
    assert _ended(agent) == (0, None)
    _answer(peer, agent, 200)
    assert _notify(peer, agent, 1).status == 481
    assert_empty(agent)


# --- what others do with events


def _only_answer(peer: Peer, method: str) -> Response:
    found = [m for _, m in peer.got if isinstance(m, Response) and m.cseq.method == method]
    return found[-1]


@pytest.mark.parametrize("event", ["presence", "message-summary", "refer", None])
def test_nobody_may_subscribe_here_outside_a_call(event: str | None) -> None:
    wire, agent, peer = pair()
    headers = (("Event", event),) if event else ()
    say(peer, agent, request("SUBSCRIBE", peer, agent, headers=headers))
    wire.clock.run(0.0)
    refused = _only_answer(peer, "SUBSCRIBE")
    assert refused.status == 489 and refused.header("Allow-Events") == "refer"
    assert_empty(agent)


@pytest.mark.parametrize(("event", "status"), [("presence", 481), ("refer", 481), ("", 489)])
def test_a_notify_that_nobody_wants_is_refused(event: str, status: int) -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("NOTIFY", peer, agent, headers=(("Event", event),)))
    wire.clock.run(0.0)
    assert _only_answer(peer, "NOTIFY").status == status
    assert_empty(agent)


def test_an_unsolicited_message_summary_is_told_in_and_outside_a_call() -> None:
    wire, agent, peer, session = established_in()
    headers = (("Event", EVENT),)
    say(peer, agent, request("NOTIFY", peer, agent, call_id="x", headers=headers))
    outside = only(agent.take(), UnsolicitedNotify)
    within("NOTIFY", peer, agent, session, cseq=7, headers=headers)
    inside = only(agent.take(), UnsolicitedNotify)
    for event in (outside, inside):
        event.incoming.respond(200, wire.now)
    agent.collect()
    wire.clock.run(0.0)
    assert peer.count("200 NOTIFY") == 2


@pytest.mark.parametrize(
    ("method", "event", "status"),
    [
        ("NOTIFY", "presence", 489),
        ("NOTIFY", "", 489),
        ("NOTIFY", "refer", 481),
        ("SUBSCRIBE", "presence", 489),
        ("SUBSCRIBE", "", 489),
        ("SUBSCRIBE", "refer", 481),
    ],
)
def test_events_inside_a_call_that_belong_to_nothing(method: str, event: str, status: int) -> None:
    wire, agent, peer, session = established_in()
    within(method, peer, agent, session, cseq=7, headers=(("Event", event),))
    wire.clock.run(0.0)
    assert _only_answer(peer, method).status == status


@pytest.mark.parametrize("availability", [200, 480, 486])
def test_options_tells_what_an_invite_would_get(availability: int) -> None:
    wire, agent, peer = pair()
    agent.endpoint.availability = availability
    asked: Request = request("OPTIONS", peer, agent)
    say(peer, agent, asked)
    wire.clock.run(0.0)
    answer = _only_answer(peer, "OPTIONS")
    assert answer.status == availability and answer.header("Allow")
