"""A call in which the other side offers ICE (RFC 8839), told as a whole."""

import random

import pytest

from applet.address import Address
from applet.media.events import PathFound
from applet.nat.ice import Base, IceSetup, Target
from applet.nat.strategy import DIRECT, Kind, OpenedWay, Way
from applet.phone.config import NatConfig, PhoneConfig
from applet.phone.ice import ice_setup, ice_side
from applet.phone.messages import Command, Dial, Hold, NatFound, Resume
from applet.phone.orders import OpenMedia, UpdateMedia
from applet.sdp.description import parse_sdp
from applet.sdp.ice import AgreedIce, Candidate, Ice, Place, priority
from applet.sip.message import Request, Response
from tests.calls.scenes import PBX, PHONE, dialled, held, rang_in
from tests.nat.facts import RELAYS, SERVER, UDP_RELAY
from tests.phone.scene import Scene
from tests.support.pbx import RTP_PORT, Pbx
from tests.support.street import House

WITH_NAT = PhoneConfig(other_addresses=True, nat=NatConfig("auto"))
ICE = (
    "a=ice-ufrag:them",
    "a=ice-pwd:theirpasswordof22chars",
    f"a=candidate:1 1 UDP 2130706431 {PBX} {RTP_PORT} typ host",
)
SHOWN = Address("203.0.113.5", 5000), Address("203.0.113.5", 5001)
BOUND = Address("10.0.0.1", 20000), Address("10.0.0.1", 20001)


def ice_of(message: Request | Response) -> dict[str, str | None]:
    (media,) = parse_sdp(message.body).media
    return {name: media.value(name) for name in ("ice-ufrag", "ice-pwd", "candidate")}


def setups(phone: House) -> list[IceSetup | None]:
    return [order.ice for order in phone.orders if isinstance(order, UpdateMedia)]


def asked_with_ice(config: PhoneConfig) -> tuple[House, Pbx, Request, Response]:
    """A call of ours in which they offer ICE by a re-INVITE."""
    street, phone, pbx, invite = dialled(config)
    assert ice_of(invite)["ice-ufrag"] is None
    pbx.answer(invite, 200, pbx.sdp())
    pbx.wait_for("ACK")
    street.run(0.3)
    pbx.ask("INVITE", invite, 10, pbx.sdp(*ICE))
    street.run(0.2)
    pbx.ask("ACK", invite, 10)
    street.run(0.2)
    (answer,) = pbx.responses(200)
    return phone, pbx, invite, answer


def test_their_ice_is_answered_and_holding_and_resuming_keep_it() -> None:
    phone, pbx, invite, answer = asked_with_ice(WITH_NAT)
    ours = ice_of(answer)
    assert ours["ice-ufrag"] and ours["ice-pwd"]
    assert str(ours["candidate"]).split()[4:] == [PHONE, "20000", "typ", "host"]
    first, running = setups(phone)
    assert first is None and running is not None
    assert running.local == (ours["ice-ufrag"], ours["ice-pwd"])
    assert running.remote == ("them", "theirpasswordof22chars")
    assert running.targets == (Target(1, Address(PBX, RTP_PORT), 2130706431),)
    commands: tuple[Command, ...] = (Hold(1), Resume(1))
    for count, command in enumerate(commands, 2):
        phone.do(command)
        offer = pbx.wait_for("INVITE", count)
        assert ice_of(offer) == ours
        direction = "recvonly" if count == 2 else "sendrecv"
        pbx.answer(offer, 200, pbx.sdp(f"a={direction}", *ICE))
        pbx.street.run(0.3)
    assert held(phone)[1] is False
    assert setups(phone)[1:] == [running] * 3
    pbx.ask("INVITE", invite, 11, pbx.sdp("a=ice-ufrag:new0", *ICE[1:]))
    pbx.street.run(0.2)
    restarted = ice_of(pbx.responses(200)[-1])
    assert restarted["ice-ufrag"] not in (None, ours["ice-ufrag"])


def test_who_asks_nobody_about_the_network_does_not_do_ice_either() -> None:
    phone, _, _, answer = asked_with_ice(PhoneConfig(other_addresses=True))
    assert ice_of(answer)["ice-ufrag"] is None
    assert setups(phone) == [None, None]


def test_the_way_that_the_checks_have_found_is_told() -> None:
    phone, pbx, _, _ = asked_with_ice(WITH_NAT)
    phone.phone.media_event(1, PathFound(Address(PBX, 5)), pbx.street.now)
    phone.collect()
    found = phone.last(NatFound)
    assert isinstance(found, NatFound) and found.way == "ice"
    assert found.proof == (f"The other side offered ICE, and its checks found the way to {PBX}:5.")


BY_STUN, BY_RELAY = Way(Kind.STUN), Way(Kind.RELAY)
RELAYED = Address("198.51.100.9", 50000), Address("198.51.100.9", 50001)
OWN = OpenedWay(DIRECT, *BOUND)


@pytest.mark.parametrize(
    ("opened", "kinds"),
    [
        (OWN, ["host"]),
        (OpenedWay(DIRECT, *SHOWN, None, (OpenedWay(DIRECT, *SHOWN),)), ["host"]),
        (OpenedWay(BY_STUN, *SHOWN, BOUND, (OWN,)), ["srflx", "host"]),
        (OpenedWay(BY_RELAY, *RELAYED, SHOWN, (OWN,)), ["relay", "host"]),
        (
            OpenedWay(BY_STUN, *SHOWN, BOUND, (OpenedWay(BY_RELAY, *RELAYED, SHOWN), OWN)),
            ["srflx", "relay", "host"],
        ),
    ],
)
def test_candidates_follow_from_the_ways_of_the_sound(opened: OpenedWay, kinds: list[str]) -> None:
    side = ice_side(random.Random(1), opened)
    body = b"v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"
    body += f"m=audio {RTP_PORT} RTP/AVP 0\r\n{chr(10).join(ICE)}\r\n".encode()
    description = parse_sdp(body)
    assert side.offered(description, description.media[0]) is not None
    lines = [str(a.value) for a in side.attributes() if a.name == "candidate"]
    assert [line.split()[7] for line in lines[::2]] == kinds
    foundations = [line.split()[0] for line in lines]
    assert len(set(foundations)) == len(kinds) and foundations[::2] == foundations[1::2]
    for line, component in zip(lines, (1, 2) * len(kinds), strict=True):
        words = line.split()
        assert int(words[1]) == component
        assert int(words[3]) == priority(words[7], component)
        if words[7] == "srflx":
            assert words[8:] == ["raddr", "10.0.0.1", "rport", str(BOUND[component - 1].port)]
        if words[7] == "relay":
            assert words[8:] == ["raddr", SHOWN[0].host, "rport", str(SHOWN[component - 1].port)]


def test_each_base_checks_what_it_can_reach() -> None:
    four = Candidate("1", 1, 7, Address("10.0.0.2", 5), "host")
    reports = four._replace(component=2, address=Address("10.0.0.2", 6))
    six = four._replace(address=Address("2001:db8::1", 5))
    relay = four._replace(address=RELAYED[0], kind="relay")
    ours, theirs = Ice("ours", "pwd", (four,)), Ice("them", "pwd2", (six, four), lite=True)
    assert ice_setup(None, rtcp_mux=False) is None
    assert ice_setup(AgreedIce(ours, theirs), rtcp_mux=False) == IceSetup(
        ("ours", "pwd"), ("them", "pwd2"), (Target(1, Address("10.0.0.2", 5), 7),), True
    )
    setup = ice_setup(AgreedIce(ours._replace(candidates=(six, relay)), theirs), rtcp_mux=False)
    assert setup is not None and [(t.address.host, t.base) for t in setup.targets] == [
        ("2001:db8::1", Base.SOCKET),
        ("10.0.0.2", Base.RELAY),
    ]
    assert setup.relayed == RELAYED[0]
    both = AgreedIce(ours, theirs._replace(candidates=(four, reports)))
    for mux, components in ((False, [1, 2]), (True, [1])):
        setup = ice_setup(both, mux)
        assert setup is not None and [t.component for t in setup.targets] == components


def test_who_wants_a_relay_alone_shows_nobody_more() -> None:
    scene = Scene(NatConfig("turn", relays=(UDP_RELAY,)), desk=f"sip:desk@{SERVER}")
    scene.answer("OPTIONS")
    scene.fact(*RELAYS)
    scene.do(Dial())
    opened = OpenedWay(Way(Kind.RELAY, relay=UDP_RELAY), *RELAYED, SHOWN, (OWN,))
    scene.phone.media_opened(1, opened, scene.now)
    scene.collect()
    described = scene.phone._calls.all()[0].negotiation
    assert described is not None
    side = described._described._ice
    assert side is not None and side._places == (Place("relay", *RELAYED),)


@pytest.mark.parametrize(("lines", "every"), [(ICE, True), ((), False)])
def test_an_offer_with_ice_has_every_way_opened_and_one_without_does_not(
    lines: tuple[str, ...], every: bool
) -> None:
    body = "\r\n".join(
        ["v=0", f"o=- 1 1 IN IP4 {PBX}", "s=-", f"c=IN IP4 {PBX}", "t=0 0"]
        + [f"m=audio {RTP_PORT} RTP/AVP 0", *lines, ""]
    )
    _, phone, _ = rang_in(body.encode())
    (order,) = [order for order in phone.orders if isinstance(order, OpenMedia)]
    assert order.every is every
