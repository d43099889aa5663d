"""The command lines of the product: wrong options, exit codes, and the demo without a screen."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.headless import Headless
from tests.support.ports import free_port
from tests.support.process import Program

NO_SCREEN = ("DISPLAY", "WAYLAND_DISPLAY")


def applet(*options: str | Path) -> Program:
    return Program([sys.executable, "-m", "applet", *options], without=NO_SCREEN)


@pytest.mark.parametrize(
    "options",
    [
        ("--no-such-option",),
        ("--transport", "carrier-pigeon"),
        ("--srtp", "required"),
        ("--turn", "user:secret@127.0.0.1"),
        ("--codecs", "opus"),
        ("--rtp-ports", "none"),
        ("--max-calls", "many"),
        ("--audio-in", "/no/such/file.wav"),
        ("--bind", "127.0.0.1:port"),
        ("--bind", "192.0.2.1:5060"),
        ("a-word-too-many",),
    ],
    ids=" ".join,
)
def test_a_wrong_option_ends_with_2_and_one_plain_line(options: tuple[str, ...]) -> None:
    with applet("headless", "--bind", "127.0.0.1", *options) as program:
        assert program.wait() == 2
    said = [line for line in program.lines + program.errors if line]
    assert len(said) == 1, said
    assert "Traceback" not in said[0]


@pytest.mark.parametrize(
    "options",
    [("--transport", "tls"), ("--100rel", "required"), ("--session-timer", "required")],
)
def test_what_is_asked_for_and_built_starts(options: tuple[str, ...]) -> None:
    with Headless(*options) as phone:
        assert phone.quit() == 0


def test_values_that_switch_a_part_off_are_accepted() -> None:
    options = ("--srtp", "off", "--100rel", "off", "--session-timer", "off", "--nat", "none")
    with Headless("--no-upnp", *options) as phone:
        assert phone.quit() == 0


def test_an_address_in_use_ends_with_2() -> None:
    with Headless() as phone, applet("headless", "--bind", phone.address) as second:
        assert second.wait() == 2


@pytest.mark.parametrize("mode", ["headless", "desk"])
def test_the_end_of_stdin_quits_cleanly(mode: str) -> None:
    with Headless(mode=mode) as phone:
        phone.close_stdin()
        assert phone.wait() == 0


@pytest.mark.parametrize("stdin", ["", "mute on\n", "mute on\nfly\n"], ids=repr)
def test_what_the_command_line_asks_for_comes_before_what_stdin_holds(stdin: str) -> None:
    """The lines are there before the program is, and so is their end."""
    options = ("--bind", "127.0.0.1:0", "--call", f"sip:127.0.0.1:{free_port()}")
    command = [sys.executable, "-m", "applet", "headless", *options]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=20)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert events[0]["ev"] == "ready"
    assert [event["state"] for event in events if event["ev"] == "state"] == ["dialling", "ended"]
    errors = [event["text"] for event in events if event["ev"] == "error"]
    assert errors == (["'fly' is no command"] if "fly" in stdin else [])


def test_ready_comes_first_and_tells_where_and_how_fast() -> None:
    port = free_port()
    with Headless(bind=f"127.0.0.1:{port}") as phone:
        ready = phone.events[0]
        assert ready["ev"] == "ready"
        assert ready["addr"] == f"127.0.0.1:{port}"
        assert 0 < float(str(ready["ready_ms"])) < 5000


def test_a_call_of_a_given_length_to_the_desk_ends_by_itself_with_0() -> None:
    with (
        Headless(mode="desk") as desk,
        Headless("--call", f"sip:{desk.address}", "--duration", "3") as phone,
    ):
        phone.wait_for_state("connected")
        phone.wait_for_state("ended")
        assert phone.wait() == 0


def test_a_call_that_is_not_answered_ends_with_1() -> None:
    nobody = f"sip:127.0.0.1:{free_port()}"
    with (
        Headless("--answer", "486", "--accept-any-user") as busy,
        Headless("--call", f"sip:{busy.address}", "--duration", "1") as phone,
    ):
        assert phone.wait() == 1
    with Headless("--call", nobody, "--duration", "1") as phone:
        phone.send("quit")
        assert phone.wait() == 1


def test_the_demo_makes_its_call_as_text_where_there_is_no_screen() -> None:
    with applet("demo") as demo:
        assert demo.wait(60) == 0, demo.transcript()
    said = "\n".join(demo.lines).lower()
    for word in ("ringing", "answers", "levels", "quality", "hold", "resume", "hang up", "ended"):
        assert word in said, f"{word} is missing in:\n{said}"
    assert not demo.errors
