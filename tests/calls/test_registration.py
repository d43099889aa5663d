"""The phone with a registrar, and what it says when that fails."""

from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    Quit,
    Reason,
    Register,
    Registered,
    RegistrationFailed,
    Unregister,
    Unregistered,
)
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
