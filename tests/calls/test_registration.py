"""The phone with a registrar, and what it says when that fails."""

import pytest

from applet.address import Address
from applet.nat.knowledge import MapperSeen
from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    Dial,
    Hold,
    Quit,
    Reason,
    Register,
    Registered,
    RegistrationFailed,
    SendMessage,
    Unregister,
    Unregistered,
)
from applet.sip.hop import Transport
from applet.sip.message import Request
from tests.support.pbx import Pbx
from tests.support.street import House, Street

CONFIG = PhoneConfig(
    user="u",
    password="p",
    identity="sip:u@10.0.0.2",
    registrar="sip:10.0.0.2",
    other_addresses=True,
)
CHALLENGE = 'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5, qop="auth"'


def _started(config: PhoneConfig = CONFIG) -> tuple[Street, House, Pbx]:
    street = Street()
    phone = House(street, "10.0.0.1", config)
    pbx = Pbx(street, "10.0.0.2")
    phone.do(Register())
    return street, phone, pbx


def _registered() -> tuple[Street, House, Pbx]:
    street, phone, pbx = _started()
    pbx.answer(pbx.wait_for("REGISTER"), 401, headers=(CHALLENGE,))
    pbx.answer(pbx.wait_for("REGISTER", 2), 200, headers=("Expires: 3600",))
    street.run(0.1)
    return street, phone, pbx


def test_the_phone_registers_with_digest_and_says_so() -> None:
    _, phone, pbx = _registered()
    assert phone.seen(Registered)
    assert pbx.requests("REGISTER")[1].header("Authorization")


STRANGER = "10.0.0.66"


@pytest.mark.parametrize("target", [f"sip:eve@{STRANGER}", f"sip:u@10.0.0.2;maddr={STRANGER}"])
def test_a_stranger_s_challenge_is_not_answered_with_our_password(target: str) -> None:
    street, phone, _ = _registered()
    stranger = Pbx(street, STRANGER)
    phone.do(Dial(target, confirmed=True))
    phone.do(SendMessage(target, "Hello", confirmed=True))
    for method in ("INVITE", "MESSAGE"):
        stranger.answer(stranger.wait_for(method), 401, headers=(CHALLENGE,))
    street.run(1)
    assert len(stranger.requests("INVITE")) == len(stranger.requests("MESSAGE")) == 1


@pytest.mark.parametrize(
    "known",
    [
        {"desk": "sip:desk@10.0.0.2"},
        {"registrar": "sip:10.0.0.2"},
        {"identity": "sip:u@10.0.0.2"},
        {"proxy": "sip:10.0.0.2", "target": f"sip:eve@{STRANGER}"},
    ],
)
def test_our_own_servers_challenges_are_answered(known: dict[str, str]) -> None:
    target = known.pop("target", "sip:eve@10.0.0.2")
    street = Street()
    config = PhoneConfig(user="u", password="p", other_addresses=True, **known)  # type: ignore[arg-type]
    phone, pbx = House(street, "10.0.0.1", config), Pbx(street, "10.0.0.2")
    phone.do(Dial(target, confirmed=True))
    phone.do(SendMessage(target, "Hello", confirmed=True))
    for method in ("INVITE", "MESSAGE"):
        pbx.answer(pbx.wait_for(method), 401, headers=(CHALLENGE,))
        assert pbx.wait_for(method, 2).header("Authorization")


def test_registering_twice_is_once() -> None:
    street, phone, pbx = _registered()
    phone.do(Register())
    street.run(1)
    assert len(pbx.requests("REGISTER")) == 2


def test_unregister_takes_the_binding_away() -> None:
    street, phone, pbx = _registered()
    phone.do(Unregister())
    last = pbx.wait_for("REGISTER", 3)
    assert last.expires == 0 or ";expires=0" in (last.header("Contact") or "")
    pbx.answer(last, 200)
    street.run(0.1)
    assert phone.seen(Unregistered)


@pytest.mark.parametrize(
    ("wishes", "registers"),
    [((Register,), 4), ((Register, Register), 4), ((Register, Unregister), 3), ((), 3)],
)
def test_who_is_leaving_leaves_before_registering_anew(
    wishes: tuple[type[Register | Unregister], ...], registers: int
) -> None:
    street, phone, pbx = _registered()
    for wish in (Unregister, *wishes):
        phone.do(wish())
    pbx.answer(pbx.wait_for("REGISTER", 3), 200)
    street.run(0.1)
    assert phone.seen(Unregistered)
    assert len(pbx.requests("REGISTER")) == registers
    if registers == 4:
        pbx.answer(pbx.wait_for("REGISTER", 4), 200, headers=("Expires: 3600",))
        street.run(0.1)
        assert len(phone.seen(Registered)) == 2


def test_quit_unregisters() -> None:
    street, phone, pbx = _registered()
    phone.do(Quit())
    pbx.answer(pbx.wait_for("REGISTER", 3), 200)
    street.run(0.5)
    assert phone.stopped


def test_a_refusal_a_silent_and_an_unknown_registrar_are_told_apart() -> None:
    street, phone, pbx = _started()
    pbx.answer(pbx.wait_for("REGISTER"), 403)
    street.run(0.1)
    assert phone.last(RegistrationFailed) == RegistrationFailed(403, Reason.FORBIDDEN)
    phone.do(Register())
    street.run(40)
    last = phone.last(RegistrationFailed)
    assert isinstance(last, RegistrationFailed)
    assert last.reason is Reason.SERVER_SILENT
    street, phone, pbx = _started(CONFIG._replace(registrar="sip:nowhere.invalid"))
    street.run(1)
    last = phone.last(RegistrationFailed)
    assert isinstance(last, RegistrationFailed)
    assert last.reason is Reason.NAME_NOT_FOUND


def test_a_phone_without_a_registrar_does_not_register() -> None:
    street, phone, pbx = _started(PhoneConfig())
    phone.do(Unregister())
    street.run(1)
    assert not street.sent


def _next_register(street: Street, pbx: Pbx, limit: float) -> Request:
    """The next one that is no repetition."""
    before = pbx.requests("REGISTER")[-1].cseq.number
    assert street.run_until(lambda: pbx.requests("REGISTER")[-1].cseq.number > before, limit)
    return pbx.requests("REGISTER")[-1]


def test_refreshes_are_silent_and_failures_are_told_once() -> None:
    street, phone, pbx = _registered()
    pbx.answer(_next_register(street, pbx, 3001), 200, headers=("Expires: 60",))
    pbx.answer(_next_register(street, pbx, 31), 503)
    pbx.answer(_next_register(street, pbx, 31), 503)
    street.run(0.1)
    assert len(phone.seen(Registered)) == 1 and len(phone.seen(RegistrationFailed)) == 1
    pbx.answer(_next_register(street, pbx, 61), 200, headers=("Expires: 60",))
    street.run(0.1)
    assert len(phone.seen(Registered)) == 2


def test_register_while_it_waits_is_an_attempt_at_once_and_is_told_again() -> None:
    street, phone, pbx = _started()
    for count in (1, 2):
        pbx.answer(pbx.wait_for("REGISTER", count), 403)
        street.run(0.1)
        phone.do(Register())
    assert len(phone.seen(RegistrationFailed)) == 2


def test_calls_take_the_way_that_the_registrar_wants() -> None:
    street, phone, pbx = _started()
    route = "Service-Route: <sip:10.0.0.2;lr>"
    pbx.answer(pbx.wait_for("REGISTER"), 200, headers=("Expires: 3600", route))
    street.run(0.1)
    phone.do(Dial("sip:bob@elsewhere.example", confirmed=True))
    invite = pbx.wait_for("INVITE")
    assert invite.lines("Route") == ["<sip:10.0.0.2;lr>"]
    assert str(invite.uri) == "sip:bob@elsewhere.example"


@pytest.mark.parametrize(
    ("service_route", "routes"),
    [
        ("<sip:10.0.0.2;lr>", ["<sip:10.0.0.2;lr>"]),
        ("<sip:core.example;lr>", ["<sip:10.0.0.2;lr>", "<sip:core.example;lr>"]),
    ],
)
def test_an_outbound_proxy_stands_once_before_the_service_route(
    service_route: str, routes: list[str]
) -> None:
    street, phone, pbx = _started(CONFIG._replace(proxy="sip:10.0.0.2"))
    route = f"Service-Route: {service_route}"
    pbx.answer(pbx.wait_for("REGISTER"), 200, headers=("Expires: 3600", route))
    street.run(0.1)
    phone.do(Dial("sip:bob@elsewhere.example", confirmed=True))
    assert pbx.wait_for("INVITE").lines("Route") == routes
    phone.do(Register())
    street.run(3100)
    assert pbx.requests("REGISTER")[-1].lines("Route") == ["<sip:10.0.0.2;lr>"]


def test_another_address_of_ours_is_registered_at_once() -> None:
    street, phone, pbx = _registered()
    phone.phone.nat_fact(99, MapperSeen(None, ""), street.now)
    assert len(pbx.requests("REGISTER")) == 2
    phone.phone._endpoint.set_advertised(Transport.UDP, Address("203.0.113.1", 4000))
    phone.phone.nat_fact(99, MapperSeen(None, ""), street.now)
    phone.do(Hold(0))  # hands out what the phone wants to send
    contact = pbx.wait_for("REGISTER", 3).lines("Contact")
    assert contact == ["<sip:u@203.0.113.1:4000>, <sip:u@10.0.0.1:5060>;expires=0"]


def test_another_network_is_registered_from_at_once() -> None:
    street, phone, pbx = _registered()
    phone.phone.network_changed(street.now)
    phone.do(Hold(0))
    assert pbx.wait_for("REGISTER", 3)


def test_a_phone_that_is_being_closed_does_not_register() -> None:
    street = Street()
    phone = House(street, "10.0.0.1", CONFIG)
    phone.do(Quit())
    phone.do(Register())
    street.run(1)
    assert not street.sent


@pytest.mark.parametrize("desk", ["", "sip:10.0.0.2"])
def test_without_a_registrar_another_network_changes_nothing(desk: str) -> None:
    street, phone, _ = _started(PhoneConfig(desk=desk))
    phone.phone.nat_fact(0, MapperSeen(None, ""), 0.0)
    phone.phone.network_changed(0.0)
    phone.do(Hold(0))
    assert street.requests("REGISTER") == []
