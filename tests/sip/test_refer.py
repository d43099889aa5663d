"""REFER in both roles, and the NOTIFYs that tell how it went (RFC 3515, 4488, 5589)."""

import pytest

from applet.sip.events import ReferProgress, ReferReceived
from applet.sip.headers import NameAddr
from applet.sip.invite import InviteSession
from applet.sip.message import Message, Request, Response
from applet.sip.refer import SentRefer, refer_to
from applet.sip.refer_received import ReceivedRefer, Referral
from applet.sip.replaces import Replaces
from applet.sip.sipfrag import sipfrag, status_in
from applet.sip.uri import SipUri
from tests.sip.playbook import (
    OFFER,
    answer,
    assert_empty,
    do,
    established_in,
    established_out,
    incoming,
    only,
    pair,
    request,
    say,
    uri_of,
    within,
)
from tests.support.wire import Agent, Peer, Wire

THIRD = "sip:eve@192.0.2.9"
FRAG = ("Content-Type", "message/sipfrag;version=2.0")


# --- ours


def _sent() -> tuple[Wire, Agent, Peer, InviteSession, SentRefer]:
    wire, agent, peer, session = established_out()
    refer = agent.endpoint.services.refer(session, f"<{THIRD}>", session.local, wire.now)
    agent.collect()
    wire.clock.run(0.0)
    return wire, agent, peer, session, refer


def _notify(
    peer: Peer,
    agent: Agent,
    session: InviteSession,
    cseq: int,
    body: bytes,
    state: str = "active",
    event: str = "refer",
    kind: tuple[str, str] = FRAG,
) -> Response:
    headers = (("Event", event), ("Subscription-State", state), kind)
    assert session.dialog is not None
    message = request(
        "NOTIFY",
        peer,
        agent,
        call_id=session.call_id,
        cseq=cseq,
        from_tag=session.dialog.remote.tag or "",
        to_tag=session.dialog.local.tag or "",
        headers=headers,
    )
    say(peer, agent, message.replaced(body=body))
    agent.wire.clock.run(0.0)
    return _answer(peer, "NOTIFY")


def _answer(peer: Peer, method: str) -> Response:
    found = [m for _, m in peer.got if isinstance(m, Response) and m.cseq.method == method]
    return found[-1]


def _told(agent: Agent) -> list[tuple[int, bool]]:
    return [(e.status, e.final) for e in agent.take() if isinstance(e, ReferProgress)]


def test_a_refer_says_where_to_and_by_whom() -> None:
    _, _, peer, session, _ = _sent()
    asked = peer.last_request("REFER")
    assert asked.header("Refer-To") == f"<{THIRD}>"
    assert asked.header("Referred-By") == f"<{session.local.uri}>"
    assert asked.to.tag == "theirs" and asked.contacts
    assert {"replaces", "norefersub"} <= set(asked.supported)


def test_refer_to_carries_the_dialog_to_be_replaced_with_every_sign_escaped() -> None:
    target = SipUri.of("eve", "192.0.2.9", transport="tcp")._replace(headers="Subject=x")
    assert refer_to(target, None) == "<sip:eve@192.0.2.9;transport=tcp>"
    value = refer_to(target, Replaces("a@b", "1", "2"))
    assert value == (
        "<sip:eve@192.0.2.9;transport=tcp?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2"
        "&Require=replaces>"
    )
    wish = Referral.of(_request(value))
    assert wish == (SipUri.of("eve", "192.0.2.9", transport="tcp"), ("a@b", "1", "2", False), "")


def test_how_it_goes_is_told_up_to_the_final_status() -> None:
    _, agent, peer, session, _ = _sent()
    answer(peer, agent, 202, method="REFER")
    assert _notify(peer, agent, session, 5, sipfrag(100)).status == 200
    _notify(peer, agent, session, 6, sipfrag(180))
    _notify(peer, agent, session, 7, sipfrag(200), "terminated;reason=noresource")
    assert _told(agent) == [(202, False), (100, False), (180, False), (200, True)]
    assert _notify(peer, agent, session, 8, sipfrag(200)).status == 200
    assert _told(agent) == []


@pytest.mark.parametrize("status", [400, 403, 405, 481, 501, 603])
def test_a_refusal_is_final(status: int) -> None:
    _, agent, peer, _, _ = _sent()
    answer(peer, agent, status, method="REFER")
    assert _told(agent) == [(status, True)]


def test_without_a_subscription_the_202_is_final() -> None:
    _, agent, peer, _, _ = _sent()
    answer(peer, agent, 200, method="REFER", headers=(("Refer-Sub", "False"),))
    assert _told(agent) == [(200, True)]


def test_a_call_that_failed_there_is_final_even_if_they_forget_to_terminate() -> None:
    _, agent, peer, session, _ = _sent()
    _notify(peer, agent, session, 5, sipfrag(486))
    assert _told(agent) == [(486, True)]
    answer(peer, agent, 202, method="REFER")
    assert _told(agent) == []


def test_an_end_without_a_status_counts_as_silence() -> None:
    _, agent, peer, session, _ = _sent()
    _notify(peer, agent, session, 5, b"", "terminated;reason=timeout")
    assert _told(agent) == [(408, True)]


def test_silence_is_final_sooner_or_later() -> None:
    wire, agent, peer, _, _ = _sent()
    wire.clock.run(33.0)
    assert _told(agent) == [(408, True)]
    wire, agent, peer, session, _ = _sent()
    answer(peer, agent, 202, method="REFER")
    _notify(peer, agent, session, 5, b"?", kind=("Content-Type", "text/plain"))
    wire.clock.run(181.0)
    assert _told(agent) == [(202, False), (408, True)]


def test_nothing_is_told_after_it_was_closed() -> None:
    _, agent, peer, session, refer = _sent()
    refer.close()
    answer(peer, agent, 202, method="REFER")
    _notify(peer, agent, session, 5, sipfrag(200))
    assert _told(agent) == []


def test_a_notify_of_an_earlier_refer_is_not_taken_for_this_one() -> None:
    _, agent, peer, session, _ = _sent()
    sequence = peer.last_request("REFER").cseq.number
    early = _notify(peer, agent, session, 5, sipfrag(200), event=f"refer;id={sequence - 1}")
    assert early.status == 481 and _told(agent) == []
    assert _notify(peer, agent, session, 6, sipfrag(100), event=f"refer;id={sequence}")
    assert _told(agent) == [(100, False)]


def test_what_belongs_to_ended_calls_is_forgotten() -> None:
    wire, agent, peer, session, _ = _sent()
    answer(peer, agent, 603, method="REFER")
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    answer(peer, agent, 200, method="BYE")
    services = agent.endpoint.services
    assert len(services._sent) == 1
    for number in (1, 2):
        another = _established(agent, peer, f"call-{number}")
        services.refer(another, "<sip:x@y>", session.local, wire.now)
        assert len(services._sent) == number


def _established(agent: Agent, peer: Peer, call_id: str) -> InviteSession:
    say(peer, agent, request("INVITE", peer, agent, call_id=call_id, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, b"v=0\r\n")
    within("ACK", peer, agent, session, cseq=1)
    return session


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("message/sipfrag", b"SIP/2.0 180 Ringing\r\n", 180),
        ("message/sipfrag;version=2.0", b"SIP/2.0 603", 603),
        ("message/sipfrag", b"sip/2.0 200 OK", 200),
        ("message/sipfrag", b"SIP/2.0", 0),
        ("message/sipfrag", b"SIP/2.0 abc", 0),
        ("message/sipfrag", b"SIP/2.0 99", 0),
        ("message/sipfrag", b"SIP/2.0 20000000000", 0),
        ("message/sipfrag", b"INVITE sip:a SIP/2.0", 0),
        ("message/sipfrag", b"", 0),
        ("text/plain", b"SIP/2.0 200 OK", 0),
    ],
)
def test_the_status_in_a_fragment(kind: str, body: bytes, status: int) -> None:
    assert status_in(Message([("Content-Type", kind)], body)) == status


# --- theirs


def _request(target: str, *more: tuple[str, str]) -> Request:
    return Request("REFER", SipUri.of("a", "b"), [("Refer-To", target), *more])


def _received(
    *more: tuple[str, str], target: str = f"<{THIRD}>"
) -> tuple[Wire, Agent, Peer, InviteSession, ReceivedRefer]:
    wire, agent, peer, session = established_in()
    headers = (("Refer-To", target), ("Contact", f"<{uri_of(peer)}>"), *more)
    within("REFER", peer, agent, session, cseq=4, headers=headers)
    return wire, agent, peer, session, only(agent.take(), ReferReceived).refer


def _accept(agent: Agent, refer: ReceivedRefer, pending: bool = False) -> None:
    refer.accept(agent.wire.now, pending=pending)
    agent.collect()
    agent.wire.clock.run(0.0)


def _progress(agent: Agent, refer: ReceivedRefer, status: int) -> None:
    refer.progress(status, agent.wire.now)
    agent.collect()
    agent.wire.clock.run(0.0)


def _notified(peer: Peer) -> list[tuple[str, int]]:
    """The state and the status of each NOTIFY that came."""
    requests = [m for _, m in peer.got if isinstance(m, Request) and m.method == "NOTIFY"]
    return [((m.header("Subscription-State") or "").split(";")[0], status_in(m)) for m in requests]


def _take_notify(peer: Peer, agent: Agent, status: int = 200) -> None:
    peer.send(peer.last_request("NOTIFY").reply(status), agent)
    agent.wire.clock.run(0.0)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("nonsense", 400),
        ("<sip:>", 400),
        ("", 400),
        ("<sip:a@b;method=BYE>", 603),
        ("<sip:a@b?Replaces=nonsense>", 400),
        ("<sip:a@b?Replaces=x%0D%0AEvil:1%3Bto-tag%3D1%3Bfrom-tag%3D2>", 400),
    ],
)
def test_a_refer_that_cannot_be_followed_is_refused(target: str, status: int) -> None:
    wire, agent, peer, session = established_in()
    within("REFER", peer, agent, session, cseq=4, headers=(("Refer-To", target),))
    wire.clock.run(0.0)
    assert _answer(peer, "REFER").status == status and agent.take() == []


@pytest.mark.parametrize("count", [0, 2])
def test_there_must_be_one_refer_to(count: int) -> None:
    wire, agent, peer, session = established_in()
    headers = (("Refer-To", f"<{THIRD}>"),) * count
    within("REFER", peer, agent, session, cseq=4, headers=headers)
    wire.clock.run(0.0)
    assert _answer(peer, "REFER").status == 400


def test_headers_in_its_uri_are_dropped_but_for_replaces() -> None:
    wish = Referral.of(
        _request(
            "<sip:a@b;method=INVITE;x=1?Subject=free&rEPLACES=c%3Bto-tag%3D1%3Bfrom-tag%3D2&body=x>",
            ("Referred-By", '"Boss" <sip:boss@c>;cid="1@x"'),
        )
    )
    assert str(wish.target) == "sip:a@b;x=1"
    assert wish.replaces == ("c", "1", "2", False)
    assert wish.referred_by == "<sip:boss@c>"
    assert Referral.of(_request("tel:+123", ("Referred-By", "("))) == (
        wish.target.__class__ and Referral.of(_request("<tel:+123>")).target,
        None,
        "",
    )


def test_outside_a_confirmed_dialog_it_is_forbidden() -> None:
    wire, agent, peer = pair()
    say(peer, agent, request("REFER", peer, agent, headers=(("Refer-To", THIRD),)))
    wire.clock.run(0.0)
    assert _answer(peer, "REFER").status == 403
    say(peer, agent, request("INVITE", peer, agent, call_id="in", body=OFFER))
    session = incoming(agent)
    within("REFER", peer, agent, session, cseq=2, headers=(("Refer-To", THIRD),))
    wire.clock.run(0.0)
    assert peer.count("403 REFER") == 2


def test_it_is_accepted_with_202_and_every_step_is_notified() -> None:
    wire, agent, peer, session, refer = _received()
    _accept(agent, refer)
    accepted = _answer(peer, "REFER")
    assert accepted.status == 202 and accepted.contacts and not accepted.header("Refer-Sub")
    first = peer.last_request("NOTIFY")
    assert first.header("Event") == "refer;id=4"
    assert first.content_type == "message/sipfrag" and first.contacts
    _take_notify(peer, agent)
    _progress(agent, refer, 180)
    _take_notify(peer, agent)
    _progress(agent, refer, 200)
    _take_notify(peer, agent)
    assert _notified(peer) == [("active", 100), ("active", 180), ("terminated", 200)]
    _progress(agent, refer, 200)
    assert len(_notified(peer)) == 3


def test_one_notify_at_a_time_and_then_only_the_newest() -> None:
    _, agent, peer, _, refer = _received()
    _accept(agent, refer, pending=True)
    _progress(agent, refer, 180)
    _progress(agent, refer, 200)
    assert _notified(peer) == [("pending", 100)]
    _take_notify(peer, agent)
    assert _notified(peer) == [("pending", 100), ("terminated", 200)]


@pytest.mark.parametrize("status", [481, 500])
def test_who_does_not_want_to_know_is_told_no_more(status: int) -> None:
    _, agent, peer, _, refer = _received()
    _accept(agent, refer)
    _take_notify(peer, agent, status)
    _progress(agent, refer, 200)
    assert len(_notified(peer)) == 1


def test_silence_to_a_notify_ends_the_notifications_and_nothing_else() -> None:
    wire, agent, peer, _, refer = _received()
    _accept(agent, refer)
    wire.clock.run(33.0)
    before = len(_notified(peer))
    _progress(agent, refer, 200)
    assert len(_notified(peer)) == before


def test_without_a_subscription_nothing_is_notified() -> None:
    _, agent, peer, _, refer = _received(("Refer-Sub", "false"), ("Supported", "norefersub"))
    _accept(agent, refer)
    accepted = _answer(peer, "REFER")
    assert accepted.status == 202 and accepted.header("Refer-Sub") == "false"
    _progress(agent, refer, 200)
    assert _notified(peer) == []


def test_a_refusal_makes_no_subscription() -> None:
    wire, agent, peer, session, refer = _received()
    refer.refuse(603, wire.now)
    agent.collect()
    wire.clock.run(0.0)
    assert _answer(peer, "REFER").status == 603 and not refer.open
    _progress(agent, refer, 200)
    assert _notified(peer) == []


def _subscribe(
    peer: Peer, agent: Agent, session: InviteSession, cseq: int, *lines: tuple[str, str]
) -> Response:
    within("SUBSCRIBE", peer, agent, session, cseq=cseq, headers=lines)
    agent.wire.clock.run(0.0)
    return _answer(peer, "SUBSCRIBE")


def test_the_implicit_subscription_may_be_refreshed_and_ended() -> None:
    _, agent, peer, session, refer = _received()
    _accept(agent, refer)
    _take_notify(peer, agent)
    event = ("Event", "refer;id=4")
    granted = _subscribe(peer, agent, session, 5, event, ("Expires", "9999"))
    assert granted.status == 200 and granted.header("Expires") == "180"
    _take_notify(peer, agent)
    assert _subscribe(peer, agent, session, 6, ("Event", "refer")).header("Expires") == "180"
    _take_notify(peer, agent)
    assert _subscribe(peer, agent, session, 7, ("Event", "refer;id=9")).status == 481
    assert _subscribe(peer, agent, session, 8, event, ("Expires", "0")).status == 200
    _take_notify(peer, agent)
    assert _notified(peer) == [*[("active", 100)] * 3, ("terminated", 100)]
    assert _subscribe(peer, agent, session, 9, event).status == 481


def test_a_second_refer_does_not_take_the_place_of_one_that_is_still_told_of() -> None:
    _, agent, peer, session, refer = _received()
    _accept(agent, refer)
    _take_notify(peer, agent)
    within("REFER", peer, agent, session, cseq=5, headers=(("Refer-To", f"<{THIRD}>"),))
    second = only(agent.take(), ReferReceived).refer
    second.refuse(603, agent.wire.now)
    agent.collect()
    assert _subscribe(peer, agent, session, 6, ("Event", "refer;id=4")).status == 200
    _take_notify(peer, agent)
    _progress(agent, refer, 200)
    _take_notify(peer, agent)
    within("REFER", peer, agent, session, cseq=7, headers=(("Refer-To", f"<{THIRD}>"),))
    _accept(agent, only(agent.take(), ReferReceived).refer)
    _take_notify(peer, agent)
    assert _subscribe(peer, agent, session, 8, ("Event", "refer;id=7")).status == 200


def test_the_notifications_go_on_when_the_call_has_ended() -> None:
    wire, agent, peer, session, refer = _received()
    _accept(agent, refer)
    _take_notify(peer, agent)
    within("BYE", peer, agent, session, cseq=5)
    wire.clock.run(0.0)
    _progress(agent, refer, 200)
    assert _notified(peer)[-1] == ("terminated", 200)
    _take_notify(peer, agent)
    assert_empty(agent)


def test_ours_may_come_from_anybody_with_a_name() -> None:
    wire, agent, peer, session = established_out()
    local = NameAddr("Ann", SipUri.of("ann", "example.com"))
    agent.endpoint.services.refer(session, "<sip:x@y>", local, wire.now)
    agent.collect()
    wire.clock.run(0.0)
    assert peer.last_request("REFER").header("Referred-By") == "<sip:ann@example.com>"
