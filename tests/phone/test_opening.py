"""Ways that open slowly, that move while they are used, and that the other side consents to."""

import pytest

from applet.address import Address
from applet.media.events import ConsentLost, PathFound, SoundMissing
from applet.nat.knowledge import Fact, Mapper, MapperSeen
from applet.nat.strategy import DIRECT, Kind, OpenedWay, Way
from applet.phone.messages import Dial, HangUp, Hold, NatFound, Register
from applet.phone.network import CALL_WAIT
from applet.phone.orders import HurryWay, KeepWay, UpdateMedia
from applet.phone.way_clock import REST_AFTER
from tests.nat.facts import LOCAL, OUTSIDE, RELAYS, SERVER, as_bound, stun
from tests.phone.scene import Scene
from tests.phone.test_rescuer import (
    BY_RELAY,
    BY_STUN,
    CONTACT,
    MAPPED,
    NAT,
    RELAYED,
    SDP,
    TYPE,
    Talk,
)

BY_UPNP = Way(Kind.MAPPED, mapper=Mapper.UPNP)


def by_upnp() -> Talk:
    return Talk(BY_UPNP, MAPPED, NAT._replace(mapper=True), user="me", registrar=f"sip:{SERVER}")


def test_a_mapping_that_became_another_port_is_offered_at_once() -> None:
    talk = by_upnp()
    count = len(talk.invites())
    talk.phone.media_moved(1, MAPPED._replace(port=31000), MAPPED._replace(port=31001), talk.now)
    talk.collect()
    assert len(talk.invites()) == count + 1
    assert b"m=audio 31000" in talk.invites()[-1].body
    talk.pick_up()
    talk.phone.media_moved(9, MAPPED, MAPPED, talk.now)
    talk.run(10.0)
    assert len(talk.invites()) == count + 1 and len(talk.requests("OPTIONS")) == 1


def test_a_router_that_got_another_address_is_told_to_the_registrar_and_in_the_call() -> None:
    talk = by_upnp()
    talk.do(Register())
    talk.answer("REGISTER", headers=(("Contact", f"<sip:me@{OUTSIDE.host}>"),))
    moved, outside = Address("5.5.1.9", 31000), Address("5.5.1.9", 5060)
    talk.phone.media_moved(1, moved, moved._replace(port=31001), talk.now)
    talk.collect()
    assert b"c=IN IP4 5.5.1.9" in talk.invites()[-1].body
    talk.answer("OPTIONS", seen=outside)
    talk.fact(*stun(outside, outside), MapperSeen(Mapper.UPNP, outside.host), *RELAYS)
    body = SDP.format(9, "sendrecv").encode()
    talk.answer("INVITE", seen=outside, headers=(CONTACT, TYPE), body=body)
    talk.run(6.0)
    assert b"5.5.1.9" in str(talk.requests("REGISTER")[-1][0].contacts[0].uri).encode()
    assert talk.invites()[-1].contacts[0].uri.host == "5.5.1.9"  # type: ignore[union-attr]


def moves_meanwhile(talk: Talk, status: int) -> None:
    """The mapping moves while our offer of another way is open; it is offered if they refuse."""
    count = len(talk.invites())
    talk.phone.media_moved(1, MAPPED._replace(port=31000), MAPPED._replace(port=31001), talk.now)
    assert len(talk.invites()) == count
    talk.pick_up(status)
    offered = talk.invites()[count:]
    assert [b"m=audio 31000" in invite.body for invite in offered] == [True] * (status == 488)


@pytest.mark.parametrize("status", [200, 488])
def test_a_mapping_that_moves_while_another_way_is_offered_waits_for_what_becomes_of_that(
    status: int,
) -> None:
    talk = by_upnp()
    talk.media(SoundMissing(heard=False))
    talk.open(talk.wanted()[-1], RELAYED)
    moves_meanwhile(talk, status)


# --- ways that take long


def dialling(*facts: Fact) -> Scene:
    """The desk is called, and the way to it has to be opened."""
    scene = Scene(NAT._replace(mapper=True))
    scene.fact(*stun(OUTSIDE, OUTSIDE), *RELAYS, *facts)
    scene.answer("OPTIONS")
    scene.do(Dial())
    return scene


def hurried(scene: Scene) -> list[bool]:
    return [order.take for order in scene.order(HurryWay) if isinstance(order, HurryWay)]


def test_an_invite_waits_300_ms_at_most_for_a_way_that_opens_slowly() -> None:
    scene = dialling()
    began = scene.now
    scene.run(REST_AFTER - 0.01)
    assert hurried(scene) == []
    scene.run(0.02)
    assert hurried(scene) == [False], "the others are tried beside it"
    scene.run(CALL_WAIT - REST_AFTER)
    assert hurried(scene) == [False, True]
    scene.phone.media_opened(1, as_bound(LOCAL.host), scene.now)
    scene.collect()
    assert len(scene.requests("INVITE")) == 1
    assert scene.now - began == pytest.approx(CALL_WAIT, abs=0.05)


def test_a_way_that_is_open_in_time_is_not_hurried() -> None:
    scene = dialling()
    scene.phone.media_opened(1, as_bound(LOCAL.host), scene.now)
    scene.collect()
    scene.run(1.0)
    assert hurried(scene) == []


def test_what_was_waited_for_to_be_known_counts_for_the_300_ms_too() -> None:
    scene = Scene(NAT)
    scene.do(Dial())
    scene.run(0.25)
    scene.fact(*stun(OUTSIDE, OUTSIDE), *RELAYS)
    scene.answer("OPTIONS")
    assert scene.opened().ways[0].kind is Kind.STUN
    scene.run(0.06)
    assert hurried(scene) == [True]


LATE = OpenedWay(BY_RELAY, RELAYED, RELAYED._replace(port=50001), late=True)


def come_late(scene: Scene) -> None:
    scene.phone.media_opened(1, LATE, scene.now)
    scene.collect()


def ways_told(scene: Scene) -> list[str]:
    return [event.way for event in scene.events if isinstance(event, NatFound)]


def agreed(scene: Scene) -> list[Address | None]:
    """Which place of ours each agreement is about."""
    return [order.local for order in scene.order(UpdateMedia) if isinstance(order, UpdateMedia)]


def test_the_better_way_that_came_too_late_is_offered_once_somebody_has_picked_up() -> None:
    scene = dialling()
    scene.run(CALL_WAIT)
    scene.phone.media_opened(1, as_bound(LOCAL.host), scene.now)
    come_late(scene)
    (invite,) = scene.requests("INVITE")
    assert b"c=IN IP4 192.168.1.2" in invite[0].body
    body = SDP.format(1, "sendrecv").encode()
    scene.answer("INVITE", headers=(CONTACT, TYPE), body=body)
    assert b"c=IN IP4 5.5.3.10" in scene.requests("INVITE")[-1][0].body
    assert scene.order(KeepWay) == []
    scene.answer("INVITE", headers=(CONTACT, TYPE), body=SDP.format(2, "sendrecv").encode())
    assert agreed(scene) == [(LOCAL.host, 20000), RELAYED]
    assert ways_told(scene)[-2:] == ["direct", "turn"]


def test_the_better_way_that_is_refused_leaves_the_call_where_it_was() -> None:
    talk = by_upnp()
    come_late(talk)
    assert b"c=IN IP4 5.5.3.10" in talk.invites()[-1].body
    count = len(talk.invites())
    talk.pick_up(488)
    assert talk.order(KeepWay) == [KeepWay(1, RELAYED)]
    talk.do(Hold(1))
    (hold,) = talk.invites()[count:]
    assert b"m=audio 30000" in hold.body and b"c=IN IP4 5.5.1.2" in hold.body
    talk.pick_up(direction="recvonly")
    assert agreed(talk) == [MAPPED, MAPPED]
    assert "turn" not in ways_told(talk)


@pytest.mark.parametrize("status", [200, 488])
def test_two_better_ways_in_a_row_end_at_the_last_that_they_agree_to(status: int) -> None:
    talk = by_upnp()
    come_late(talk)
    best = OpenedWay(BY_STUN, OUTSIDE, OUTSIDE._replace(port=OUTSIDE.port + 1), late=True)
    talk.phone.media_opened(1, best, talk.now)
    talk.pick_up()
    talk.pick_up(status)
    assert talk.order(KeepWay) == [KeepWay(1, best.rtp)] * (status == 488)
    talk.do(Hold(1))
    talk.pick_up(direction="recvonly")
    assert agreed(talk)[:2] == [MAPPED, RELAYED]
    assert agreed(talk)[-1] == (best.rtp if status == 200 else RELAYED)


def test_a_better_way_that_is_taken_without_a_word_is_the_way_too() -> None:
    talk = by_upnp()
    come_late(talk)
    talk.answer("INVITE", headers=(CONTACT,))
    assert agreed(talk) == [MAPPED, RELAYED]
    assert ways_told(talk)[-1] == "turn"


@pytest.mark.parametrize("status", [200, 488])
def test_a_mapping_that_moves_while_a_better_way_is_offered_waits_for_what_becomes_of_that(
    status: int,
) -> None:
    talk = by_upnp()
    come_late(talk)
    moves_meanwhile(talk, status)


def test_a_better_way_is_not_wanted_once_another_is_tried_because_no_sound_comes() -> None:
    talk = by_upnp()
    talk.media(SoundMissing(heard=False))
    count = len(talk.invites())
    come_late(talk)
    assert talk.order(KeepWay) == [KeepWay(1, RELAYED)]
    assert len(talk.invites()) == count


def test_the_better_way_is_offered_too_after_an_early_answer_that_was_reliable() -> None:
    scene = dialling()
    scene.phone.media_opened(1, as_bound(LOCAL.host), scene.now)
    scene.collect()
    reliably = (CONTACT, TYPE, ("Require", "100rel"), ("RSeq", "1"))
    scene.answer("INVITE", 183, headers=reliably, body=SDP.format(1, "sendrecv").encode())
    scene.answer("PRACK")
    come_late(scene)
    scene.answer("INVITE", headers=(CONTACT,))
    assert b"c=IN IP4 5.5.3.10" in scene.requests("INVITE")[-1][0].body
    scene.answer("INVITE", headers=(CONTACT, TYPE), body=SDP.format(2, "sendrecv").encode())
    assert agreed(scene)[-1] == RELAYED


# --- consent (RFC 7675)


def test_without_consent_the_same_way_is_opened_and_checked_anew_though_it_is_our_own() -> None:
    talk = Talk(DIRECT, Address(LOCAL.host, 20000))
    talk.media(ConsentLost())
    assert talk.wanted() == [DIRECT]
    talk.open(DIRECT, Address(LOCAL.host, 20000))
    assert len(talk.invites()) == 2
    talk.pick_up()
    proof = "The other side stopped answering, so the call goes on by DIRECT."
    assert talk.seen(NatFound)[-1] == NatFound("direct", proof)
    talk.media(PathFound(Address(SERVER, 41000)))
    assert talk.seen(NatFound)[-1] == NatFound(
        "ice", f"The other side offered ICE, and its checks found the way to {SERVER}:41000."
    )
    talk.run(30.0)
    assert talk.wanted() == [DIRECT]
    talk.media(ConsentLost())
    assert talk.wanted() == [DIRECT, DIRECT], "the next loss is another one"


def test_where_a_check_anew_does_not_help_the_other_ways_are_tried() -> None:
    talk = Talk(DIRECT, Address(LOCAL.host, 20000))
    talk.media(ConsentLost())
    talk.open(DIRECT, Address(LOCAL.host, 20000))
    talk.pick_up()
    talk.media(SoundMissing(heard=False))
    talk.run(5.0)
    assert [way.kind for way in talk.wanted()] == [Kind.DIRECT, Kind.STUN]


def test_a_path_through_the_relay_is_told_as_such() -> None:
    talk = Talk()
    talk.media(PathFound(Address(SERVER, 41000), relayed=True))
    assert "41000, through the relay." in str(talk.seen(NatFound)[-1])


def test_a_mapping_that_moves_after_the_end_is_nobodys() -> None:
    talk = by_upnp()
    talk.do(HangUp(1))
    count = len(talk.invites())
    talk.phone.media_moved(1, MAPPED._replace(port=31000), MAPPED._replace(port=31001), talk.now)
    talk.run(1.0)
    assert len(talk.invites()) == count


def test_after_a_call_by_another_way_the_next_one_tells_its_own() -> None:
    talk = Talk()
    talk.media(PathFound(Address(SERVER, 41000)))
    talk.do(HangUp(1))
    talk.answer("BYE")
    talk.do(Dial())
    talk.open(BY_STUN, MAPPED, call=2)
    told = [event.way for event in talk.events if isinstance(event, NatFound)]
    assert told == ["stun", "ice", "stun"]
