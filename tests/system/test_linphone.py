"""Calls to and from linphone, with a different voice each way, recorded and compared."""

from pathlib import Path

import pytest

from tests.support.audio_compare import check_both
from tests.support.headless import Headless
from tests.support.linphone import Linphone
from tests.support.process import Program
from tests.support.recording import Recording
from tests.support.speech import read_wav
from tests.system.conftest import Voice

pytestmark = pytest.mark.peers


def test_we_call_linphone_and_both_are_heard(tmp_path: Path, ours: Voice, theirs: Voice) -> None:
    heard = Recording(tmp_path / "heard.wav")
    with (
        Linphone(tmp_path / "linphone", theirs.long_file) as linphone,
        Headless("--audio-in", ours.file, "--audio-out", heard.path) as phone,
    ):
        phone.call(linphone.uri)
        heard.wait_for(6)
        phone.send("dtmf 7")
        linphone.wait_for_line("Receiving tone 7")
        linphone.send("5")
        phone.wait_for("dtmf", digit="5")
        phone.hang_up()
        linphone.wait_for_line("ended")
    check_both(theirs.sound, heard.sound(until_s=6), ours.sound)
    check_both(ours.sound, read_wav(linphone.heard)[: 6 * 8000], theirs.sound)


def test_linphone_calls_us_and_both_are_heard(tmp_path: Path, ours: Voice, theirs: Voice) -> None:
    heard = Recording(tmp_path / "heard.wav")
    with (
        Linphone(tmp_path / "linphone", theirs.long_file) as linphone,
        Headless(
            *("--answer", "auto", "--accept-any-user"),
            *("--audio-in", ours.file, "--audio-out", heard.path),
        ) as phone,
    ):
        linphone.send(f"call {phone.uri}")
        phone.wait_for("incoming")
        phone.connected()
        heard.wait_for(6)
        linphone.send("terminate")
        phone.wait_for_state("ended")
    check_both(theirs.sound, heard.sound(), ours.sound)
    check_both(ours.sound, read_wav(linphone.heard), theirs.sound)


def test_each_side_holds_the_other(tmp_path: Path, ours: Voice, theirs: Voice) -> None:
    heard = Recording(tmp_path / "heard.wav")
    with (
        Linphone(tmp_path / "linphone", theirs.long_file) as linphone,
        Headless("--audio-in", ours.file, "--audio-out", heard.path) as phone,
    ):
        phone.call(linphone.uri)
        heard.wait_for(1)
        sides: list[tuple[str, Program, str]] = [("us", phone, "hold"), ("them", linphone, "pause")]
        for name, side, word in sides:
            side.send(word)
            phone.wait_for("hold", by=name)
            heard.wait_for(1)
            side.send("resume")
            phone.wait_for("hold", by="none")
            heard.wait_for(1)
        resumed = heard.seconds()
        heard.wait_for(6)
        phone.hang_up()
    check_both(theirs.sound, heard.sound(resumed), ours.sound)


def test_linphone_keeps_the_session_alive(tmp_path: Path, theirs: Voice) -> None:
    with (
        Linphone(tmp_path / "linphone", theirs.long_file, session_expires=3) as linphone,
        Headless() as phone,
    ):
        phone.call(linphone.uri)
        phone.wait_for_logged("< UPDATE", times=3, timeout_s=10)
        phone.hang_up()


def test_linphone_asks_for_too_short_a_session_and_then_for_a_longer_one(
    tmp_path: Path, theirs: Voice
) -> None:
    with (
        Linphone(tmp_path / "linphone", theirs.long_file, session_expires=60) as linphone,
        Headless("--answer", "auto", "--accept-any-user") as phone,
    ):
        linphone.send(f"call {phone.uri}")
        phone.wait_for_logged("> 422")
        phone.connected()
        phone.hang_up()
