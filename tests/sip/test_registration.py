"""REGISTER, refresh, retry and un-REGISTER (RFC 3261 section 10.2, RFC 5626 section 4.5)."""

import pytest

from applet.sip.digest import Credentials
from applet.sip.events import EndedBy, LookupNeeded, Registered, RegistrationFailed, Unregistered
from applet.sip.first_request import Sender
from applet.sip.headers import NameAddr
from applet.sip.hop import Hop, Transport
from applet.sip.message import Request
from applet.sip.records import Question, Record
from applet.sip.registration import (
    LONGEST_RETRY,
    MOST_TURNS,
    Registration,
    RegistrationState,
)
from applet.sip.uri import SipUri
from tests.sip.playbook import answer, assert_empty, do, kinds, only, pair, uri_of
from tests.support.wire import Agent, Peer, Wire

CONTACT = "<sip:line1@192.0.2.1:5060>"


def register(agent: Agent, registrar: SipUri, route: tuple[SipUri, ...] = ()) -> Registration:
    registration = agent.endpoint.register(
        registrar,
        Sender(
            NameAddr("", SipUri.of("me", "example.com")),
            "line1",
            route,
            Credentials("me", "secret"),
        ),
        expires=600,
        now=agent.wire.now,
    )
    agent.collect()
    agent.wire.clock.run(0.0)
    return registration


def registered() -> tuple[Wire, Agent, Peer, Registration]:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT + ";expires=300")
    assert isinstance(agent.take()[0], Registered)
    return wire, agent, peer, registration


def leave(agent: Agent, peer: Peer, registration: Registration) -> None:
    """It ends well, and leaves nothing behind."""
    do(agent, registration.unregister)
    agent.wire.clock.run(0.0)
    answer(peer, agent, 200, method="REGISTER")
    assert kinds(agent)[-1] == "Unregistered"
    assert_empty(agent)


def give_up(agent: Agent, registration: Registration) -> None:
    """It ends although nothing was ever bound, and leaves nothing behind."""
    do(agent, registration.unregister)
    assert kinds(agent)[-1] == "Unregistered"
    assert state_of(registration) is RegistrationState.UNREGISTERED
    assert_empty(agent)


def state_of(registration: Registration) -> RegistrationState:
    return registration.state


def test_a_register_binds_our_contact_to_the_address_of_record() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    assert state_of(registration) is RegistrationState.REGISTERING and not agent.endpoint.quiet
    sent = peer.last_request("REGISTER")
    assert str(sent.uri) == "sip:192.0.2.2:5060"
    assert str(sent.to.uri) == str(sent.from_.uri) == "sip:me@example.com" and sent.to.tag is None
    assert sent.header("Contact") == CONTACT and sent.expires == 600
    answer(peer, agent, 100, method="REGISTER")
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT + ";expires=300")
    event = only(agent.take(), Registered)
    assert (event.expires, event.contact) == (300, "sip:line1@192.0.2.1:5060")
    assert state_of(registration) is RegistrationState.REGISTERED and agent.endpoint.quiet
    assert sent.header("Supported") == "path"
    leave(agent, peer, registration)


@pytest.mark.parametrize(
    ("contacts", "expires", "granted"),
    [
        ("<sip:other@h>;expires=9, " + CONTACT + ";expires=120", "50", 120),
        (CONTACT, "50", 50),
        ("<sip:other@h>;expires=9", None, 600),
        (CONTACT + ";expires=soon", None, 600),
    ],
)
def test_the_registrar_says_how_long_our_own_binding_lasts(
    contacts: str, expires: str | None, granted: int
) -> None:
    wire, agent, peer = pair()
    register(agent, uri_of(peer))
    headers = (("Expires", expires),) if expires else ()
    answer(peer, agent, 200, method="REGISTER", contact=contacts, headers=headers)
    assert only(agent.take(), Registered).expires == granted


def test_a_challenged_register_is_sent_with_credentials_and_the_next_number() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    first = peer.last_request("REGISTER")
    header = ("WWW-Authenticate", 'Digest realm="r", nonce="n"')
    answer(peer, agent, 401, method="REGISTER", headers=(header,))
    wire.clock.run(0.0)
    second = peer.last_request("REGISTER")
    assert second.cseq.number == first.cseq.number + 1 and second.call_id == first.call_id
    assert second.lines("Authorization") and second.header("Contact") == CONTACT
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT)
    do(agent, registration.unregister)
    wire.clock.run(0.0)
    third = peer.last_request("REGISTER")
    assert third.cseq.number == second.cseq.number + 1 and third.call_id == first.call_id


def test_a_wrong_password_is_one_clear_failure() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    for nonce in ("n", "m"):
        header = ("WWW-Authenticate", f'Digest realm="r", nonce="{nonce}"')
        answer(peer, agent, 401, method="REGISTER", headers=(header,))
    failed = only(agent.take(), RegistrationFailed)
    assert (failed.by, failed.status, failed.reason) == (EndedBy.REMOTE, 401, "Unauthorized")
    assert wire.lines().count("REGISTER") == 2
    assert failed.retry_in >= LONGEST_RETRY / 2  # who said no is seldom asked again
    assert state_of(registration) is RegistrationState.WAITING and agent.endpoint.quiet
    give_up(agent, registration)


def test_a_registrar_that_does_not_answer_has_failed_after_64_t1() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    wire.clock.run(32.0)
    failed = only(agent.take(), RegistrationFailed)
    assert (failed.by, failed.status) == (EndedBy.TIMEOUT, 408)
    give_up(agent, registration)


def test_a_registrar_that_cannot_be_reached_has_failed_at_once() -> None:
    wire, agent, peer = pair()
    register(agent, uri_of(peer))
    agent.fail(Hop(Transport.UDP, peer.address))
    failed = only(agent.take(), RegistrationFailed)
    assert (failed.by, failed.status) == (EndedBy.TRANSPORT, 0)


def test_a_registrar_whose_name_is_not_found_has_failed() -> None:
    wire, agent, _ = pair()
    register(agent, SipUri.of("", "registrar.example", 5060))
    asked = Question(Record.ADDRESS, "registrar.example")
    agent.endpoint.looked_up(asked, (), wire.now)
    agent.collect()
    needed, failed = agent.take()
    assert needed == LookupNeeded(asked)
    assert isinstance(failed, RegistrationFailed) and failed.by is EndedBy.LOOKUP


def test_un_register_takes_the_binding_away() -> None:
    wire, agent, peer, registration = registered()
    do(agent, registration.unregister)
    wire.clock.run(0.0)
    assert state_of(registration) is RegistrationState.UNREGISTERING and not agent.endpoint.quiet
    sent = peer.last_request("REGISTER")
    assert sent.expires == 0 and sent.header("Contact") == CONTACT
    answer(peer, agent, 200, method="REGISTER")
    assert only(agent.take(), Unregistered).registration is registration
    assert state_of(registration) is RegistrationState.UNREGISTERED
    do(agent, registration.unregister)
    assert kinds(agent) == [] and wire.lines().count("REGISTER") == 2
    assert_empty(agent)


@pytest.mark.parametrize("status", [403, 500])
def test_a_refused_un_register_is_the_end_all_the_same(status: int) -> None:
    wire, agent, peer, registration = registered()
    do(agent, registration.unregister)
    wire.clock.run(0.0)
    answer(peer, agent, status, method="REGISTER")
    assert kinds(agent) == ["Unregistered"]


def test_an_un_register_that_nobody_answers_is_the_end_too() -> None:
    wire, agent, _, registration = registered()
    do(agent, registration.unregister)
    wire.clock.run(32.0)
    assert kinds(agent) == ["Unregistered"]
    assert_empty(agent)


def test_un_register_while_registering_waits_for_the_answer() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    do(agent, registration.unregister)
    assert wire.lines() == ["REGISTER"]
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT)
    wire.clock.run(0.0)
    assert peer.last_request("REGISTER").expires == 0
    answer(peer, agent, 200, method="REGISTER")
    assert kinds(agent) == ["Registered", "Unregistered"]
    assert_empty(agent)


def test_an_outbound_proxy_takes_the_register() -> None:
    wire, agent, peer = pair()
    registrar = SipUri.of("", "registrar.example")
    register(agent, registrar, (uri_of(peer, "", lr=None),))
    sent = peer.last_request("REGISTER")
    assert str(sent.uri) == "sip:registrar.example"
    assert sent.header("Route") == "<sip:192.0.2.2:5060;lr>"


# --- how long


@pytest.mark.parametrize(
    ("granted", "refreshed_after"),
    [(3600, 3000), (1200, 600), (300, 150), (60, 30), (1, 5), (0, 5)],
)
def test_a_binding_is_refreshed_before_it_expires(granted: int, refreshed_after: float) -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    answer(peer, agent, 200, method="REGISTER", contact=f"{CONTACT};expires={granted}")
    wire.clock.run(refreshed_after - 0.1)
    assert peer.count("REGISTER") == 1
    wire.clock.run(0.1)
    assert peer.count("REGISTER") == 2
    assert state_of(registration) is RegistrationState.REFRESHING
    first, second = (m for _, m in peer.got if isinstance(m, Request))
    assert second.call_id == first.call_id and second.cseq.number == first.cseq.number + 1
    answer(peer, agent, 200, method="REGISTER", contact=f"{CONTACT};expires={granted}")
    assert kinds(agent) == ["Registered", "Registered"]
    leave(agent, peer, registration)


def test_423_asks_again_for_longer() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    answer(peer, agent, 423, method="REGISTER", headers=(("Min-Expires", "1800"),))
    wire.clock.run(0.0)
    assert peer.last_request("REGISTER").expires == 1800
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT)
    assert only(agent.take(), Registered).expires == 1800
    leave(agent, peer, registration)


@pytest.mark.parametrize("least", [None, "60", "600", "soon", "999999999"])
def test_423_that_makes_no_sense_is_a_refusal(least: str | None) -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    headers = (("Min-Expires", least),) if least else ()
    answer(peer, agent, 423, method="REGISTER", headers=headers)
    assert only(agent.take(), RegistrationFailed).status == 423
    give_up(agent, registration)


def test_a_registrar_that_wants_more_and_more_is_given_up() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    for turn in range(MOST_TURNS + 1):
        least = ("Min-Expires", str(1000 + turn))
        answer(peer, agent, 423, method="REGISTER", headers=(least,))
        wire.clock.run(0.0)
    assert only(agent.take(), RegistrationFailed).status == 423
    give_up(agent, registration)


# --- again and again (RFC 5626 section 4.5)


def test_after_a_failure_it_is_tried_again_later_each_time() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    for failures in range(9):
        answer(peer, agent, 500, method="REGISTER")
        failed = only(agent.take(), RegistrationFailed)
        longest = min(30.0 * 2**failures, LONGEST_RETRY)
        assert longest / 2 <= failed.retry_in <= longest
        assert state_of(registration) is RegistrationState.WAITING
        wire.clock.run(failed.retry_in - 0.1)
        assert peer.count("REGISTER") == failures + 1
        wire.clock.run(0.2)
        assert peer.count("REGISTER") == failures + 2
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT)
    assert kinds(agent) == ["Registered"]
    wire.clock.run(300)
    answer(peer, agent, 500, method="REGISTER")
    assert only(agent.take(), RegistrationFailed).retry_in <= 30.0


def test_a_registrar_says_itself_when_it_wants_to_be_asked_again() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    answer(peer, agent, 503, method="REGISTER", headers=(("Retry-After", "77"),))
    assert only(agent.take(), RegistrationFailed).retry_in == 77
    wire.clock.run(77)
    answer(peer, agent, 403, method="REGISTER", headers=(("Retry-After", "99999"),))
    assert only(agent.take(), RegistrationFailed).retry_in == LONGEST_RETRY
    give_up(agent, registration)


def test_the_person_need_not_wait_for_the_next_attempt() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    answer(peer, agent, 403, method="REGISTER")
    do(agent, registration.register)
    wire.clock.run(0.0)
    assert peer.count("REGISTER") == 2
    answer(peer, agent, 200, method="REGISTER", contact=CONTACT)
    leave(agent, peer, registration)


def test_a_refresh_that_fails_leaves_a_binding_that_is_taken_away_at_the_end() -> None:
    wire, agent, peer, registration = registered()
    wire.clock.run(150)
    answer(peer, agent, 500, method="REGISTER")
    assert state_of(registration) is RegistrationState.WAITING
    leave(agent, peer, registration)
    assert peer.last_request("REGISTER").expires == 0


def test_un_register_during_an_attempt_that_fails_is_the_end() -> None:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    do(agent, registration.unregister)
    answer(peer, agent, 423, method="REGISTER", headers=(("Min-Expires", "9999"),))
    assert kinds(agent) == ["RegistrationFailed", "Unregistered"]
    assert_empty(agent)
