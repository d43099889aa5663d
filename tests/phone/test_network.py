"""The phone finds out about its network, and waits for nothing longer than it says."""

import pytest

from applet.address import Address
from applet.media.events import SoundMissing
from applet.nat.knowledge import MapperSeen, RelaySeen, StunSeen
from applet.nat.strategy import DIRECT, Kind, OpenedWay
from applet.phone.config import NatConfig
from applet.phone.messages import (
    CallStateChanged,
    CheckNetwork,
    Dial,
    HangUp,
    NatFound,
    NetworkChecked,
    Reason,
    Register,
    Registered,
    Trouble,
)
from applet.phone.network import CALL_WAIT, REGISTER_WAIT
from applet.phone.orders import OpenMedia, Probe
from applet.phone.surroundings import OTHERS_AFTER, REFRESH_AFTER
from applet.sip.events import EndedBy
from tests.nat.facts import (
    LOCAL,
    OUTSIDE,
    RELAYS,
    SERVER,
    STUN,
    TLS_RELAY,
    UDP_RELAY,
    UPNP,
    as_bound,
    stun,
)
from tests.phone.scene import DESK, Scene

AUTO = NatConfig("auto", STUN, (UDP_RELAY, TLS_RELAY), mapper=True)
NOBODY = MapperSeen(None, "")


def ways(scene: Scene) -> list[str]:
    return [way.name for way in scene.opened().ways]


def test_a_better_way_that_is_found_in_a_call_is_told_by_the_next_one() -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(OUTSIDE._replace(port=1), OUTSIDE._replace(port=2)), RELAYS[0])
    scene.answer("OPTIONS", seen=OUTSIDE._replace(port=3))
    scene.do(Dial())
    by_relay = scene.opened().ways[0]
    scene.phone.media_opened(1, as_bound("5.5.3.10", 50000)._replace(way=by_relay), scene.now)
    scene.fact(UPNP)
    assert [found.way for found in told(scene)] == ["turn"]
    scene.do(HangUp(1))
    scene.answer("INVITE", 487)
    scene.run(40.0)
    scene.do(Dial())
    by_upnp = scene.opened().ways[0]
    scene.phone.media_opened(2, as_bound(OUTSIDE.host)._replace(way=by_upnp), scene.now)
    scene.collect()
    assert told(scene)[1:] == [NatFound("upnp", "Your router opens ports when we ask it (UPnP).")]


def finding(scene: Scene, name: str) -> str:
    scene.do(CheckNetwork())
    checked = scene.events[-1]
    assert isinstance(checked, NetworkChecked)
    return next(found for this, found, _ in checked.findings if this == name)


def nat_type(scene: Scene) -> str:
    return finding(scene, "NAT type")


def told(scene: Scene) -> list[NatFound]:
    return [event for event in scene.events if isinstance(event, NatFound)]


def test_at_the_start_everybody_is_asked_at_once() -> None:
    scene = Scene(AUTO)
    assert scene.orders == [Probe(0, STUN, (UDP_RELAY, TLS_RELAY), True)]
    (options,) = scene.requests("OPTIONS")
    assert str(options[0].uri) == f"sip:{SERVER}"
    assert options[0].top_via.host == LOCAL.host


@pytest.mark.parametrize(
    ("nat", "desk"),
    [
        (NatConfig(), DESK),
        (NatConfig("auto", mapper=True), "sip:desk@127.0.0.1:5070"),
        (NatConfig("auto", mapper=True), "sip:desk@192.168.1.9"),
        (NatConfig("auto", mapper=True), ""),
    ],
)
def test_nobody_is_asked_where_there_can_be_no_router_in_between(nat: NatConfig, desk: str) -> None:
    scene = Scene(nat, desk)
    assert scene.orders == [] and scene.sent == []
    scene.do(Dial(desk or "sip:a@10.0.0.1", confirmed=True))
    assert scene.opened().ways == (DIRECT,)


def test_the_first_click_finds_the_way_known() -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    scene.answer("OPTIONS")
    assert told(scene) == [NatFound("stun", "All servers see this phone at 5.5.1.2:5060.")]
    scene.do(Dial())
    assert ways(scene)[0] == "stun"


def test_a_click_before_that_waits_300_ms_and_no_longer() -> None:
    scene = Scene(AUTO)
    scene.do(Dial())
    scene.run(CALL_WAIT - 0.01)
    assert scene.order(OpenMedia) == []
    scene.run(0.02)
    assert ways(scene) == ["direct"]


def test_a_click_goes_on_as_soon_as_enough_is_known() -> None:
    scene = Scene(AUTO)
    scene.do(Dial())
    scene.answer("OPTIONS", seen=OUTSIDE._replace(port=40001))
    scene.fact(*stun(OUTSIDE._replace(port=40002), OUTSIDE._replace(port=40003)))
    assert scene.order(OpenMedia) == []
    scene.fact(RELAYS[0])
    assert ways(scene)[0] == "turn"


def test_a_call_that_was_hung_up_meanwhile_opens_nothing() -> None:
    scene = Scene(AUTO)
    scene.do(Dial())
    scene.do(HangUp(0))
    scene.run(1.0)
    assert scene.order(OpenMedia) == []


def test_an_alg_is_seen_by_our_private_address_in_the_answer() -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    scene.answer("OPTIONS", seen=LOCAL)
    scene.do(Dial())
    assert ways(scene)[0] == "alg"
    scene.phone.media_opened(1, as_bound(LOCAL.host), 0.0)
    scene.collect()
    ((invite, _),) = scene.requests("INVITE")
    assert invite.contacts[0].uri.host == LOCAL.host  # type: ignore[union-attr]


def test_an_alg_is_seen_by_the_echo_of_a_server_that_gives_one() -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    sent, _ = scene.requests("OPTIONS")[0]
    echo = sent.encode().replace(LOCAL.host.encode(), OUTSIDE.host.encode())
    scene.answer("OPTIONS", headers=(("Content-Type", "message/sipfrag"),), body=echo)
    assert told(scene)[0].way == "alg"


def test_an_echo_without_contact_or_with_another_contact_alone_is_read_too() -> None:
    for old, new, way in (
        (b"Contact:", b"X-Contact:", "stun"),
        (f"caller@{LOCAL.host}".encode(), b"caller@5.5.1.2", "stun"),
        (b"Contact: <sip:caller@", b"Contact: <tel:", "stun"),
    ):
        scene = Scene(AUTO)
        scene.fact(*stun(OUTSIDE, OUTSIDE), *RELAYS, NOBODY)
        sent, _ = scene.requests("OPTIONS")[0]
        echo = sent.encode().replace(old, new)
        assert echo != sent.encode()
        scene.answer("OPTIONS", headers=(("Content-Type", "message/sipfrag"),), body=echo)
        scene.run(5.0)
        assert told(scene)[0].way == way


@pytest.mark.parametrize("echo", [b"nonsense", b""])
def test_an_echo_that_cannot_be_read_says_nothing(echo: bytes) -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    scene.answer("OPTIONS", headers=(("Content-Type", "message/sipfrag"),), body=echo)
    assert told(scene)[0].way == "stun"


def test_contact_and_via_show_what_the_server_itself_sees_of_us() -> None:
    scene = Scene(AUTO)
    seen = OUTSIDE._replace(port=40001)
    scene.answer("OPTIONS", seen=seen)
    scene.fact(*stun(OUTSIDE._replace(port=1), OUTSIDE._replace(port=2)), RELAYS[0])
    scene.do(Dial())
    scene.phone.media_opened(1, as_bound("5.5.3.10", 50000, 50001), 0.0)
    scene.collect()
    ((invite, _),) = scene.requests("INVITE")
    assert str(invite.contacts[0].uri) == f"sip:caller@{seen}"
    assert (invite.top_via.host, invite.top_via.port) == seen


def test_a_server_that_is_silent_over_udp_is_asked_over_tcp_and_tls() -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(None, None), RelaySeen(UDP_RELAY, "silent"), RELAYS[1], NOBODY)
    scene.run(OTHERS_AFTER + 0.01)
    asked = {(hop.transport.value, hop.address.port) for _, hop in scene.sent}
    assert asked == {("UDP", 5060), ("TCP", 5060), ("TLS", 5061), ("TLS", 443)}
    scene.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40009))
    assert told(scene)[-1].way == "turn"
    assert "over TLS on port 443" in told(scene)[-1].proof
    scene.do(Dial())
    scene.phone.media_opened(1, as_bound("5.5.3.10", 50000, 50001), 0.0)
    scene.collect()
    ((invite, hop),) = scene.requests("INVITE", "TLS")
    assert hop.address.port == 443
    assert str(invite.uri) == f"{DESK}:443;transport=tls"


def test_what_is_to_go_over_tls_is_asked_over_nothing_else() -> None:
    scene = Scene(AUTO, f"{DESK}:5071;transport=tls")
    scene.run(5.0)
    assert {hop.transport.value for _, hop in scene.sent} == {"TLS"}


def test_where_an_alg_spoils_udp_the_call_goes_by_what_is_not_spoilt() -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(OUTSIDE, OUTSIDE), NOBODY)
    request, hop = scene.requests("OPTIONS")[0]
    spoilt = request.with_header(
        "Via", str(request.top_via._replace(host=OUTSIDE.host).with_param("received", "5.5.1.2"))
    )
    scene.phone.receive_datagram(spoilt.reply(200, to_tag="x").encode(), hop.address, 0.0)
    scene.collect()
    assert told(scene) == []
    scene.answer("OPTIONS", transport="TCP", seen=OUTSIDE._replace(port=40010))
    scene.do(Dial())
    scene.phone.media_opened(1, OpenedWay(DIRECT, OUTSIDE, OUTSIDE), 0.0)
    scene.collect()
    assert len(scene.requests("INVITE", "TCP")) == 1


def test_a_registration_waits_until_its_contact_is_known() -> None:
    scene = Scene(AUTO, registrar=f"sip:{SERVER}", user="u", password="p")
    scene.do(Register())
    assert scene.requests("REGISTER") == []
    scene.answer("OPTIONS", seen=OUTSIDE)
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    ((register, _),) = scene.requests("REGISTER")
    assert str(register.contacts[0].uri) == f"sip:u@{OUTSIDE}"


def test_a_relay_that_refuses_our_password_is_told_once() -> None:
    scene = Scene(AUTO)
    for server in (UDP_RELAY, TLS_RELAY):
        scene.fact(RelaySeen(server, "The relay refuses our name and password.", refused=True))
    assert scene.seen(Trouble) == [Trouble(0, Reason.RELAY_REFUSED, "5.5.3.10")]


def test_a_silent_stun_server_is_told_and_the_call_goes_on_without() -> None:
    scene = Scene(NatConfig("auto", STUN[:1]), "")
    scene.fact(StunSeen(STUN[0], None))
    assert scene.events == [
        Trouble(0, Reason.STUN_FAILED, ""),
        NatFound("direct", "Nothing comes back over UDP, and no relay can be reached."),
    ]


def test_what_stun_says_is_shown_to_a_server_that_is_not_known_yet() -> None:
    scene = Scene(NatConfig("stun", STUN), "")
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    assert told(scene)[0].way == "stun"
    scene.do(Dial("sip:a@5.5.9.9", confirmed=True))
    options, _ = scene.requests("OPTIONS")[0]
    assert options.top_via.host == OUTSIDE.host


def test_facts_of_another_network_are_dropped() -> None:
    scene = Scene(AUTO)
    scene.phone.network_changed(1.0)
    scene.collect()
    scene.fact(*stun(OUTSIDE, OUTSIDE), generation=0)
    assert told(scene) == []
    assert scene.order(Probe)[-1] == Probe(1, STUN, (UDP_RELAY, TLS_RELAY), True)
    scene.answer("OPTIONS", which=0)  # of the first one, which nobody waits for any more
    assert told(scene) == []
    scene.fact(*stun(OUTSIDE, OUTSIDE), generation=1)
    scene.answer("OPTIONS")
    assert told(scene)[0].way == "stun"


def test_what_is_known_is_asked_again_every_ten_minutes() -> None:
    scene = Scene(AUTO)
    scene.answer("OPTIONS")
    scene.run(REFRESH_AFTER)
    assert len(scene.order(Probe)) == 2
    assert len(scene.requests("OPTIONS")) == 2


def test_an_idle_phone_whose_router_gives_it_another_port_sees_no_symmetric_nat() -> None:
    scene = Scene(NatConfig("auto", STUN[:1]))
    later = OUTSIDE._replace(port=40001)
    scene.fact(*stun(OUTSIDE))
    scene.answer("OPTIONS")
    assert nat_type(scene).startswith("Full Cone")
    scene.run(REFRESH_AFTER)
    scene.fact(*stun(later))
    assert nat_type(scene).startswith("Full Cone")
    assert [event.way for event in told(scene)] == ["stun"]
    scene.answer("OPTIONS", seen=later)
    assert nat_type(scene).startswith("Full Cone")
    assert f"seen as {later}" in finding(scene, "Our address")
    assert [event.way for event in told(scene)] == ["stun"]


def test_a_nat_that_has_become_symmetric_is_seen_at_the_next_look_around() -> None:
    scene = Scene(NatConfig("auto", STUN[:1]))
    scene.fact(*stun(OUTSIDE))
    scene.answer("OPTIONS")
    scene.run(REFRESH_AFTER)
    scene.answer("OPTIONS", seen=OUTSIDE._replace(port=40002))
    scene.fact(*stun(OUTSIDE._replace(port=40001)))
    assert nat_type(scene) == "Symmetric NAT"


def test_a_call_during_the_look_around_goes_by_what_was_known() -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    scene.answer("OPTIONS")
    scene.run(REFRESH_AFTER)
    scene.do(Dial())
    assert ways(scene)[0] == "stun"


def test_a_server_that_has_fallen_silent_over_udp_is_found_over_tls_again() -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(None, None), *RELAYS, NOBODY)
    scene.run(OTHERS_AFTER)
    scene.answer("OPTIONS", transport="TLS", which=0)
    scene.run(REFRESH_AFTER + OTHERS_AFTER)
    assert len(scene.requests("OPTIONS", "TLS")) == 4


def test_too_many_servers_are_not_remembered() -> None:
    scene = Scene(AUTO, max_calls=99)
    for number in range(12):
        scene.do(Dial(f"sip:a@5.5.9.{number}", confirmed=True))
    assert len({hop.address.host for _, hop in scene.sent}) == 8
    assert scene.opened().ways == (DIRECT,)


def test_who_calls_us_from_our_own_network_needs_no_way_around() -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    scene.answer("OPTIONS")
    network = scene.phone._network
    assert network.ways_towards("192.168.1.7") == (DIRECT,)
    assert network.ways_towards(SERVER)[0].kind is Kind.STUN


def test_a_call_that_nobody_has_heard_goes_on_where_the_server_answers() -> None:
    scene = Scene(AUTO)
    scene.do(Dial())
    scene.run(CALL_WAIT)
    scene.phone.media_opened(1, as_bound(LOCAL.host), scene.now)
    scene.collect()
    assert len(scene.requests("INVITE")) == 1
    scene.run(OTHERS_AFTER)
    scene.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40009))
    assert len(scene.requests("INVITE", "TLS")) == 1
    scene.run(60.0)
    assert [e.reason for e in scene.events if isinstance(e, CallStateChanged)][-1] is not (
        Reason.CANCELLED_HERE
    )


def registering(**more: str) -> Scene:
    """No answer to REGISTER, nor yet to an OPTIONS on any transport; the port of TLS is open."""
    scene = Scene(AUTO, registrar=f"sip:{SERVER}", user="me", **more)
    scene.do(Register())
    scene.run(OTHERS_AFTER + 2.0)
    _, hop = scene.requests("OPTIONS", "TLS")[-1]
    scene.phone.connection_opened(hop._replace(flow=1), scene.now)
    scene.run(REGISTER_WAIT - OTHERS_AFTER)
    assert len(scene.requests("REGISTER")) >= 1
    return scene


@pytest.mark.parametrize("proxy", ["", f"sip:{SERVER};lr"])
def test_a_registration_that_nobody_answers_goes_on_where_the_server_answers_late(
    proxy: str,
) -> None:
    scene = registering(proxy=proxy)
    scene.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40009))
    ((first, hop),) = scene.requests("REGISTER", "TLS")
    assert hop.address == Address(SERVER, 443) and bool(first.values("Route")) == bool(proxy)
    scene.answer("REGISTER", transport="TLS", seen=OUTSIDE._replace(port=40009))
    count = len(scene.requests("REGISTER"))
    scene.run(20.0)
    assert len(scene.requests("REGISTER")) == count, "nothing is repeated where nobody answers"
    assert len(scene.requests("REGISTER", "TLS")) == 1
    assert len([event for event in scene.events if isinstance(event, Registered)]) == 1


def test_where_nobody_answered_it_is_asked_again_soon_and_less_and_less_often() -> None:
    scene = registering()
    scene.run(600.0)
    probes = len(scene.order(Probe))
    assert 4 <= probes <= 7
    scene.answer("OPTIONS", transport="TCP", seen=OUTSIDE)
    scene.run(REFRESH_AFTER / 2)
    assert len(scene.order(Probe)) <= probes + 1


def test_what_a_later_answer_has_shown_of_us_is_not_taken_back_by_an_older_one() -> None:
    scene = Scene(AUTO, registrar=f"sip:{SERVER}", user="me")
    scene.fact(*stun(OUTSIDE, OUTSIDE), *RELAYS)
    scene.answer("OPTIONS")
    scene.do(Register())
    elsewhere = OUTSIDE._replace(port=41481)
    scene.answer("REGISTER", seen=elsewhere)
    scene.answer("REGISTER", seen=elsewhere)
    count = len(scene.requests("REGISTER"))
    scene.fact(UPNP, *stun(OUTSIDE, OUTSIDE))
    scene.run(30.0)
    assert len(scene.requests("REGISTER")) == count
    assert str(scene.requests("REGISTER")[-1][0].contacts[0].uri).endswith(":41481")


def test_a_call_that_rings_already_stays_where_it_is() -> None:
    scene = Scene(AUTO)
    scene.do(Dial())
    scene.run(CALL_WAIT)
    scene.phone.media_opened(1, as_bound(LOCAL.host), scene.now)
    scene.collect()
    scene.answer("INVITE", 180)
    scene.run(OTHERS_AFTER)
    scene.answer("OPTIONS", transport="TLS", seen=OUTSIDE._replace(port=40009))
    assert scene.requests("INVITE", "TLS") == []


def test_the_way_that_a_call_really_has_is_told() -> None:
    scene = Scene(AUTO)
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    scene.answer("OPTIONS")
    scene.do(Dial())
    scene.phone.media_opened(1, as_bound(LOCAL.host), scene.now)
    scene.collect()
    assert [found.way for found in told(scene)] == ["stun", "direct"]


def report(scene: Scene) -> dict[str, tuple[str, str]]:
    scene.do(CheckNetwork())
    checked = scene.events[-1]
    assert isinstance(checked, NetworkChecked)
    return {name: (found, meaning) for name, found, meaning in checked.findings}


def complete(scene: Scene) -> bool:
    checked = scene.events[-1]
    return isinstance(checked, NetworkChecked) and checked.complete


def test_the_report_of_a_phone_behind_a_router() -> None:
    scene = Scene(AUTO)
    assert report(scene)["Server"][0] == "not asked"
    assert not complete(scene)
    scene.fact(*stun(OUTSIDE, OUTSIDE), *RELAYS, UPNP)
    scene.answer("OPTIONS")
    lines = report(scene)
    assert complete(scene)
    assert lines["Server"] == ("UDP 5060: answers", "It answers.")
    assert lines["A call would go"][0] == "upnp, then stun, then turn, then direct"


def test_the_report_of_a_phone_whose_server_is_near() -> None:
    scene = Scene(NatConfig("auto", mapper=True), "sip:desk@192.168.1.9")
    assert report(scene)["Server"] == ("192.168.1.9", "It is in our own network.")
    assert report(Scene(NatConfig(), ""))["A call would go"][0] == "direct"


def test_a_first_call_out_into_the_world_looks_around_then() -> None:
    scene = Scene(NatConfig("auto", mapper=True), "")
    assert scene.orders == []
    scene.do(Dial("sip:a@5.5.9.9", confirmed=True))
    assert scene.orders == [Probe(0, (), (), True)]


def test_a_server_whose_name_is_not_found_is_silent() -> None:
    scene = Scene(AUTO, "sip:desk@pbx.example")
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    scene.run(60.0)
    assert report(scene)["Server"][1] == "It does not answer: calls will fail."


def test_a_connection_that_is_refused_is_no_answer() -> None:
    scene = Scene(AUTO, f"{DESK};transport=tcp")
    ((_, hop),) = scene.requests("OPTIONS", "TCP")
    scene.phone.connection_failed(hop, 0.1, EndedBy.TRANSPORT)
    scene.collect()
    assert len(scene.requests("OPTIONS", "TLS")) == 2


def test_a_phone_that_is_bound_to_one_address_has_that() -> None:
    scene = Scene(AUTO)
    scene.phone.bound(Address("192.168.1.3", 5062), 0.0)
    scene.collect()
    assert report(scene)["Our address"][0].startswith("192.168.1.3:5062")
    assert scene.phone._network.local_towards(SERVER).host == "192.168.1.3"


def test_who_waits_for_the_registrar_waits_on_while_other_ways_are_asked() -> None:
    scene = Scene(AUTO, registrar=f"sip:{SERVER}", user="u", password="p")
    scene.do(Register())
    scene.run(OTHERS_AFTER + 1.0)
    assert scene.requests("REGISTER") == []
    scene.run(5.0)
    assert scene.requests("REGISTER")


def test_what_changes_before_a_call_has_its_sound_is_no_trouble() -> None:
    scene = Scene(AUTO, registrar=f"sip:{SERVER}", user="u", password="p")
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    scene.answer("OPTIONS")
    scene.do(Register())
    scene.do(Dial())
    elsewhere = OUTSIDE._replace(port=40404)
    scene.answer("REGISTER", seen=elsewhere)
    assert str(scene.requests("REGISTER")[-1][0].contacts[0].uri) == f"sip:u@{elsewhere}"
    scene.phone.network_changed(1.0)
    scene.collect()
    assert len(scene.order(OpenMedia)) == 1


def test_what_an_answer_shows_of_us_is_newer_than_what_the_first_look_showed() -> None:
    scene = Scene(AUTO, registrar=f"sip:{SERVER}", user="u", password="p")
    scene.fact(*stun(OUTSIDE, OUTSIDE))
    scene.answer("OPTIONS")
    scene.do(Register())
    elsewhere = OUTSIDE._replace(port=40404)
    scene.answer("REGISTER", seen=elsewhere)
    before = len(scene.requests("REGISTER"))
    scene.fact(MapperSeen(None, ""))
    scene.answer("REGISTER", seen=elsewhere)
    assert len(scene.requests("REGISTER")) == before
    assert str(scene.requests("REGISTER")[-1][0].contacts[0].uri) == f"sip:u@{elsewhere}"


def test_whoever_watches_the_network_knows_which_server_to_face() -> None:
    assert Scene(AUTO).phone.server_host == SERVER
    assert Scene(AUTO, "").phone.server_host == ""


def test_sound_that_is_missed_before_there_is_a_way_means_nothing() -> None:
    scene = Scene(AUTO)
    scene.do(Dial())
    scene.phone.media_event(1, SoundMissing(heard=False), 0.1)
    scene.collect()
    assert scene.seen(Trouble) == []
