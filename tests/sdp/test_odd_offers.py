"""Offers and answers that are right and rare: other profiles, families and times."""

import pytest

from applet.sdp.offer_answer import NoCommonCodec, SdpError
from tests.sdp.test_ice import HOST, THEIR
from tests.sdp.test_ice import us as us_with_ice
from tests.sdp.test_offer_answer import (
    INACTIVE,
    PCMA,
    PCMU,
    SENDRECV,
    agreed_on,
    answer_to,
    answered_by,
    in_a_call,
    lines,
    sdp,
    us,
)

SIX = "2001:db8::5"


def test_the_feedback_profile_is_answered_and_offered_again_as_it_is() -> None:
    side = us()
    assert lines(answer_to(sdp("m=audio 4 RTP/AVPF 0"), side=side), "m=") == [
        "audio 30000 RTP/AVPF 0"
    ]
    assert lines(side.create_offer(SENDRECV), "m=") == ["audio 30000 RTP/AVPF 0 8 13 101"]


def test_an_answer_has_the_time_of_its_offer() -> None:
    side = us()
    timed = sdp().replace(b"t=0 0", b"t=2873397496 2873404696")
    first = answer_to(timed, side=side)
    assert lines(first, "t=") == ["2873397496 2873404696"]
    assert answer_to(timed, side=side) == first
    assert lines(answer_to(sdp(), side=side), "t=") == ["0 0"]
    assert lines(answer_to(sdp(), side=side), "o=")[0].split()[2] == "2"


@pytest.mark.parametrize("time", [b"", b"t=\r\n", b"t=0\r\n", b"t=now later\r\n", b"t=0 0 0\r\n"])
def test_a_time_that_cannot_be_read_is_always(time: bytes) -> None:
    assert lines(answer_to(sdp().replace(b"t=0 0\r\n", time)), "t=") == ["0 0"]


def test_speech_stands_first_in_an_answer_whatever_came_first() -> None:
    events = ("a=rtpmap:101 telephone-event/8000", "a=rtpmap:13 CN/8000")
    answer = answer_to(sdp("m=audio 4 RTP/AVP 101 13 8 0", *events))
    assert lines(answer, "m=") == ["audio 30000 RTP/AVP 8 0 101 13"]


def test_an_address_of_another_family_cannot_be_sent_to() -> None:
    with pytest.raises(NoCommonCodec, match=f"nothing can be sent from 192.0.2.10 to {SIX}"):
        us().receive_offer(sdp(connection=SIX))
    with pytest.raises(SdpError, match="nothing can be sent"):
        answered_by(sdp(connection=SIX))
    side = in_a_call()
    with pytest.raises(NoCommonCodec):
        side.receive_offer(sdp(connection=SIX))
    both = sdp("m=audio 4 RTP/AVP 0", f"c=IN IP6 {SIX}", "m=video 6 RTP/AVP 31")
    assert agreed_on(both).codecs == (PCMU,), "who has both is heard, and answered there"
    assert agreed_on(sdp(connection="::")).held_by_them, "no address at all is a way to hold"


def test_ice_may_find_an_address_of_our_family() -> None:
    side = us_with_ice()
    also = f"a=candidate:2 1 udp 1 {SIX} 40000 typ host"
    side.receive_offer(sdp("m=audio 40000 RTP/AVP 0", *THEIR, HOST, also, connection=SIX))
    assert side.create_answer(SENDRECV)[1].ice is not None


STREAMLESS = b"v=0\r\no=- 1 1 IN IP4 198.51.100.3\r\ns=-\r\nt=0 0\r\n"


def test_a_call_may_begin_without_streams_and_get_one_later() -> None:
    """RFC 4317 section 5.1."""
    side = us()
    for _ in range(2):
        answer = answer_to(STREAMLESS, side=side)
        assert lines(answer, "m=") == [] and lines(answer, "o=")[0].split()[2] == "1"
    agreed = side.negotiated
    assert agreed is not None
    assert (agreed.direction, agreed.held_by_them, agreed.remote_rtp) == (INACTIVE, True, None)
    assert agreed.codecs == (PCMU, PCMA)
    later = answer_to(sdp("m=audio 40000 RTP/AVP 8"), side=side)
    assert lines(later, "m=") == ["audio 30000 RTP/AVP 8"]
    assert lines(later, "o=")[0].split()[2] == "2"
    with pytest.raises(NoCommonCodec, match="no media"):
        side.receive_offer(STREAMLESS)


def test_a_call_without_streams_may_get_one_from_us() -> None:
    side = us()
    answer_to(STREAMLESS, side=side)
    assert lines(side.create_offer(SENDRECV), "m=") == ["audio 30000 RTP/AVP 0 8 13 101"]
    assert side.receive_answer(sdp()).codecs == (PCMU,)


def test_in_a_call_of_ours_all_streams_cannot_be_taken_away() -> None:
    with pytest.raises(NoCommonCodec, match="no media"):
        in_a_call().receive_offer(STREAMLESS)
