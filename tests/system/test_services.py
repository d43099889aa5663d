"""Beside calls, with SIPp as the telephone system: waiting messages, keys by INFO, text, OPTIONS,
who calls, and why a call ended."""

from pathlib import Path

import pytest

from tests.support.headless import Headless
from tests.support.sipp import Sipp
from tests.support.sipp_story import Story, called, calls, sdp

pytestmark = pytest.mark.peers

ANYBODY = ("--accept-any-user", "--answer", "auto")
WITHOUT_EVENTS = sdp().replace(" 101", "").replace("a=rtpmap:101 telephone-event/8000", "")
SUMMARY = "Messages-Waiting: yes\nVoice-Message: 2/8 (0/2)"
KIND = "Content-Type: application/simple-message-summary"


def _account(sipp: Sipp) -> tuple[str, ...]:
    proxy = sipp.uri.replace("sipp@", "")
    identity = ("--id", sipp.uri.replace("sipp@", "box@"))
    return (*identity, "--proxy", proxy, "--user", "box", "--password", "secret")


def test_a_mailbox_is_subscribed_to_told_of_and_left(tmp_path: Path) -> None:
    story = called()
    story.receives("SUBSCRIBE", Event="message-summary", Accept="simple-message-summary")
    story.replies(401, 'WWW-Authenticate: Digest realm="lab", nonce="n1"')
    story.receives("SUBSCRIBE", Authorization="Digest", save="From").replies(
        200, "Expires: 600", tag="box"
    )
    notify = ("Event: message-summary", KIND)
    story.notifies(*notify, "Subscription-State: active;expires=600", body=SUMMARY).receives(200)
    story.receives("SUBSCRIBE", Expires=" 0").replies(200, "Expires: 0")
    story.notifies(*notify, "Subscription-State: terminated;reason=timeout", body="").receives(200)
    with Sipp(story, tmp_path) as sipp, Headless(*_account(sipp)) as phone:
        phone.wait_for("mwi", 10, new=2, old=8)
        phone.send("quit")
        sipp.check()


def test_a_notify_that_nobody_asked_for_is_told_too(tmp_path: Path) -> None:
    with Headless() as phone:
        story = Story(caller=True).asks(
            "NOTIFY", "Event: message-summary", KIND, sdp=SUMMARY, outside=True
        )
        with Sipp(story.receives(200), tmp_path, target=phone.address) as sipp:
            phone.wait_for("mwi", new=2, old=8)
            sipp.check()


def test_keys_go_by_info_where_nothing_better_was_agreed_on(tmp_path: Path) -> None:
    story = (
        called()
        .receives("INVITE", Allow="INFO")
        .replies(200, "Allow: INVITE, ACK, BYE, INFO", sdp=WITHOUT_EVENTS)
    )
    for key in "1#":
        story.receives("INFO", Content_Type="application/dtmf-relay", body=f"Signal={key}")
        story.replies(200)
    with Sipp(story.hangs_up(), tmp_path) as sipp, Headless() as phone:
        phone.call(sipp.uri)
        phone.send("dtmf 1#")
        phone.wait_for_state("ended")
        sipp.check()


def test_keys_by_info_are_told_and_other_packages_refused(tmp_path: Path) -> None:
    relay, plain = "Content-Type: application/dtmf-relay", "Content-Type: application/dtmf"
    story = calls(sdp=sdp()).receives(100, optional=True).receives(180, optional=True)
    story.receives(200, Allow="INFO").asks("ACK")
    story.asks("INFO", relay, sdp="Signal=5\nDuration=160").receives(200)
    story.asks("INFO", plain, sdp="9").receives(200)
    story.asks("INFO", "Info-Package: foo").receives(469)
    story.asks("OPTIONS").receives(200, Allow="REFER", Accept="application/sdp").hangs_up()
    with Headless(*ANYBODY) as phone, Sipp(story, tmp_path, target=phone.address) as sipp:
        phone.wait_for("dtmf", digit="5")
        phone.wait_for("dtmf", digit="9")
        sipp.check()


def test_text_is_told_and_sent(tmp_path: Path) -> None:
    text = Story(caller=True).asks(
        "MESSAGE", "Content-Type: text/plain", sdp="The engineer is on her way.", outside=True
    )
    with Headless() as phone:
        with Sipp(text.receives(200), tmp_path, target=phone.address) as sipp:
            phone.wait_for("message", text="The engineer is on her way.")
            sipp.check()
        story = called().receives("MESSAGE", Content_Type="text/plain", body="^Thank you all")
        with Sipp(story.replies(202), tmp_path) as sipp:
            phone.send(f"message {sipp.uri} Thank you all")
            sipp.check()
        refusing = called().receives("MESSAGE").replies(403)
        with Sipp(refusing, tmp_path) as sipp:
            phone.send(f"message {sipp.uri} Thank you")
            phone.wait_for("error", text="The message was not sent.")
            sipp.check()


def test_options_tells_what_a_call_would_get(tmp_path: Path) -> None:
    asking = Story(caller=True).asks("OPTIONS", outside=True)
    busy = Story(caller=True).asks("OPTIONS", outside=True).receives(486)
    with Headless(*ANYBODY) as phone, Headless() as caller:
        free = asking.receives(200, Allow_Events="refer", Supported="replaces")
        with Sipp(free, tmp_path, target=phone.address) as sipp:
            sipp.check()
        caller.call(phone.uri)
        with Sipp(busy, tmp_path, target=phone.address) as sipp:
            sipp.check()


def test_a_queue_and_a_refusal_speak_in_their_own_words(tmp_path: Path) -> None:
    story = called().receives("INVITE").replies(182).waits(300)
    warning = 'Warning: 399 pbx "We are closed until Monday"'
    story.replies(480, warning, "Reason: Q.850;cause=20", to="INVITE")
    with Sipp(story, tmp_path) as sipp, Headless() as phone:
        phone.send(f"call {sipp.uri}")
        queued = phone.wait_for("state", code=182)
        assert str(queued["text"]).startswith("You are in the queue.")
        ended = phone.wait_for_state("ended")
        assert "We are closed until Monday" in str(ended["text"])
        sipp.check()


def test_the_proxy_may_say_who_calls_and_a_stranger_may_not(tmp_path: Path) -> None:
    asserted = "P-Asserted-Identity: <sip:boss@example.com>"
    hostile = ("Diversion: (((", "Alert-Info: info=alert-autoanswer", "Answer-Mode: Auto")
    story = calls(asserted, *hostile, sdp=sdp()).receives(100, optional=True).receives(180)
    story.receives(486).asks("ACK")
    for options, caller in ((("--proxy", "sip:127.0.0.1"), "boss"), ((), "sipp")):
        with (
            Headless("--accept-any-user", *options) as phone,
            Sipp(story, tmp_path, target=phone.address) as sipp,
        ):
            incoming = phone.wait_for("incoming")
            assert str(incoming["from"]).startswith(f"sip:{caller}@")
            phone.send("reject 486")
            sipp.check()
