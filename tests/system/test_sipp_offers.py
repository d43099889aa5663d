"""PRACK, UPDATE, session timers, forks, redirection and second attempts: SIPp plays both roles."""

from pathlib import Path

import pytest

from tests.support.headless import Headless
from tests.support.sipp import Sipp
from tests.support.sipp_story import ALLOW, Story, called, calls, sdp

pytestmark = pytest.mark.peers

ANYBODY = "--accept-any-user"
RELIABLE = ("Require: 100rel", "RSeq: 1", ALLOW)
TAG = "theirs"
RACK = "1 [0-9]+ INVITE"


def we_call(story: Story, folder: Path, *options: str) -> tuple[Sipp, Headless]:
    sipp = Sipp(story, folder)
    phone = Headless(*options)
    phone.send(f"call {sipp.uri}")
    return sipp, phone


# --- PRACK


def test_a_reliable_answer_is_proved_and_the_200_needs_none(tmp_path: Path) -> None:
    story = called().receives("INVITE", Supported="100rel").replies(183, *RELIABLE, sdp=sdp())
    story.receives("PRACK", RAck=RACK).replies(200)
    story.replies(180, "Require: 100rel", "RSeq: 2", to="INVITE")
    story.receives("PRACK", RAck="2 [0-9]+ INVITE").replies(200)
    story.replies(200, to="INVITE").is_hung_up()
    sipp, phone = we_call(story, tmp_path)
    with sipp, phone:
        phone.wait_for_state("early")
        phone.wait_for_state("connected")
        phone.hang_up()
        sipp.check()


@pytest.mark.parametrize("asked", ["Supported: 100rel", "Require: 100rel"])
def test_our_ringing_and_early_media_are_proved(tmp_path: Path, asked: str) -> None:
    story = calls(asked, sdp=sdp())
    story.receives(180, save="RSeq", Require="100rel").asks("PRACK", "RAck:[$RSeq] 1 INVITE")
    story.receives(200).receives(183, save="RSeq", Require="100rel", body="m=audio")
    story.asks("PRACK", "RAck:[$RSeq] 1 INVITE").receives(200)
    story.receives(200, Content_Length="0").asks("ACK").waits(200).hangs_up()
    with (
        Headless(ANYBODY) as phone,
        Sipp(story, tmp_path, target=phone.address) as sipp,
    ):
        phone.wait_for("incoming")
        phone.send("answer 183")
        phone.wait_for_state("early")
        phone.send("answer")
        phone.wait_for_state("ended", 10)
        sipp.check()


def test_a_call_without_an_offer_is_offered_with_the_ringing_and_answers_in_prack(
    tmp_path: Path,
) -> None:
    story = calls("Require: 100rel").receives(180, save="RSeq", body="m=audio")
    story.asks("PRACK", "RAck:[$RSeq] 1 INVITE", sdp=sdp()).receives(200)
    story.receives(200, Content_Length="0").asks("ACK").waits(200).hangs_up()
    with (
        Headless(ANYBODY) as phone,
        Sipp(story, tmp_path, target=phone.address) as sipp,
    ):
        phone.wait_for("incoming")
        phone.wait_for("media")
        phone.send("answer")
        phone.wait_for_state("ended", 10)
        sipp.check()


def test_without_prack_nothing_is_said_of_it(tmp_path: Path) -> None:
    refused = calls("Require: 100rel", sdp=sdp()).receives(420, Unsupported="100rel").asks("ACK")
    with (
        Headless(ANYBODY, "--100rel", "off") as phone,
        Sipp(refused, tmp_path, target=phone.address) as sipp,
    ):
        sipp.check()


def test_whoever_does_not_know_what_we_require_is_told(tmp_path: Path) -> None:
    story = calls(sdp=sdp()).receives(421, Require="100rel").asks("ACK")
    with (
        Headless(ANYBODY, "--100rel", "required") as phone,
        Sipp(story, tmp_path, target=phone.address) as sipp,
    ):
        sipp.check()


# --- UPDATE


def test_update_both_ways_before_and_after_our_call_is_answered(tmp_path: Path) -> None:
    story = (
        called()
        .receives("INVITE")
        .replies(183, *RELIABLE, sdp=sdp())
        .receives("PRACK")
        .replies(200)
    )
    story.asks("UPDATE", sdp=sdp(port=20_002, version=2)).receives(200, body="a=sendrecv")
    story.receives("UPDATE", body="m=audio").replies(200, sdp=sdp(port=20_004, version=3))
    story.replies(200, ALLOW, to="INVITE")
    story.asks("UPDATE", sdp=sdp("a=sendonly", version=4)).receives(200, body="a=recvonly")
    story.receives("UPDATE", body="a=sendrecv").replies(200, sdp=sdp(version=5)).is_hung_up()
    sipp, phone = we_call(story, tmp_path)
    with sipp, phone:
        phone.wait_for("media", remote="127.0.0.1:20002")
        phone.send("update")
        phone.wait_for("media", remote="127.0.0.1:20004")
        phone.wait_for_state("connected")
        phone.wait_for("hold", by="them")
        phone.send("update")
        phone.wait_for("hold", by="none")
        phone.hang_up()
        sipp.check()


def test_update_both_ways_before_and_after_we_answer(tmp_path: Path) -> None:
    story = calls("Supported: 100rel", ALLOW, sdp=sdp()).receives(180, save="RSeq")
    story.asks("PRACK", "RAck:[$RSeq] 1 INVITE").receives(200)
    story.receives(183, save="RSeq").asks("PRACK", "RAck:[$RSeq] 1 INVITE").receives(200)
    story.asks("UPDATE", sdp=sdp(port=20_002, version=2)).receives(200, body="m=audio")
    story.receives("UPDATE", body="m=audio").replies(200, sdp=sdp(port=20_004, version=3))
    story.receives(200).asks("ACK")
    story.asks("UPDATE", sdp=sdp("a=inactive", version=4)).receives(200, body="a=inactive")
    story.receives("UPDATE", body="m=audio").replies(200, sdp=sdp(version=5)).hangs_up()
    with (
        Headless(ANYBODY) as phone,
        Sipp(story, tmp_path, target=phone.address) as sipp,
    ):
        phone.wait_for("incoming")
        phone.send("answer 183")
        phone.wait_for("media", remote="127.0.0.1:20002")
        phone.send("update")
        phone.wait_for("media", remote="127.0.0.1:20004")
        phone.send("answer")
        phone.wait_for_state("connected")
        phone.wait_for("hold", by="them")
        phone.send("update")
        phone.wait_for_state("ended", 10)
        sipp.check()


# --- session timers


def test_422_is_followed_by_a_longer_session_which_we_refresh_by_update(tmp_path: Path) -> None:
    timer = "Session-Expires: 2;refresher=uac"
    story = called().receives("INVITE", Session_Expires="1800").replies(422, "Min-SE: 2000")
    story.receives("INVITE", Session_Expires="2000", Min_SE="2000")
    story.replies(200, timer, "Require: timer", ALLOW, sdp=sdp(), tag=TAG)
    for _ in range(2):
        story.receives("UPDATE", Session_Expires="refresher=uac").replies(200, timer)
    sipp, phone = we_call(story.hangs_up(), tmp_path)
    with sipp, phone:
        phone.wait_for_state("connected")
        phone.wait_for_state("ended", 15)
        sipp.check()


def test_who_takes_no_update_is_refreshed_by_reinvite(tmp_path: Path) -> None:
    timer = "Session-Expires: 2;refresher=uac"
    story = called().receives("INVITE").replies(200, timer, sdp=sdp())
    for version in (2, 3):
        story.receives("INVITE", Session_Expires="refresher=uac", body="a=sendrecv")
        story.replies(200, timer, sdp=sdp(version=version))
    sipp, phone = we_call(story.hangs_up(), tmp_path)
    with sipp, phone:
        phone.wait_for_state("ended", 15)
        sipp.check()
    assert not [event for event in phone.events if event["ev"] == "error"]


def test_they_refresh_and_when_they_stop_the_call_ends(tmp_path: Path) -> None:
    timer = "Session-Expires: 3;refresher=uas"
    story = called().receives("INVITE").replies(200, timer, sdp=sdp())
    for _ in range(2):
        story.waits(1500).asks("UPDATE", "Supported: timer", "Session-Expires: 90;refresher=uac")
        story.receives(200, Session_Expires="90;refresher=uac", Require="timer")
    sipp, phone = we_call(story.hangs_up(), tmp_path)
    with sipp, phone:
        phone.wait_for_state("ended", 15)
        sipp.check()
    silent = called().receives("INVITE").replies(200, timer, sdp=sdp()).is_hung_up()
    sipp, phone = we_call(silent, tmp_path)
    with sipp, phone:
        assert phone.wait_for_state("ended", 10)["text"] == "The connection was lost."
        sipp.check()


@pytest.mark.parametrize("who", ["uac", "uas"])
def test_too_short_a_session_is_refused_and_the_next_granted(tmp_path: Path, who: str) -> None:
    story = calls("Supported: timer", "Session-Expires: 60", sdp=sdp())
    story.receives(422, Min_SE="90").asks("ACK")
    longer = ("Supported: timer", f"Session-Expires: 90;refresher={who}")
    story.asks("INVITE", *longer, sdp=sdp(), outside=True)
    story.receives(200, Session_Expires=f"90;refresher={who}", Require="timer").asks("ACK")
    with (
        Headless(ANYBODY, "--answer", "auto") as phone,
        Sipp(story.waits(200).hangs_up(), tmp_path, target=phone.address) as sipp,
    ):
        phone.wait_for_state("ended", 10)
        sipp.check()


# --- offers in re-INVITEs


def test_their_reinvite_without_an_offer_gets_ours(tmp_path: Path) -> None:
    story = called().receives("INVITE").replies(200, sdp=sdp()).asks("INVITE")
    story.receives(200, body="m=audio").asks("ACK", sdp=sdp(port=20_002, version=2)).is_hung_up()
    sipp, phone = we_call(story, tmp_path)
    with sipp, phone:
        phone.wait_for("media", remote="127.0.0.1:20002")
        phone.hang_up()
        sipp.check()


def test_two_reinvites_that_meet_are_both_refused_and_ours_comes_again(tmp_path: Path) -> None:
    story = (
        called()
        .receives("INVITE")
        .replies(200, ALLOW, sdp=sdp())
        .receives("INVITE", body="a=inactive")
    )
    story.asks("INVITE", sdp=sdp(version=2)).receives(491).asks("ACK")
    story.asks("UPDATE", sdp=sdp(version=2)).receives(491)
    story.replies(491, to="INVITE").receives("INVITE", body="a=inactive")
    story.replies(200, sdp=sdp("a=inactive", version=3)).is_hung_up()
    sipp, phone = we_call(story, tmp_path)
    with sipp, phone:
        phone.wait_for_state("connected")
        phone.send("hold")
        phone.wait_for_state("on_hold", 10)
        phone.hang_up()
        sipp.check()


# --- forks, redirection, second attempts


def test_the_last_branch_that_speaks_is_heard_and_the_second_winner_is_sent_bye(
    tmp_path: Path,
) -> None:
    story = called().receives("INVITE")
    for tag, port in (("one", 20_010), ("two", 20_020)):
        story.replies(183, sdp=sdp(port=port), tag=tag)
    story.waits(300)
    for tag, port in (("one", 20_010), ("two", 20_020)):
        story.replies(200, sdp=sdp(port=port), tag=tag, to="INVITE", acknowledged=False)
        story.receives("ACK", To=f"tag={tag}")
    story.receives("BYE", To="tag=two").replies(200).asks("UPDATE", tag="one").receives(200)
    story.asks("BYE", tag="one").receives(200)
    sipp, phone = we_call(story, tmp_path)
    with sipp, phone:
        for port in (20_010, 20_020, 20_010):
            phone.wait_for("media", remote=f"127.0.0.1:{port}")
        phone.wait_for_state("connected")
        phone.wait_for_state("ended", 10)
        sipp.check()


def test_a_redirection_is_followed(tmp_path: Path) -> None:
    with Sipp(called().receives("INVITE").replies(200, sdp=sdp()).is_hung_up(), tmp_path) as second:
        first = (
            called()
            .receives("INVITE")
            .replies(302, f"Contact: <sip:second@127.0.0.1:{second.port}>")
        )
        sipp, phone = we_call(first, tmp_path)
        with sipp, phone:
            phone.wait_for_state("connected")
            phone.hang_up()
            sipp.check()
            second.check()


def test_a_redirection_elsewhere_is_asked_about(tmp_path: Path) -> None:
    sipp, phone = we_call(
        called().receives("INVITE").replies(302, "Contact: <sip:a@192.0.2.1>"), tmp_path
    )
    with sipp, phone:
        assert phone.wait_for_state("ended")["code"] == 302
        assert phone.wait_for("redirected")["to"] == "sip:a@192.0.2.1"
        sipp.check()


@pytest.mark.parametrize("status", [488, 606])
def test_what_is_not_acceptable_is_offered_plainer(tmp_path: Path, status: int) -> None:
    story = (
        called()
        .receives("INVITE")
        .refuses("telephone-event", status)
        .replies(200, sdp=sdp())
        .is_hung_up()
    )
    with Sipp(story, tmp_path, calls=2) as sipp, Headless() as phone:
        phone.call(sipp.uri)
        phone.hang_up()
        sipp.check()


# --- hold


REFUSALS = [("a=inactive", 488), ("a=sendonly", 500), ("c=IN IP4 0.0.0.0", 403)]


@pytest.mark.parametrize("refused", [1, 2, 3])
def test_a_refused_hold_is_tried_in_other_ways_then_told(tmp_path: Path, refused: int) -> None:
    story = called().receives("INVITE").replies(200, sdp=sdp())
    for line, status in REFUSALS[:refused]:
        story.receives("INVITE", body=line).replies(status)
    if refused < 3:
        story.receives("INVITE", body=REFUSALS[refused][0]).replies(200, sdp=sdp(version=2))
        story.receives("INVITE", body="a=sendrecv").replies(200, sdp=sdp(version=3))
    sipp, phone = we_call(story.is_hung_up(), tmp_path)
    with sipp, phone:
        phone.wait_for_state("connected")
        phone.send("hold")
        if refused == 3:
            assert "on hold" in str(phone.wait_for("error")["text"])
        phone.wait_for_state("on_hold")
        phone.send("resume")
        phone.wait_for("hold", by="none")
        phone.hang_up()
        sipp.check()


ODD = {
    "sendrecv": sdp("a=sendrecv", version=2),
    "no description": "",
    "an old version": sdp("a=inactive", version=0),
    "port 0": sdp(port=0, version=2),
    "another order": sdp("a=inactive", version=2).replace("AVP 0 101", "AVP 101 0"),
    "another address": sdp("a=inactive", port=20_002, host="127.0.0.2", version=2),
    "0.0.0.0": sdp(host="0.0.0.0", version=2),
    "two media": sdp("a=inactive", "m=video 0 RTP/AVP 31", version=2),
}


def test_fault_04_every_odd_answer_to_a_hold_is_tolerated(tmp_path: Path) -> None:
    story = called().receives("INVITE").replies(200, sdp=sdp())
    for number, answer in enumerate(ODD.values()):
        story.receives("INVITE", body="a=inactive").replies(200, sdp=answer)
        story.receives("INVITE", body="a=sendrecv").replies(200, sdp=sdp(version=3 + number))
    sipp, phone = we_call(story.is_hung_up(), tmp_path)
    with sipp, phone:
        phone.wait_for_state("connected")
        for _ in ODD:
            phone.send("hold")
            phone.wait_for_state("on_hold")
            phone.send("resume")
            phone.wait_for_state("connected")
        phone.hang_up()
        sipp.check()
    assert not [event for event in phone.events if event["ev"] == "error"]
