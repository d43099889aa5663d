"""Offers with ICE and what we answer (RFC 8839)."""

from itertools import count

import pytest

from applet.address import Address
from applet.sdp.description import parse_sdp
from applet.sdp.ice import (
    MOST_CANDIDATES,
    AgreedIce,
    Candidate,
    IceSide,
    Place,
    priority,
    read_candidate,
)
from applet.sdp.offer_answer import Direction, Negotiated, OfferAnswer

OURS = Address("192.0.2.10", 30000)
HERE = Place("host", OURS, OURS._replace(port=30001))
SENDRECV = Direction.SENDRECV
SEEN = Address("203.0.113.5", 5000), Address("203.0.113.5", 5001)
THEIR = ("a=ice-ufrag:them", "a=ice-pwd:theirpasswordof22chars")
HOST = "a=candidate:1 1 UDP 2130706431 198.51.100.3 40000 typ host"
LINES = (*THEIR, HOST, "a=candidate:1 2 udp 2130706430 198.51.100.3 40001 typ host")


def us(*places: Place) -> OfferAnswer:
    numbers = count(1)
    side = IceSide(lambda: f"{next(numbers):032x}"[::-1], places or (HERE,))
    return OfferAnswer(OURS, 30001, ("PCMU",), session_id=1, ice=side)


def sdp(*lines: str, session: tuple[str, ...] = (), host: str = "198.51.100.3") -> bytes:
    head = ["v=0", "o=them 1 1 IN IP4 198.51.100.3", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    return "\r\n".join([*head, *session, "m=audio 40000 RTP/AVP 0", *lines, ""]).encode()


def answered(side: OfferAnswer, *lines: str, **more: object) -> tuple[list[str], Negotiated]:
    """Our answer to an offer with these lines: its ICE attributes."""
    side.receive_offer(sdp(*lines, **more))  # type: ignore[arg-type]
    body, negotiated = side.create_answer(SENDRECV)
    return ice_lines(body), negotiated


def ice_lines(body: bytes) -> list[str]:
    (media,) = parse_sdp(body).media
    return [str(a) for a in media.attributes if a.name.startswith(("ice", "cand"))]


def agreed(side: OfferAnswer, *lines: str, **more: object) -> AgreedIce:
    ice = answered(side, *lines, **more)[1].ice
    assert ice is not None
    return ice


def test_an_offer_with_ice_is_answered_with_our_candidates() -> None:
    lines, negotiated = answered(us(), *LINES)
    assert lines == [
        "a=ice-ufrag:10000000",
        "a=ice-pwd:20000000000000000000000000000000",
        "a=ice-options:ice2",
        "a=candidate:1 1 UDP 2130706431 192.0.2.10 30000 typ host",
        "a=candidate:1 2 UDP 2130706430 192.0.2.10 30001 typ host",
    ]
    assert negotiated.ice is not None
    local, remote = negotiated.ice
    assert local.credentials == ("10000000", "20000000000000000000000000000000")
    assert remote.credentials == ("them", "theirpasswordof22chars") and not remote.lite
    assert remote.candidates == (
        Candidate("1", 1, 2130706431, Address("198.51.100.3", 40000), "host"),
        Candidate("1", 2, 2130706430, Address("198.51.100.3", 40001), "host"),
    )


def test_what_is_not_our_own_address_is_said_to_be_so() -> None:
    outside = Place("srflx", *SEEN, (OURS, OURS._replace(port=30001)))
    lines, _ = answered(us(outside, HERE), *LINES)
    assert lines[3:6] == [
        f"a=candidate:1 1 UDP {priority('srflx', 1)} 203.0.113.5 5000 typ srflx"
        " raddr 192.0.2.10 rport 30000",
        f"a=candidate:1 2 UDP {priority('srflx', 2)} 203.0.113.5 5001 typ srflx"
        " raddr 192.0.2.10 rport 30001",
        "a=candidate:2 1 UDP 2130706431 192.0.2.10 30000 typ host",
    ]
    zoned = Address("fe80::1%eth0", 5000)
    lines, _ = answered(us(Place("host", zoned, zoned)), *LINES)
    assert lines[3] == "a=candidate:1 1 UDP 2130706431 fe80::1 5000 typ host"
    lines, _ = answered(us(Place("srflx", *SEEN, (zoned, zoned))), *LINES)
    assert lines[3].endswith("typ srflx raddr fe80::1 rport 5000")
    lines, _ = answered(us(Place("relay", *SEEN)), *LINES)
    assert lines[3].endswith("typ relay raddr 0.0.0.0 rport 9"), "who hides it"
    six = Candidate("1", 1, 1, Address("2001:db8::1", 5), "relay")
    assert str(six) == "1 1 UDP 1 2001:db8::1 5 typ relay raddr :: rport 9"


def test_credentials_for_the_whole_session_count_and_a_lite_side_is_known() -> None:
    ice = agreed(us(), HOST, session=(*THEIR, "a=ice-lite"))
    assert ice.remote.ufrag == "them" and ice.remote.lite


@pytest.mark.parametrize(
    "lines",
    [(), (HOST,), THEIR, ("a=ice-ufrag:abc", THEIR[1], HOST), (THEIR[0], "a=ice-pwd:short", HOST),
     ("a=ice-ufrag:th m", THEIR[1], HOST), (*THEIR, "a=candidate"),
     ("a=ice-ufrag", THEIR[1], HOST), (*THEIR, HOST.replace("198.51.100.3", "name.local"))],
)  # fmt: skip
def test_without_all_that_ice_needs_the_answer_is_plain(lines: tuple[str, ...]) -> None:
    attributes, negotiated = answered(us(), *lines)
    assert attributes == [] and negotiated.ice is None


def test_one_who_has_no_ice_answers_plainly() -> None:
    side = OfferAnswer(OURS, 30001, ("PCMU",), session_id=1)
    attributes, negotiated = answered(side, *LINES)
    assert attributes == [] and negotiated.ice is None


@pytest.mark.parametrize("value", [
    "1 1 UDP 1 198.51.100.3 40000 typ", "1 1 TCP 1 198.51.100.3 9 typ host",
    "1 1 UDP 1 198.51.100.3 40000 tpy host", "1 3 UDP 1 198.51.100.3 40000 typ host",
    "1 x UDP 1 198.51.100.3 40000 typ host", "1 1 UDP 2147483648 198.51.100.3 40000 typ host",
    "1 1 UDP 1 198.51.100.3 0 typ host", "1 1 UDP 1 198.51.100.3 65536 typ host",
    "1 1 UDP 1 198.51.100.3 40000 typ other", "1 1 UDP 1 0.0.0.0 40000 typ host",
    "é 1 UDP 1 198.51.100.3 40000 typ host", "1 1 UDP 1 a.example 40000 typ host",
])  # fmt: skip
def test_a_bad_candidate_is_none(value: str) -> None:
    assert read_candidate(value) is None
    assert len(agreed(us(), *THEIR, f"a=candidate:{value}", HOST).remote.candidates) == 1


def test_of_very_many_candidates_the_first_count() -> None:
    more = [HOST.replace("40000", str(port)) for port in range(40001, 40400)]
    assert len(agreed(us(), *THEIR, HOST, *more).remote.candidates) == MOST_CANDIDATES


def test_an_address_that_is_none_of_their_candidates_is_a_mismatch() -> None:
    side = us()
    lines, negotiated = answered(side, *LINES, host="198.51.100.99")
    assert lines == ["a=ice-mismatch"] and negotiated.ice is None
    assert ice_lines(side.create_offer(SENDRECV)) == [], "only an answer speaks of it"
    side.offer_failed()
    assert answered(side, *LINES, host="198.51.100.99")[0] == ["a=ice-mismatch"]
    assert agreed(side, *LINES).remote.ufrag == "them"


@pytest.mark.parametrize("written", ["2001:DB8::1", "2001:db8:0:0::01", "2001:DB8:0:0:0:0:0:1"])
def test_an_ipv6_address_is_the_same_however_it_is_written(written: str) -> None:
    side = OfferAnswer(Address("2001:db8::9", 4), 5, ("PCMU",), session_id=1, ice=us()._ice)
    offer = sdp(*THEIR, HOST.replace("198.51.100.3", written), "a=rtcp:5 IN IP6 2001:Db8::2")
    side.receive_offer(offer.replace(b"c=IN IP4 198.51.100.3", b"c=IN IP6 2001:dB8::1"))
    _, negotiated = side.create_answer(SENDRECV)
    there = Address("2001:db8::1", 40000)
    assert negotiated.remote_rtp == there
    assert negotiated.remote_rtcp == Address("2001:db8::2", 5)
    assert negotiated.ice is not None, "their own address is among their candidates"
    assert [each.address for each in negotiated.ice.remote.candidates] == [there]


def test_on_hold_the_old_way_ice_goes_on() -> None:
    side = us()
    before = agreed(side, *LINES)
    assert agreed(side, *LINES, host="0.0.0.0") == before


def test_the_same_credentials_keep_ours_and_others_are_a_restart() -> None:
    side = us()
    first = agreed(side, *LINES)
    assert agreed(side, *LINES).local == first.local
    again = agreed(side, "a=ice-ufrag:them2", *LINES[1:])
    assert again.local.ufrag != first.local.ufrag and again.local.pwd != first.local.pwd
    assert agreed(side, THEIR[0], THEIR[1] + "x", HOST).local.ufrag != again.local.ufrag


def test_without_ice_in_a_later_offer_it_ends_and_may_begin_again() -> None:
    side = us()
    first = agreed(side, *LINES)
    assert answered(side)[0] == []
    assert ice_lines(side.create_offer(SENDRECV)) == []
    assert side.receive_answer(sdp(*LINES)).ice is None
    assert agreed(side, *LINES).local.ufrag != first.local.ufrag


def test_once_it_runs_our_own_offers_repeat_it() -> None:
    side = us()
    lines, negotiated = answered(side, *LINES)
    assert ice_lines(side.create_offer(Direction.SENDONLY)) == lines
    assert side.receive_answer(sdp(*LINES)).ice == negotiated.ice
    assert ice_lines(side.create_offer(SENDRECV)) == lines
    assert side.receive_answer(sdp()).ice is None
    assert ice_lines(side.create_offer(SENDRECV)) == []


def test_a_first_offer_says_nothing_of_ice() -> None:
    side = us()
    assert ice_lines(side.create_offer(SENDRECV)) == []
    side.offer_failed()
    side.set_local(Address("192.0.2.11", 30000), 30001)
    assert ice_lines(side.create_offer(SENDRECV)) == []


@pytest.mark.parametrize("moved", [OURS, Address("192.0.2.77", 40000)])
def test_our_new_address_is_a_restart_of_ours_and_so_is_the_same_one_anew(moved: Address) -> None:
    side = us()
    before, _ = answered(side, *LINES)
    side.set_local(moved, 40005)
    after = ice_lines(side.create_offer(SENDRECV))
    assert after[0] != before[0] and after[1] != before[1]
    assert [line.split()[4:6] for line in after[3:]] == [
        [moved.host, str(moved.port)],
        [moved.host, "40005"],
    ]
    side.offer_failed()
    side.set_local(moved, 40005, (HERE,))
    assert ice_lines(side.create_offer(SENDRECV))[3:] == before[3:]


def test_a_move_that_they_refuse_leaves_ice_as_it_was() -> None:
    side = us()
    before, _ = answered(side, *LINES)
    side.set_local(Address("192.0.2.77", 40000), 40005)
    side.create_offer(SENDRECV)
    side.offer_failed()
    side.keep_local(OURS, 30001)
    assert ice_lines(side.create_offer(SENDRECV)) == before
    side.offer_failed()
    plain = OfferAnswer(OURS, 30001, ("PCMU",), session_id=1)
    plain.set_local(OURS, 30001)
    plain.keep_local(OURS, 30001)
    assert ice_lines(plain.create_offer(SENDRECV)) == []


def test_after_two_moves_a_refusal_leads_back_to_what_was_agreed() -> None:
    side = us()
    before, _ = answered(side, *LINES)
    for port in (40000, 40010):
        side.set_local(Address("192.0.2.77", port), port + 1)
    side.create_offer(SENDRECV)
    side.offer_failed()
    side.keep_local(OURS, 30001)
    assert ice_lines(side.create_offer(SENDRECV)) == before


def test_a_move_that_they_agreed_to_is_what_the_next_refusal_leads_back_to() -> None:
    side = us()
    answered(side, *LINES)
    there = Address("192.0.2.77", 40000)
    side.set_local(there, 40001)
    agreed = ice_lines(side.create_offer(SENDRECV))
    side.receive_answer(sdp(*LINES))
    side.set_local(OURS, 30001)
    side.keep_local(there, 40001)
    assert ice_lines(side.create_offer(SENDRECV)) == agreed


def test_a_move_before_there_is_ice_says_nothing_of_it() -> None:
    side = us()
    side.set_local(OURS, 30001)
    side.keep_local(OURS, 30001)
    assert ice_lines(side.create_offer(SENDRECV)) == []


def test_where_reports_go_by_the_port_of_the_sound_there_is_one_component() -> None:
    side = us()
    lines, negotiated = answered(side, *LINES, "a=rtcp-mux")
    assert negotiated.rtcp_mux
    assert lines[3:] == ["a=candidate:1 1 UDP 2130706431 192.0.2.10 30000 typ host"]
    assert ice_lines(side.create_offer(SENDRECV)) == lines


def test_each_branch_of_a_fork_has_ice_of_its_own() -> None:
    side = us()
    side.create_offer(SENDRECV)
    branch = side.fork()
    branch.receive_answer(sdp())
    assert agreed(branch, *LINES)
    side.offer_failed()
    assert ice_lines(side.create_offer(SENDRECV)) == []
