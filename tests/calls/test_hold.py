"""Hold and resume against a peer that does as real systems do: all four styles of theirs, ours with
odd answers and refusals."""

from collections.abc import Callable

import pytest

from applet.address import Address
from applet.media.tones import Tone
from applet.nat.strategy import DIRECT, OpenedWay
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    Dial,
    HangUp,
    HeldBy,
    Hold,
    Reason,
    Reinvite,
    Resume,
    Transfer,
    Trouble,
)
from applet.phone.orders import HoldMedia, PlayTone
from applet.sdp.description import parse_sdp
from applet.sip.message import Request
from tests.calls.scenes import (
    PBX,
    connected,
    dialled,
    direction,
    ended,
    held,
    media,
    rang_in,
)
from tests.support.pbx import Pbx
from tests.support.street import House

PBX_SEES_US = "10.0.0.1"

# --- hold, by them


def test_who_picks_up_and_holds_has_picked_up() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 200, pbx.sdp("a=sendonly"))
    street.run(0.2)
    told = [(e.state, e.code) for _, e in phone.events if isinstance(e, CallStateChanged)]
    assert told[-2:] == [(CallState.CONNECTED, 200), (CallState.ON_HOLD, 0)]


@pytest.mark.parametrize("answered", ["", "a=sendonly"])
def test_hold_pressed_while_they_answer_our_offer_is_offered_next(answered: str) -> None:
    """Their re-INVITE asked what we offer, and that was to talk."""
    street, phone, pbx, invite = connected()
    pbx.ask("INVITE", invite, 10)
    street.run(0.2)
    assert direction(pbx.responses(200)[0]) == "sendrecv"
    phone.do(Hold(0))
    pbx.ask("ACK", invite, 10, pbx.sdp(*filter(None, [answered])))
    hold = pbx.wait_for("INVITE", 2)
    assert direction(hold) == "inactive"
    pbx.answer(hold, 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    assert held(phone)[0] is (HeldBy.BOTH if answered else HeldBy.US)


@pytest.mark.parametrize("status", [408, 481])
def test_a_server_that_knows_no_such_call_any_more_has_lost_it(status: int) -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), status)
    street.run(0.2)
    assert ended(phone) == (Reason.LOST, status)
    assert len(pbx.requests("BYE")) == (status == 408)


HOLD_STYLES = {
    "inactive": (("a=inactive",), {}),
    "sendonly": (("a=sendonly",), {}),
    "zero address": ((), {"host": "0.0.0.0"}),
    "port zero": ((), {"port": 0}),
}


@pytest.mark.parametrize("style", HOLD_STYLES)
def test_all_four_hold_styles_are_understood_and_resumed(style: str) -> None:
    street, phone, pbx, invite = connected()
    lines, place = HOLD_STYLES[style]
    pbx.ask("INVITE", invite, 10, pbx.sdp(*lines, **place))  # type: ignore[arg-type]
    street.run(0.2)
    (answer,) = pbx.responses(200)
    pbx.ask("ACK", invite, 10)
    street.run(1)
    assert held(phone) == (HeldBy.THEM, False)
    assert phone.state() is CallState.ON_HOLD
    assert direction(answer) in {"inactive": ("inactive",), "sendonly": ("recvonly",),
                                  "zero address": ("recvonly", "inactive", "sendrecv", "sendonly"),
                                  "port zero": ("inactive", "sendrecv")}[style]  # fmt: skip
    quiet = len(pbx.rtp)
    street.run(1)
    assert len(pbx.rtp) == quiet, "we send nothing while they hold"
    pbx.ask("INVITE", invite, 11, pbx.sdp("a=sendrecv"))
    street.run(0.2)
    pbx.ask("ACK", invite, 11)
    street.run(0.5)
    assert held(phone) == (HeldBy.NONE, False)
    assert phone.state() is CallState.CONNECTED
    assert len(pbx.rtp) > quiet + 20


def test_a_hold_without_music_is_made_audible_by_a_quiet_tone() -> None:
    street, phone, pbx, invite = connected()
    pbx.ask("INVITE", invite, 10, pbx.sdp("a=inactive"))
    street.run(0.2)
    assert phone.orders[-1] == PlayTone(1, Tone.HOLD)
    pbx.ask("ACK", invite, 10)
    pbx.ask("INVITE", invite, 11, pbx.sdp("a=sendonly"))
    street.run(0.2)
    assert phone.orders[-1] == PlayTone(1, None)


# --- hold, by us, with odd answers


def test_our_hold_is_inactive_with_a_raised_version_and_resume_is_sendrecv_again() -> None:
    street, phone, pbx, invite = connected()
    phone.do(Hold(0))
    hold = pbx.wait_for("INVITE", 2)
    pbx.answer(hold, 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    phone.do(Resume(0))
    resume = pbx.wait_for("INVITE", 3)
    pbx.answer(resume, 200, pbx.sdp())
    street.run(0.2)
    assert [direction(m) for m in (invite, hold, resume)] == ["sendrecv", "inactive", "sendrecv"]
    versions = [int(parse_sdp(m.body).origin.version) for m in (invite, hold, resume)]
    assert [after - versions[0] for after in versions] == [0, 1, 2]
    assert held(phone) == (HeldBy.NONE, False)


@pytest.mark.parametrize("line", ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"])
def test_fault_04_a_hold_answered_by_anything_keeps_the_call(line: str) -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 200, pbx.sdp(line))
    street.run(0.3)
    assert held(phone) == (HeldBy.US, False)
    quiet = len(pbx.rtp)
    street.run(1)
    assert len(pbx.rtp) == quiet


def test_fault_04_a_hold_answered_without_sdp_is_acknowledged_and_the_button_lives() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 200)
    street.run(0.3)
    assert len(pbx.requests("ACK")) == 2
    assert held(phone) == (HeldBy.US, False)
    phone.do(Resume(0))
    pbx.answer(pbx.wait_for("INVITE", 3), 200, pbx.sdp())
    street.run(0.3)
    assert held(phone) == (HeldBy.NONE, False)


WAYS = [("inactive", PBX_SEES_US), ("sendonly", PBX_SEES_US), ("sendrecv", "0.0.0.0")]


def _way(offer: Request) -> tuple[str, str | None]:
    """How an offer of ours holds: its direction and its address."""
    return direction(offer), parse_sdp(offer.body).connection


@pytest.mark.parametrize("status", [488, 400, 403, 500, 501, 606])
def test_a_hold_that_is_refused_is_tried_as_sendonly_and_as_zero_address_then_told(
    status: int,
) -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    assert phone.orders[-1] == HoldMedia(1, True), "silent before any answer"
    for number in (2, 3, 4):
        pbx.answer(pbx.wait_for("INVITE", number), status)
    street.run(0.5)
    assert [_way(offer) for offer in pbx.requests("INVITE")[1:]] == WAYS
    assert phone.seen(Trouble) == [Trouble(1, Reason.HOLD_FAILED, "")]
    assert held(phone) == (HeldBy.US, False)
    assert phone.state() is CallState.ON_HOLD
    assert _only_silence(pbx)
    phone.do(Resume(0))
    street.run(0.5)
    assert held(phone) == (HeldBy.NONE, False)
    assert phone.orders[-1] == HoldMedia(1, False)
    assert len(pbx.requests("INVITE")) == 4, "they never agreed to a hold, so none is taken back"


@pytest.mark.parametrize("refusals", [1, 2])
def test_the_way_to_hold_that_worked_is_remembered_for_the_server(refusals: int) -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    for number in range(2, 2 + refusals):
        pbx.answer(pbx.wait_for("INVITE", number), 488)
    pbx.answer(pbx.wait_for("INVITE", 2 + refusals), 200, pbx.sdp())
    street.run(0.5)
    assert held(phone) == (HeldBy.US, False)
    assert not phone.seen(Trouble)
    assert _only_silence(pbx)
    phone.do(Resume(0))
    resume = pbx.wait_for("INVITE", 3 + refusals)
    assert _way(resume) == ("sendrecv", PBX_SEES_US)
    pbx.answer(resume, 200, pbx.sdp())
    street.run(0.5)
    phone.do(HangUp(0))
    street.run(1)
    phone.do(Dial(f"sip:desk@{PBX}", confirmed=True))
    pbx.answer(pbx.wait_for("INVITE", 4 + refusals), 200, pbx.sdp())
    street.run(0.3)
    phone.do(Hold(0))
    assert _way(pbx.wait_for("INVITE", 5 + refusals)) == WAYS[refusals]


def test_a_desk_that_holds_with_music_is_refused_once() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0, with_music=True))
    pbx.answer(pbx.wait_for("INVITE", 2), 488)
    street.run(0.5)
    assert len(pbx.requests("INVITE")) == 2
    assert phone.last(Trouble) == Trouble(1, Reason.HOLD_FAILED, "")


def test_a_hold_that_nobody_answers_leaves_the_call_up_and_silent() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    street.run(40)
    assert len({offer.cseq.number for offer in pbx.requests("INVITE")}) == 2
    assert phone.last(Trouble) == Trouble(1, Reason.HOLD_FAILED, "")
    assert (held(phone), phone.state()) == ((HeldBy.US, False), CallState.ON_HOLD)
    assert _only_silence(pbx)
    phone.do(Resume(0))
    street.run(0.5)
    assert phone.state() is CallState.CONNECTED


def _only_silence(pbx: Pbx) -> bool:
    """Of what came in the last 0.2 seconds; nothing is silence too."""
    since = pbx.street.now - 0.2
    sound = {data[12:] for at, data in pbx.rtp if at > since and len(data) == 172}
    return sound <= {b"\xff" * 160, b"\x7f" * 160}


ODD_ANSWERS: dict[str, Callable[[Pbx], bytes]] = {
    "sendrecv to inactive": lambda pbx: pbx.sdp("a=sendrecv"),
    "missing sdp": lambda pbx: b"",
    "the version of before": lambda pbx: pbx.sdp("a=inactive").replace(b"o=- 1 ", b"o=- 1 0"),
    "port 0": lambda pbx: pbx.sdp(port=0),
    "another order of the codecs": lambda pbx: pbx.sdp("a=inactive").replace(
        b"AVP 0 101", b"AVP 101 8 0"
    ),
    "another address": lambda pbx: pbx.sdp("a=inactive", host="10.0.0.9", port=31000),
    "0.0.0.0": lambda pbx: pbx.sdp(host="0.0.0.0"),
    "two media": lambda pbx: pbx.sdp("a=inactive", "m=video 0 RTP/AVP 31"),
}


@pytest.mark.parametrize("odd", ODD_ANSWERS)
def test_fault_04_every_odd_answer_to_a_hold_is_tolerated(odd: str) -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 200, ODD_ANSWERS[odd](pbx))
    street.run(0.5)
    assert held(phone)[0] in (HeldBy.US, HeldBy.BOTH)
    assert phone.state() is CallState.ON_HOLD
    assert not phone.seen(Trouble)
    assert _only_silence(pbx)
    phone.do(Resume(0))
    pbx.answer(pbx.wait_for("INVITE", 3), 200, pbx.sdp())
    street.run(0.5)
    assert held(phone) == (HeldBy.NONE, False)
    assert phone.state() is CallState.CONNECTED
    assert not _only_silence(pbx)


@pytest.mark.parametrize("presses", [2, 3, 6, 7])
def test_hold_and_resume_pressed_quickly_end_where_the_last_press_was(presses: int) -> None:
    street, phone, pbx, _ = connected()
    for press in range(presses):
        phone.do(Resume(0) if press % 2 else Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 200, pbx.sdp("a=inactive"))
    street.run(0.3)
    if presses % 2 == 0:
        pbx.answer(pbx.wait_for("INVITE", 3), 200, pbx.sdp())
        street.run(0.3)
    assert held(phone) == (HeldBy.US if presses % 2 else HeldBy.NONE, False)
    assert _only_silence(pbx) is (presses % 2 == 1)
    assert len(pbx.requests("INVITE")) <= 3


def test_hold_pressed_during_a_refresh_follows_it() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Reinvite(0))
    refresh = pbx.wait_for("INVITE", 2)
    phone.do(Hold(0))
    assert phone.orders[-1] == HoldMedia(1, True)
    street.run(0.2)
    assert len(pbx.requests("INVITE")) == 2
    pbx.answer(refresh, 200, pbx.sdp())
    hold = pbx.wait_for("INVITE", 3)
    assert direction(hold) == "inactive"
    pbx.answer(hold, 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    assert held(phone) == (HeldBy.US, False)


def test_fault_04_500_with_retry_after_is_tried_again_as_section_14_2_says() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 500, headers=("Retry-After: 3",))
    street.run(0.1)
    assert held(phone) == (HeldBy.US, True)
    started = street.now
    again = pbx.wait_for("INVITE", 3)
    assert 2.8 <= street.now - started <= 3.1
    assert direction(again) == "inactive"


# --- the address changes in the call


def test_a_new_address_of_ours_is_offered_and_the_call_goes_on() -> None:
    street, phone, pbx, _ = connected()
    _move(phone, 41000)
    moved = pbx.wait_for("INVITE", 2)
    assert _place(moved) == ("192.0.2.77", 41000, "sendrecv")
    pbx.answer(moved, 200, pbx.sdp())
    street.run(0.3)
    assert media(phone).local == "192.0.2.77:41000"
    street.run(5)
    assert len(pbx.requests("INVITE")) == 2


def test_a_move_during_a_hold_keeps_the_hold() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    _move(phone, 41000)
    moved = pbx.wait_for("INVITE", 3)
    assert _place(moved) == ("192.0.2.77", 41000, "inactive")
    _move(phone, 41002)
    pbx.answer(moved, 200, pbx.sdp("a=inactive"))
    again = pbx.wait_for("INVITE", 4)
    assert _place(again)[1] == 41002
    pbx.answer(again, 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    assert held(phone) == (HeldBy.US, False)


def test_neither_a_refused_move_nor_a_refused_hold_is_offered_twice() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    for number in (2, 3, 4):
        pbx.answer(pbx.wait_for("INVITE", number), 488)
    street.run(0.2)
    _move(phone, 41000)
    moved = pbx.wait_for("INVITE", 5)
    assert _place(moved) == ("192.0.2.77", 41000, "sendrecv")
    pbx.answer(moved, 488)
    street.run(10)
    assert len(pbx.requests("INVITE")) == 5
    assert phone.state() is CallState.ON_HOLD


def test_a_move_while_it_rings_is_offered_after_the_answer() -> None:
    street, phone, pbx, invite = dialled()
    _move(phone, 41000)
    pbx.answer(invite, 200, pbx.sdp())
    assert _place(pbx.wait_for("INVITE", 2))[1] == 41000


def test_a_move_after_the_end_is_too_late() -> None:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 486)
    street.run(0.5)
    _move(phone, 41000)
    street.run(5)
    assert len(pbx.requests("INVITE")) == 1


def test_a_move_before_the_ack_of_an_answered_call_is_offered_after_it() -> None:
    street, phone, pbx = rang_in()
    phone.do(Answer(1))
    street.run(0.1)
    _move(phone, 41000)
    assert not pbx.requests("INVITE")
    pbx.follow_up("ACK", pbx.responses(200)[0], 1)
    assert _place(pbx.wait_for("INVITE"))[1] == 41000


def _move(phone: House, port: int) -> None:
    """The network is another one, and the call's sockets are found to be at `port` there."""
    now, rtp = phone.street.now, Address("192.0.2.77", port)
    phone.phone.network_changed(now)
    phone.phone.media_opened(1, OpenedWay(DIRECT, rtp, rtp._replace(port=port + 1)), now)
    phone.collect()


def _place(offer: Request) -> tuple[str | None, int, str]:
    description = parse_sdp(offer.body)
    return description.connection, description.media[0].port, direction(offer)


def test_a_resume_that_is_refused_stays_on_hold_and_can_be_tried_again() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    phone.do(Resume(0))
    pbx.answer(pbx.wait_for("INVITE", 3), 403)
    street.run(0.2)
    assert phone.last(Trouble) == Trouble(1, Reason.RESUME_FAILED, "")
    assert held(phone) == (HeldBy.US, False)
    phone.do(Resume(0))
    pbx.answer(pbx.wait_for("INVITE", 4), 200, pbx.sdp())
    street.run(0.2)
    assert held(phone) == (HeldBy.NONE, False)


def test_an_answer_to_hold_that_cannot_be_read_counts_as_refused() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 200, b"no sdp")
    again = pbx.wait_for("INVITE", 3)
    assert direction(again) == "sendonly"
    pbx.answer(again, 200, pbx.sdp("a=recvonly"))
    street.run(0.2)
    assert held(phone) == (HeldBy.US, False)
    assert not phone.seen(Trouble)


def test_fault_04_a_491_is_tried_again_after_the_back_off_of_section_14_1() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    first = pbx.wait_for("INVITE", 2)
    pbx.answer(first, 491)
    street.run(0.1)
    assert held(phone) == (HeldBy.US, True)
    started = street.now
    second = pbx.wait_for("INVITE", 3, limit=4.2)
    assert 1.9 <= street.now - started <= 4.2, "we own the Call-ID: 2.1 to 4 s"
    pbx.answer(second, 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    assert held(phone) == (HeldBy.US, False)


def test_resume_pressed_during_the_back_off_needs_no_offer_any_more() -> None:
    street, phone, pbx, _ = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 491)
    street.run(0.1)
    phone.do(Resume(0))
    assert held(phone) == (HeldBy.NONE, False)
    street.run(6)
    assert len(pbx.requests("INVITE")) == 2


def test_their_hold_while_ours_waits_settles_both() -> None:
    street, phone, pbx, invite = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 491)
    street.run(0.1)
    pbx.ask("INVITE", invite, 10, pbx.sdp("a=inactive"))
    street.run(0.2)
    pbx.ask("ACK", invite, 10)
    street.run(5)
    assert held(phone) == (HeldBy.BOTH, False)
    assert len(pbx.requests("INVITE")) == 2, "our answer already said inactive"


def test_a_refresh_repeats_our_offer_with_the_same_version() -> None:
    street, phone, pbx, invite = connected()
    phone.do(Reinvite(0))
    again = pbx.wait_for("INVITE", 2)
    assert parse_sdp(again.body).origin.version == parse_sdp(invite.body).origin.version
    pbx.answer(again, 488)
    street.run(0.3)
    assert phone.state() is CallState.CONNECTED
    assert not phone.seen(Trouble)


# --- during a transfer


def test_hold_and_resume_pressed_while_they_pass_us_on() -> None:
    street, phone, pbx, invite = connected()
    pbx.ask("REFER", invite, 10, headers=(f"Refer-To: <sip:second@{PBX}>",))
    passed_on = pbx.wait_for("INVITE", 2)
    assert passed_on.to.tag is None
    phone.do(Hold(1))
    hold = pbx.wait_for("INVITE", 3)
    assert (direction(hold), hold.call_id) == ("inactive", invite.call_id)
    pbx.answer(hold, 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    assert _only_silence(pbx)
    phone.do(Resume(1))
    resume = pbx.wait_for("INVITE", 4)
    assert direction(resume) == "sendrecv"
    pbx.answer(resume, 200, pbx.sdp())
    street.run(0.2)
    phone.do(Hold(1))
    pbx.answer(pbx.wait_for("INVITE", 5), 200, pbx.sdp("a=inactive"))
    pbx.answer(passed_on, 200, pbx.sdp(), tag="second")
    street.run(0.2)
    hold = pbx.wait_for("INVITE", 6)
    assert (direction(hold), hold.call_id) == ("inactive", passed_on.call_id)
    pbx.answer(hold, 200, pbx.sdp("a=inactive"))
    street.run(0.3)
    assert held(phone) == (HeldBy.US, False)
    assert _only_silence(pbx)


def test_resume_pressed_while_we_pass_them_on_goes_on_with_the_call() -> None:
    street, phone, pbx, invite = connected()
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    phone.do(Transfer(0, f"sip:second@{PBX}"))
    refer = pbx.wait_for("REFER")
    phone.do(Resume(0))
    resume = pbx.wait_for("INVITE", 3)
    assert direction(resume) == "sendrecv"
    pbx.answer(refer, 202)
    pbx.answer(resume, 200, pbx.sdp())
    street.run(0.3)
    assert held(phone) == (HeldBy.NONE, False)
    assert phone.state() is CallState.CONNECTED
