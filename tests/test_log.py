"""What the log never holds, and how long it is kept."""

import os
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from applet.log import KEPT_DAYS, LARGEST, LogFile
from applet.redaction import redact, redact_message

INVITE = """INVITE sip:alice.secret@pbx.example.com:5070;transport=udp SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:7666;rport;branch=z9hG4bK-1
From: "Bob Secret" <sip:bob.secret@example.com>;tag=a1
To: Alice Secret <sip:alice.secret@pbx.example.com>
f: Carol Secret <sip:carol.secret@example.com>;tag=2
Contact: <sip:bob.secret:pw-secret@192.0.2.1:7666>;expires=60
P-Asserted-Identity: "Secret" <tel:+4917655secret>
Route: <sip:proxy.example.com;lr>, <sip:user-secret@second.example.com;lr>
Proxy-Authorization: Digest username="user-secret", realm="r",
 nonce="n-secret", response="0123secret"
Authorization: Digest username="user-secret"
Subject: my secret trouble
s: another secret
User-to-User: 00secret;encoding=hex
Call-ID: 12345@192.0.2.1
CSeq: 2 INVITE
Content-Type: application/sdp
Content-Length: 500

v=0
o=user-secret 1 2 IN IP4 192.0.2.1
s=secret session
i=a secret
u=http://secret.example.com
e=secret@example.com
p=+1 555 secret
c=IN IP4 192.0.2.1
t=0 0
k=clear:secret
m=audio 20000 RTP/AVP 0 8 101
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret
a=ice-pwd:secret
a=sendrecv
secret
"""


def test_no_secret_of_a_message_is_left() -> None:
    shown = redact_message(INVITE.replace("\n", "\r\n"))
    assert "secret" not in shown.lower()


@pytest.mark.parametrize(
    "value", ["a" * 60_000 + ",<", "a " * 30_000 + ">,<", '"\\' * 30_000, "sip:" * 15_000]
)
def test_a_long_header_made_for_it_does_not_hold_up_the_phone(value: str) -> None:
    """Each takes milliseconds; with a pattern that tries again from the middle, a minute."""
    started = time.process_time()
    redact_message(f"OPTIONS sip:a@b SIP/2.0\r\nFrom: {value}\r\n\r\n")
    assert time.process_time() - started < 5


def test_what_a_one_way_call_is_found_by_stays() -> None:
    lines = redact_message(INVITE).splitlines()
    for kept in (
        "INVITE sip:***@pbx.example.com:5070;transport=udp SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1:7666;rport;branch=z9hG4bK-1",
        'From: "***" <sip:***@example.com>;tag=a1',
        "To: *** <sip:***@pbx.example.com>",
        "Contact: <sip:***@192.0.2.1:7666>;expires=60",
        "Route: <sip:proxy.example.com;lr>, <sip:***@second.example.com;lr>",
        "Proxy-Authorization: Digest ***",
        "Subject: ***",
        "Call-ID: 12345@192.0.2.1",
        "CSeq: 2 INVITE",
        "o=*** 1 2 IN IP4 192.0.2.1",
        "c=IN IP4 192.0.2.1",
        "m=audio 20000 RTP/AVP 0 8 101",
        "a=rtpmap:101 telephone-event/8000",
        "a=sendrecv",
    ):
        assert kept in lines


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", "Hello, my card number is 1234"),
        ("application/dtmf-relay", "Signal=5\nDuration=160"),
        ("", "whatever 1234"),
    ],
)
def test_digits_and_bodies_are_not_kept(content_type: str, body: str) -> None:
    header = f"c: {content_type}\n" if content_type else ""
    shown = redact_message(f"INFO sip:a@b SIP/2.0\n{header}\n{body}")
    assert shown.endswith(f"[{len(body)} characters of {content_type or 'something'}]")
    assert "1234" not in shown
    assert "Signal" not in shown


def test_a_message_without_a_body_and_a_broken_one_are_redacted_too() -> None:
    assert redact_message("SIP/2.0 180 Ringing\nTo: Bob <sip:bob@x>\n\n") == (
        "SIP/2.0 180 Ringing\nTo: *** <sip:***@x>"
    )
    assert redact_message("") == ""
    assert redact_message("Authorization") == "Authorization"
    assert redact_message("x\nAuthorization") == "x\nAuthorization ***"
    assert redact_message("x\nAuthorization:") == "x\nAuthorization: ***"
    assert redact_message("x\nno header <sip:bob@x>") == "x\nno header <sip:***@x>"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("calling sip:bob@example.com", "calling sip:***@example.com"),
        ("SIPS:bob:pw@example.com:5061", "SIPS:***@example.com:5061"),
        ("sip:bob%40home@example.com;user=phone", "sip:***@example.com;user=phone"),
        ("sip:example.com:5060", "sip:example.com:5060"),
        ("<tel:+49301234;phone-context=x>", "<tel:***;phone-context=x>"),
        ("turn:user:pw@turn.example.com", "turn:***@turn.example.com"),
        ("password=hunter2, realm=x", "password=***, realm=x"),
        ('response="abc", nc=1', "response=***, nc=1"),
        ("> OPTIONS (192.0.2.1:5060)", "> OPTIONS (192.0.2.1:5060)"),
    ],
)
def test_lines_lose_user_parts_numbers_and_secrets(line: str, shown: str) -> None:
    assert redact(line) == shown


def test_a_line_is_written_with_its_time_and_its_detail_under_it(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    log.write("> INVITE", "INVITE sip:***@x\nVia: y\n")
    log.write("< 100 Trying")
    text = log.path(date.today().isoformat()).read_text("utf-8").splitlines()
    assert text[1:3] == ["    INVITE sip:***@x", "    Via: y"]
    assert text[0][8] == "." and text[0].endswith(" > INVITE")
    assert text[3].endswith(" < 100 Trying")


def test_a_line_that_is_written_later_has_the_time_at_which_it_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = time.mktime((2026, 11, 30, 12, 0, 0, 0, 0, -1))
    monkeypatch.setattr("applet.log.time.time", lambda: noon)
    log = LogFile(tmp_path)
    log.write("< OPTIONS", age=0.25)
    assert log.path("2026-11-30").read_text() == "11:59:59.750 < OPTIONS\n"


def test_logs_are_kept_for_seven_days(tmp_path: Path) -> None:
    log = LogFile(tmp_path)
    today = date.today()
    for age in range(12):
        log.path((today - timedelta(days=age)).isoformat()).write_text("old\n")
    (tmp_path / "notes.txt").touch()
    log.write("today")
    kept = sorted(path.name for path in tmp_path.glob("log-*.txt"))
    assert kept == sorted(
        log.path((today - timedelta(days=age)).isoformat()).name for age in range(KEPT_DAYS)
    )
    assert (tmp_path / "notes.txt").exists()


def test_a_days_log_does_not_grow_without_end(tmp_path: Path) -> None:
    log = LogFile(tmp_path)
    path = log.path(date.today().isoformat())
    path.touch()
    os.truncate(path, LARGEST + 1)
    log.write("one more")
    assert path.stat().st_size == LARGEST + 1


def test_a_disk_that_takes_nothing_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    log = LogFile(tmp_path / "log")
    log.write("lost")
    (tmp_path / "log").unlink()
    log.write("kept")
    assert "kept" in log.path(date.today().isoformat()).read_text("utf-8")
