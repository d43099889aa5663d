"""`python -m applet check`: a report, as text and as JSON; one plain line for a wrong option."""

import json

import pytest

from applet.check import _as_json, _as_text, run_check
from applet.phone.messages import DevicesListed, NetworkChecked

FOUND = NetworkChecked(
    True, (("NAT type", "Symmetric NAT", "It needs a relay."), ("Server", "x", ""))
)
DEVICES = DevicesListed(("Headset",), (), "", "")


def test_the_report_is_two_columns_with_the_meaning_below() -> None:
    assert _as_text(FOUND, DEVICES).splitlines() == [
        "NAT type    Symmetric NAT",
        "            It needs a relay.",
        "Server      x",
        "Microphone  Headset",
        "Speaker     none",
        "            You would hear nothing.",
    ]


def test_the_same_as_json() -> None:
    report = json.loads(_as_json(FOUND, DEVICES))
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
