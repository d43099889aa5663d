"""A call without sound is rescued, and one that moves to another network goes on."""

from typing import Any

import pytest

from applet.address import Address
from applet.media.events import MediaEvent, SoundBack, SoundMissing
from applet.nat.strategy import DIRECT, Kind, OpenedWay, Way
from applet.phone.config import NatConfig
from applet.phone.messages import (
    Answer,
    Dial,
    HangUp,
    Hold,
    NatFound,
    Reason,
    Reinvite,
    Resume,
    Trouble,
)
from applet.phone.orders import KeepWay, OpenWay
from applet.sip.message import Request
from applet.sip.uri import SipUri
from tests.nat.facts import (
    LOCAL,
    OUTSIDE,
    RELAYS,
    SERVER,
    STUN,
    TLS_RELAY,
    UDP_RELAY,
    as_bound,
    stun,
)
from tests.phone.scene import Scene

NAT = NatConfig("auto", STUN, (UDP_RELAY, TLS_RELAY))
MAPPED = Address(OUTSIDE.host, 30000)
ELSEWHERE = OUTSIDE._replace(port=27434)
RELAYED = Address("5.5.3.10", 50000)
BY_STUN = Way(Kind.STUN, stun=STUN[0])
BY_RELAY = Way(Kind.RELAY, relay=UDP_RELAY)
SDP = (
    f"v=0\r\no=- 1 {{}} IN IP4 {SERVER}\r\ns=-\r\nc=IN IP4 {SERVER}\r\nt=0 0\r\n"
    "m=audio 41000 RTP/AVP 0\r\na={}\r\n"
)
CONTACT = ("Contact", f"<sip:desk@{SERVER}>")
TYPE = ("Content-Type", "application/sdp")


class Talk(Scene):
    """A call that is up, its sound by STUN (or as the test wants)."""

    def __init__(
        self,
        way: Way = BY_STUN,
        rtp: Address = MAPPED,
        nat: NatConfig = NAT,
        contact: str = SERVER,
        **more: Any,
    ) -> None:
        super().__init__(nat, **more)
        self._contact = ("Contact", f"<sip:desk@{contact}>")
        self._answers = 0
        self.fact(*stun(OUTSIDE, OUTSIDE), *RELAYS)
        if nat.mode != "none":
            self.answer("OPTIONS")
        self.do(Dial())
        self.open(way, rtp)
        self.pick_up()

    def open(self, way: Way, rtp: Address, call: int = 1) -> None:
        """The threads have opened what was wanted."""
        opened = OpenedWay(way, rtp, rtp._replace(port=rtp.port + 1))
        self.phone.media_opened(call, opened, self.now)
        self.collect()

    def pick_up(
        self, status: int = 200, direction: str = "sendrecv", seen: Address = OUTSIDE
    ) -> None:
        """The desk answers our newest INVITE, and says where it has `seen` it come from."""
        self._answers += 1
        body = SDP.format(self._answers, direction).encode() if status == 200 else b""
        self.answer("INVITE", status, seen=seen, headers=(self._contact, TYPE), body=body)

    def they_offer(self) -> None:
        """The desk sends an INVITE of its own, takes the answer and says so."""
        self._answers += 1
        sent = self.invites()[0]
        to = self.requests("ACK")[0][0].to
        for method, body in (("INVITE", SDP.format(self._answers, "sendrecv")), ("ACK", "")):
            head = (
                f"{method} sip:me@{LOCAL} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {SERVER};branch=z9hG4bK{method}\r\nFrom: {to}\r\n"
                f"To: {sent.from_}\r\nCall-ID: {sent.call_id}\r\nCSeq: 1 {method}\r\n"
                f"Contact: <sip:desk@{SERVER}>\r\nContent-Type: application/sdp\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            )
            self.phone.receive_datagram(head.encode(), Address(SERVER, 5060), self.now)
        self.collect()

    def media(self, event: MediaEvent) -> None:
        self.phone.media_event(1, event, self.now)
        self.collect()

    def invites(self) -> list[Request]:
        """Without those that were sent again because nobody answered."""
        found = {request.cseq.number: request for request, _ in self.requests("INVITE")}
        return list(found.values())

    def wanted(self) -> list[Way]:
        return [order.ways[0] for order in self.orders if isinstance(order, OpenWay)]


def test_a_call_that_stays_silent_goes_on_by_the_relay() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    assert talk.wanted() == [BY_RELAY]
    talk.open(BY_RELAY, RELAYED)
    assert b"c=IN IP4 5.5.3.10" in talk.invites()[-1].body
    talk.pick_up()
    proof = "No sound came, so the call goes on by TURN."
    assert talk.seen(NatFound)[-1] == NatFound("turn", proof)
    talk.media(SoundBack())
    talk.run(60.0)
    assert len(talk.wanted()) == 1


def test_each_way_is_tried_once_then_sip_by_tls_then_the_plain_sentence() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    talk.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40000))
    talk.open(BY_RELAY, RELAYED)
    talk.pick_up()
    talk.media(SoundMissing(heard=False))
    talk.run(5.0)
    (invite, hop), *_ = talk.requests("INVITE", "TLS")
    assert hop.address == Address(SERVER, 443)
    assert b"c=IN IP4 5.5.3.10" in invite.body
    body = SDP.format(9, "sendrecv").encode()
    talk.answer("INVITE", transport="TLS", headers=(CONTACT, TYPE), body=body)
    talk.media(SoundMissing(heard=False))
    talk.run(5.0)
    assert talk.seen(Trouble)[-1] == Trouble(1, Reason.NO_SOUND, "")
    assert talk.wanted() == [BY_RELAY]


def test_without_another_transport_the_sentence_comes_at_once() -> None:
    talk = Talk(BY_RELAY, RELAYED)
    talk.media(SoundMissing(heard=False))
    assert talk.wanted() == [BY_STUN]
    talk.open(DIRECT, Address(LOCAL.host, 20000))
    talk.run(10.0)
    assert talk.seen(Trouble)[-1] == Trouble(1, Reason.NO_SOUND, "")


def test_a_way_that_has_carried_sound_is_opened_anew_first() -> None:
    talk = Talk(BY_RELAY, RELAYED)
    talk.media(SoundMissing(heard=True))
    assert talk.wanted() == [BY_RELAY]
    talk.open(BY_RELAY, RELAYED._replace(port=50002))
    assert b"m=audio 50002" in talk.invites()[-1].body


def test_a_refused_offer_leaves_the_call_as_it_was_and_the_next_waits_five_seconds() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    talk.open(BY_RELAY, RELAYED)
    talk.pick_up(488)
    assert isinstance(talk.orders[-1], KeepWay)
    before = len(talk.sent)
    talk.run(4.9)
    assert [r for r, _ in talk.sent[before:] if r.method == "INVITE"] == []
    talk.phone.handle(Hold(1), talk.now)
    talk.collect()
    assert f"c=IN IP4 {MAPPED.host}".encode() in talk.invites()[-1].body


def test_a_way_that_cannot_be_opened_costs_no_offer() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    talk.open(DIRECT, Address(LOCAL.host, 20000))
    assert len(talk.invites()) == 1
    assert len(talk.order(KeepWay)) == 1


def test_nothing_is_offered_while_another_offer_is_open_or_the_call_is_held() -> None:
    talk = Talk()
    talk.do(Hold(1))
    talk.media(SoundMissing(heard=False))
    talk.run(2.0)
    assert talk.wanted() == []
    talk.pick_up(direction="inactive")
    talk.run(2.0)
    assert talk.wanted() == []


def test_sound_that_comes_back_while_a_way_is_opened_ends_the_attempt() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    talk.media(SoundBack())
    talk.open(BY_RELAY, RELAYED)
    assert isinstance(talk.orders[-1], KeepWay)
    assert len(talk.invites()) == 1


def test_a_refusal_that_is_tried_again_is_no_end() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    talk.open(BY_RELAY, RELAYED)
    talk.pick_up(491)
    assert talk.order(KeepWay) == []
    talk.run(5.0)
    assert b"c=IN IP4 5.5.3.10" in talk.invites()[-1].body


def test_a_phone_that_asks_nobody_has_no_other_way() -> None:
    talk = Talk(DIRECT, Address(LOCAL.host, 20000), NatConfig())
    talk.media(SoundMissing(heard=False))
    talk.run(6.0)
    assert talk.seen(Trouble)[-1] == Trouble(1, Reason.NO_SOUND, "")


@pytest.mark.parametrize("same", [False, True])
def test_another_network_moves_the_sound_and_tells_the_new_contact(same: bool) -> None:
    talk = Talk()
    talk.local = "192.168.77.2"
    talk.phone.network_changed(talk.now)
    talk.collect()
    talk.answer("OPTIONS", seen=Address("5.5.77.2", 5060))
    talk.fact(*stun(Address("5.5.77.2", 5060), Address("5.5.77.2", 5060)), *RELAYS, generation=1)
    order = talk.order(OpenWay)[-1]
    assert isinstance(order, OpenWay) and order.local == "192.168.77.2"
    moved = MAPPED if same else Address("5.5.77.2", 30002)
    talk.open(BY_STUN, moved)
    assert f"c=IN IP4 {moved.host}".encode() in talk.invites()[-1].body
    assert talk.invites()[-1].contacts[0].uri.host == "5.5.77.2"  # type: ignore[union-attr]


def test_two_changes_of_the_network_in_a_row_end_at_the_last() -> None:
    talk = Talk()
    for local in ("192.168.77.2", "192.168.88.2"):
        talk.local = local
        talk.phone.network_changed(talk.now)
    talk.collect()
    talk.run(1.0)
    (order,) = talk.order(OpenWay)
    assert isinstance(order, OpenWay) and order.local == "192.168.88.2"
    count = len(talk.invites())
    talk.phone.network_changed(talk.now)
    talk.open(BY_STUN, MAPPED._replace(port=30002))
    assert talk.order(KeepWay) == [KeepWay(1, MAPPED._replace(port=30002))]
    assert len(talk.invites()) == count, "that was for the network before"
    talk.run(1.0)
    talk.open(BY_STUN, MAPPED._replace(port=30004))
    assert b"m=audio 30004" in talk.invites()[-1].body


def test_a_call_that_is_over_does_not_move() -> None:
    talk = Talk()
    talk.phone.network_changed(talk.now)
    talk.do(HangUp(1))
    talk.run(1.0)
    assert talk.wanted() == []


def test_a_server_that_sees_us_elsewhere_is_told_the_new_contact() -> None:
    talk = Talk()
    talk.do(Hold(1))
    talk.pick_up(direction="inactive", seen=ELSEWHERE)
    talk.do(Resume(1))
    assert str(talk.invites()[-1].contacts[0].uri).endswith(":27434")
    count = len(talk.invites())
    talk.run(1.0)
    assert len(talk.invites()) == count
    talk.pick_up()
    talk.run(6.0)
    assert len(talk.invites()) > count


def test_a_call_from_somebody_in_our_own_network_has_no_server_to_ask() -> None:
    scene = Scene(NAT, desk="")
    peer = Address("192.168.1.7", 5060)
    invite = (
        f"INVITE sip:me@{LOCAL} SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK1\r\n"
        f"From: <sip:a@{peer}>;tag=1\r\nTo: <sip:me@{LOCAL}>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:a@{peer}>\r\nContent-Type: application/sdp\r\n"
    )
    body = SDP.format(1, "sendrecv")
    data = f"{invite}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    scene.phone.receive_datagram(data, peer, 0.0)
    scene.collect()
    assert scene.opened().ways == (DIRECT,)
    scene.phone.media_opened(1, as_bound(LOCAL.host), 0.0)
    scene.do(Answer(1))
    ack = invite.replace("INVITE", "ACK").replace("z9hG4bK1", "z9hG4bK2")
    tag = scene.phone._calls.all()[0].session.local.tag  # type: ignore[union-attr]
    ack = ack.replace(f"To: <sip:me@{LOCAL}>", f"To: <sip:me@{LOCAL}>;tag={tag}")
    scene.phone.receive_datagram(f"{ack}Content-Length: 0\r\n\r\n".encode(), peer, 0.1)
    scene.local = "192.168.1.99"
    scene.phone.network_changed(1.0)
    scene.collect()
    order = scene.order(OpenWay)[-1]
    assert order == OpenWay(1, (DIRECT,), "192.168.1.99")
    scene.phone.media_event(1, SoundMissing(heard=False), 2.0)
    scene.run(3.0)
    assert len(scene.order(OpenWay)) == 1


def test_sip_by_tls_may_be_refused_too() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    talk.media(SoundMissing(heard=False))  # said twice, done once
    talk.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40000))
    talk.open(DIRECT, Address(LOCAL.host, 20000))
    talk.run(1.0)
    talk.answer("INVITE", 488, transport="TLS")
    talk.run(6.0)
    assert talk.seen(Trouble)[-1] == Trouble(1, Reason.NO_SOUND, "")
    talk.do(HangUp(1))
    assert talk.requests("BYE", "TLS") == []
    assert [hop.address for _, hop in talk.requests("BYE")] == [Address(SERVER, 5060)]
    talk.do(Dial())
    talk.open(BY_STUN, MAPPED, call=2)
    assert talk.requests("INVITE")[-1][0].call_id != talk.invites()[0].call_id


def test_sip_by_tls_that_is_taken_is_for_the_calls_after_it_too() -> None:
    talk = Talk(BY_RELAY, RELAYED)
    talk.media(SoundMissing(heard=False))
    talk.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40000))
    talk.open(DIRECT, Address(LOCAL.host, 20000))
    talk.run(1.0)
    body = SDP.format(9, "sendrecv").encode()
    talk.answer("INVITE", transport="TLS", headers=(CONTACT, TYPE), body=body)
    talk.do(HangUp(1))
    talk.do(Dial())
    talk.open(BY_STUN, MAPPED, call=2)
    assert talk.requests("INVITE", "TLS")[-1][1].address == Address(SERVER, 443)
    assert len(talk.requests("INVITE", "TLS")) == 2


def test_the_port_of_the_server_is_not_that_of_another_host() -> None:
    talk = Talk(contact="5.5.4.99")
    talk.media(SoundMissing(heard=False))
    talk.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40000))
    talk.open(DIRECT, Address(LOCAL.host, 20000))
    talk.run(1.0)
    assert talk.requests("INVITE", "TLS")[-1][1].address == Address("5.5.4.99", 5061)
    talk.answer("INVITE", 491, transport="TLS")
    talk.run(5.0)
    tries = {request.cseq.number for request, _ in talk.requests("INVITE", "TLS")}
    assert len(tries) == 2
    talk.answer("INVITE", 488, transport="TLS")
    talk.do(HangUp(1))
    assert talk.requests("BYE")[-1][1].address == Address("5.5.4.99", 5060)


def test_a_network_that_changes_while_sip_goes_another_way_settles_nothing() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    talk.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40000))
    talk.open(DIRECT, Address(LOCAL.host, 20000))
    talk.run(1.0)
    talk.phone.network_changed(talk.now)
    talk.collect()
    body = SDP.format(9, "sendrecv").encode()
    talk.answer("INVITE", transport="TLS", headers=(CONTACT, TYPE), body=body)
    assert talk.phone._network.plan_towards(SipUri.of("desk", SERVER)).port != 443


def test_a_way_that_is_the_same_when_opened_anew_is_offered_and_the_next_ones_follow() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=True))
    assert talk.wanted() == [BY_STUN]
    talk.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40000))
    talk.open(BY_STUN, MAPPED)
    assert len(talk.invites()) == 2
    talk.pick_up()
    talk.media(SoundMissing(heard=False))
    talk.run(5.0)
    assert talk.wanted() == [BY_STUN, BY_RELAY]
    talk.open(BY_RELAY, RELAYED)
    talk.pick_up()
    talk.media(SoundMissing(heard=False))
    talk.run(5.0)
    assert len(talk.requests("INVITE", "TLS")) == 1
    body = SDP.format(9, "sendrecv").encode()
    talk.answer("INVITE", transport="TLS", headers=(CONTACT, TYPE), body=body)
    talk.media(SoundMissing(heard=False))
    talk.run(5.0)
    assert talk.seen(Trouble)[-1] == Trouble(1, Reason.NO_SOUND, "")


def test_what_is_opened_while_another_offer_is_open_is_offered_after_it() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=True))
    talk.do(Reinvite(1))
    talk.open(BY_STUN, MAPPED)
    assert len(talk.invites()) == 2
    talk.pick_up()
    assert len(talk.invites()) == 3
    found = NatFound("stun", "No sound came, so the call goes on by STUN.")
    assert found not in talk.seen(NatFound)
    talk.pick_up()
    assert talk.seen(NatFound)[-1] == found


def test_a_hold_does_not_keep_the_new_contact_from_the_other_side() -> None:
    talk = Talk()
    talk.do(Hold(1))
    talk.pick_up(direction="inactive", seen=ELSEWHERE)
    talk.run(1.0)
    assert len(talk.invites()) == 3
    assert str(talk.invites()[-1].contacts[0].uri).endswith(":27434")
    assert b"a=sendrecv" not in talk.invites()[-1].body


def test_an_offer_of_theirs_that_comes_before_ours_is_repeated_is_told_the_new_place() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    talk.open(BY_RELAY, RELAYED)
    talk.pick_up(491)
    talk.they_offer()
    proof = "No sound came, so the call goes on by TURN."
    assert talk.seen(NatFound)[-1] == NatFound("turn", proof)


def test_an_offer_of_theirs_proves_no_other_transport() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    talk.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40000))
    talk.open(DIRECT, Address(LOCAL.host, 20000))
    talk.run(1.0)
    talk.answer("INVITE", 491, transport="TLS")
    talk.they_offer()
    talk.run(6.0)
    assert talk.seen(Trouble)[-1] == Trouble(1, Reason.NO_SOUND, "")
    talk.do(HangUp(1))
    assert talk.requests("BYE", "TLS") == []


def test_sound_that_comes_back_before_sip_by_tls_is_refused_changes_nothing_of_that() -> None:
    talk = Talk()
    talk.media(SoundMissing(heard=False))
    talk.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40000))
    talk.open(DIRECT, Address(LOCAL.host, 20000))
    talk.run(1.0)
    talk.media(SoundBack())
    talk.answer("INVITE", 488, transport="TLS")
    talk.do(HangUp(1))
    assert len(talk.requests("BYE")) == 1


def test_a_new_contact_that_meets_an_offer_of_theirs_is_told_again() -> None:
    talk = Talk()
    talk.do(Hold(1))
    talk.pick_up(direction="inactive")
    talk.do(Resume(1))
    talk.pick_up(seen=ELSEWHERE)
    talk.run(6.0)
    count = len(talk.invites())
    assert str(talk.invites()[-1].contacts[0].uri).endswith(":27434")
    talk.answer("INVITE", 491, seen=ELSEWHERE)
    assert len(talk.invites()) == count
    talk.run(4.1)  # RFC 3261 section 14.1: 2.1 to 4 s, for the Call-ID is ours
    assert len(talk.invites()) == count + 1
    assert str(talk.invites()[-1].contacts[0].uri).endswith(":27434")
    talk.pick_up(seen=ELSEWHERE)
    talk.run(20.0)
    assert len(talk.invites()) == count + 1
