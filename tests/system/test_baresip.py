"""Calls to and from baresip, with a different voice each way, recorded and compared."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audio_compare import check_both, compare
from tests.support.baresip import Baresip
from tests.support.headless import Headless
from tests.support.process import wait_until
from tests.support.recording import Recording
from tests.support.speech import level_dbfs, read_wav
from tests.system.conftest import Voice

pytestmark = pytest.mark.peers


@pytest.fixture
def baresip(tmp_path: Path, theirs: Voice) -> Iterator[Baresip]:
    with Baresip(tmp_path / "baresip", theirs.long_file) as baresip:
        yield baresip


def test_we_call_baresip_and_both_are_heard(
    phone: Headless, baresip: Baresip, ours: Voice, theirs: Voice, heard: Recording
) -> None:
    phone.call(baresip.uri)
    heard.wait_for(6)
    phone.hang_up()
    assert phone.quit() == 0
    baresip.stop()
    check_both(theirs.sound, heard.sound(), ours.sound)
    check_both(ours.sound, read_wav(baresip.heard()), theirs.sound)


def test_baresip_calls_us_and_both_are_heard(
    phone: Headless, baresip: Baresip, ours: Voice, theirs: Voice, heard: Recording
) -> None:
    baresip.command("dial", phone.uri)
    assert f"127.0.0.1:{baresip.port}" in str(phone.wait_for("incoming")["from"])
    phone.connected()
    heard.wait_for(6)
    baresip.command("hangup")
    phone.wait_for_state("ended")
    baresip.stop()
    check_both(theirs.sound, heard.sound(), ours.sound)
    check_both(ours.sound, read_wav(baresip.heard()), theirs.sound)


def test_a_muted_and_a_swapped_run_are_told_from_a_good_one(
    phone: Headless, baresip: Baresip, ours: Voice, theirs: Voice, heard: Recording
) -> None:
    phone.call(baresip.uri)
    phone.send("mute on")
    heard.wait_for(4)
    phone.hang_up()
    baresip.stop()
    with pytest.raises(AssertionError):
        compare(ours.sound, read_wav(baresip.heard())).check()
    with pytest.raises(AssertionError):
        check_both(ours.sound, heard.sound(), theirs.sound)
    check_both(theirs.sound, heard.sound(), ours.sound)


def test_baresip_holds_us_and_resumes(
    phone: Headless, baresip: Baresip, theirs: Voice, heard: Recording
) -> None:
    phone.call(baresip.uri)
    heard.wait_for(3)
    baresip.command("hold")
    phone.wait_for("hold", by="them")
    heard.wait_for(1.5)
    baresip.command("resume")
    phone.wait_for("hold", by="none")
    resumed = heard.seconds()
    heard.wait_for(4)
    phone.hang_up()
    compare(theirs.sound, heard.sound(resumed + 0.3)).check()


def test_we_hold_baresip_and_resume(
    phone: Headless, baresip: Baresip, theirs: Voice, heard: Recording
) -> None:
    phone.call(baresip.uri)
    heard.wait_for(3)
    phone.send("hold")
    phone.wait_for("hold", by="us")
    held = heard.seconds()
    heard.wait_for(2)
    phone.send("resume")
    phone.wait_for("hold", by="none")
    resumed = heard.seconds()
    heard.wait_for(4)
    phone.hang_up()
    assert level_dbfs(heard.sound(held + 0.3, resumed)) < -45  # at most our quiet hold tone
    compare(theirs.sound, heard.sound(resumed + 0.3)).check()


def test_digits_go_both_ways(phone: Headless, baresip: Baresip) -> None:
    phone.call(baresip.uri)
    phone.send("dtmf 19#")
    for digit in "19#":
        baresip.wait_for("CALL_DTMF_START", param=digit)
    for digit in "5*":
        baresip.command("sndcode", digit)
        phone.wait_for("dtmf", digit=digit)
    phone.hang_up()


def test_a_rejected_call_says_so_on_both_sides(tmp_path: Path, theirs: Voice) -> None:
    with (
        Baresip(tmp_path / "baresip", theirs.long_file, answers=False) as baresip,
        Headless("--accept-any-user") as phone,
    ):
        phone.send(f"call {baresip.uri}")
        phone.wait_for_state("ringing")
        baresip.command("hangup")
        assert phone.wait_for_state("ended")["code"] in (486, 603)
        baresip.command("dial", phone.uri)
        phone.wait_for("incoming")
        phone.send("reject 603")
        assert "603" in str(baresip.wait_for("CALL_CLOSED", direction="outgoing")["param"])


def test_baresip_calls_with_sound_and_reports_on_one_port(
    phone: Headless, tmp_path: Path, ours: Voice, theirs: Voice, heard: Recording
) -> None:
    folder = tmp_path / "baresip"
    with Baresip(folder, theirs.long_file, one_port=True) as baresip:
        baresip.command("dial", phone.uri)
        phone.connected()
        # In its offer, and in our answer.
        wait_until(
            lambda: str([*baresip.lines, *baresip.errors]).count("a=rtcp-mux") >= 2,
            5,
            "mux",
            baresip.transcript,
        )
        # It has our report, and tells what it says.
        baresip.wait_for("CALL_RTCP", timeout_s=15)
        heard.wait_for(6)
        baresip.command("hangup")
        phone.wait_for_state("ended")
    check_both(theirs.sound, heard.sound(), ours.sound)
    check_both(ours.sound, read_wav(baresip.heard()), theirs.sound)
