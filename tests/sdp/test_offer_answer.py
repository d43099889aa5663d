"""Offer/answer between two of us, and with peers that say it in their own way."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.address import Address
from applet.sdp.description import parse_sdp
from applet.sdp.offer_answer import (
    Codec,
    Direction,
    LocalProtocolError,
    Negotiated,
    NoCommonCodec,
    OfferAnswer,
    SdpError,
    State,
)

OURS = Address("192.0.2.10", 30000)
THEIRS = Address("198.51.100.3", 40000)
PCMU, PCMA = Codec("PCMU", 0), Codec("PCMA", 8)
SENDRECV, SENDONLY, RECVONLY, INACTIVE = Direction


def us(*codecs: str) -> OfferAnswer:
    return OfferAnswer(OURS, 30001, codecs or ("PCMU", "PCMA"), session_id=4711)


def them(*codecs: str) -> OfferAnswer:
    return OfferAnswer(THEIRS, 40001, codecs or ("PCMU", "PCMA"), session_id=99)


def sdp(*lines: str, connection: str = "198.51.100.3") -> bytes:
    """A description of theirs; without an `m=` line it has one PCMU stream at port 40000."""
    family = "IP6" if ":" in connection else "IP4"
    head = ["v=0", "o=them 1 1 IN IP4 198.51.100.3", "s=call"]
    if connection:
        head.append(f"c=IN {family} {connection}")
    head.append("t=0 0")
    if not any(line.startswith("m=") for line in lines):
        head.append("m=audio 40000 RTP/AVP 0")
    return "\r\n".join([*head, *lines, ""]).encode()


def answered_by(body: bytes, direction: Direction = SENDRECV) -> Negotiated:
    side = us()
    side.create_offer(direction)
    return side.receive_answer(body)


def in_a_call(side: OfferAnswer | None = None) -> OfferAnswer:
    side = side or us()
    side.create_offer(SENDRECV)
    side.receive_answer(sdp())
    return side


def answer_to(offer: bytes, wanted: Direction = SENDRECV, side: OfferAnswer | None = None) -> str:
    side = side or us()
    side.receive_offer(offer)
    return side.create_answer(wanted)[0].decode()


def agreed_on(offer: bytes, wanted: Direction = SENDRECV) -> Negotiated:
    side = us()
    side.receive_offer(offer)
    return side.create_answer(wanted)[1]


def lines(body: bytes | str, kind: str) -> list[str]:
    text = body if isinstance(body, str) else body.decode()
    return [line[2:] for line in text.split("\r\n") if line.startswith(kind)]


# --- the plain exchange ---------------------------------------------------------------------


def test_our_offer_says_everything_in_under_400_bytes() -> None:
    offer = us().create_offer(SENDRECV)
    assert offer.decode().split("\r\n") == [
        "v=0",
        "o=- 4711 1 IN IP4 192.0.2.10",
        "s=-",
        "c=IN IP4 192.0.2.10",
        "t=0 0",
        "m=audio 30000 RTP/AVP 0 8 13 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:13 CN/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]
    longest = OfferAnswer(Address("2001:db8:1111:2222:3333:4444:5555:6666", 32766), 9, ("PCMU",), 0)
    assert len(offer) < len(longest.create_offer(SENDRECV)) < 400


def test_two_of_us_agree() -> None:
    caller, desk = us(), them()
    desk.receive_offer(caller.create_offer(SENDRECV))
    answer, at_the_desk = desk.create_answer(SENDRECV)
    at_the_caller = caller.receive_answer(answer)
    assert at_the_caller == Negotiated(
        remote_rtp=THEIRS,
        remote_rtcp=Address(THEIRS.host, 40001),
        codecs=(PCMU, PCMA),
        receive_payload_types=((0, "PCMU"), (8, "PCMA")),
        dtmf_payload_type=101,
        dtmf_receive_payload_type=101,
        comfort_noise_payload_type=13,
        direction=SENDRECV,
        ptime_ms=20,
        held_by_them=False,
        local_rtp=OURS,
    )
    assert at_the_desk == at_the_caller._replace(
        remote_rtp=OURS, remote_rtcp=Address(OURS.host, 30001), local_rtp=THEIRS
    )
    assert caller.state is desk.state is State.STABLE
    assert caller.negotiated == at_the_caller


def test_an_answer_is_about_the_place_that_its_offer_has_shown() -> None:
    caller, desk = us(), them()
    desk.receive_offer(caller.create_offer(SENDRECV))
    moved = Address("198.51.100.9", 50000)
    caller.set_local(moved, 50001)
    assert caller.receive_answer(desk.create_answer(SENDRECV)[0]).local_rtp == OURS
    desk.receive_offer(caller.create_offer(SENDRECV))
    assert caller.receive_answer(desk.create_answer(SENDRECV)[0]).local_rtp == moved


def test_an_offerless_invite_turns_the_roles_round() -> None:
    called, caller = us(), them()
    caller.receive_offer(called.create_offer(SENDRECV))
    assert called.receive_answer(caller.create_answer(SENDRECV)[0]).remote_rtp == THEIRS


def test_telephone_events_and_comfort_noise_can_be_left_out() -> None:
    side = OfferAnswer(OURS, 30001, ("pcma",), 1, dtmf=False, comfort_noise=False, ptime=40)
    offer = side.create_offer(SENDRECV)
    assert lines(offer, "m=") == ["audio 30000 RTP/AVP 8"]
    assert "ptime:40" in lines(offer, "a=")
    agreed = side.receive_answer(sdp("m=audio 40000 RTP/AVP 8 13 101"))
    assert agreed.dtmf_payload_type is agreed.dtmf_receive_payload_type is None
    assert agreed.comfort_noise_payload_type is None


def test_fault_03_an_ipv6_address_is_labelled_ip6() -> None:
    side = OfferAnswer(Address("2001:db8::1", 30000), 30001, ("PCMU",), 1)
    offer = side.create_offer(SENDRECV)
    assert lines(offer, "o=") == ["- 1 1 IN IP6 2001:db8::1"]
    assert lines(offer, "c=") == ["IN IP6 2001:db8::1"]
    agreed = side.receive_answer(sdp(connection="2001:db8::2"))
    assert agreed.remote_rtp == Address("2001:db8::2", 40000)


def test_fault_03_no_peer_is_told_a_wildcard_a_name_or_a_zone() -> None:
    for host in ("0.0.0.0", "::", "localhost", ""):
        with pytest.raises(LocalProtocolError, match="cannot be told"):
            OfferAnswer(Address(host, 30000), 30001, ("PCMU",), 1)
    side = OfferAnswer(Address("fe80::1%eth0", 30000), 30001, ("PCMU",), 1)
    assert lines(side.create_offer(SENDRECV), "c=") == ["IN IP6 fe80::1"]


def test_our_rtcp_port_is_told_when_it_is_not_the_next_one() -> None:
    side = OfferAnswer(OURS, 30005, ("PCMU",), 1)
    assert "rtcp:30005" in lines(side.create_offer(SENDRECV), "a=")


def test_a_codec_without_a_number_cannot_be_offered() -> None:
    with pytest.raises(LocalProtocolError, match="no payload type"):
        us("PCMU", "SPEEX")


# --- the version ----------------------------------------------------------------------------


def version(body: bytes) -> str:
    return lines(body, "o=")[0].split()[2]


def test_the_version_is_raised_by_one_and_only_when_something_changed() -> None:
    side = us()
    versions = []

    def offer(direction: Direction) -> None:
        versions.append(version(side.create_offer(direction)))
        side.receive_answer(sdp())

    offer(SENDRECV)
    offer(SENDRECV)
    offer(INACTIVE)
    offer(INACTIVE)
    offer(SENDRECV)
    side.set_local(Address("192.0.2.99", 30000), 30001)
    offer(SENDRECV)
    side.receive_offer(sdp())
    versions.append(version(side.create_answer(SENDRECV)[0]))
    assert versions == ["1", "1", "2", "2", "3", "4", "5"]


def test_the_origin_stays_when_our_address_changes() -> None:
    side = in_a_call()
    side.set_local(Address("2001:db8::5", 31000), 31001)
    offer = side.create_offer(SENDRECV)
    assert lines(offer, "o=") == ["- 4711 2 IN IP4 192.0.2.10"]
    assert lines(offer, "c=") == ["IN IP6 2001:db8::5"]
    assert lines(offer, "m=") == ["audio 31000 RTP/AVP 0 8 13 101"]


def test_a_failed_offer_is_repeated_with_the_same_version() -> None:
    side = in_a_call()
    first = side.create_offer(INACTIVE)
    side.offer_failed()
    assert side.create_offer(INACTIVE) == first
    side.offer_failed()
    assert version(side.create_offer(SENDRECV)) == "3"


# --- states ---------------------------------------------------------------------------------


def test_every_verb_out_of_its_state_is_a_fault_of_ours() -> None:
    side = us()
    verbs: dict[str, Callable[[], object]] = {
        "create_offer": lambda: side.create_offer(SENDRECV),
        "receive_answer": lambda: side.receive_answer(sdp()),
        "offer_failed": side.offer_failed,
        "receive_offer": lambda: side.receive_offer(sdp()),
        "create_answer": lambda: side.create_answer(SENDRECV),
        "reject_offer": side.reject_offer,
    }

    def refused() -> list[str]:
        names = []
        for name in verbs.keys() - right[side.state]:
            with pytest.raises(LocalProtocolError, match=f"not {side.state.value}"):
                verbs[name]()
            names.append(name)
        return names

    right = {
        State.STABLE: {"create_offer", "receive_offer"},
        State.LOCAL_OFFER: {"receive_answer", "offer_failed"},
        State.REMOTE_OFFER: {"create_answer", "reject_offer"},
    }
    assert len(refused()) == 4
    side.create_offer(SENDRECV)
    assert len(refused()) == 4
    side.offer_failed()
    side.receive_offer(sdp())
    assert len(refused()) == 4


def test_a_rejected_offer_of_theirs_leaves_the_agreement() -> None:
    side = in_a_call()
    before = side.negotiated
    side.receive_offer(sdp("m=audio 50000 RTP/AVP 8"))
    side.reject_offer()
    assert (side.state, side.negotiated) == (State.STABLE, before)


def test_a_refused_offer_of_ours_leaves_the_agreement() -> None:
    side = in_a_call()
    before = side.negotiated
    side.create_offer(INACTIVE)
    side.offer_failed()
    assert (side.state, side.negotiated) == (State.STABLE, before)


def test_a_bad_offer_leaves_the_state_and_the_agreement() -> None:
    side = in_a_call()
    before = side.negotiated
    for body in (b"garbage", sdp("m=audio 40000 RTP/AVP 18"), sdp("m=video 40000 RTP/AVP 31")):
        with pytest.raises(SdpError):
            side.receive_offer(body)
        assert (side.state, side.negotiated) == (State.STABLE, before)


def test_a_bad_answer_ends_our_offer_and_leaves_the_agreement() -> None:
    side = in_a_call()
    before = side.negotiated
    side.create_offer(INACTIVE)
    with pytest.raises(SdpError):
        side.receive_answer(b"garbage")
    assert (side.state, side.negotiated) == (State.STABLE, before)


def test_early_answers_of_a_fork_leave_the_offer_open() -> None:
    side = us()
    side.create_offer(SENDRECV)
    one, two, three = side.fork(), side.fork(), side.fork()
    assert one.receive_answer(sdp("m=audio 5000 RTP/AVP 0")).remote_rtp == Address(
        THEIRS.host, 5000
    )
    assert two.receive_answer(sdp("m=audio 6000 RTP/AVP 8")).codecs == (PCMA,)
    with pytest.raises(SdpError):
        three.receive_answer(b"")
    assert (side.state, side.negotiated) == (State.LOCAL_OFFER, None)
    assert side.receive_answer(sdp()).codecs == (PCMU,)


def test_a_hidden_offer_shows_no_address_and_is_a_new_version() -> None:
    side = in_a_call()
    shown = parse_sdp(side.create_offer(SENDRECV))
    side.offer_failed()
    hidden = parse_sdp(side.create_offer(SENDRECV, hidden=True))
    assert hidden.connection == hidden.media[0].connection == "0.0.0.0"
    assert int(hidden.origin.version) == int(shown.origin.version) + 1
    assert hidden.origin.address == shown.origin.address
    side.offer_failed()
    assert parse_sdp(side.create_offer(SENDRECV)).connection == shown.connection


def test_the_plainest_offer_is_g711_alone() -> None:
    side = us()
    assert side.simplify()
    assert parse_sdp(side.create_offer(SENDRECV)).media[0].formats == ("0", "8")
    assert not side.simplify(), "there is nothing left to leave out"


# --- answers, as peers give them ------------------------------------------------------------


def test_the_answers_order_number_port_and_address_count() -> None:
    agreed = answered_by(
        sdp(
            "m=audio 5004 RTP/AVP 8 97 96",
            "c=IN IP4 203.0.113.9",
            "a=rtpmap:97 pcmu/8000",
            "a=rtpmap:96 telephone-event/8000",
        )
    )
    assert agreed.codecs == (PCMA, Codec("PCMU", 97))
    assert agreed.receive_payload_types == ((0, "PCMU"), (8, "PCMA"))
    assert agreed.remote_rtp == Address("203.0.113.9", 5004)
    assert (agreed.dtmf_payload_type, agreed.dtmf_receive_payload_type) == (96, 101)


def test_an_answer_without_our_telephone_events_takes_no_digits() -> None:
    agreed = answered_by(sdp("m=audio 40000 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/48000"))
    assert agreed.dtmf_payload_type is None
    assert agreed.dtmf_receive_payload_type == 101


def test_an_answer_may_leave_our_own_mapping_out() -> None:
    assert answered_by(sdp("m=audio 40000 RTP/AVP 0 101")).dtmf_payload_type == 101


def test_a_format_given_twice_counts_once() -> None:
    agreed = answered_by(sdp("m=audio 40000 RTP/AVP 97 0", "a=rtpmap:97 PCMU/8000"))
    assert agreed.codecs == (Codec("PCMU", 97),)


def test_more_media_than_offered_are_passed_over() -> None:
    body = sdp("m=audio 40000 RTP/AVP 0", "m=audio 5000 RTP/AVP 8", "m=video 6 RTP/AVP 31")
    assert answered_by(body).remote_rtp == THEIRS


def test_the_audio_is_found_at_another_place() -> None:
    body = sdp("m=video 0 RTP/AVP 31", "m=audio 40000 RTP/AVP 0")
    assert answered_by(body).remote_rtp == THEIRS


def test_the_feedback_profile_in_an_answer_does_no_harm() -> None:
    assert answered_by(sdp("m=audio 40000 RTP/AVPF 0")).codecs == (PCMU,)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (sdp("m=video 40000 RTP/AVP 31"), "has no audio"),
        (sdp("m=audio 40000 RTP/SAVP 0"), "changes the profile to RTP/SAVP"),
        (sdp(connection=""), "has no c= line"),
        (b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n", "has no audio"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(body: bytes, text: str) -> None:
    with pytest.raises(SdpError, match=text):
        answered_by(body)


def test_an_answer_with_codecs_never_offered_is_refused() -> None:
    for body in (sdp("m=audio 40000 RTP/AVP 18"), sdp("m=audio 40000 RTP/AVP 101 13")):
        with pytest.raises(NoCommonCodec, match="no codec that we offered"):
            answered_by(body)


def test_a_first_answer_that_refuses_the_audio_leaves_no_call() -> None:
    with pytest.raises(NoCommonCodec, match="refuses the audio"):
        answered_by(sdp("m=audio 0 RTP/AVP 0"))


@pytest.mark.parametrize("offered", Direction)
@pytest.mark.parametrize("answered", Direction)
def test_fault_05_the_direction_is_what_both_the_offer_and_the_answer_allow(
    offered: Direction, answered: Direction
) -> None:
    agreed = answered_by(sdp(f"a={answered.value}"), offered)
    assert agreed.direction.sends == (offered.sends and answered.receives)
    assert agreed.direction.receives == (offered.receives and answered.sends)


@pytest.mark.parametrize("answered", Direction)
def test_fault_04_our_hold_stands_whatever_direction_answers_it(answered: Direction) -> None:
    side = in_a_call()
    side.create_offer(INACTIVE)
    agreed = side.receive_answer(sdp(f"a={answered.value}"))
    assert (agreed.direction, agreed.held_by_them) == (INACTIVE, False)
    assert agreed.remote_rtcp == Address(THEIRS.host, 40001)
    side.create_offer(SENDRECV)
    assert side.receive_answer(sdp()).direction is SENDRECV


@pytest.mark.parametrize(
    "body", [sdp("m=audio 0 RTP/AVP 0"), sdp("a=inactive", connection="0.0.0.0")]
)
def test_fault_04_our_hold_may_be_answered_by_port_0_or_address_0(body: bytes) -> None:
    side = in_a_call()
    side.create_offer(INACTIVE)
    agreed = side.receive_answer(body)
    assert (agreed.direction, agreed.remote_rtp, agreed.held_by_them) == (INACTIVE, None, False)
    assert agreed.codecs == (PCMU,)


# --- offers, as peers make them -------------------------------------------------------------


def test_the_answer_keeps_the_offers_order_and_numbers() -> None:
    offer = sdp(
        "m=audio 40000 RTP/AVP 18 97 0 96 100 13",
        "a=rtpmap:97 PCMA/8000/1",
        "a=rtpmap:96 telephone-event/16000",
        "a=rtpmap:100 telephone-event/8000",
    )
    side = us()
    answer = answer_to(offer, side=side)
    assert lines(answer, "m=") == ["audio 30000 RTP/AVP 97 0 100 13"]
    assert "rtpmap:97 PCMA/8000" in lines(answer, "a=")
    agreed = side.negotiated
    assert agreed is not None
    assert agreed.codecs == (Codec("PCMA", 97), PCMU)
    assert agreed.receive_payload_types == ((97, "PCMA"), (0, "PCMU"))
    assert (agreed.dtmf_payload_type, agreed.dtmf_receive_payload_type) == (100, 100)
    assert agreed.comfort_noise_payload_type == 13


def test_numbers_agreed_on_keep_their_meaning_in_our_next_offer() -> None:
    side = us()
    answer_to(sdp("m=audio 4 RTP/AVP 0 101", "a=rtpmap:101 PCMA/8000"), side=side)
    assert lines(side.create_offer(SENDRECV), "m=") == ["audio 30000 RTP/AVP 0 101 13 96"]


def test_a_peer_that_gives_one_number_two_meanings_confuses_only_itself() -> None:
    side = us()
    answer_to(sdp("m=audio 4 RTP/AVP 97", "a=rtpmap:97 PCMU/8000"), side=side)
    answer_to(sdp("m=audio 4 RTP/AVP 97", "a=rtpmap:97 PCMA/8000"), side=side)
    assert lines(side.create_offer(SENDRECV), "m=") == ["audio 30000 RTP/AVP 97 96 13 101"]


def test_other_streams_are_refused_with_port_0_in_their_place() -> None:
    side = us()
    offer = sdp(
        "m=video 40010 RTP/AVP 31 34",
        "m=audio 40020 RTP/SAVP 0",
        "m=audio 40000 RTP/AVP 0",
        "m=audio 40030 RTP/AVP 0",
        "m=image 40040 udptl t38",
    )
    expected = [
        "video 0 RTP/AVP 31",
        "audio 0 RTP/SAVP 0",
        "audio 30000 RTP/AVP 0",
        "audio 0 RTP/AVP 0",
        "image 0 udptl t38",
    ]
    assert lines(answer_to(offer, side=side), "m=") == expected
    assert side.negotiated is not None
    assert side.negotiated.remote_rtp == THEIRS
    expected[2] = "audio 30000 RTP/AVP 0 8 13 101"
    assert lines(side.create_offer(INACTIVE), "m=") == expected
    answer = sdp(*(f"m={line}" for line in expected))
    assert side.receive_answer(answer).remote_rtp == Address(THEIRS.host, 30000)


def test_fault_06_a_stream_in_use_is_switched_off_with_port_0_and_on_again() -> None:
    side = us()
    answer_to(sdp(), side=side)
    off = answer_to(sdp("m=audio 0 RTP/AVP 0"), side=side)
    assert lines(off, "m=") == ["audio 0 RTP/AVP 0"]
    assert side.negotiated is not None
    switched_off = side.negotiated
    assert switched_off.remote_rtp is switched_off.remote_rtcp is None
    assert (switched_off.direction, switched_off.held_by_them) == (INACTIVE, True)
    assert switched_off.codecs == (PCMU,)
    on = answer_to(sdp("m=audio 40002 RTP/AVP 8"), side=side)
    assert lines(on, "m=") == ["audio 30000 RTP/AVP 8"]
    assert side.negotiated.remote_rtp == Address(THEIRS.host, 40002)
    assert not side.negotiated.held_by_them


def test_fault_06_a_stream_in_use_may_move_to_another_place() -> None:
    side = us()
    answer_to(sdp(), side=side)
    answer = answer_to(sdp("m=audio 0 RTP/AVP 0", "m=audio 40008 RTP/AVP 8"), side=side)
    assert lines(answer, "m=") == ["audio 0 RTP/AVP 0", "audio 30000 RTP/AVP 8"]
    assert lines(side.create_offer(SENDRECV), "m=")[0] == "audio 0 RTP/AVP 0"


def test_an_answer_to_our_resume_may_keep_the_stream_switched_off() -> None:
    side = us()
    answer_to(sdp(), side=side)
    side.create_offer(SENDRECV)
    agreed = side.receive_answer(sdp("m=audio 0 RTP/AVP 0"))
    assert (agreed.direction, agreed.held_by_them) == (INACTIVE, True)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (sdp("m=audio 0 RTP/AVP 0"), "switched off"),
        (sdp("m=audio 4 RTP/SAVPF 0"), "RTP/SAVPF is not RTP/AVP"),
        (sdp("m=audio 4 RTP/AVP 18 101"), "no codec of ours"),
        (sdp(connection=""), "no c= line"),
        (sdp("m=video 4 RTP/AVP 0", "m=text 5 RTP/AVP 98"), "video is not audio; text is not"),
    ],
)
def test_an_offer_without_anything_for_us_is_refused_with_the_reason(
    body: bytes, text: str
) -> None:
    with pytest.raises(NoCommonCodec, match=text):
        us().receive_offer(body)


def test_in_a_call_too_an_offer_that_drops_the_audio_is_refused() -> None:
    side = in_a_call()
    for body in (sdp("m=video 4 RTP/AVP 0"), sdp("m=video 0 RTP/AVP 0"), sdp("m=audio 1 x 0")):
        with pytest.raises(NoCommonCodec):
            side.receive_offer(body)


# --- hold -----------------------------------------------------------------------------------


@pytest.mark.parametrize("offered", Direction)
@pytest.mark.parametrize("wanted", Direction)
def test_our_answer_is_the_intersection_of_their_offer_and_our_wish(
    offered: Direction, wanted: Direction
) -> None:
    side = us()
    answer = answer_to(sdp(f"a={offered.value}"), wanted, side)
    agreed = side.negotiated
    assert agreed is not None
    assert lines(answer, "a=")[-1] == agreed.direction.value
    assert agreed.direction.sends == (wanted.sends and offered.receives)
    assert agreed.direction.receives == (wanted.receives and offered.sends)
    assert agreed.held_by_them is not offered.receives


def test_on_hold_with_sendonly_their_music_is_heard() -> None:
    agreed = agreed_on(sdp("a=sendonly"))
    assert (agreed.direction, agreed.held_by_them) == (RECVONLY, True)
    assert agreed.remote_rtp == THEIRS


def test_a_direction_for_the_whole_session_counts() -> None:
    body = sdp().replace(b"t=0 0\r\n", b"t=0 0\r\na=sendonly\r\n")
    assert agreed_on(body).direction is RECVONLY


def test_on_hold_with_inactive_rtcp_goes_on() -> None:
    agreed = agreed_on(sdp("a=inactive"))
    assert (agreed.direction, agreed.held_by_them) == (INACTIVE, True)
    assert agreed.remote_rtcp == Address(THEIRS.host, 40001)


@pytest.mark.parametrize("zero", ["0.0.0.0", "::"])
def test_on_hold_with_address_0_nothing_is_sent_but_they_may_be_heard(zero: str) -> None:
    side = us()
    answer = answer_to(sdp(connection=zero), side=side)
    assert lines(answer, "a=")[-1] == "recvonly"
    agreed = side.negotiated
    assert agreed is not None
    assert (agreed.direction, agreed.held_by_them) == (RECVONLY, True)
    assert agreed.remote_rtp is agreed.remote_rtcp is None


def test_on_hold_with_address_0_rtcp_goes_where_they_say() -> None:
    agreed = agreed_on(sdp("a=rtcp:5005 IN IP4 198.51.100.3", connection="0.0.0.0"))
    assert agreed.remote_rtp is None
    assert agreed.remote_rtcp == Address("198.51.100.3", 5005)


def test_an_answer_with_address_0_holds_us() -> None:
    agreed = answered_by(sdp(connection="0.0.0.0"))
    assert (agreed.direction, agreed.held_by_them) == (RECVONLY, True)


def test_both_hold_and_each_resumes_alone() -> None:
    side = in_a_call()
    assert "a=recvonly" in answer_to(sdp("a=sendonly"), side=side)
    side.create_offer(INACTIVE)
    assert side.receive_answer(sdp("a=inactive")).held_by_them
    side.create_offer(SENDRECV)
    agreed = side.receive_answer(sdp("a=sendonly"))
    assert (agreed.direction, agreed.held_by_them) == (RECVONLY, True)
    answer_to(sdp(), side=side)
    assert side.negotiated is not None
    assert (side.negotiated.direction, side.negotiated.held_by_them) == (SENDRECV, False)


def test_both_hold_and_they_resume_first() -> None:
    side = in_a_call()
    answer_to(sdp("a=inactive"), INACTIVE, side)
    assert "a=inactive" in answer_to(sdp("a=sendrecv"), INACTIVE, side)
    assert side.negotiated is not None
    assert not side.negotiated.held_by_them


# --- RTCP and packet time -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("a=x", Address(THEIRS.host, 40001)),
        ("a=rtcp:53020", Address(THEIRS.host, 53020)),
        ("a=rtcp:53020 IN IP4 203.0.113.7", Address("203.0.113.7", 53020)),
        ("a=rtcp:53020 IN IP6 2001:db8::9", Address("2001:db8::9", 53020)),
        ("a=rtcp:53020 IN IP4 a.example", Address(THEIRS.host, 53020)),
        ("a=rtcp:", Address(THEIRS.host, 40001)),
        ("a=rtcp:none", Address(THEIRS.host, 40001)),
        ("a=rtcp:70000", Address(THEIRS.host, 40001)),
        ("a=rtcp:0", None),
    ],
)
def test_the_rtcp_address_is_given_or_the_next_port(
    attribute: str, expected: Address | None
) -> None:
    assert agreed_on(sdp(attribute)).remote_rtcp == expected


def test_there_is_no_rtcp_port_above_the_last() -> None:
    assert agreed_on(sdp("m=audio 65535 RTP/AVP 0")).remote_rtcp is None


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ((), 20),
        (("a=ptime:10",), 10),
        (("a=ptime:30",), 20),
        (("a=ptime:40",), 40),
        (("a=ptime:200",), 60),
        (("a=ptime:0",), 20),
        (("a=ptime:soon",), 20),
        (("a=ptime:60", "a=maxptime:40"), 40),
        (("a=maxptime:150",), 20),
        (("a=maxptime:10",), 10),
    ],
)
def test_the_packet_time_is_their_wish_within_their_limit(
    attributes: tuple[str, ...], expected: int
) -> None:
    assert agreed_on(sdp(*attributes)).ptime_ms == expected


# --- anything at all ------------------------------------------------------------------------

LINE = st.sampled_from(
    [
        "m=audio 4000 RTP/AVP 0 8 101",
        "m=audio 0 RTP/AVP 0",
        "m=audio 4000 RTP/SAVP 0",
        "m=audio 4000 RTP/AVP 97 96 13",
        "m=video 4000 RTP/AVP 31",
        "a=rtpmap:97 PCMA/8000",
        "a=rtpmap:96 telephone-event/8000",
        "a=rtpmap:101 PCMU/8000",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=sendonly",
        "a=recvonly",
        "a=inactive",
        "a=ptime:30",
        "c=IN IP4 0.0.0.0",
        "c=IN IP6 2001:db8::1",
        "c=IN IP4 a.example",
        "nonsense",
    ]
)
BODY = st.lists(LINE, max_size=8).map(
    lambda body: "\r\n".join(["v=0", "o=a 1 1 IN IP4 1.2.3.4", "c=IN IP4 1.2.3.4", *body]).encode()
)
STEPS = st.lists(st.tuples(st.booleans(), BODY, st.sampled_from(list(Direction))), max_size=6)


@given(STEPS)
def test_no_peer_can_break_a_call_by_what_it_describes(
    steps: list[tuple[bool, bytes, Direction]],
) -> None:
    side = us()
    last = 0
    for ours, body, direction in steps:
        sent = None
        try:
            if ours:
                sent = side.create_offer(direction)
                side.receive_answer(body)
            else:
                side.receive_offer(body)
                sent, negotiated = side.create_answer(direction)
                offered, answered = parse_sdp(body), parse_sdp(sent)
                assert [m.kind for m in offered.media] == [m.kind for m in answered.media]
                assert negotiated.codecs
        except SdpError:
            pass
        assert side.state is State.STABLE
        if sent is not None:
            assert int(version(sent)) - last in (0, 1)
            last = int(version(sent))
            for media in parse_sdp(sent).media:
                assert len(set(media.formats)) == len(media.formats)


# --- RTP and RTCP on one port (RFC 5761) -------------------------------------------------------


def muxing(side: OfferAnswer) -> bool:
    """Whether the next offer of this side asks for it."""
    return "rtcp-mux" in lines(side.create_offer(SENDRECV), "a=")


def test_one_port_for_sound_and_reports_is_answered_when_offered_and_asked_for_again() -> None:
    side = OfferAnswer(OURS, 30005, ("PCMU",), 1)
    answer = answer_to(sdp("a=rtcp:40009", "a=rtcp-mux"), side=side)
    assert "rtcp-mux" in lines(answer, "a=")
    assert side.negotiated is not None and side.negotiated.rtcp_mux
    assert side.negotiated.remote_rtcp == side.negotiated.remote_rtp == THEIRS
    offer = lines(side.create_offer(SENDRECV), "a=")
    assert "rtcp-mux" in offer
    # Where reports go if they refuse it now.
    assert "rtcp:30005" in offer
    assert side.receive_answer(sdp("a=rtcp-mux")).rtcp_mux
    assert muxing(side)


def test_an_answer_without_it_goes_back_to_two_ports() -> None:
    side = us()
    answer_to(sdp("a=rtcp-mux"), side=side)
    assert muxing(side)
    agreed = side.receive_answer(sdp())
    assert not agreed.rtcp_mux
    assert agreed.remote_rtcp == Address(THEIRS.host, 40001)
    assert not muxing(side)


def test_an_offer_without_it_goes_back_to_two_ports() -> None:
    side = us()
    answer_to(sdp("a=rtcp-mux"), side=side)
    assert "rtcp-mux" not in lines(answer_to(sdp(), side=side), "a=")
    assert side.negotiated is not None and not side.negotiated.rtcp_mux


def test_an_offer_of_ours_that_is_refused_changes_no_ports() -> None:
    side = us()
    answer_to(sdp("a=rtcp-mux"), side=side)
    side.create_offer(INACTIVE)
    side.offer_failed()
    assert muxing(side)


def test_one_port_that_we_never_offered_is_not_taken() -> None:
    side = us()
    assert not muxing(side)
    agreed = side.receive_answer(sdp("a=rtcp-mux"))
    assert not agreed.rtcp_mux
    assert agreed.remote_rtcp == Address(THEIRS.host, 40001)


def test_one_port_on_hold_with_address_0_has_no_address_at_all() -> None:
    agreed = agreed_on(sdp("a=rtcp-mux", "a=rtcp:5005 IN IP4 198.51.100.3", connection="0.0.0.0"))
    assert agreed.rtcp_mux
    assert agreed.remote_rtp is agreed.remote_rtcp is None
