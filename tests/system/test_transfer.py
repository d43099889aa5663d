"""Transfer with real phones on real sockets: baresip and linphone pass us on, are passed on by us,
and SIPp plays a telephone system in every way that it may go."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.support.audio_compare import compare
from tests.support.baresip import Baresip
from tests.support.headless import Headless
from tests.support.linphone import Linphone
from tests.support.process import wait_until
from tests.support.recording import Recording
from tests.support.sipp import Sipp
from tests.support.sipp_story import Story, called, sdp
from tests.system.conftest import Voice

pytestmark = pytest.mark.peers

ANSWERS = ("--answer", "auto", "--accept-any-user", "--max-calls", "3")


def _ended(phone: Headless) -> set[object]:
    return {e["id"] for e in phone.events if e["ev"] == "state" and e["state"] == "ended"}


def _hears_sound(phone: Headless, call: int) -> bool:
    phone.send(f"stats {call}")
    return int(str(phone.wait_for("stats", id=call)["rx"])) > 20


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_three_of_us_pass_a_call_on_attended_and_the_two_that_are_left_talk(
    stack: ExitStack, tmp_path: Path, ours: Voice
) -> None:
    """A recording has the first call only: the second is looked at by its numbers."""
    caller, desk, colleague = (
        stack.enter_context(Headless(*ANSWERS, "--audio-in", ours.file)) for _ in range(3)
    )
    caller.call(desk.uri)
    desk.send("hold")
    desk.wait_for("hold", by="us")
    desk.call(colleague.uri)
    desk.send("transfer 2 1")
    caller.wait_for("transfer", state="done", id=1)
    colleague.wait_for("transfer", state="done", id=1)
    wait_until(lambda: _ended(desk) == {1, 2}, 10, "the end of both calls", desk.transcript)
    assert any(e["ev"] == "transfer" and e["state"] == "done" for e in desk.events)
    for phone in (caller, colleague):
        wait_until(partial(_hears_sound, phone, 2), 5, "sound", phone.transcript)
    caller.send("hangup 2")
    colleague.wait_for("state", state="ended", id=2)


def test_a_caller_that_we_pass_on_is_heard_by_whom_it_is_passed_to(
    stack: ExitStack, tmp_path: Path, ours: Voice
) -> None:
    heard = Recording(tmp_path / "heard.wav")
    colleague = stack.enter_context(Headless(*ANSWERS, "--audio-out", heard.path))
    desk = stack.enter_context(Headless(*ANSWERS))
    caller = stack.enter_context(Headless(*ANSWERS, "--audio-in", ours.file))
    caller.call(desk.uri)
    desk.send(f"transfer {colleague.uri}")
    caller.wait_for("transfer", state="following")
    caller.wait_for("transfer", state="done")
    desk.wait_for("transfer", state="done")
    heard.wait_for(3)
    caller.send("hangup")
    compare(ours.sound, heard.sound()).check()


def test_baresip_passes_us_on(stack: ExitStack, tmp_path: Path, theirs: Voice) -> None:
    baresip = stack.enter_context(Baresip(tmp_path / "baresip", theirs.long_file))
    colleague = stack.enter_context(Headless(*ANSWERS))
    caller = stack.enter_context(Headless(*ANSWERS))
    caller.call(baresip.uri)
    baresip.command("transfer", colleague.uri)
    caller.wait_for("transfer", state="following")
    colleague.wait_for_state("connected")
    caller.wait_for("transfer", state="done")
    caller.wait_for("state", state="ended", id=1, timeout_s=10)
    caller.send("hangup")
    colleague.wait_for_state("ended")


def test_we_pass_baresip_on(stack: ExitStack, tmp_path: Path, theirs: Voice) -> None:
    baresip = stack.enter_context(Baresip(tmp_path / "baresip", theirs.long_file))
    colleague = stack.enter_context(Headless(*ANSWERS))
    desk = stack.enter_context(Headless(*ANSWERS))
    desk.call(baresip.uri)
    desk.send(f"transfer {colleague.uri}")
    colleague.wait_for_state("connected", 10)
    desk.wait_for("transfer", 10, state="done")
    desk.wait_for_state("ended")


def test_linphone_passes_us_on(stack: ExitStack, tmp_path: Path, theirs: Voice) -> None:
    linphone = stack.enter_context(Linphone(tmp_path / "linphone", theirs.long_file))
    colleague = stack.enter_context(Headless(*ANSWERS))
    caller = stack.enter_context(Headless(*ANSWERS))
    caller.call(linphone.uri)
    linphone.send(f"transfer {colleague.uri}")
    caller.wait_for("transfer", 10, state="done")
    colleague.wait_for_state("connected")
    caller.send("hangup")


def test_we_pass_linphone_on(stack: ExitStack, tmp_path: Path, theirs: Voice) -> None:
    linphone = stack.enter_context(Linphone(tmp_path / "linphone", theirs.long_file))
    colleague = stack.enter_context(Headless(*ANSWERS))
    desk = stack.enter_context(Headless(*ANSWERS))
    desk.call(linphone.uri)
    desk.send(f"transfer {colleague.uri}")
    colleague.wait_for_state("connected", 10)
    desk.wait_for("transfer", 10, state="done")


def test_linphone_passes_us_on_attended_once_we_agree(
    stack: ExitStack, tmp_path: Path, theirs: Voice
) -> None:
    """It names no port in Refer-To, so the colleague has an address of its own; which therefore is
    another host than the one we called."""
    linphone = stack.enter_context(Linphone(tmp_path / "linphone", theirs.long_file))
    colleague = stack.enter_context(Headless(*ANSWERS, bind="127.0.6.5:5060"))
    caller = stack.enter_context(Headless(*ANSWERS))
    caller.call(linphone.uri)
    linphone.send("pause 1")
    caller.wait_for("hold", by="them")
    linphone.send(f"call {colleague.uri}")
    colleague.connected()
    linphone.wait_for_line("Call 2 with")
    linphone.send("transfer 1 --to-call 2")
    caller.wait_for("transfer", 10, state="asked")
    caller.send("transfer yes")
    caller.wait_for("transfer", 10, state="done")
    colleague.wait_for("transfer", 10, state="done")
    wait_until(partial(_hears_sound, colleague, 2), 5, "sound", colleague.transcript)


# --- SIPp as a telephone system


def _answered() -> Story:
    return called().receives("INVITE", Supported="replaces").replies(200, sdp=sdp())


def _hears(story: Story, status: int, state: str) -> Story:
    """A NOTIFY of ours about the new call."""
    return story.receives(
        "NOTIFY",
        body=f"SIP/2.0 {status}",
        Event="refer;id=",
        Content_Type="message/sipfrag",
        Subscription_State=state,
    )


def _referring(stack: ExitStack, story: Story, folder: Path) -> tuple[Headless, Sipp]:
    sipp = stack.enter_context(Sipp(story, folder))
    phone = stack.enter_context(Headless(*ANSWERS))
    phone.call(sipp.uri)
    return phone, sipp


def test_a_refer_is_followed_step_by_step(stack: ExitStack, tmp_path: Path) -> None:
    colleague = stack.enter_context(Headless(*ANSWERS))
    story = _answered().waits(200).asks("REFER", f"Refer-To: <{colleague.uri}>")
    _hears(story.receives(202, Contact="sip:"), 100, "active").replies(200)
    _hears(story, 200, "terminated").replies(200).hangs_up()
    phone, sipp = _referring(stack, story, tmp_path)
    phone.wait_for("transfer", state="done")
    sipp.check()
    phone.wait_for("state", state="ended", id=1)
    phone.send("hangup")
    colleague.wait_for_state("ended")


def test_a_refer_without_a_subscription_is_followed_in_silence(
    stack: ExitStack, tmp_path: Path
) -> None:
    colleague = stack.enter_context(Headless(*ANSWERS))
    story = _answered().waits(200)
    story.asks("REFER", f"Refer-To: <{colleague.uri}>", "Refer-Sub: false", "Supported: norefersub")
    story.receives(202, Refer_Sub="false").hangs_up()
    phone, sipp = _referring(stack, story, tmp_path)
    phone.wait_for("transfer", state="done")
    sipp.check()
    colleague.wait_for_state("connected")


def test_a_refer_to_a_busy_phone_says_so_and_the_call_goes_on(
    stack: ExitStack, tmp_path: Path
) -> None:
    busy = stack.enter_context(Headless("--answer", "486", "--accept-any-user"))
    story = _answered().waits(200).asks("REFER", f"Refer-To: <{busy.uri}>")
    _hears(story.receives(202), 100, "active").replies(200)
    _hears(story, 486, "terminated").replies(200).is_hung_up()
    phone, sipp = _referring(stack, story, tmp_path)
    phone.wait_for("error", text="The call could not be passed on.")
    phone.wait_for("transfer", state="failed")
    phone.send("hangup")
    sipp.check()


def test_a_refer_to_a_stranger_asks_first(stack: ExitStack, tmp_path: Path) -> None:
    story = _answered().waits(200).asks("REFER", "Refer-To: <sip:x@elsewhere.example>")
    _hears(story.receives(202), 100, "pending").replies(200)
    _hears(story, 603, "terminated").replies(200).is_hung_up()
    phone, sipp = _referring(stack, story, tmp_path)
    phone.wait_for("transfer", state="asked", to="sip:x@elsewhere.example")
    phone.send("transfer no")
    phone.wait_for("transfer", state="failed")
    phone.send("hangup")
    sipp.check()


def test_a_refer_outside_a_call_is_forbidden(stack: ExitStack, tmp_path: Path) -> None:
    phone = stack.enter_context(Headless(*ANSWERS))
    story = Story(caller=True).asks("REFER", "Refer-To: <sip:a@127.0.0.1>", outside=True)
    sipp = Sipp(story.receives(403), tmp_path, target=phone.address)
    stack.enter_context(sipp).check()


@pytest.mark.parametrize("ends", ["notify", "bye"])
def test_our_refer_is_taken_at_their_word(stack: ExitStack, tmp_path: Path, ends: str) -> None:
    story = _answered().receives("INVITE").replies(200, sdp=sdp("a=inactive", version=2))
    story.receives("REFER", Refer_To="<sip:x@127.0.0.1>", Referred_By="sip:").replies(202)
    if ends == "notify":
        kind = ("Event: refer", "Content-Type: message/sipfrag;version=2.0")
        story.asks("NOTIFY", *kind, "Subscription-State: active", sdp="SIP/2.0 180 Ringing")
        story.receives(200)
        state = "Subscription-State: terminated;reason=noresource"
        story.asks("NOTIFY", *kind, state, sdp="SIP/2.0 200 OK").receives(200).is_hung_up()
    else:
        story.hangs_up()
    sipp = stack.enter_context(Sipp(story, tmp_path))
    phone = stack.enter_context(Headless())
    phone.call(sipp.uri)
    phone.send("hold")
    phone.wait_for("hold", by="us")
    phone.send("transfer sip:x@127.0.0.1")
    phone.wait_for("transfer", state="accepted")
    phone.wait_for("transfer", state="done")
    sipp.check()
