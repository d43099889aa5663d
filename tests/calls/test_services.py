"""Beside calls, between a whole phone and a scripted server: keys, text, waiting messages, who
calls, picking up, and why a call ended."""

from itertools import count, pairwise

import pytest

from applet.media.tones import Tone
from applet.phone.account import Account
from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    DigitReceived,
    DigitSent,
    HangUp,
    Hold,
    IncomingCall,
    MessagesWaiting,
    MuteChanged,
    Quit,
    Reason,
    Register,
    SendDigits,
    SendMessage,
    TextReceived,
    Trouble,
)
from applet.phone.orders import OpenMedia, PlayTone, SendMediaDigits
from applet.sip.message import Request, Response
from tests.calls.scenes import PBX, PHONE, connected, dialled
from tests.support.pbx import Pbx
from tests.support.street import House, Street

_branches = count(1)
ACCOUNT = PhoneConfig(
    user="u", identity=f"sip:u@{PBX}", registrar=f"sip:{PBX}", other_addresses=True
)


def scene(config: PhoneConfig | None = None) -> tuple[Street, House, Pbx]:
    street = Street()
    phone = House(street, PHONE, config)
    pbx = Pbx(street, PBX)
    pbx.phone = phone.sip
    return street, phone, pbx


def say(
    pbx: Pbx,
    method: str,
    *headers: str,
    body: str = "",
    from_: str = "",
    to_tag: str = "",
    call_id: str = "",
    cseq: int = 1,
) -> Response:
    """`pbx` says something to the phone, inside a dialog if there is a `to_tag`; the answer."""
    number = next(_branches)
    lines = [
        f"{method} sip:you@{PHONE} SIP/2.0",
        f"Via: SIP/2.0/UDP {pbx.sip};branch=z9hG4bKsay{number}",
        "Max-Forwards: 70",
        f"From: {from_ or f'<sip:pbx@{pbx.host}>;tag=s{number}'}",
        f"To: <sip:you@{PHONE}>" + (f";tag={to_tag}" if to_tag else ""),
        f"Call-ID: {call_id or f'say-{number}'}",
        f"CSeq: {cseq} {method}",
        f"Contact: <sip:pbx@{pbx.sip}>",
        *headers,
        f"Content-Length: {len(body.encode())}",
        "",
        body,
    ]
    pbx.street.send("\r\n".join(lines).encode(), pbx.sip, pbx.phone)
    before = len(pbx.got)

    def answers() -> list[Response]:
        return [
            message
            for _, message in pbx.got[before:]
            if isinstance(message, Response) and message.cseq.method == method
        ]

    assert pbx.street.run_until(lambda: bool(answers()), 5)
    return answers()[0]


def in_call(pbx: Pbx, invite: Request, method: str, *headers: str, body: str, cseq: int) -> int:
    """The status that the phone answers with, inside the call that its INVITE made."""
    answer = say(
        pbx,
        method,
        *headers,
        body=body,
        from_=f"{invite.header('To')};tag=pbx",
        to_tag=invite.from_.tag or "",
        call_id=invite.call_id,
        cseq=cseq,
    )
    return answer.status


# --- keys


def _without_events(pbx: Pbx) -> bytes:
    body = pbx.sdp().replace(b" 101", b"", 1)
    return body.replace(b"a=rtpmap:101 telephone-event/8000\r\n", b"")


def _talking_without_events(*headers: str) -> tuple[Street, House, Pbx]:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 200, _without_events(pbx), headers=headers)
    street.run(0.3)
    assert phone.state() is CallState.CONNECTED
    return street, phone, pbx


def test_keys_go_as_telephone_events_where_both_agreed_on_them() -> None:
    street, phone, pbx, _ = connected()
    phone.do(SendDigits(0, "1#"))
    street.run(1)
    assert phone.seen(DigitSent) == [DigitSent(1, "1"), DigitSent(1, "#")]
    assert not pbx.requests("INFO")
    assert {data[1] & 127 for _, data in pbx.rtp} == {0, 101}


def test_without_them_keys_go_by_info_one_after_the_other() -> None:
    street, phone, pbx = _talking_without_events("Allow: INVITE, ACK, BYE, INFO")
    phone.do(SendDigits(0, "12"))
    phone.do(SendDigits(0, "3"))
    for number, digit in enumerate("123", start=1):
        info = pbx.wait_for("INFO", number)
        street.run(0.3)
        assert len(pbx.requests("INFO")) == number
        assert info.body.startswith(f"Signal={digit}\r\n".encode())
        pbx.answer(info, 200)
    street.run(0.3)
    assert phone.seen(DigitSent) == [DigitSent(1, digit) for digit in "123"]
    assert len(pbx.requests("INFO")) == 3


@pytest.mark.parametrize("allow", ["", "Allow: INVITE, ACK, BYE"])
def test_without_either_they_go_as_tones_in_the_sound(allow: str) -> None:
    street, phone, pbx = _talking_without_events(*([allow] if allow else []))
    phone.do(SendDigits(0, "5D"))
    street.run(0.6)
    assert phone.seen(DigitSent) == [DigitSent(1, "5"), DigitSent(1, "D")]
    assert not pbx.requests("INFO")


def test_where_info_is_refused_the_rest_goes_as_tones() -> None:
    street, phone, pbx = _talking_without_events("Allow: INFO")
    phone.do(SendDigits(0, "12"))
    pbx.answer(pbx.wait_for("INFO"), 415)
    street.run(0.6)
    assert phone.seen(DigitSent) == [DigitSent(1, "1"), DigitSent(1, "2")]
    phone.do(SendDigits(0, "3"))
    street.run(0.6)
    assert len(pbx.requests("INFO")) == 1
    sent = [order for order in phone.orders if isinstance(order, SendMediaDigits)]
    assert sent == [SendMediaDigits(1, "12", True), SendMediaDigits(1, "3", True)]


def test_an_answer_to_info_after_the_call_changes_nothing() -> None:
    street, phone, pbx = _talking_without_events("Allow: INFO")
    phone.do(SendDigits(0, "1"))
    info = pbx.wait_for("INFO")
    phone.do(HangUp(0))
    street.run(0.5)
    pbx.answer(info, 200)
    street.run(40)
    assert phone.is_empty() and not phone.seen(DigitSent)


@pytest.mark.parametrize("digits", ["", "1x", "é"])
def test_what_is_no_key_is_said(digits: str) -> None:
    _, phone, _, _ = connected()
    phone.do(SendDigits(0, digits))
    assert phone.last(Trouble) == Trouble(1, Reason.NO_DIGITS, "")


def test_keys_without_a_call_or_before_the_answer_are_said() -> None:
    street, phone, pbx = scene()
    phone.do(SendDigits(0, "1"))
    assert phone.last(Trouble) == Trouble(0, Reason.NO_SUCH_CALL, "")
    _, phone, _, _ = dialled()
    phone.do(SendDigits(0, "1"))
    assert phone.last(Trouble) == Trouble(1, Reason.NO_DIGITS, "")


def test_keys_that_come_by_info_are_told() -> None:
    street, phone, pbx, invite = connected()
    relay = "Content-Type: application/dtmf-relay"
    body = "Signal=7\r\nDuration=100\r\n"
    assert in_call(pbx, invite, "INFO", relay, body=body, cseq=10) == 200
    assert phone.seen(DigitReceived) == [DigitReceived(1, "7")]


# --- text


def _text(pbx: Pbx, text: str, *, from_: str = "") -> int:
    plain = "Content-Type: text/plain;charset=utf-8"
    return say(pbx, "MESSAGE", plain, body=text, from_=from_).status


def test_a_message_is_told_as_one_plain_line() -> None:
    _, phone, pbx = scene()
    sender = f'"Des\x01k" <sip:desk@{PBX}>;tag=1'
    assert _text(pbx, "Hello\r\n\x1b[31m\u202eworld", from_=sender) == 200
    assert phone.seen(TextReceived) == [TextReceived("Desk", f"sip:desk@{PBX}", "Hello [31mworld")]


def test_an_empty_message_is_taken_and_not_told() -> None:
    _, phone, pbx = scene()
    assert _text(pbx, "\x00 \r\n") == 200
    assert not phone.seen(TextReceived)


def test_a_phone_that_is_not_to_be_called_takes_text_in_a_call_only() -> None:
    street, phone, pbx, invite = dialled(PhoneConfig(incoming=False, other_addresses=True))
    pbx.answer(invite, 200, pbx.sdp())
    street.run(0.3)
    assert _text(pbx, "spam") == 480
    plain = "Content-Type: text/plain"
    assert in_call(pbx, invite, "MESSAGE", plain, body="hi", cseq=10) == 200
    assert [event.text for _, event in phone.events if isinstance(event, TextReceived)] == ["hi"]


def test_strangers_send_no_more_than_the_limit() -> None:
    _, phone, pbx = scene(PhoneConfig(strangers_per_minute=2))
    assert [_text(pbx, "x") for _ in range(3)] == [200, 200, 486]


@pytest.mark.parametrize("status", [202, 403])
def test_a_message_of_ours_goes_out_and_a_refusal_is_said(status: int) -> None:
    street, phone, pbx = scene(PhoneConfig(other_addresses=True))
    phone.do(SendMessage(f"sip:desk@{PBX}", "Hello there", confirmed=True))
    pbx.answer(pbx.wait_for("MESSAGE"), status)
    street.run(0.3)
    assert pbx.requests("MESSAGE")[0].body == b"Hello there"
    refused = [Trouble(0, Reason.MESSAGE_NOT_SENT, "")]
    assert phone.seen(Trouble) == (refused if status > 299 else [])


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (SendMessage(f"sip:x@{PBX}", "x"), Reason.OTHER_ADDRESS_NOT_ALLOWED),
        (SendMessage(f"sip:x@{PBX}", "", True), Reason.MESSAGE_NOT_SENT),
        (SendMessage(f"sip:x@{PBX}", "é" * 651, True), Reason.MESSAGE_NOT_SENT),
    ],
)
def test_a_message_that_cannot_be_sent_is_said(command: SendMessage, reason: Reason) -> None:
    _, phone, pbx = scene(PhoneConfig(other_addresses=True))
    phone.do(command)
    assert phone.last(Trouble) == Trouble(0, reason, "")
    assert not pbx.requests("MESSAGE")


# --- waiting messages

SUMMARY = "Event: message-summary"
BODY = "Messages-Waiting: yes\r\nMessage-Account: sip:u@x\r\nVoice-Message: 2/8 (0/2)\r\n"
KIND = "Content-Type: application/simple-message-summary"


def _registered(config: PhoneConfig = ACCOUNT) -> tuple[Street, House, Pbx]:
    street, phone, pbx = scene(config)
    phone.do(Register())
    pbx.answer(pbx.wait_for("REGISTER"), 200, headers=("Expires: 3600",))
    street.run(0.1)
    return street, phone, pbx


def _notify(pbx: Pbx, subscribe: Request, cseq: int, body: str, state: str = "active") -> int:
    headers = (SUMMARY, f"Subscription-State: {state}", KIND)
    answer = say(
        pbx,
        "NOTIFY",
        *headers,
        body=body,
        from_=f"<sip:u@{PBX}>;tag=box",
        to_tag=subscribe.from_.tag or "",
        call_id=subscribe.call_id,
        cseq=cseq,
    )
    return answer.status


def test_a_registered_phone_subscribes_and_tells_each_change_once() -> None:
    street, phone, pbx = _registered()
    street.run(1.5)
    assert not pbx.requests("SUBSCRIBE"), "it waits whether the server tells by itself"
    subscribe = pbx.wait_for("SUBSCRIBE")
    assert str(subscribe.uri) == f"sip:u@{PBX}" and subscribe.header("Event") == "message-summary"
    pbx.answer(subscribe, 200, tag="box", headers=("Expires: 3600",))
    assert _notify(pbx, subscribe, 1, BODY) == 200
    assert _notify(pbx, subscribe, 2, BODY) == 200
    assert _notify(pbx, subscribe, 3, "Messages-Waiting: no\r\n") == 200
    assert _notify(pbx, subscribe, 4, "nonsense") == 200
    assert phone.seen(MessagesWaiting) == [MessagesWaiting(2, 8), MessagesWaiting(0, 0)]


def test_it_ends_the_subscription_when_the_phone_stops() -> None:
    street, phone, pbx = _registered()
    subscribe = pbx.wait_for("SUBSCRIBE")
    pbx.answer(subscribe, 200, tag="box", headers=("Expires: 3600",))
    _notify(pbx, subscribe, 1, BODY)
    phone.do(Quit())
    last = pbx.wait_for("SUBSCRIBE", 2)
    assert last.header("Expires") == "0"
    pbx.answer(last, 200)
    pbx.answer(pbx.wait_for("REGISTER", 2), 200)
    assert not phone.stopped
    _notify(pbx, subscribe, 2, BODY, "terminated;reason=timeout")
    street.run(0.1)
    assert phone.stopped


def test_a_server_that_tells_by_itself_is_not_asked() -> None:
    street, phone, pbx = _registered()
    assert say(pbx, "NOTIFY", SUMMARY, KIND, body=BODY).status == 200
    assert phone.seen(MessagesWaiting) == [MessagesWaiting(2, 8)]
    street.run(10)
    assert not pbx.requests("SUBSCRIBE")


def test_only_the_server_is_believed_where_there_is_one() -> None:
    street, phone, _ = _registered()
    stranger = Pbx(street, "10.0.0.66")
    stranger.phone = phone.sip
    assert say(stranger, "NOTIFY", SUMMARY, KIND, body=BODY).status == 403
    assert not phone.seen(MessagesWaiting)


@pytest.mark.parametrize(("incoming", "status"), [(True, 200), (False, 403)])
def test_without_an_account_whoever_may_call_may_tell(incoming: bool, status: int) -> None:
    _, phone, pbx = scene(PhoneConfig(incoming=incoming))
    assert say(pbx, "NOTIFY", SUMMARY, KIND, body=BODY).status == status
    assert len(phone.seen(MessagesWaiting)) == int(incoming)


def test_a_server_known_by_name_is_trusted_by_the_address_it_was_found_at() -> None:
    config = ACCOUNT._replace(registrar="sip:pbx.example", identity="sip:u@pbx.example")
    street, phone, pbx = scene(config)
    assert say(pbx, "NOTIFY", SUMMARY, KIND, body=BODY).status == 403
    phone.names["pbx.example"] = (pbx.sip,)
    phone.do(Register())
    pbx.answer(pbx.wait_for("REGISTER"), 200)
    street.run(0.1)
    assert say(pbx, "NOTIFY", SUMMARY, KIND, body=BODY).status == 200


def test_a_server_that_has_no_mailboxes_is_not_asked_again() -> None:
    street, _, pbx = _registered()
    pbx.answer(pbx.wait_for("SUBSCRIBE"), 489)
    street.run(300)
    assert len(pbx.requests("SUBSCRIBE")) == 1


def test_a_server_in_trouble_is_asked_again_less_and_less_often() -> None:
    street, _, pbx = _registered()
    times = []
    for number in range(1, 6):
        pbx.answer(pbx.wait_for("SUBSCRIBE", number, limit=4000), 503, headers=("Retry-After: 1",))
        times.append(street.now)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert [round(wait) for wait in waits] == [1, 60, 120, 240]


def test_an_account_without_registrar_subscribes_as_soon_as_it_is_bound() -> None:
    config = PhoneConfig(user="u", password="p", identity=f"sip:u@{PBX}", proxy=f"sip:{PBX}")
    _, _, pbx = scene(config)
    subscribe = pbx.wait_for("SUBSCRIBE")
    assert subscribe.header("Route") == f"<sip:{PBX};lr>"


def test_a_registrar_and_a_user_are_enough_for_a_mailbox() -> None:
    _, _, pbx = _registered(PhoneConfig(user="u", registrar=f"sip:{PBX}"))
    assert str(pbx.wait_for("SUBSCRIBE").uri) == f"sip:u@{PBX}"


@pytest.mark.parametrize(
    ("identity", "registrar", "asked"),
    [
        ("", f"sip:{PBX}:5080;transport=tcp", f"sip:u@{PBX}:5080;transport=tcp"),
        ("sip:me@Pbx.example", "sip:pbx.example:5080", "sip:me@pbx.example:5080"),
        ("sip:me@other.example", "sip:pbx.example:5080", "sip:me@other.example"),
        ("sip:me@pbx.example:5090", "sip:pbx.example:5080", "sip:me@pbx.example:5090"),
        ("sips:me@pbx.example", "sip:pbx.example:5080", "sips:me@pbx.example"),
    ],
)
def test_the_mailbox_is_where_the_registrar_is(identity: str, registrar: str, asked: str) -> None:
    config = PhoneConfig(user="u", password="p", identity=identity, registrar=registrar)
    assert str(Account(config, str).mailbox) == asked


@pytest.mark.parametrize("config", [PhoneConfig(), PhoneConfig(identity=f"sip:u@{PBX}")])
def test_without_an_account_nobody_is_asked(config: PhoneConfig) -> None:
    street, _, pbx = scene(config)
    street.run(10)
    assert not pbx.got


# --- who calls


def _invite(pbx: Pbx, *headers: str) -> None:
    """An INVITE from Alice; the body offers PCMU."""
    body = pbx.sdp().decode()
    sender = f'"Alice" <sip:alice@{PBX}>;tag=a'
    say(pbx, "INVITE", "Content-Type: application/sdp", *headers, body=body, from_=sender)
    pbx.street.run(0.2)


def _caller(phone: House) -> tuple[str, str]:
    event = phone.last(IncomingCall)
    assert isinstance(event, IncomingCall)
    return event.caller, event.caller_uri


ASSERTED = 'P-Asserted-Identity: "Bob" <sip:+491234@pbx.example>, <tel:+491234>'


def test_the_server_s_word_counts_for_who_calls() -> None:
    _, phone, pbx = _registered()
    _invite(pbx, ASSERTED)
    assert _caller(phone) == ("Bob", "sip:+491234@pbx.example")


def test_a_stranger_s_word_does_not() -> None:
    _, phone, pbx = scene()
    _invite(pbx, ASSERTED, f'Remote-Party-ID: "Bob" <sip:bob@{PBX}>')
    assert _caller(phone) == ("Alice", f"sip:alice@{PBX}")


@pytest.mark.parametrize(
    "line",
    [
        "Diversion: <sip:boss@example.com>;reason=unconditional;privacy=off",
        "Diversion: (((",
        'Diversion: "' + "x" * 3000,
        "History-Info: <sip:boss@example.com>;index=1, <sip:x@y>;index=1.1",
        "Alert-Info: <http://evil.example/loud.wav>",
        "Alert-Info: (((",
    ],
)
def test_diversion_and_its_like_are_ignored(line: str) -> None:
    _, phone, pbx = _registered()
    _invite(pbx, line)
    assert _caller(phone) == ("Alice", f"sip:alice@{PBX}")
    assert phone.state() is CallState.RINGING


# --- picking up by itself

ON = PhoneConfig(auto_answer=True)
WISHES = [
    "Answer-Mode: Auto",
    "Priv-Answer-Mode: auto;require",
    "Call-Info: <sip:x@y>;answer-after=0",
    "Alert-Info: <http://www.example.com>;info=alert-autoanswer;delay=0",
    "Alert-Info: Auto Answer",
]


@pytest.mark.parametrize("wish", WISHES)
def test_a_call_that_wishes_to_be_picked_up_rings_like_any_other(wish: str) -> None:
    street, phone, pbx = scene()
    _invite(pbx, wish)
    street.run(30)
    assert phone.state() is CallState.RINGING and not pbx.responses(200)


@pytest.mark.parametrize("wish", WISHES)
def test_where_the_brand_allows_it_it_rings_is_shown_and_starts_muted(wish: str) -> None:
    street, phone, pbx = scene(ON)
    _invite(pbx, wish)
    assert phone.seen(IncomingCall)
    assert PlayTone(1, Tone.INCOMING) in phone.orders
    street.run(2)
    assert phone.state() is CallState.RINGING
    street.run(1.5)
    assert phone.state() is CallState.CONNECTED
    assert phone.seen(MuteChanged) == [MuteChanged(1, True)]
    muted = next(i for i, (_, e) in enumerate(phone.events) if isinstance(e, MuteChanged))
    up = next(
        i
        for i, (_, e) in enumerate(phone.events)
        if isinstance(e, CallStateChanged) and e.state is CallState.CONNECTED
    )
    assert muted < up


def test_who_is_quicker_than_that_is_not_muted() -> None:
    street, phone, pbx = scene(ON)
    _invite(pbx, WISHES[0])
    phone.do(Answer(1))
    street.run(5)
    assert phone.state() is CallState.CONNECTED and not phone.seen(MuteChanged)
    street, phone, pbx = scene(ON)
    _invite(pbx, WISHES[0])
    phone.do(HangUp(1))
    street.run(5)
    assert phone.state() is CallState.ENDED and not phone.seen(MuteChanged)


@pytest.mark.parametrize("line", ["Answer-Mode: Manual", "Call-Info: <sip:x@y>;purpose=icon"])
def test_other_wishes_are_none(line: str) -> None:
    street, phone, pbx = scene(ON)
    _invite(pbx, line)
    street.run(10)
    assert phone.state() is CallState.RINGING


# --- OPTIONS


def test_options_says_what_a_call_would_get() -> None:
    street, phone, pbx, invite = connected()
    assert say(pbx, "OPTIONS").status == 486
    assert in_call(pbx, invite, "OPTIONS", body="", cseq=10) == 200
    phone.do(HangUp(0))
    street.run(1)
    assert say(pbx, "OPTIONS").status == 200
    _, _, closed = scene(PhoneConfig(incoming=False))
    assert say(closed, "OPTIONS").status == 480


def test_a_call_that_nobody_was_told_of_yet_makes_nobody_busy() -> None:
    """INVITE and OPTIONS come together, before there are sockets for the media."""
    street, house, pbx = scene()
    for method in ("INVITE", "OPTIONS"):
        lines = [
            f"{method} sip:you@{PHONE} SIP/2.0",
            f"Via: SIP/2.0/UDP {pbx.sip};branch=z9hG4bK{method}",
            f"From: <sip:pbx@{pbx.host}>;tag={method}",
            f"To: <sip:you@{PHONE}>",
            f"Call-ID: {method}",
            f"CSeq: 1 {method}",
            f"Contact: <sip:pbx@{pbx.sip}>",
            "",
            "",
        ]
        house.phone.receive_datagram("\r\n".join(lines).encode(), pbx.sip, street.now)
    starts = [data.data.split(b"\r\n")[0] for data in house.phone.datagrams_to_send()]
    assert starts == [b"SIP/2.0 200 OK"], "100 comes later, the call is not shown yet"


# --- taking over a call (Replaces)


def test_a_call_may_be_taken_over_only_by_who_is_entitled_to_it() -> None:
    street, phone, pbx, invite = connected()
    ours = invite.from_.tag
    replaces = f"Replaces: {invite.call_id};to-tag={ours};from-tag=pbx"
    stranger = Pbx(street, "10.0.0.66")
    stranger.phone = phone.sip
    for more in ([], ["Referred-By: <sip:somebody@else.example>"], ["Referred-By: (("]):
        _invite(stranger, replaces, *more)
    assert len(stranger.responses(403)) == 3
    _invite(pbx, f"Replaces: {invite.call_id};to-tag={ours};from-tag=wrong")
    assert len(pbx.responses(481)) == 1
    assert phone.state() is CallState.CONNECTED
    _invite(stranger, replaces, f"Referred-By: <sip:desk@{PBX}>")
    assert len(stranger.responses(200)) == 1
    assert phone.orders and len(pbx.requests("BYE")) == 1


def test_the_server_may_take_over_a_call_that_we_are_dialling() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 180)
    street.run(0.2)
    _invite(pbx, f"Replaces: {invite.call_id};to-tag={invite.from_.tag};from-tag=pbx")
    assert len(pbx.responses(200)) == 1
    assert len(pbx.requests("CANCEL")) == 1


def test_a_call_that_is_held_stays_held_when_it_is_taken_over() -> None:
    street, phone, pbx, invite = connected()
    phone.do(Hold(1))
    pbx.answer(pbx.wait_for("INVITE", 2), 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    _invite(pbx, f"Replaces: {invite.call_id};to-tag={invite.from_.tag};from-tag=pbx")
    ok = pbx.responses(200)[-1]
    pbx.follow_up("ACK", ok, 1)
    assert b"a=inactive" in pbx.wait_for("INVITE", 3).body


def test_a_call_that_has_ended_cannot_be_taken_over() -> None:
    street, phone, pbx, invite = connected()
    replaces = f"Replaces: {invite.call_id};to-tag={invite.from_.tag};from-tag=pbx"
    pbx.answers = ()
    phone.do(HangUp(1))
    _invite(pbx, replaces)
    assert len(pbx.responses(603)) == 1


def _takes(pbx: Pbx, invite: Request, number: int) -> bytes:
    """The `number`-th INVITE of the server's that wants the place of `invite`'s call."""
    lines = [
        f"INVITE sip:you@{PHONE} SIP/2.0",
        f"Via: SIP/2.0/UDP {pbx.sip};branch=z9hG4bKtakes{number}",
        f"From: <sip:pbx@{pbx.host}>;tag=t{number}",
        f"To: <sip:you@{PHONE}>",
        f"Call-ID: takes-{number}",
        "CSeq: 1 INVITE",
        f"Contact: <sip:pbx@{pbx.sip}>",
        f"Replaces: {invite.call_id};to-tag={invite.from_.tag};from-tag=pbx",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def _burst(house: House, pbx: Pbx, invite: Request, count: int) -> list[str]:
    """The answers to so many of them that nothing happens in between."""
    for number in range(count):
        house.phone.receive_datagram(_takes(pbx, invite, number), pbx.sip, pbx.street.now)
    sent = house.phone.datagrams_to_send()
    return [data.data.decode().split("\r\n")[0].split(" ", 2)[1] for data in sent]


def test_of_many_who_want_the_place_of_a_call_at_once_one_gets_it() -> None:
    street, house, pbx, invite = connected()
    assert _burst(house, pbx, invite, 40) == ["486"] * 39
    assert sum(isinstance(order, OpenMedia) for order in house.phone.orders()) == 1


def test_strangers_may_not_want_the_place_of_calls_more_often_than_call() -> None:
    street, house, pbx, invite = dialled(
        PhoneConfig(other_addresses=True, strangers_per_minute=2, incoming=False)
    )
    pbx.answer(invite, 200, pbx.sdp())
    pbx.wait_for("ACK")
    street.run(0.3)
    wrong = f"Replaces: {invite.call_id};to-tag={invite.from_.tag};from-tag=wrong"
    for _ in range(3):
        _invite(pbx, wrong)
    assert len(pbx.responses(481)) == 2 and len(pbx.responses(486)) == 1


def test_a_phone_that_stops_lets_nobody_take_over_a_call() -> None:
    street, house, pbx, invite = connected()
    pbx.answers = ()
    house.do(Quit())
    _invite(pbx, f"Replaces: {invite.call_id};to-tag={invite.from_.tag};from-tag=pbx")
    assert len(pbx.responses(486)) == 1 and not pbx.responses(603)


# --- why a call ended


def _ended(phone: House) -> CallStateChanged:
    last = phone.last(CallStateChanged)
    assert isinstance(last, CallStateChanged) and last.state is CallState.ENDED
    return last


def test_a_refusal_brings_its_words_and_its_patience() -> None:
    street, phone, pbx, invite = dialled()
    warning = 'Warning: 399 pbx "Lunch\tbreak \x1b[1m until 2 pm"'
    pbx.answer(invite, 480, headers=(warning, "Retry-After: 300 (lunch)"))
    street.run(1)
    last = _ended(phone)
    assert last.reason is Reason.UNAVAILABLE
    assert last.said == "Lunch break [1m until 2 pm" and last.retry_after == 300


def test_a_bye_may_say_why() -> None:
    street, phone, pbx, invite = connected()
    pbx.ask("BYE", invite, 10, headers=('Reason: Q.850;cause=34;text="No circuit"',))
    street.run(1)
    assert _ended(phone).reason is Reason.LINES_BUSY


def test_a_queue_is_told_again_whenever_it_moves() -> None:
    street, phone, pbx, invite = dialled()
    for phrase in ("Queued", "Queued; 2 before you", "Queued; 2 before you", "You are next"):
        text = f"SIP/2.0 182 {phrase}\r\n".encode()
        pbx.answer(invite, 182)
        _, data, source, target = street.sent[-1]
        street._on_the_wire.pop()
        street.send(text + data.partition(b"\r\n")[2], source, target)
        street.run(0.2)
    queued = [e for _, e in phone.events if isinstance(e, CallStateChanged) and e.code == 182]
    assert [event.said for event in queued] == ["", "Queued; 2 before you", "You are next"]
    assert {(event.state, event.reason) for event in queued} == {(CallState.RINGING, Reason.QUEUED)}
    assert phone.orders[-1] == PlayTone(1, Tone.RINGBACK)
    pbx.answer(invite, 180)
    street.run(0.2)
    pbx.answer(invite, 200, pbx.sdp())
    street.run(0.2)
    assert phone.state() is CallState.CONNECTED
