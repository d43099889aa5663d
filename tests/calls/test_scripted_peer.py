"""One phone against a peer that does what real systems do: early media, forks, odd answers."""

import pytest

from applet.media.tones import Tone
from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    Dial,
    HangUp,
    IncomingCall,
    Reason,
    Statistics,
)
from applet.phone.orders import OpenMicrophone, PlayTone
from tests.calls.scenes import (
    PBX,
    PHONE,
    connected,
    dialled,
    ended,
    media,
    rang_in,
)
from tests.support.pbx import Pbx
from tests.support.street import House, Street

# --- before the answer


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, Reason.NOT_FOUND), (480, Reason.UNAVAILABLE), (486, Reason.BUSY),
     (503, Reason.SERVER_TROUBLE), (600, Reason.BUSY), (603, Reason.DECLINED)],
)  # fmt: skip
def test_every_refusal_ends_the_call_with_its_reason(status: int, reason: Reason) -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, status)
    street.run(1)
    assert ended(phone) == (reason, status)
    assert len(pbx.requests("ACK")) == 1
    street.run(40)
    assert phone.is_empty()


def test_fault_10_early_media_is_heard_and_the_microphone_stays_shut() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 180)
    street.run(0.5)
    assert phone.state() is CallState.RINGING
    assert phone.orders[-1] == PlayTone(1, Tone.RINGBACK)
    pbx.answer(invite, 183, pbx.sdp())
    street.run(0.5)
    assert phone.state() is CallState.EARLY
    assert [order for order in phone.orders if isinstance(order, PlayTone)][-1].tone is None
    assert not [order for order in phone.orders if isinstance(order, OpenMicrophone)]
    silence = {data[12:] for _, data in pbx.rtp if len(data) == 172}
    assert silence <= {b"\xff" * 160, b"\x7f" * 160}, "only silence leaves before the answer"
    pbx.answer(invite, 200, pbx.sdp())
    street.run(0.5)
    assert phone.state() is CallState.CONNECTED
    assert {data[12:] for _, data in pbx.rtp[-10:]}.isdisjoint(silence)


def test_the_answer_may_have_come_with_the_183_only() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 183, pbx.sdp())
    street.run(0.1)
    pbx.answer(invite, 200)
    street.run(0.3)
    assert phone.state() is CallState.CONNECTED


def test_a_fork_with_two_answers_keeps_the_first_and_ends_the_second() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 183, pbx.sdp(port=30000), tag="one")
    pbx.answer(invite, 183, pbx.sdp(port=30002), tag="two")
    pbx.answer(invite, 183, pbx.sdp(port=30002), tag="two")
    street.run(0.1)
    assert media(phone).remote == f"{PBX}:30002"
    pbx.answer(invite, 200, pbx.sdp(port=30000), tag="one")
    pbx.answer(invite, 200, pbx.sdp(port=30002), tag="two")
    street.run(0.5)
    assert media(phone).remote == f"{PBX}:30000"
    assert {ack.to.tag for ack in pbx.requests("ACK")} == {"one", "two"}
    assert [bye.to.tag for bye in pbx.requests("BYE")] == ["two"]
    assert phone.state() is CallState.CONNECTED


def test_an_unusable_early_answer_changes_nothing_and_an_unusable_200_ends_the_call() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 183, b"this is no sdp")
    street.run(0.1)
    assert phone.state() is CallState.DIALLING
    pbx.answer(invite, 200, b"this is no sdp")
    street.run(1)
    assert ended(phone)[0] is Reason.NO_COMMON_CODEC
    assert len(pbx.requests("ACK")) == len(pbx.requests("BYE")) == 1


def test_fault_04_a_200_without_sdp_is_acknowledged_and_ended() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 200)
    street.run(1)
    assert len(pbx.requests("ACK")) == len(pbx.requests("BYE")) == 1
    assert ended(phone)[0] is Reason.NO_COMMON_CODEC


def test_a_200_that_comes_again_is_acknowledged_again() -> None:
    street, phone, pbx, invite = connected()
    for _ in range(3):
        pbx.answer(invite, 200, pbx.sdp())
    street.run(0.5)
    assert len(pbx.requests("ACK")) == 4
    assert phone.state() is CallState.CONNECTED


def test_ringing_without_an_answer_ends_after_three_minutes_with_a_cancel() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 180)
    street.run(179)
    assert phone.state() is CallState.RINGING
    street.run(2)
    assert len(pbx.requests("CANCEL")) == 1 or street.requests("CANCEL")
    assert ended(phone)[0] is Reason.NO_ANSWER
    street.run(60)
    assert phone.is_empty()


def test_a_wrong_password_is_one_clear_failure() -> None:
    config = PhoneConfig(desk=f"sip:desk@{PBX}", user="u", password="wrong")
    street, phone, pbx, invite = dialled(config)
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="n{}", algorithm=SHA-256, qop="auth"'
    pbx.answer(invite, 401, headers=(challenge.format(1),))
    again = pbx.wait_for("INVITE", 2)
    assert "response=" in (again.header("Authorization") or "")
    pbx.answer(again, 401, headers=(challenge.format(2),))
    street.run(5)
    assert ended(phone) == (Reason.WRONG_CREDENTIALS, 401)
    assert len(pbx.requests("INVITE")) == 2


def test_fault_08_a_proxy_challenge_is_answered_and_its_ack_stays_in_its_own_header() -> None:
    config = PhoneConfig(desk=f"sip:desk@{PBX}", user="u", password="p")
    street, phone, pbx, invite = dialled(config)
    pbx.answer(invite, 407, headers=('Proxy-Authenticate: Digest realm="r", nonce="n"',))
    again = pbx.wait_for("INVITE", 2)
    assert "response=" in (again.header("Proxy-Authorization") or "")
    pbx.answer(again, 200, pbx.sdp())
    street.run(0.5)
    assert phone.state() is CallState.CONNECTED
    assert not any(ack.header("Authorization") for ack in pbx.requests("ACK"))


def test_without_an_account_a_challenge_is_a_clear_failure() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 401, headers=('WWW-Authenticate: Digest realm="r", nonce="n"',))
    street.run(1)
    assert ended(phone) == (Reason.WRONG_CREDENTIALS, 401)


def test_a_name_that_is_not_found_ends_the_call_plainly() -> None:
    street = Street()
    phone = House(street, PHONE)
    phone.do(Dial("sip:desk@nowhere.invalid", confirmed=True))
    street.run(3)
    assert ended(phone)[0] is Reason.NAME_NOT_FOUND
    assert phone.is_empty()


def test_a_name_is_looked_up_and_a_guest_has_no_address_of_his_own() -> None:
    street = Street()
    phone, pbx = House(street, PHONE), Pbx(street, PBX)
    phone.names["desk.example"] = (pbx.sip,)
    phone.do(Dial("sip:desk@desk.example", confirmed=True))
    invite = pbx.wait_for("INVITE")
    assert f"@{PHONE}:" in (invite.header("Contact") or "")
    pbx.answer(invite, 200, pbx.sdp())
    street.run(0.3)
    assert phone.state() is CallState.CONNECTED


def test_our_invite_stays_under_1200_bytes() -> None:
    street, phone, pbx, invite = dialled(
        PhoneConfig(
            user_agent="Call Support for a company with a long name/1.0.0",
            display_name="Call Support for a company with a long name",
            user="customer-with-a-long-name",
            identity="sip:customer-with-a-long-name@telephone-system.example.com",
            other_addresses=True,
        )
    )
    assert len(bytes(invite)) < 1200


# --- their re-INVITE


def test_an_offer_that_cannot_be_used_is_refused_and_the_call_goes_on() -> None:
    street, phone, pbx, invite = connected()
    for cseq, body in ((10, b"no sdp"), (11, pbx.sdp().replace(b"AVP 0 101", b"AVP 18"))):
        pbx.ask("INVITE", invite, cseq, body)
        street.run(0.2)
        pbx.ask("ACK", invite, cseq, branch=f"z9hG4bKpbxINVITE{cseq}")
    assert len(pbx.responses(488)) == 2
    assert phone.state() is CallState.CONNECTED


def test_fault_10_an_offerless_reinvite_gets_our_offer_and_is_answered_in_the_ack() -> None:
    street, phone, pbx, invite = connected()
    pbx.ask("INVITE", invite, 10)
    street.run(0.2)
    (answer,) = pbx.responses(200)
    assert b"m=audio" in answer.body
    pbx.ask("ACK", invite, 10, pbx.sdp(port=30004))
    street.run(0.2)
    assert media(phone).remote == f"{PBX}:30004"
    pbx.ask("INVITE", invite, 11)
    street.run(0.2)
    pbx.ask("ACK", invite, 11)
    street.run(0.2)
    assert phone.state() is CallState.CONNECTED, "an ACK without the answer changes nothing"


def test_a_new_address_in_a_reinvite_is_where_our_voice_goes() -> None:
    street, phone, pbx, invite = connected()
    pbx.ask("INVITE", invite, 10, pbx.sdp(port=30006))
    street.run(0.2)
    pbx.ask("ACK", invite, 10)
    street.run(0.5)
    targets = [target for _, data, source, target in street.sent[-10:] if source.port == 20000]
    assert {target.port for target in targets} == {30006}


# --- a call from them


def test_fault_07_the_caller_shown_is_who_calls() -> None:
    _, phone, _ = rang_in()
    call = phone.last(IncomingCall)
    assert isinstance(call, IncomingCall)
    assert (call.caller, call.caller_uri) == ("Alice", f"sip:alice@{PBX}")
    assert phone.state() is CallState.RINGING


def test_an_incoming_call_is_accepted_with_200_and_talks_at_once() -> None:
    street, phone, pbx = rang_in()
    assert pbx.responses(180)
    phone.do(Answer(1))
    street.run(0.5)
    assert phone.state() is CallState.CONNECTED
    assert pbx.rtp


def test_fault_09_a_200_whose_ack_never_comes_is_repeated_and_ended_with_bye() -> None:
    street, phone, pbx = rang_in()
    phone.do(Answer(1))
    start = street.now
    street.run(40)
    times = [round(at - start - 0.01, 3) for at, m in pbx.got if m in pbx.responses(200)]
    assert times == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert ended(phone)[0] is Reason.LOST
    assert pbx.requests("BYE")
    street.run(40)
    assert phone.is_empty()


def test_fault_10_an_offerless_call_gets_our_offer_in_the_200_and_the_answer_in_the_ack() -> None:
    street, phone, pbx = rang_in(b"")
    phone.do(Answer(1))
    street.run(0.2)
    (ok,) = pbx.responses(200)
    assert b"m=audio" in ok.body
    pbx.follow_up("ACK", ok, 1, pbx.sdp())
    street.run(0.5)
    assert phone.state() is CallState.CONNECTED
    assert pbx.rtp


@pytest.mark.parametrize("body", [b"", b"no sdp"])
def test_an_offerless_call_whose_ack_has_no_usable_answer_ends(body: bytes) -> None:
    street, phone, pbx = rang_in(b"")
    phone.do(Answer(1))
    street.run(0.2)
    pbx.follow_up("ACK", pbx.responses(200)[0], 1, body)
    street.run(0.5)
    assert ended(phone)[0] is Reason.NO_COMMON_CODEC
    assert pbx.requests("BYE")


def test_a_call_that_offers_nothing_we_can_do_is_refused_before_anything_rings() -> None:
    street = Street()
    phone, pbx = House(street, PHONE), Pbx(street, PBX)
    pbx.invite(phone.sip, pbx.sdp().replace(b"AVP 0 101", b"AVP 18"))
    street.run(0.5)
    assert pbx.responses(488)[0].header("Warning") == '305 call-support "Incompatible media format"'
    assert not phone.seen(IncomingCall)
    assert not pbx.responses(180)


def test_early_media_of_ours_has_the_same_answer_as_the_200() -> None:
    street, phone, pbx = rang_in()
    phone.do(Answer(1, 183))
    street.run(0.2)
    assert phone.state() is CallState.EARLY
    phone.do(Answer(1))
    street.run(0.2)
    assert pbx.responses(183)[0].body == pbx.responses(200)[0].body


def test_183_for_an_offerless_call_only_rings() -> None:
    street, phone, pbx = rang_in(b"")
    phone.do(Answer(1, 183))
    phone.do(Answer(1, 180))
    street.run(0.2)
    assert len(pbx.responses(180)) >= 2


@pytest.mark.parametrize(
    ("headers", "reason"),
    [((), Reason.CALLER_GAVE_UP),
     (('Reason: SIP ;cause=200 ;text="Call completed elsewhere"',), Reason.ANSWERED_ELSEWHERE)],
)  # fmt: skip
def test_a_caller_who_gives_up_is_told_apart_from_another_phone(
    headers: tuple[str, ...], reason: Reason
) -> None:
    street, phone, pbx = rang_in()
    pbx.cancel(headers=headers)
    street.run(0.5)
    assert ended(phone)[0] is reason
    assert pbx.responses(487)


@pytest.mark.parametrize("answer", [180, 183, 200, 486])
def test_an_automatic_answer_does_what_it_was_told(answer: int) -> None:
    street = Street()
    phone = House(street, PHONE, PhoneConfig(answer=answer))
    pbx = Pbx(street, PBX)
    pbx.invite(phone.sip, pbx.sdp())
    street.run(0.5)
    assert pbx.responses(answer)


def test_scanners_are_let_through_so_often_only() -> None:
    street = Street()
    phone = House(street, PHONE, PhoneConfig(strangers_per_minute=2))
    pbx = Pbx(street, PBX)
    for number in range(4):
        pbx.invite(phone.sip, pbx.sdp(), tag=f"scan{number}")
        street.run(0.2)
        phone.do(HangUp(0))
        street.run(0.2)
    assert len(phone.seen(IncomingCall)) == 2
    assert len(pbx.responses(486)) == 2


def test_a_peer_that_vanishes_is_noticed_at_the_hang_up_and_nothing_is_left() -> None:
    street, phone, pbx, _ = connected()
    del street.residents[PBX]
    phone.do(HangUp(0))
    assert ended(phone)[0] is Reason.HUNG_UP_HERE
    street.run(40)
    assert phone.is_empty()
    assert len(street.requests("BYE")) == 11


def test_an_end_is_told_even_if_the_next_call_comes_while_the_last_numbers_are_counted() -> None:
    street = Street()
    phone = House(street, PHONE, PhoneConfig(answer=200), counting=0.05)
    pbx = Pbx(street, PBX)
    pbx.invite(phone.sip, pbx.sdp(), tag="one")
    street.run(0.2)
    pbx.follow_up("BYE", pbx.responses(200)[-1], 2)
    pbx.invite(phone.sip, pbx.sdp(), tag="two")
    street.run(0.3)
    told = [event for _, event in phone.events if getattr(event, "call", 0) == 1]
    assert [type(event) for event in told[-2:]] == [Statistics, CallStateChanged]
    assert phone.states().count(CallState.ENDED) == 1


def test_a_call_without_any_medium_gets_its_sound_when_somebody_brings_it() -> None:
    """RFC 3725 flow IV, RFC 4317 section 5.1: one who connects two others asks them first."""
    street = Street()
    phone = House(street, PHONE, PhoneConfig(answer=200))
    pbx = Pbx(street, PBX)
    pbx.invite(phone.sip, pbx.sdp().partition(b"m=")[0])
    street.run(0.3)
    (answer,) = pbx.responses(200)
    assert answer.body and b"m=" not in answer.body
    pbx.follow_up("ACK", answer, 1)
    street.run(1)
    assert phone.state() is CallState.ON_HOLD and not pbx.rtp
    pbx.follow_up("INVITE", answer, 2, pbx.sdp())
    street.run(0.2)
    pbx.follow_up("ACK", answer, 2)
    street.run(1)
    assert phone.state() is CallState.CONNECTED and len(pbx.rtp) > 40
    phone.do(HangUp(0))
    street.run(40)
    assert phone.is_empty()


def test_an_answer_without_any_medium_ends_the_call_politely() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 200, pbx.sdp().partition(b"m=")[0])
    street.run(1)
    assert ended(phone)[0] is Reason.NO_COMMON_CODEC
    assert len(pbx.requests("ACK")) == 1 and len(pbx.requests("BYE")) == 1
    street.run(40)
    assert phone.is_empty()


def test_a_reinvite_without_any_medium_leaves_the_call_as_it_was() -> None:
    street, phone, pbx, invite = connected()
    pbx.ask("INVITE", invite, 2, pbx.sdp().partition(b"m=")[0])
    street.run(1)
    assert len(pbx.responses(488)) == 1
    assert phone.state() is CallState.CONNECTED
