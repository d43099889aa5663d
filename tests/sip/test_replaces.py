"""Replaces: which INVITE may ask for which of our dialogs (RFC 3891 section 3)."""

import pytest

from applet.sip.grammar import MessageError
from applet.sip.invite import InviteSession, SessionState
from applet.sip.message import Request
from applet.sip.replaces import Replaces
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    answer,
    call,
    do,
    established_in,
    established_out,
    incoming,
    pair,
    request,
    say,
    state,
    within,
)
from tests.support.wire import Agent, Peer


def _replacing(peer: Peer, agent: Agent, *lines: str, method: str = "INVITE") -> Request:
    headers = tuple(("Replaces", line) for line in lines)
    return request(method, peer, agent, call_id="new", from_tag="new", headers=headers)


def _dialog(session: InviteSession, more: str = "") -> str:
    assert session.dialog is not None
    call_id, ours, theirs = session.dialog.id
    return f"{call_id};to-tag={ours};from-tag={theirs}{more}"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a@b;to-tag=1;from-tag=2", Replaces("a@b", "1", "2")),
        (" a@b ; from-tag=2;to-tag=1 ", None),
        ("a@b;from-tag=2;to-tag=1", Replaces("a@b", "1", "2")),
        ("a@b;to-tag=1;from-tag=2;early-only", Replaces("a@b", "1", "2", True)),
        ("a@b;TO-TAG=1;x=y;from-tag=2", Replaces("a@b", "1", "2")),
        ("a@b;to-tag=1", None),
        ("a@b;from-tag=1", None),
        (";to-tag=1;from-tag=2", None),
        ("a b;to-tag=1;from-tag=2", None),
        ("a\r\nX: y;to-tag=1;from-tag=2", None),
        ("a@b;to-tag=1\r\nX: y;from-tag=2", None),
        ("", None),
    ],
)
def test_a_value_is_read_strictly(text: str, wanted: Replaces | None) -> None:
    if wanted is None:
        with pytest.raises(MessageError):
            Replaces.parse(text)
    else:
        assert Replaces.parse(text) == wanted


def test_a_value_prints_as_it_is_read_and_a_missing_tag_is_0() -> None:
    for text in ("a@b;to-tag=1;from-tag=2", "a@b;to-tag=1;from-tag=2;early-only"):
        assert str(Replaces.parse(text)) == text
    assert str(Replaces("a", "1", "")) == "a;to-tag=1;from-tag=0"


def _asked(agent: Agent, asking: Request) -> InviteSession | int | None:
    """The session that would be replaced, or the status of the refusal."""
    try:
        return agent.endpoint.services.replaced_by(asking)
    except MessageError as error:
        return error.status


def test_a_confirmed_dialog_may_be_replaced_in_either_role() -> None:
    for established in (established_in, established_out):
        _, agent, peer, session = established()
        assert _asked(agent, _replacing(peer, agent, _dialog(session))) is session
        early_only = _dialog(session, ";early-only")
        assert _asked(agent, _replacing(peer, agent, early_only)) == 486


def test_an_early_dialog_may_be_replaced_only_if_we_began_it() -> None:
    wire, agent, peer = pair()
    ours = call(agent, peer)
    wire.clock.run(0.0)
    answer(peer, agent, 180)
    tags = f"{ours.call_id};to-tag={ours.local.tag};from-tag=theirs"
    assert _asked(agent, _replacing(peer, agent, tags)) is ours
    assert _asked(agent, _replacing(peer, agent, f"{tags};early-only")) is ours
    agent.take()
    say(peer, agent, request("INVITE", peer, agent, call_id="in", body=OFFER))
    theirs = incoming(agent)
    do(agent, theirs.ring)
    assert _asked(agent, _replacing(peer, agent, _dialog(theirs))) == 481


def test_a_dialog_that_is_ending_is_declined_and_one_that_is_gone_is_unknown() -> None:
    wire, agent, peer, session = established_out()
    asking = _replacing(peer, agent, _dialog(session))
    do(agent, session.hang_up)
    assert state(session) is SessionState.TERMINATING
    assert _asked(agent, asking) == 603
    wire.clock.run(0.0)
    answer(peer, agent, 200, method="BYE")
    assert _asked(agent, asking) == 481


@pytest.mark.parametrize("wrong", ["call_id", "to", "from"])
def test_every_part_of_the_dialog_must_be_right(wrong: str) -> None:
    _, agent, peer, session = established_in()
    assert session.dialog is not None
    call_id, ours, theirs = session.dialog.id
    parts = {"call_id": call_id, "to": ours, "from": theirs, wrong: "other"}
    text = "{call_id};to-tag={to};from-tag={from}".format(**parts)
    assert _asked(agent, _replacing(peer, agent, text)) == 481


def test_a_peer_without_a_tag_is_called_0() -> None:
    _, agent, peer = pair()
    invite = request("INVITE", peer, agent, call_id="old", body=OFFER)
    say(peer, agent, invite.with_header("From", "<sip:them@192.0.2.2>"))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    text = f"old;to-tag={session.local.tag};from-tag=0"
    assert _asked(agent, _replacing(peer, agent, text)) is session


def test_no_wish_two_wishes_and_nonsense() -> None:
    _, agent, peer, session = established_in()
    assert _asked(agent, _replacing(peer, agent)) is None
    assert _asked(agent, _replacing(peer, agent, _dialog(session), _dialog(session))) == 400
    assert _asked(agent, _replacing(peer, agent, "nonsense")) == 400


def test_replaces_in_anything_but_an_invite_gets_400() -> None:
    wire, agent, peer, session = established_in()
    within("INFO", peer, agent, session, cseq=9, headers=(("Replaces", "a;to-tag=1;from-tag=2"),))
    wire.clock.run(0.0)
    assert peer.count("400 INFO") == 1
