"""What follows from the facts, one by one and together."""

import pytest

from applet.nat.alg import Alg
from applet.nat.knowledge import (
    Asked,
    Fetched,
    Knowledge,
    Mapper,
    MapperSeen,
    Mapping,
    RelaySeen,
    SipSeen,
    StunSeen,
)
from tests.nat.facts import (
    ALG,
    CONE,
    HALF_ALG,
    LOCAL,
    NO_UDP,
    NOTHING,
    OPEN,
    OUTSIDE,
    RELAYS,
    STUN,
    SYMMETRIC,
    TLS_RELAY,
    UDP_RELAY,
    UPNP,
    known,
    sip,
    stun,
)


@pytest.mark.parametrize(
    ("knowledge", "mapping"),
    [
        (NOTHING, Mapping.UNKNOWN),
        (OPEN, Mapping.NONE),
        (CONE, Mapping.INDEPENDENT),
        (SYMMETRIC, Mapping.DEPENDENT),
        (known(*stun(OUTSIDE)), Mapping.UNKNOWN),
        (known(*stun(OUTSIDE), sip(OUTSIDE)), Mapping.INDEPENDENT),
        (known(*stun(OUTSIDE), sip(OUTSIDE._replace(port=9))), Mapping.DEPENDENT),
        (known(*stun(OUTSIDE), sip(LOCAL)), Mapping.UNKNOWN),  # an ALG has put it right again
        (known(*stun(None, None)), Mapping.UNKNOWN),
    ],
)
def test_the_mapping_is_read_from_all_who_see_us(knowledge: Knowledge, mapping: Mapping) -> None:
    assert knowledge.mapping is mapping


def test_a_stun_server_that_lies_makes_the_mapping_look_symmetric_so_nobody_relies_on_it() -> None:
    assert known(*stun(OUTSIDE, OUTSIDE._replace(host="9.9.9.9"))).mapping is Mapping.DEPENDENT


def test_a_newer_fact_replaces_the_older_of_the_same_source() -> None:
    twice = known(
        *stun(None), *stun(OUTSIDE), *RELAYS, RelaySeen(UDP_RELAY, "gone"), UPNP,
        MapperSeen(None, ""), sip(None), sip(OUTSIDE),
    )  # fmt: skip
    assert twice.stun == (StunSeen(STUN[0], OUTSIDE),)
    assert twice.working_relays == (TLS_RELAY,)
    assert twice.mapper == MapperSeen(None, "")
    assert [seen.seen for seen in twice.sip] == [OUTSIDE]


def test_a_relay_with_a_new_password_replaces_the_same_relay_with_the_old_one() -> None:
    newer = UDP_RELAY._replace(user="later", password="new")
    found = known(*RELAYS, Fetched("web", (newer,)), RelaySeen(newer, ""))
    assert found.working_relays == (newer, TLS_RELAY)


def test_a_relay_that_the_newer_list_does_not_name_is_gone() -> None:
    found = known(Fetched("web", (UDP_RELAY, TLS_RELAY)), *RELAYS, Fetched("web", (TLS_RELAY,)))
    assert found.working_relays == (TLS_RELAY,)


def test_a_list_that_could_not_be_fetched_leaves_the_relays_and_is_forgotten_once_it_can() -> None:
    asked = Asked(relays=1)
    failed = Fetched("web", (), "No.")
    assert not known(asked=asked).complete
    assert known(failed, asked=asked).complete
    between = known(Fetched("web", (UDP_RELAY,)), RELAYS[0], failed)
    assert between.relay == UDP_RELAY
    assert between.fetched == Fetched("web", (UDP_RELAY,), "No.")
    later = between.having(Fetched("web", (TLS_RELAY,))).having(RELAYS[1])
    assert later.fetched is not None and not later.fetched.problem
    assert later.working_relays == (TLS_RELAY,)


def test_the_quickest_relay_that_works_is_the_first() -> None:
    assert known(RELAYS[1], RELAYS[0]).working_relays == (UDP_RELAY, TLS_RELAY)
    assert known().relay is None


def test_it_is_ready_when_stun_and_the_server_have_answered_and_a_relay_is_not_needed() -> None:
    assert CONE.ready and OPEN.ready and not known(*stun(OUTSIDE, OUTSIDE)).ready
    assert not SYMMETRIC.ready and SYMMETRIC.having(RELAYS[0]).ready
    assert not known(sip(OUTSIDE)).ready
    silent = known(*stun(None, None), SipSeen("udp", 5060, None), *RELAYS)
    assert silent.ready
    assert not CONE.complete and CONE.having(RELAYS[0]).having(RELAYS[1]).having(UPNP).complete


def test_while_only_a_spoilt_way_answers_it_waits_for_the_others() -> None:
    asked = Asked(2, 1, 2, 3)
    assert not HALF_ALG._replace(asked=asked).ready
    assert HALF_ALG._replace(asked=asked).having(sip(OUTSIDE, "tcp")).ready


def test_udp_carries_the_signalling_before_tcp_and_tls() -> None:
    both = known(sip(OUTSIDE, "tls", 5061), sip(OUTSIDE, "tcp"), sip(OUTSIDE))
    assert both.signalling is not None and both.signalling.transport == "udp"
    assert NO_UDP.signalling is not None and NO_UDP.signalling[:2] == ("tls", 443)
    assert known(SipSeen("udp", 5060, None)).signalling is None


def test_where_an_alg_spoils_udp_tls_comes_first_because_nobody_can_read_it() -> None:
    ways = HALF_ALG.having(sip(OUTSIDE, "tcp")).having(sip(OUTSIDE, "tls", 5061))
    assert ways.signalling is not None and ways.signalling.transport == "tls"
    assert ways.alg.alg is Alg.UNKNOWN
    assert HALF_ALG.alg.alg is Alg.BROKEN
    assert ALG.alg.alg is Alg.WORKS
    assert NOTHING.alg.alg is Alg.UNKNOWN


def test_udp_is_blocked_when_everybody_who_was_asked_is_silent() -> None:
    assert NO_UDP.udp_blocked
    assert not NO_UDP.having(RELAYS[0]).udp_blocked
    assert NO_UDP.having(RelaySeen(UDP_RELAY, "The relay does not answer.")).udp_blocked
    assert not CONE.udp_blocked and not NOTHING.udp_blocked


@pytest.mark.parametrize(
    ("seen", "usable"),
    [
        (UPNP, Mapper.UPNP),
        (MapperSeen(Mapper.PCP, OUTSIDE.host), Mapper.PCP),
        (MapperSeen(None, ""), None),
        (MapperSeen(Mapper.UPNP, ""), None),
        (MapperSeen(Mapper.UPNP, "10.0.0.5"), None),
        (MapperSeen(Mapper.UPNP, "100.64.0.5"), None),
        (MapperSeen(Mapper.UPNP, "5.5.9.9"), None),
    ],
)
def test_a_router_behind_another_one_maps_ports_in_vain(
    seen: MapperSeen, usable: Mapper | None
) -> None:
    assert CONE.having(seen).usable_mapper is usable


def test_without_stun_the_routers_word_for_its_address_is_taken() -> None:
    assert known(UPNP).usable_mapper is Mapper.UPNP
