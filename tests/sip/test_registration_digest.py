"""A registration that is asked for a password: once, and then it says it by itself (RFC 3261
section 22.1, RFC 7616 section 3.5)."""

from applet.sip.digest import Challenge, Credentials, authorize, parse_auth
from applet.sip.events import Registered, RegistrationFailed
from applet.sip.registration import Registration
from tests.sip.playbook import answer, do, kinds, only, pair, uri_of
from tests.sip.test_registration import CONTACT, register
from tests.support.wire import Agent, Peer, Wire

Headers = tuple[tuple[str, str], ...]
ME = Credentials("me", "secret")


def challenge(nonce: str, more: str = "", realm: str = "r", status: int = 401) -> Headers:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return ((name, f'Digest realm="{realm}", nonce="{nonce}", qop="auth"{more}'),)


def said(peer: Peer, header: str = "Authorization") -> tuple[str, str]:
    """Nonce and count of the newest REGISTER, whose credentials are right."""
    request = peer.last_request("REGISTER")
    (line,) = request.lines(header)
    values = parse_auth(line)[1]
    asked = Challenge(values["realm"], values["nonce"], qop=("auth",))
    count = int(values["nc"], 16)
    assert line == authorize(asked, ME, "REGISTER", str(request.uri), b"", count, values["cnonce"])
    return values["nonce"], values["nc"]


def reply(peer: Peer, agent: Agent, status: int, headers: Headers = ()) -> None:
    contact = CONTACT + ";expires=60" if status == 200 else None
    answer(peer, agent, status, method="REGISTER", contact=contact, headers=headers)
    agent.wire.clock.run(0.0)


def asked_once(headers: Headers = ()) -> tuple[Wire, Agent, Peer, Registration]:
    wire, agent, peer = pair()
    registration = register(agent, uri_of(peer))
    assert not peer.last_request("REGISTER").lines("Authorization")
    reply(peer, agent, 401, challenge("n1"))
    assert said(peer) == ("n1", "00000001")
    reply(peer, agent, 200, headers)
    only(agent.take(), Registered)
    return wire, agent, peer, registration


def test_a_refresh_and_the_end_have_the_credentials_in_advance() -> None:
    wire, agent, peer, registration = asked_once()
    wire.clock.run(30.0)
    assert said(peer) == ("n1", "00000002")
    reply(peer, agent, 200)
    do(agent, registration.unregister)
    wire.clock.run(0.0)
    assert said(peer) == ("n1", "00000003") and peer.last_request("REGISTER").expires == 0


def test_the_nonce_that_the_registrar_wants_next_is_used() -> None:
    news = (("Authentication-Info", 'nextnonce="n2", qop=auth, nc=00000001'),)
    wire, agent, peer, _ = asked_once(news)
    wire.clock.run(30.0)
    assert said(peer) == ("n2", "00000001")


def test_news_that_say_nothing_change_nothing() -> None:
    for news in ("qop=auth", 'nextnonce=""', "=", 'nextnonce="a", nextnonce="b"'):
        wire, agent, peer, _ = asked_once((("Authentication-Info", news),))
        wire.clock.run(30.0)
        assert said(peer) == ("n1", "00000002")


def test_credentials_that_came_too_late_are_made_anew() -> None:
    wire, agent, peer, _ = asked_once()
    for turn, more in ((2, ", stale=true"), (3, "")):
        wire.clock.run(30.0)
        before = peer.count("REGISTER")
        reply(peer, agent, 401, challenge(f"n{turn}", more))
        assert said(peer) == (f"n{turn}", "00000001") and peer.count("REGISTER") == before + 1
        reply(peer, agent, 200)
    assert kinds(agent) == ["Registered", "Registered"]


def test_what_was_said_in_advance_with_a_strong_hash_is_not_said_with_a_weak_one() -> None:
    wire, agent, peer = pair()
    register(agent, uri_of(peer))
    reply(peer, agent, 401, challenge("n1", ", algorithm=SHA-256"))
    reply(peer, agent, 200)
    only(agent.take(), Registered)
    wire.clock.run(30.0)
    assert "SHA-256" in (peer.last_request("REGISTER").header("Authorization") or "")
    sent = peer.count("REGISTER")
    reply(peer, agent, 401, challenge("n2", ", algorithm=MD5"))
    assert only(agent.take(), RegistrationFailed).status == 401
    assert peer.count("REGISTER") == sent


def test_a_password_that_is_refused_is_not_said_again_unasked() -> None:
    wire, agent, peer, registration = asked_once()
    wire.clock.run(30.0)
    for nonce in ("n2", "n3"):
        reply(peer, agent, 401, challenge(nonce))
    assert only(agent.take(), RegistrationFailed).status == 401
    do(agent, registration.register)
    wire.clock.run(0.0)
    assert not peer.last_request("REGISTER").lines("Authorization")


def test_a_registrar_in_trouble_hears_the_password_again() -> None:
    wire, agent, peer, registration = asked_once()
    wire.clock.run(30.0)
    reply(peer, agent, 503)
    do(agent, registration.register)
    wire.clock.run(0.0)
    assert said(peer) == ("n1", "00000003")


def test_a_proxy_before_the_registrar_hears_its_own() -> None:
    wire, agent, peer = pair()
    register(agent, uri_of(peer))
    reply(peer, agent, 407, challenge("p1", realm="proxy", status=407))
    reply(peer, agent, 401, challenge("n1"))
    news = ("Proxy-Authentication-Info", 'nextnonce="p2"')
    reply(peer, agent, 200, (news,))
    wire.clock.run(30.0)
    assert said(peer) == ("n1", "00000002")
    assert said(peer, "Proxy-Authorization") == ("p2", "00000001")
