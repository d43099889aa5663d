"""The line protocol, word by word."""

import json

import pytest

from applet.headless.lines import LineError, parse_line, ready_json, to_json
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    Command,
    ConfirmTransfer,
    Dial,
    DigitReceived,
    Event,
    HangUp,
    HeldBy,
    Hold,
    HoldChanged,
    IncomingCall,
    Levels,
    MediaChanged,
    MessagesWaiting,
    Mute,
    NatFound,
    NotUnderstood,
    Quit,
    Reason,
    Redirected,
    Register,
    Registered,
    RegistrationFailed,
    Reinvite,
    Reject,
    RequestStatistics,
    Resume,
    SendDigits,
    SendMessage,
    Statistics,
    TextReceived,
    Transfer,
    TransferChanged,
    TransferState,
    Trouble,
    Unregister,
    Unregistered,
    Update,
)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("call sip:a@b", Dial("sip:a@b", confirmed=True)),
        ("answer", Answer(0, 200)),
        ("answer 183", Answer(0, 183)),
        ("answer 3", Answer(3, 200)),
        ("answer 180 3", Answer(3, 180)),
        ("reject 603", Reject(0, 603)),
        ("reject 603 2", Reject(2, 603)),
        ("hold", Hold(0)),
        ("hold 4", Hold(4)),
        ("resume", Resume(0)),
        ("reinvite 1", Reinvite(1)),
        ("update", Update(0)),
        ("dtmf 123#", SendDigits(0, "123#")),
        ("dtmf 1 2", SendDigits(2, "1")),
        ("mute on", Mute(0, True)),
        ("mute off 2", Mute(2, False)),
        ("register", Register()),
        ("unregister", Unregister()),
        ("hangup", HangUp(0)),
        ("stats 1", RequestStatistics(1)),
        ("transfer sip:a@b", Transfer(0, "sip:a@b")),
        ("transfer sip:a@b 2", Transfer(2, "sip:a@b")),
        ("transfer 2", Transfer(0, other=2)),
        ("transfer 2 1", Transfer(1, other=2)),
        ("transfer yes", ConfirmTransfer(0, True)),
        ("transfer no 3", ConfirmTransfer(3, False)),
        ("message sip:a@b two  words ", SendMessage("sip:a@b", "two  words ", True)),
        ("  quit \n", Quit()),
    ],
)
def test_each_command(line: str, command: Command) -> None:
    parsed = parse_line(line)
    assert type(parsed) is type(command)
    assert parsed == command


def test_an_empty_line_is_nothing() -> None:
    assert parse_line("\n") is None


@pytest.mark.parametrize(
    "line",
    [
        "call",
        "hold x",
        "mute",
        "mute maybe",
        "dtmf",
        "fly",
        "answer x",
        "transfer",
        "transfer x y",
        "message sip:a",
    ],
)
def test_a_wrong_line_gets_one_plain_line(line: str) -> None:
    with pytest.raises(LineError) as caught:
        parse_line(line)
    assert "\n" not in str(caught.value)
    told = to_json(NotUnderstood(str(caught.value)))
    assert json.loads(str(told)) == {"ev": "error", "text": str(caught.value)}


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (
            CallStateChanged(1, CallState.ENDED, 486, Reason.BUSY, "sip:a@b", True),
            {"ev": "state", "id": 1, "state": "ended", "code": 486,
             "text": "The other side is busy."},
        ),
        (
            CallStateChanged(1, CallState.CONNECTED, 200, Reason.NONE, "sip:a@b", True),
            {"ev": "state", "id": 1, "state": "connected", "code": 200, "text": ""},
        ),
        (
            IncomingCall(2, "A", "sip:a@b", "sip:me@c"),
            {"ev": "incoming", "id": 2, "from": "sip:a@b", "to": "sip:me@c"},
        ),
        (
            MediaChanged(1, "PCMU", "sendrecv", "a:1", "b:2", ""),
            {"ev": "media", "id": 1, "codec": "PCMU", "direction": "sendrecv", "local": "a:1",
             "remote": "b:2", "srtp": ""},
        ),
        (
            Redirected(1, "sip:a@b"),
            {"ev": "redirected", "id": 1, "to": "sip:a@b"},
        ),
        (
            CallStateChanged(1, CallState.ENDED, 480, Reason.UNAVAILABLE, "", True, "At lunch", 9),
            {"ev": "state", "id": 1, "state": "ended", "code": 480,
             "text": "The other side is not available just now. They say: “At lunch”"},
        ),
        (
            CallStateChanged(1, CallState.RINGING, 182, Reason.QUEUED, "", True, "Two before you"),
            {"ev": "state", "id": 1, "state": "ringing", "code": 182,
             "text": "You are in the queue. They say: “Two before you”"},
        ),
        (
            TransferChanged(1, TransferState.FOLLOWING, "sip:a@b", 2),
            {"ev": "transfer", "id": 1, "state": "following", "to": "sip:a@b", "as": 2},
        ),
        (
            TextReceived("A", "sip:a@b", "hello"),
            {"ev": "message", "from": "sip:a@b", "text": "hello"},
        ),
        (MessagesWaiting(2, 8), {"ev": "mwi", "new": 2, "old": 8}),
        (HoldChanged(1, HeldBy.BOTH, False), {"ev": "hold", "id": 1, "by": "both"}),
        (DigitReceived(1, "#"), {"ev": "dtmf", "id": 1, "digit": "#"}),
        (
            Statistics(1, 2, 3, 4, 5, 6.04, 7.06, 4.123),
            {"ev": "stats", "id": 1, "rx": 2, "tx": 3, "lost": 4, "late": 5, "jitter_ms": 6.0,
             "delay_ms": 7.1, "mos": 4.12},
        ),
        (Registered("sip:r"), {"ev": "registered", "text": "registered at sip:r"}),
        (Unregistered("sip:r"), {"ev": "unregistered", "text": "no longer registered at sip:r"}),
        (
            RegistrationFailed(403, Reason.FORBIDDEN),
            {"ev": "register_failed",
             "text": "The telephone system does not let this phone call there."},
        ),
        (NatFound("stun", "proof"), {"ev": "nat", "way": "stun", "proof": "proof"}),
        (
            Trouble(1, Reason.NO_DIGITS, ""),
            {"ev": "error", "text": "These keys cannot be sent now."},
        ),
        (
            Trouble(0, Reason.PORT_IN_USE, "7666"),
            {"ev": "error", "text": "Another program uses the port for calls to you (7666)."},
        ),
    ],
)  # fmt: skip
def test_each_event(event: Event, fields: dict[str, object]) -> None:
    line = to_json(event)
    assert line is not None
    assert json.loads(line) == fields


def test_what_the_protocol_has_no_word_for_is_not_told() -> None:
    assert to_json(Levels(1, -20.0, -20.0)) is None
    assert to_json(HoldChanged(1, HeldBy.US, pending=True)) is None


def test_ready_names_the_address_and_the_time() -> None:
    expected = {"ev": "ready", "addr": "127.0.0.1:5062", "ready_ms": 41}
    assert json.loads(ready_json("127.0.0.1:5062", 41)) == expected


def test_every_reason_has_a_sentence_without_a_brand() -> None:
    for reason in Reason:
        line = to_json(CallStateChanged(1, CallState.ENDED, 0, reason, "", True))
        assert line is not None
        assert "{" not in json.loads(line)["text"]
