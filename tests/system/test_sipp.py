"""Calls with SIPp: it plays the scenarios, and an RTP end of our own speaks and measures."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.audio_compare import check_both, compare
from tests.support.headless import Headless
from tests.support.recording import Recording
from tests.support.rtp_peer import RtpPeer
from tests.support.sipp import Sipp
from tests.support.speech import level_dbfs
from tests.system.conftest import Alone, Voice

pytestmark = pytest.mark.peers

ANSWERS = ("--answer", "auto", "--accept-any-user")
# Ours arrives below this when it is held: silence, or nothing at all.
SILENT_DBFS = -60
WE_NOTICE = 0.1  # seconds until a test has read what the phone says


@pytest.fixture
def far_end(theirs: Voice) -> Iterator[RtpPeer]:
    with RtpPeer(theirs.sound) as peer:
        yield peer


def our_phone(ours: Voice, heard: Recording, *options: str) -> Headless:
    return Headless("--audio-in", ours.file, "--audio-out", heard.path, *options)


# --- calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["pcmu", "pcma"])
def test_an_echo_brings_our_own_voice_back(
    tmp_path: Path, ours: Voice, heard: Recording, codec: str
) -> None:
    scenario = "uas" if codec == "pcmu" else "echoes_pcma"
    with (
        Sipp(scenario, tmp_path, "-rtp_echo") as sipp,
        our_phone(ours, heard, "--codecs", codec) as phone,
    ):
        phone.call(sipp.uri)
        heard.wait_for(5)
        phone.hang_up()
        sipp.check()
    compare(ours.sound, heard.sound()).check()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_we_call_and_both_are_heard(
    tmp_path: Path, ours: Voice, theirs: Voice, far_end: RtpPeer, heard: Recording, transport: str
) -> None:
    with (
        Sipp("answers", tmp_path, transport=transport, rtp_port=far_end.port) as sipp,
        our_phone(ours, heard, "--transport", transport) as phone,
    ):
        far_end.talk_to(phone.call(sipp.uri))
        heard.wait_for(5)
        counted = phone.stats()
        phone.hang_up()
        sipp.check()
    check_both(theirs.sound, heard.sound(), ours.sound)
    check_both(ours.sound, far_end.heard(), theirs.sound)
    assert int(str(counted["rx"])) > 200
    assert int(str(counted["tx"])) > 200
    assert int(str(counted["lost"])) == 0


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("scenario", ["calls_and_is_hung_up", "calls_without_offer"])
def test_we_are_called_and_both_are_heard(
    tmp_path: Path,
    ours: Voice,
    theirs: Voice,
    far_end: RtpPeer,
    heard: Recording,
    scenario: str,
    transport: str,
) -> None:
    with (
        our_phone(ours, heard, *ANSWERS) as phone,
        Sipp(
            scenario, tmp_path, target=phone.address, transport=transport, rtp_port=far_end.port
        ) as sipp,
    ):
        assert "sip:sipp@" in str(phone.wait_for("incoming")["from"])
        far_end.talk_to(phone.connected())
        heard.wait_for(4)
        phone.hang_up()
        sipp.check()
    check_both(theirs.sound, heard.sound(), ours.sound)
    check_both(ours.sound, far_end.heard(), theirs.sound)


def test_the_other_side_hangs_up(tmp_path: Path, ours: Voice, heard: Recording) -> None:
    with (
        Sipp("hangs_up", tmp_path, "-d", "500", rtp_port=20_000) as sipp,
        our_phone(ours, heard) as phone,
    ):
        phone.call(sipp.uri)
        phone.wait_for("stats")
        phone.wait_for_state("ended")
        sipp.check()


@pytest.mark.parametrize(
    ("status", "reason"), [(486, "Busy Here"), (603, "Decline"), (404, "Not Found")]
)
def test_a_refused_call_ends_with_its_code(
    tmp_path: Path, ours: Voice, heard: Recording, status: int, reason: str
) -> None:
    with (
        Sipp("refuses", tmp_path, status=status, reason=reason) as sipp,
        our_phone(ours, heard) as phone,
    ):
        phone.send(f"call {sipp.uri}")
        ended = phone.wait_for_state("ended")
        assert ended["code"] == status
        assert ended["text"]
        sipp.check()


def test_a_call_is_cancelled_while_it_rings(tmp_path: Path, ours: Voice, heard: Recording) -> None:
    with Sipp("is_cancelled", tmp_path) as sipp, our_phone(ours, heard) as phone:
        phone.send(f"call {sipp.uri}")
        phone.wait_for_state("ringing")
        phone.hang_up()
        sipp.check()


def test_a_caller_gives_up(tmp_path: Path, ours: Voice, heard: Recording) -> None:
    with (
        our_phone(ours, heard, "--accept-any-user") as phone,
        Sipp("gives_up", tmp_path, target=phone.address, rtp_port=20_000) as sipp,
    ):
        phone.wait_for("incoming")
        phone.wait_for_state("ended")
        sipp.check()


@pytest.mark.parametrize("status", [486, 603])
def test_an_incoming_call_is_rejected(
    tmp_path: Path, ours: Voice, heard: Recording, status: int
) -> None:
    with (
        our_phone(ours, heard, "--accept-any-user") as phone,
        Sipp("is_refused", tmp_path, target=phone.address, status=status, rtp_port=1) as sipp,
    ):
        phone.wait_for("incoming")
        phone.send(f"reject {status}")
        sipp.check()


def test_early_media_is_heard_and_nothing_of_ours_is_sent_before_the_answer(
    tmp_path: Path, ours: Voice, theirs: Voice, far_end: RtpPeer, heard: Recording
) -> None:
    with (
        Sipp("early_media", tmp_path, rtp_port=far_end.port) as sipp,
        our_phone(ours, heard) as phone,
    ):
        phone.send(f"call {sipp.uri}")
        far_end.talk_to(str(phone.wait_for("media")["local"]))
        phone.wait_for_state("early")
        phone.wait_for_state("connected")
        answered, length = time.monotonic(), heard.seconds()
        heard.wait_for(3)
        phone.hang_up()
        sipp.check()
    compare(theirs.sound, heard.sound(until_s=length)).check()
    assert level_dbfs(far_end.heard(until=answered - WE_NOTICE)) < SILENT_DBFS
    compare(ours.sound, far_end.heard(since=answered + 0.1)).check()


def test_digits_go_both_ways(
    tmp_path: Path, ours: Voice, far_end: RtpPeer, heard: Recording
) -> None:
    with (
        Sipp("answers", tmp_path, rtp_port=far_end.port) as sipp,
        our_phone(ours, heard) as phone,
    ):
        far_end.talk_to(phone.call(sipp.uri))
        far_end.send_digits("7*0#")
        for digit in "7*0#":
            phone.wait_for("dtmf", digit=digit)
        phone.send("dtmf 1123")
        far_end.wait_for_sound(1.5)
        phone.hang_up()
        sipp.check()
    assert far_end.digits() == "1123"


# --- hold ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "port", "direction"),
    [
        ("0.0.0.0", "[rtp_port]", "sendrecv"),
        ("127.0.0.1", "0", "sendrecv"),
        ("127.0.0.1", "[rtp_port]", "inactive"),
        ("127.0.0.1", "[rtp_port]", "sendonly"),
    ],
    ids=["0.0.0.0", "port 0", "inactive", "sendonly"],
)
def test_each_style_of_hold_is_understood(
    tmp_path: Path,
    ours: Voice,
    theirs: Voice,
    far_end: RtpPeer,
    heard: Recording,
    address: str,
    port: str,
    direction: str,
    alone: Alone,
) -> None:
    with (
        alone(),
        Sipp(
            "holds",
            tmp_path,
            held_address=address,
            held_port=port,
            held_direction=direction,
            rtp_port=far_end.port,
        ) as sipp,
        our_phone(ours, heard) as phone,
    ):
        address_of_ours = phone.call(sipp.uri)
        far_end.talk_to(address_of_ours)
        phone.wait_for("hold", by="them")
        held, length = time.monotonic(), heard.seconds()
        if direction != "sendonly":
            far_end.be_silent()
        phone.wait_for("hold", by="none")
        resumed, resumed_length = time.monotonic(), heard.seconds()
        far_end.talk_to(address_of_ours)
        heard.wait_for(6)
        phone.hang_up()
        sipp.check()
    assert level_dbfs(far_end.heard(since=held + 0.3, until=resumed - WE_NOTICE)) < SILENT_DBFS
    compare(ours.sound, far_end.heard(since=resumed + 0.2)).check()
    compare(theirs.sound, heard.sound(resumed_length + 0.3)).check()
    if direction == "sendonly":
        compare(theirs.sound, heard.sound(length, resumed_length)).check()


@pytest.mark.parametrize(
    ("scenario", "keys"),
    [
        ("is_held", {"held_direction": "inactive"}),
        ("is_held", {"held_direction": "sendrecv"}),
        ("is_held", {"held_direction": "recvonly"}),
        ("is_held_without_sdp", {}),
        ("is_held_at_second_try", {"status": "491", "reason": "Request Pending"}),
        ("is_held_at_second_try", {"status": "500", "reason": "Server Internal Error"}),
    ],
    ids=["inactive", "sendrecv", "recvonly", "no body", "491", "500 with Retry-After"],
)
def test_fault_04_hold_silences_us_at_once_whatever_the_answer(
    tmp_path: Path,
    ours: Voice,
    theirs: Voice,
    far_end: RtpPeer,
    heard: Recording,
    scenario: str,
    keys: dict[str, Any],
    alone: Alone,
) -> None:
    with (
        alone(),
        Sipp(scenario, tmp_path, **keys, rtp_port=far_end.port) as sipp,
        our_phone(ours, heard) as phone,
    ):
        far_end.talk_to(phone.call(sipp.uri))
        far_end.wait_for_sound(3)
        held, length = time.monotonic(), heard.seconds()
        phone.send("hold")
        phone.wait_for_state("on_hold", timeout_s=8)
        heard.wait_for(1)
        resumed, resumed_length = time.monotonic(), heard.seconds()
        phone.send("resume")
        phone.wait_for_state("connected")
        far_end.wait_for_sound(4)
        phone.hang_up()
        sipp.check()
    compare(ours.sound, far_end.heard(until=held)).check()
    assert level_dbfs(far_end.heard(since=held + 0.3, until=resumed)) < SILENT_DBFS
    assert level_dbfs(heard.sound(length + 0.3, resumed_length)) < -45  # our quiet hold tone
    compare(ours.sound, far_end.heard(since=resumed + 0.3)).check()
    compare(theirs.sound, heard.sound(resumed_length + 0.3)).check()


def test_reports_go_on_while_we_hold(
    tmp_path: Path, ours: Voice, far_end: RtpPeer, heard: Recording
) -> None:
    with (
        Sipp("is_held", tmp_path, held_direction="inactive", rtp_port=far_end.port) as sipp,
        our_phone(ours, heard) as phone,
    ):
        far_end.talk_to(phone.call(sipp.uri))
        phone.send("hold")
        phone.wait_for_state("on_hold")
        before = len(far_end.reports)
        heard.wait_for(8)  # RFC 3550 section 6.2: every 5 s, give or take a half
        assert len(far_end.reports) > before
        phone.send("resume")
        phone.wait_for_state("connected")
        phone.hang_up()
        sipp.check()
