"""A call out that is tried more than once: 3xx, and a plainer offer after 488 and 606."""

import pytest

from applet.address import Address
from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    CallState,
    CallStateChanged,
    Dial,
    HangUp,
    Hold,
    Reason,
    Redirected,
    Update,
)
from applet.sdp.description import parse_sdp
from applet.sip.message import Request
from tests.calls.scenes import PBX, dialled, direction, ended
from tests.support.pbx import Pbx
from tests.support.street import House, Street

PHONE, OTHER = "10.0.0.1", "10.0.0.3"
Scene = tuple[Street, House, Pbx, Pbx]


def desk(**changes: object) -> PhoneConfig:
    return PhoneConfig(desk="sip:desk@company.example", **changes)  # type: ignore[arg-type]


def called(config: PhoneConfig | None = None, uri: str = "") -> Scene:
    """The phone has called its desk, `company.example`, whose server is the first of two."""
    street = Street()
    phone = House(street, PHONE, config or desk())
    pbx, other = Pbx(street, PBX), Pbx(street, OTHER)
    phone.names["company.example"] = (Address(PBX, 5060),)
    phone.names["elsewhere.example"] = (Address(OTHER, 5060),)
    phone.do(Dial(uri, confirmed=bool(uri)))
    pbx.wait_for("INVITE")
    return street, phone, pbx, other


def moved(pbx: Pbx, *contacts: str, status: int = 302) -> None:
    """Its answer to the newest INVITE; `answer` adds a Contact of its own, which is no target."""
    invite = pbx.requests("INVITE")[-1]
    lines = [f"Contact: {contact}" for contact in contacts]
    pbx.answer(invite, status, headers=tuple(lines), contact="")


def user(invite: Request) -> str:
    return str(invite.uri).partition("@")[0].removeprefix("sip:")


def tried(pbx: Pbx) -> list[str]:
    return list(dict.fromkeys(user(invite) for invite in pbx.requests("INVITE")))


# --- 3xx


@pytest.mark.parametrize("status", [300, 301, 302])
def test_a_redirection_inside_the_desks_domain_is_followed(status: int) -> None:
    street, phone, pbx, _ = called()
    moved(pbx, "<sip:agent@company.example>", status=status)
    again = pbx.wait_for("INVITE", 2)
    assert user(again) == "agent" and again.body
    assert str(again.to.uri) == "sip:desk@company.example", "RFC 3261 section 8.1.3.4"
    last = phone.last(CallStateChanged)
    assert isinstance(last, CallStateChanged)
    assert (last.state, last.peer) == (CallState.DIALLING, "sip:agent@company.example")
    pbx.answer(again, 200, pbx.sdp())
    street.run(0.5)
    assert phone.state() is CallState.CONNECTED
    assert pbx.rtp
    phone.do(HangUp(0))
    street.run(40)
    assert phone.is_empty()


def test_the_most_wanted_comes_first_and_the_next_when_it_fails() -> None:
    street, phone, pbx, _ = called()
    moved(
        pbx,
        "<sip:third@company.example>;q=0.1, <sip:first@company.example>",
        '"Second" <sip:second@company.example>;q=0.5',
        "<sip:broken@company.example>;q=x",
        "no address at all",
    )
    for status in (404, 503, 486, 480):
        street.run(0.2)
        pbx.answer(pbx.requests("INVITE")[-1], status)
    street.run(0.5)
    assert tried(pbx) == ["desk", "first", "second", "third", "broken"]
    assert ended(phone) == (Reason.UNAVAILABLE, 480)


def test_a_redirection_to_where_it_was_before_is_a_loop() -> None:
    street, phone, pbx, _ = called()
    moved(pbx, "<sip:a@company.example>")
    pbx.wait_for("INVITE", 2)
    moved(pbx, "<sip:desk@company.example>, <sip:a@company.example>")
    street.run(1)
    assert ended(phone) == (Reason.MOVED, 302)
    assert len(pbx.requests("INVITE")) == 2


def test_no_more_than_five_are_followed() -> None:
    street, phone, pbx, _ = called()
    for number in range(8):
        moved(pbx, f"<sip:hop{number}@company.example>")
        street.run(0.2)
    assert tried(pbx) == ["desk", "hop0", "hop1", "hop2", "hop3", "hop4"]
    assert ended(phone) == (Reason.MOVED, 302)


def test_who_declines_is_not_looked_for_elsewhere() -> None:
    street, phone, pbx, _ = called()
    moved(pbx, "<sip:a@company.example>, <sip:b@company.example>")
    pbx.answer(pbx.wait_for("INVITE", 2), 603)
    street.run(0.5)
    assert tried(pbx) == ["desk", "a"]
    assert ended(phone)[0] is Reason.DECLINED


@pytest.mark.parametrize("status", [305, 380])
def test_another_kind_of_redirection_is_told(status: int) -> None:
    street, phone, pbx, _ = called()
    moved(pbx, "<sip:a@company.example>", status=status)
    street.run(0.5)
    assert ended(phone) == (Reason.MOVED, status)


def test_without_a_contact_there_is_nowhere_to_go() -> None:
    street, phone, pbx, _ = called()
    moved(pbx)
    street.run(0.5)
    assert ended(phone) == (Reason.MOVED, 302)
    assert not phone.seen(Redirected)


def test_an_address_outside_the_desks_domain_is_not_called_on_anybodys_word() -> None:
    street, phone, pbx, other = called()
    moved(pbx, "<sip:premium@elsewhere.example>")
    street.run(3)
    assert ended(phone) == (Reason.MOVED, 302)
    assert not other.got and not phone.seen(Redirected), "the brand allows no other addresses"


def test_an_address_outside_is_asked_for_where_the_brand_allows_others() -> None:
    street, phone, pbx, other = called(desk(other_addresses=True))
    moved(pbx, "<sip:agent@elsewhere.example?Subject=x>, <sip:agent2@elsewhere.example>")
    street.run(3)
    assert not other.got
    assert phone.seen(Redirected) == [Redirected(1, "sip:agent@elsewhere.example")]
    assert isinstance(phone.events[-1][1], Redirected), "after the end of the call"
    phone.do(Dial("sip:agent@elsewhere.example", confirmed=True))
    assert user(other.wait_for("INVITE")) == "agent"


def test_what_is_inside_is_called_before_anybody_is_asked() -> None:
    street, phone, pbx, other = called(desk(other_addresses=True))
    moved(pbx, "<sip:agent@elsewhere.example>, <sip:agent@company.example>;q=0.1")
    pbx.answer(pbx.wait_for("INVITE", 2), 200, pbx.sdp())
    street.run(0.5)
    phone.do(HangUp(0))
    street.run(1)
    assert not phone.seen(Redirected)


def test_the_host_that_the_person_dialled_is_confirmed_already() -> None:
    street, phone, pbx, _ = dialled()
    moved(pbx, f"<sip:agent@{PBX}:5060>")
    assert user(pbx.wait_for("INVITE", 2)) == "agent"


@pytest.mark.parametrize(
    "contact", ["<mailto:a@company.example>", "<sip:112@company.example>", "*"]
)
def test_what_cannot_or_must_not_be_called_is_left_out(contact: str) -> None:
    street, phone, pbx, _ = called(desk(other_addresses=True))
    moved(pbx, contact, "<sip:112@elsewhere.example>")
    street.run(0.5)
    assert ended(phone)[0] is Reason.MOVED
    assert not phone.seen(Redirected)


def test_hanging_up_ends_the_attempts() -> None:
    street, phone, pbx, _ = called()
    moved(pbx, "<sip:a@company.example>, <sip:b@company.example>")
    invite = pbx.wait_for("INVITE", 2)
    pbx.answer(invite, 180)
    street.run(0.1)
    phone.do(HangUp(0))
    street.run(0.1)
    pbx.answer(invite, 487)
    street.run(1)
    assert tried(pbx) == ["desk", "a"]
    assert ended(phone)[0] is Reason.CANCELLED_HERE
    street.run(40)
    assert phone.is_empty()


# --- 488 and 606


def formats(invite: Request) -> tuple[str, ...]:
    return parse_sdp(invite.body).media[0].formats


@pytest.mark.parametrize("status", [488, 606])
def test_what_is_not_acceptable_is_tried_once_more_with_a_plainer_offer(status: int) -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, status)
    again = pbx.wait_for("INVITE", 2)
    assert formats(invite) == ("0", "8", "13", "101") and formats(again) == ("0", "8")
    assert again.call_id != invite.call_id and again.uri == invite.uri
    pbx.answer(again, 200, pbx.sdp())
    street.run(0.5)
    assert phone.state() is CallState.CONNECTED
    assert pbx.rtp


def test_a_second_refusal_ends_the_call() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 488)
    pbx.answer(pbx.wait_for("INVITE", 2), 488)
    street.run(1)
    assert ended(phone) == (Reason.NO_COMMON_CODEC, 488)
    assert len(pbx.requests("INVITE")) == 2


def test_an_update_in_the_first_attempt_stands_in_nobodys_way_in_the_second() -> None:
    street, phone, pbx, invite = dialled()
    reliably = ("Require: 100rel", "RSeq: 1", "Allow: UPDATE")
    pbx.answer(invite, 183, pbx.sdp(), headers=reliably)
    street.run(0.1)
    phone.do(Update(0))
    update = pbx.wait_for("UPDATE")
    pbx.answer(invite, 488)
    again = pbx.wait_for("INVITE", 2)
    pbx.answer(update, 200, pbx.sdp())
    pbx.answer(again, 200, pbx.sdp())
    street.run(0.2)
    phone.do(Hold(0))
    assert direction(pbx.wait_for("INVITE", 3)) == "inactive"


def test_early_media_of_the_first_attempt_is_forgotten_in_the_second() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 183, pbx.sdp(port=30010))
    street.run(0.1)
    pbx.answer(invite, 488)
    again = pbx.wait_for("INVITE", 2)
    pbx.answer(again, 200)
    street.run(1)
    assert ended(phone)[0] is Reason.NO_COMMON_CODEC, "nobody answered the second offer"
