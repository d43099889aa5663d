"""Offers and answers beside INVITE and 200: PRACK, UPDATE, several branches of a fork."""

import pytest

from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    Answer,
    CallState,
    HangUp,
    HeldBy,
    Hold,
    Reason,
    Resume,
    Trouble,
    Update,
)
from applet.sdp.description import parse_sdp
from applet.sip.message import Request, Response
from tests.calls.scenes import PBX, connected, dialled, direction, ended, held, media, rang_in
from tests.support.pbx import Pbx
from tests.support.street import House, Street

TAKES = "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"
DEMANDS = "Require: 100rel"
Rung = tuple[Street, House, Pbx, Response]


def rung(*headers: str, body: bool = True, status: int = 183) -> Rung:
    """They call and know PRACK; the phone has told `status` reliably."""
    street = Street()
    phone = House(street, "10.0.0.1")
    pbx = Pbx(street, PBX)
    pbx.invite(phone.sip, pbx.sdp() if body else b"", headers=headers)
    street.run(0.1)
    if status == 183:
        _prove(pbx, pbx.responses(180)[0], 2)
        phone.do(Answer(1, 183))
        street.run(0.1)
    return street, phone, pbx, pbx.responses(status)[0]


def _prove(pbx: Pbx, response: Response, cseq: int, body: bytes = b"") -> None:
    rack = (f"RAck: {response.header('RSeq')} 1 INVITE",)
    pbx.follow_up("PRACK", response, cseq, body, headers=rack)
    pbx.street.run(0.1)


def _reliably(number: int) -> tuple[str, ...]:
    return (DEMANDS, f"RSeq: {number}", TAKES)


def _port(message: Request | Response) -> int:
    return parse_sdp(message.body).media[0].port


# --- we are called


def test_early_media_that_is_proved_is_the_answer_and_the_200_carries_none() -> None:
    street, phone, pbx, early = rung("Supported: 100rel")
    assert phone.state() is CallState.EARLY and early.body
    phone.do(Answer(1))
    street.run(0.1)
    assert not pbx.responses(200)
    _prove(pbx, early, 3)
    (ok,) = pbx.responses(200)
    assert ok.body == b""
    pbx.follow_up("ACK", ok, 1)
    street.run(0.5)
    assert phone.state() is CallState.CONNECTED
    assert pbx.rtp


def test_a_call_without_an_offer_that_demands_prack_is_offered_with_the_ringing() -> None:
    street, phone, pbx, ringing = rung(DEMANDS, body=False, status=180)
    assert direction(ringing) == "sendrecv"
    _prove(pbx, ringing, 2, pbx.sdp(port=30010))
    assert media(phone).remote == f"{PBX}:30010"
    phone.do(Answer(1))
    street.run(0.1)
    (ok,) = pbx.responses(200)
    assert ok.body == b""
    pbx.follow_up("ACK", ok, 1)
    street.run(0.3)
    assert phone.state() is CallState.CONNECTED


def test_early_media_without_an_offer_of_theirs_is_offered_where_prack_is_known() -> None:
    street, phone, pbx = rang_in(b"")
    phone.do(HangUp(0))
    street, phone, pbx, _ = rung("Supported: 100rel", body=False, status=180)
    phone.do(Answer(1, 183))
    street.run(0.1)
    early = pbx.responses(183)[0]
    assert direction(early) == "sendrecv"
    _prove(pbx, early, 2, pbx.sdp())
    phone.do(Answer(1))
    street.run(0.1)
    pbx.follow_up("ACK", pbx.responses(200)[0], 1)
    street.run(0.3)
    assert phone.state() is CallState.CONNECTED


@pytest.mark.parametrize("body", [b"", b"no sdp"])
def test_a_prack_without_a_usable_answer_to_our_offer_ends_the_call(body: bytes) -> None:
    street, phone, pbx, ringing = rung(DEMANDS, body=False, status=180)
    _prove(pbx, ringing, 2, body)
    street.run(0.2)
    assert ended(phone) == (Reason.NO_COMMON_CODEC, 488)
    assert pbx.responses(488)


def test_their_offer_in_prack_is_answered_in_its_200() -> None:
    street, phone, pbx, early = rung("Supported: 100rel")
    _prove(pbx, early, 3, pbx.sdp("a=sendonly", port=30020))
    (ok,) = pbx.responses(200, "PRACK")[1:]
    assert direction(ok) == "recvonly"
    assert media(phone).remote == f"{PBX}:30020"


def test_no_prack_for_the_early_media_ends_the_call_with_a_plain_reason() -> None:
    street, phone, pbx, early = rung("Supported: 100rel")
    street.run(40)
    assert ended(phone) == (Reason.SERVER_SILENT, 504)
    assert pbx.responses(504)
    street.run(40)
    assert phone.is_empty()


def test_their_update_before_our_answer_moves_the_early_media() -> None:
    street, phone, pbx, early = rung("Supported: 100rel", TAKES)
    _prove(pbx, early, 3)
    pbx.follow_up("UPDATE", early, 4, pbx.sdp(port=30020))
    street.run(0.1)
    assert pbx.responses(200, "UPDATE")[0].body
    assert media(phone).remote == f"{PBX}:30020"


def test_our_update_before_our_answer() -> None:
    street, phone, pbx, early = rung("Supported: 100rel", TAKES)
    phone.do(Update(0))
    assert phone.last(Trouble) == Trouble(1, Reason.NO_UPDATE, ""), "its PRACK has not come"
    _prove(pbx, early, 3)
    phone.do(Update(0))
    update = pbx.wait_for("UPDATE")
    assert _port(update) == _port(early)
    pbx.answer(update, 200, pbx.sdp(port=30020))
    street.run(0.1)
    assert media(phone).remote == f"{PBX}:30020"


# --- we call


def test_a_reliable_answer_is_proved_and_what_the_200_says_is_no_answer() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 183, pbx.sdp(port=30010), headers=_reliably(1))
    pbx.wait_for("PRACK")
    assert phone.state() is CallState.EARLY
    pbx.answer(invite, 200, pbx.sdp(port=30999))
    street.run(0.3)
    assert phone.state() is CallState.CONNECTED
    assert media(phone).remote == f"{PBX}:30010"


def test_a_reliable_answer_that_cannot_be_used_ends_the_call_when_it_is_answered() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 183, b"no sdp", headers=_reliably(1))
    street.run(0.1)
    pbx.ask("UPDATE", invite, 9, pbx.sdp(), headers=(TAKES,))
    street.run(0.1)
    assert pbx.responses(488, "UPDATE")
    pbx.answer(invite, 200)
    street.run(0.3)
    assert ended(phone)[0] is Reason.NO_COMMON_CODEC


def test_of_several_branches_the_last_that_spoke_is_heard_and_the_winner_counts() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 183, pbx.sdp(port=30010), tag="one", headers=_reliably(1))
    pbx.answer(invite, 183, pbx.sdp(port=30020), tag="two", headers=_reliably(1))
    street.run(0.1)
    assert media(phone).remote == f"{PBX}:30020"
    pbx.ask("UPDATE", invite, 9, pbx.sdp(port=30012), tag="one", headers=(TAKES,))
    street.run(0.1)
    assert media(phone).remote == f"{PBX}:30012"
    assert pbx.responses(200, "UPDATE")
    pbx.answer(invite, 200, tag="two")
    street.run(0.3)
    assert media(phone).remote == f"{PBX}:30020"
    assert phone.state() is CallState.CONNECTED


def test_a_branch_that_speaks_again_is_heard_again_and_one_that_corrects_itself_too() -> None:
    street, phone, pbx, invite = dialled()
    for tag, port in (("one", 30010), ("two", 30020), ("one", 30010), ("one", 30014)):
        pbx.answer(invite, 183, pbx.sdp(port=port).replace(b"o=- 1 ", b"o=- 7 "), tag=tag)
        street.run(0.1)
        assert media(phone).remote == f"{PBX}:{port}"


def test_no_more_than_sixteen_branches_are_listened_to() -> None:
    street, phone, pbx, invite = dialled()
    for number in range(20):
        pbx.answer(invite, 183, pbx.sdp(port=30100 + 2 * number), tag=f"branch{number}")
        street.run(0.1)
    assert media(phone).remote == f"{PBX}:30130"


def test_an_offer_in_an_early_update_that_cannot_be_used_is_refused() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 183, pbx.sdp(port=30010), headers=_reliably(1))
    street.run(0.1)
    pbx.ask("UPDATE", invite, 9, b"no sdp", headers=(TAKES,))
    street.run(0.1)
    assert pbx.responses(488, "UPDATE")
    assert media(phone).remote == f"{PBX}:30010"


def test_our_update_before_their_answer_goes_to_the_branch_that_is_heard() -> None:
    street, phone, pbx, invite = dialled()
    phone.do(Update(0))
    assert phone.last(Trouble) == Trouble(1, Reason.NO_UPDATE, "")
    pbx.answer(invite, 183, pbx.sdp(port=30010), tag="one", headers=_reliably(1))
    pbx.answer(invite, 183, pbx.sdp(port=30020), tag="two", headers=_reliably(1))
    street.run(0.1)
    phone.do(Update(0))
    update = pbx.wait_for("UPDATE")
    assert update.to.tag == "two"
    pbx.answer(update, 200, pbx.sdp(port=30022))
    street.run(0.1)
    assert media(phone).remote == f"{PBX}:30022"
    pbx.answer(invite, 200, tag="two")
    street.run(0.3)
    assert media(phone).remote == f"{PBX}:30022"


def test_an_update_to_a_branch_that_loses_stands_in_nobodys_way() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 183, pbx.sdp(port=30010), tag="one", headers=_reliably(1))
    street.run(0.1)
    phone.do(Update(0))
    pbx.wait_for("UPDATE")
    pbx.answer(invite, 200, pbx.sdp(port=30020), tag="two")
    street.run(0.3)
    phone.do(Hold(0))
    assert direction(pbx.wait_for("INVITE", 2)) == "inactive"


# --- in the call


def test_fault_10_their_hold_by_update_is_understood_and_answered() -> None:
    street, phone, pbx, invite = connected()
    pbx.ask("UPDATE", invite, 10, pbx.sdp("a=sendonly"), headers=(TAKES,))
    street.run(0.2)
    assert direction(pbx.responses(200, "UPDATE")[0]) == "recvonly"
    assert held(phone) == (HeldBy.THEM, False)
    assert phone.state() is CallState.ON_HOLD
    pbx.ask("UPDATE", invite, 11, pbx.sdp(), headers=(TAKES,))
    street.run(0.2)
    assert held(phone) == (HeldBy.NONE, False)


def test_our_update_in_the_call_repeats_what_is_agreed() -> None:
    street, phone, pbx, invite = connected()
    phone.do(Update(0))
    assert phone.last(Trouble) == Trouble(1, Reason.NO_UPDATE, "")
    pbx.ask("UPDATE", invite, 10, headers=(TAKES,))
    street.run(0.2)
    phone.do(Update(0))
    update = pbx.wait_for("UPDATE")
    assert parse_sdp(update.body) == parse_sdp(invite.body)
    phone.do(Hold(0))
    street.run(0.1)
    assert len(pbx.requests("INVITE")) == 1, "one offer at a time"
    pbx.answer(update, 200, pbx.sdp())
    assert direction(pbx.wait_for("INVITE", 2)) == "inactive"


def test_an_update_that_is_refused_leaves_the_call_as_it_was() -> None:
    street, phone, pbx, invite = connected()
    pbx.ask("UPDATE", invite, 10, headers=(TAKES,))
    street.run(0.2)
    phone.do(Update(0))
    pbx.answer(pbx.wait_for("UPDATE"), 504)
    street.run(0.2)
    assert phone.state() is CallState.CONNECTED
    phone.do(Hold(0))
    assert pbx.wait_for("INVITE", 2)


# --- session timers


def _timed(*headers: str) -> tuple[Street, House, Pbx, Request]:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 200, pbx.sdp(), headers=headers)
    pbx.wait_for("ACK")
    return street, phone, pbx, invite


def test_a_session_is_refreshed_by_update_and_goes_on() -> None:
    street, phone, pbx, invite = _timed("Session-Expires: 90;refresher=uac", TAKES)
    for count in (1, 2, 3):
        update = pbx.wait_for("UPDATE", count, limit=46)
        assert not update.body
        pbx.answer(update, 200, headers=("Session-Expires: 90;refresher=uac",))
    assert phone.state() is CallState.CONNECTED


@pytest.mark.parametrize("on_hold", [False, True])
def test_a_session_is_refreshed_by_reinvite_with_what_is_agreed(on_hold: bool) -> None:
    street, phone, pbx, invite = _timed("Session-Expires: 90;refresher=uac")
    timer = ("Session-Expires: 90;refresher=uac",)
    if on_hold:
        phone.do(Hold(0))
        pbx.answer(pbx.wait_for("INVITE", 2), 200, pbx.sdp("a=inactive"), headers=timer)
    before = len(pbx.requests("INVITE"))
    refresh = pbx.wait_for("INVITE", before + 1, limit=50)
    assert direction(refresh) == ("inactive" if on_hold else "sendrecv")
    assert parse_sdp(refresh.body) == parse_sdp(pbx.requests("INVITE")[before - 1].body)
    pbx.answer(refresh, 200, pbx.sdp("a=inactive") if on_hold else pbx.sdp(), headers=timer)
    street.run(44)
    assert phone.state() is (CallState.ON_HOLD if on_hold else CallState.CONNECTED)


def test_hold_and_resume_during_a_session_refresh() -> None:
    street, phone, pbx, invite = _timed("Session-Expires: 90;refresher=uac")
    timer = ("Session-Expires: 90;refresher=uac",)
    refresh = pbx.wait_for("INVITE", 2, limit=50)
    phone.do(Hold(0))
    phone.do(Resume(0))
    phone.do(Hold(0))
    pbx.answer(refresh, 200, pbx.sdp(), headers=timer)
    hold = pbx.wait_for("INVITE", 3)
    assert direction(hold) == "inactive"
    pbx.answer(hold, 200, pbx.sdp("a=inactive"), headers=timer)
    street.run(1)
    assert held(phone) == (HeldBy.US, False)


def test_a_side_that_has_gone_without_a_word_ends_the_call() -> None:
    street, phone, pbx, invite = _timed("Session-Expires: 90;refresher=uas")
    street.run(61)
    assert ended(phone)[0] is Reason.LOST
    assert pbx.requests("BYE")


def test_switched_off_nothing_of_it_is_said() -> None:
    config = PhoneConfig(reliable="off", session_timer="off", other_addresses=True)
    _, _, _, invite = dialled(config)
    assert "100rel" not in invite.supported and not invite.header("Session-Expires")


def test_a_provisional_response_that_says_nothing_new_shows_nothing_new() -> None:
    street, phone, pbx, invite = dialled()
    for status in (183, 180, 180, 181):
        pbx.answer(invite, status)
        street.run(0.1)
    assert phone.states() == [CallState.DIALLING, CallState.RINGING]
