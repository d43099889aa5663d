"""401 and 407 on every request that may be challenged (RFC 3261 section 22, RFC 8760)."""

import pytest

from applet.sip.digest import Credentials, digest_response, parse_auth, parse_challenge
from applet.sip.events import Answered, EndedBy, ReinviteFailed, SessionEnded
from applet.sip.invite import SessionState
from applet.sip.message import Request
from tests.sip.playbook import (
    ANSWER,
    OFFER,
    answer,
    assert_empty,
    call,
    do,
    kinds,
    only,
    pair,
    state,
)
from tests.support.wire import Agent, Peer, Wire

ME = Credentials("caller", "secret")


def challenge(nonce: str, realm: str = "desk", more: str = "") -> str:
    return f'Digest realm="{realm}", nonce="{nonce}", qop="auth"{more}'


def ask(
    peer: Peer,
    agent: Agent,
    nonce: str,
    *,
    status: int = 401,
    realm: str = "desk",
    more: str = "",
    method: str = "INVITE",
) -> None:
    """Challenge the newest request."""
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    headers = ((name, challenge(nonce, realm, more)),)
    answer(peer, agent, status, method=method, headers=headers)


def check(request: Request, header: str = "Authorization", realm: str = "desk") -> dict[str, str]:
    """The parameters of the answer to `realm`, once its response has been found right."""
    for line in request.lines(header):
        scheme, values = parse_auth(line)
        if values["realm"] == realm:
            parsed = parse_challenge(challenge(values["nonce"], realm))
            parsed = parsed._replace(algorithm=values.get("algorithm"))
            nc, cnonce = int(values["nc"], 16), values["cnonce"]
            wanted = digest_response(
                parsed, ME, request.method, str(request.uri), request.body, nc, cnonce
            )
            assert scheme == "digest" and values["response"] == wanted
            return values
    raise AssertionError(f"no answer to {realm}")


@pytest.fixture
def asked() -> tuple[Wire, Agent, Peer]:
    wire, agent, peer = pair()
    call(agent, peer, credentials=ME)
    wire.clock.run(0.0)
    return wire, agent, peer


@pytest.mark.parametrize(
    ("status", "header"), [(401, "Authorization"), (407, "Proxy-Authorization")]
)
def test_fault_08_a_challenged_invite_is_sent_once_more_with_credentials(
    asked: tuple[Wire, Agent, Peer], status: int, header: str
) -> None:
    wire, agent, peer = asked
    first = peer.last_request("INVITE")
    ask(peer, agent, "n1", status=status)
    wire.clock.run(0.0)
    second = peer.last_request("INVITE")
    assert wire.lines() == ["INVITE", f"{status} INVITE", "ACK", "INVITE"]
    assert check(second, header)["nc"] == "00000001"
    assert second.cseq.number == first.cseq.number + 1 and second.call_id == first.call_id
    assert second.from_ == first.from_ and second.to == first.to
    assert second.top_via.branch != first.top_via.branch and second.body == OFFER
    assert second.lines("Contact") == first.lines("Contact")
    answer(peer, agent, 200, ANSWER)
    assert kinds(agent) == ["Answered"]


def test_fault_08_the_ack_carries_each_authorization_in_its_own_header(
    asked: tuple[Wire, Agent, Peer],
) -> None:
    wire, agent, peer = asked
    ask(peer, agent, "n1", status=407, realm="proxy")
    ask(peer, agent, "n2")
    answer(peer, agent, 200, ANSWER)
    wire.clock.run(0.0)
    invite, ack = peer.last_request("INVITE"), peer.last_request("ACK")
    for header in ("Authorization", "Proxy-Authorization"):
        assert ack.lines(header) == invite.lines(header) and len(ack.lines(header)) == 1
    assert "proxy" in ack.lines("Proxy-Authorization")[0]


def test_fault_08_a_wrong_password_is_one_clear_failure_and_no_loop(
    asked: tuple[Wire, Agent, Peer],
) -> None:
    wire, agent, peer = asked
    ask(peer, agent, "n1")
    ask(peer, agent, "n2")
    ended = only(agent.take(), SessionEnded)
    assert (ended.by, ended.status) == (EndedBy.REMOTE, 401)
    assert wire.lines().count("INVITE") == 2 and wire.lines()[-1] == "ACK"
    assert_empty(agent)


def test_without_credentials_a_challenge_is_the_answer() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    ask(peer, agent, "n1", status=407)
    assert only(agent.take(), SessionEnded).status == 407
    assert wire.lines() == ["INVITE", "407 INVITE", "ACK"]


def test_a_stale_nonce_is_answered_with_the_new_one(asked: tuple[Wire, Agent, Peer]) -> None:
    wire, agent, peer = asked
    ask(peer, agent, "old")
    ask(peer, agent, "new", more=", stale=TRUE")
    wire.clock.run(0.0)
    assert check(peer.last_request("INVITE"))["nonce"] == "new"
    answer(peer, agent, 200, ANSWER)
    assert kinds(agent) == ["Answered"]


def test_the_same_nonce_called_stale_is_no_reason_to_try_again(
    asked: tuple[Wire, Agent, Peer],
) -> None:
    wire, agent, peer = asked
    ask(peer, agent, "same")
    ask(peer, agent, "same", more=", stale=true")
    assert only(agent.take(), SessionEnded).status == 401
    assert wire.lines().count("INVITE") == 2


def test_a_server_that_calls_every_nonce_stale_is_given_up(
    asked: tuple[Wire, Agent, Peer],
) -> None:
    wire, agent, peer = asked
    for number in range(20):
        if agent.events:
            break
        ask(peer, agent, f"n{number}", more=", stale=true")
    assert only(agent.take(), SessionEnded).status == 401
    assert wire.lines().count("INVITE") == 7
    assert_empty(agent)


def test_several_realms_are_answered_one_after_the_other(asked: tuple[Wire, Agent, Peer]) -> None:
    wire, agent, peer = asked
    ask(peer, agent, "p", status=407, realm="proxy")
    ask(peer, agent, "q", status=407, realm="second proxy")
    ask(peer, agent, "d")
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    assert check(invite, "Proxy-Authorization", "proxy")["nc"] == "00000003"
    assert check(invite, "Proxy-Authorization", "second proxy")["nc"] == "00000002"
    assert check(invite)["nc"] == "00000001"
    answer(peer, agent, 200, ANSWER)
    assert kinds(agent) == ["Answered"]


def test_several_realms_are_answered_at_once(asked: tuple[Wire, Agent, Peer]) -> None:
    wire, agent, peer = asked
    headers = (
        ("Proxy-Authenticate", challenge("p", "proxy")),
        ("Proxy-Authenticate", challenge("q", "second proxy")),
    )
    answer(peer, agent, 407, headers=headers)
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    check(invite, "Proxy-Authorization", "proxy")
    check(invite, "Proxy-Authorization", "second proxy")


def test_of_several_challenges_of_one_realm_the_topmost_that_we_know_is_answered(
    asked: tuple[Wire, Agent, Peer],
) -> None:
    wire, agent, peer = asked
    names = ("SHA-512-256", "SHA-256", "MD5")
    headers = tuple(
        ("WWW-Authenticate", challenge("n", more=f", algorithm={name}")) for name in names
    )
    answer(peer, agent, 401, headers=headers)
    wire.clock.run(0.0)
    assert check(peer.last_request("INVITE"))["algorithm"] == "SHA-256"


def test_a_lone_md5_challenge_is_answered(asked: tuple[Wire, Agent, Peer]) -> None:
    wire, agent, peer = asked
    ask(peer, agent, "n", more=", algorithm=MD5")
    wire.clock.run(0.0)
    assert check(peer.last_request("INVITE"))["algorithm"] == "MD5"


@pytest.mark.parametrize("md5", [", algorithm=MD5", ", algorithm=MD5-sess", ""])
def test_after_sha_256_the_same_realm_gets_nothing_weaker(
    asked: tuple[Wire, Agent, Peer], md5: str
) -> None:
    """Who listens could otherwise ask for the hash that he can break."""
    wire, agent, peer = asked
    ask(peer, agent, "n1", more=", algorithm=SHA-256")
    ask(peer, agent, "n2", more=f"{md5}, stale=true")
    assert wire.lines().count("INVITE") == 2
    assert only(agent.take(), SessionEnded).status == 401


def test_after_sha_256_a_weaker_challenge_above_it_is_passed_over(
    asked: tuple[Wire, Agent, Peer],
) -> None:
    wire, agent, peer = asked
    ask(peer, agent, "n1", more=", algorithm=SHA-256")
    headers = tuple(
        ("WWW-Authenticate", challenge("n2", more=f", algorithm={name}, stale=true"))
        for name in ("MD5", "SHA-256")
    )
    answer(peer, agent, 401, headers=headers)
    wire.clock.run(0.0)
    values = check(peer.last_request("INVITE"))
    assert (values["nonce"], values["algorithm"]) == ("n2", "SHA-256")


def test_another_realm_may_know_no_more_than_md5(asked: tuple[Wire, Agent, Peer]) -> None:
    wire, agent, peer = asked
    ask(peer, agent, "n1", status=407, realm="proxy", more=", algorithm=SHA-256")
    ask(peer, agent, "n2", more=", algorithm=MD5")
    wire.clock.run(0.0)
    invite = peer.last_request("INVITE")
    assert check(invite, "Proxy-Authorization", "proxy")["algorithm"] == "SHA-256"
    assert check(invite)["algorithm"] == "MD5"


@pytest.mark.parametrize(("algorithm", "answered"), [("MD5", False), ("SHA-256", True)])
def test_a_brand_may_refuse_to_prove_its_password_by_md5(algorithm: str, answered: bool) -> None:
    wire, agent, peer = pair()
    call(agent, peer, credentials=ME._replace(sha256_only=True))
    wire.clock.run(0.0)
    ask(peer, agent, "n", more=f", algorithm={algorithm}")
    wire.clock.run(0.0)
    assert wire.lines().count("INVITE") == 1 + answered
    assert kinds(agent) == ([] if answered else ["SessionEnded"])


@pytest.mark.parametrize(
    "header", ['Digest realm="r", nonce="n", algorithm=SHA-512-256', 'Basic realm="r"', "Digest"]
)
def test_a_challenge_that_we_cannot_answer_is_the_end(
    asked: tuple[Wire, Agent, Peer], header: str
) -> None:
    _, agent, peer = asked
    answer(peer, agent, 401, headers=(("WWW-Authenticate", header),))
    assert only(agent.take(), SessionEnded).status == 401


def test_reinvite_and_bye_are_challenged_too_and_the_count_of_a_nonce_goes_on() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer, credentials=ME)
    wire.clock.run(0.0)
    ask(peer, agent, "n1")
    answer(peer, agent, 200, ANSWER)
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    assert peer.last_request("INVITE").lines("Authorization") == []
    ask(peer, agent, "n1")
    wire.clock.run(0.0)
    assert check(peer.last_request("INVITE"))["nc"] == "00000002"
    answer(peer, agent, 200, ANSWER)
    do(agent, session.hang_up)
    wire.clock.run(0.0)
    first = peer.last_request("BYE")
    ask(peer, agent, "n2", status=407, method="BYE")
    wire.clock.run(0.0)
    second = peer.last_request("BYE")
    assert check(second, "Proxy-Authorization")["nc"] == "00000001"
    assert second.cseq.number == first.cseq.number + 1
    answer(peer, agent, 200, method="BYE")
    assert state(session) is SessionState.ENDED
    assert kinds(agent) == ["Answered", "ReinviteAnswered", "SessionEnded"]
    assert_empty(agent)


def test_a_reinvite_with_a_wrong_password_leaves_the_call_as_it_was() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer, credentials=ME)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER)
    assert isinstance(agent.take()[0], Answered)
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    ask(peer, agent, "n1")
    ask(peer, agent, "n2")
    assert only(agent.take(), ReinviteFailed).status == 401
    assert session.can_reinvite


def test_a_changed_challenge_with_a_known_nonce_is_counted_anew() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer, credentials=ME)
    wire.clock.run(0.0)
    ask(peer, agent, "n", more=", algorithm=MD5")
    answer(peer, agent, 200, ANSWER)
    do(agent, session.reinvite, OFFER)
    wire.clock.run(0.0)
    ask(peer, agent, "n", more=", algorithm=SHA-256")
    wire.clock.run(0.0)
    values = check(peer.last_request("INVITE"))
    assert (values["algorithm"], values["nc"]) == ("SHA-256", "00000001")


def test_only_a_few_nonces_are_remembered() -> None:
    wire, agent, peer = pair()
    session = call(agent, peer, credentials=ME)
    wire.clock.run(0.0)
    answer(peer, agent, 200, ANSWER)
    for number in range(20):
        do(agent, session.reinvite, OFFER)
        wire.clock.run(0.0)
        ask(peer, agent, f"n{number}")
        wire.clock.run(0.0)
        check(peer.last_request("INVITE"))
        answer(peer, agent, 200, ANSWER)
    assert session.authenticator is not None
    assert len(session.authenticator._authorizers) <= 8


def test_a_large_request_that_is_challenged_stays_on_tcp() -> None:
    wire, agent, peer = pair()
    call(agent, peer, b"v=0\r\n" + b"a=padding\r\n" * 120, credentials=ME)
    wire.clock.run(0.0)
    first = peer.last_request("INVITE")
    header = ("WWW-Authenticate", challenge("n"))
    peer.send_stream(first.reply(401, to_tag="x", headers=(header,)))
    wire.clock.run(0.0)
    second = peer.last_request("INVITE")
    check(second)
    assert second.top_via.transport == "TCP" and second.lines("Contact") == first.lines("Contact")
