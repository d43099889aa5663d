"""`python -m applet check`: a report, as text and as JSON; one plain line for a wrong option."""

import json

import pytest

from applet import brand as brands
from applet.check import _as_json, _as_text, run_check
from applet.phone.messages import DevicesListed, SoundTried
from applet.ui.sound_report import heard_and_played, sound_rows
from applet.ui.strings import Speaker

DEVICES = DevicesListed(("Headset",), (), "", "")
WORD = Speaker(brands.load(brands.BRAND_FILE)).word
ROWS = (
    ("NAT type", "Symmetric NAT", "It needs a relay."),
    ("Server", "x", ""),
    *sound_rows(WORD, DEVICES, *heard_and_played(WORD, SoundTried(-31.4, False))),
)


def test_the_report_is_two_columns_with_the_meaning_below() -> None:
    assert _as_text(ROWS).splitlines() == [
        "NAT type    Symmetric NAT",
        "            It needs a relay.",
        "Server      x",
        "Microphone  Headset",
        "            It hears something (-31 dBFS at the loudest).",
        "Speaker     none",
        "            It cannot be opened: you would hear nothing.",
    ]


def test_the_same_as_json() -> None:
    report = json.loads(_as_json(ROWS, True))
    assert report["complete"] is True
    assert report["report"][0] == {
        "name": "NAT type",
        "found": "Symmetric NAT",
        "meaning": "It needs a relay.",
    }
    assert [line["name"] for line in report["report"]][-2:] == ["Microphone", "Speaker"]


@pytest.mark.parametrize("options", [["--nat", "odd"], ["sip:x@h", "--bind", "nonsense:x"]])
def test_a_wrong_option_is_one_line(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_check(options) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("tried", "microphone", "speaker"),
    [
        (SoundTried(-6.0, True), "hears something", "you should have heard it"),
        (SoundTried(-90.0, True), "is silent (pure zeros)", "you should have heard it"),
        (SoundTried(None, False), "you could only listen", "you would hear nothing"),
    ],
)
def test_the_sound_is_told_in_words(tried: SoundTried, microphone: str, speaker: str) -> None:
    hears, plays = heard_and_played(WORD, tried)
    assert microphone in hears
    assert speaker in plays
