"""baresip offers ICE, and the sound takes what its checks have found."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audio_compare import check_both, compare
from tests.support.baresip import Baresip
from tests.support.headless import Headless
from tests.support.recording import Recording
from tests.support.speech import read_wav
from tests.system.conftest import Voice

pytestmark = pytest.mark.peers


@pytest.fixture
def baresip(tmp_path: Path, theirs: Voice) -> Iterator[Baresip]:
    with Baresip(tmp_path / "baresip", theirs.long_file, ice=True) as baresip:
        yield baresip


def test_baresip_calls_with_ice_and_both_are_heard(
    phone: Headless, baresip: Baresip, ours: Voice, theirs: Voice, heard: Recording
) -> None:
    baresip.command("dial", phone.uri)
    found = phone.wait_for("nat", way="ice", timeout_s=10)
    assert "checks found the way to 127.0.0.1:" in str(found["proof"])
    heard.wait_for(6)
    baresip.command("hangup")
    phone.wait_for_state("ended")
    baresip.stop()
    check_both(theirs.sound, heard.sound(), ours.sound)
    check_both(ours.sound, read_wav(baresip.heard()), theirs.sound)


def test_under_ice_both_sides_hold_and_resume(
    phone: Headless, baresip: Baresip, ours: Voice, theirs: Voice, heard: Recording
) -> None:
    baresip.command("dial", phone.uri)
    phone.wait_for("nat", way="ice", timeout_s=10)
    heard.wait_for(1)
    baresip.command("hold")
    phone.wait_for("hold", by="them")
    baresip.command("resume")
    phone.wait_for("hold", by="none")
    phone.send("hold")
    phone.wait_for("hold", by="us")
    phone.send("resume")
    phone.wait_for("hold", by="none")
    resumed = heard.seconds()
    heard.wait_for(4)
    phone.hang_up()
    baresip.stop()
    compare(theirs.sound, heard.sound(resumed + 0.3)).check()
    # baresip ends its recording with the first hold: what it hears then is not known.
