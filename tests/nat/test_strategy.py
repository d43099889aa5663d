"""Which way a call takes on each network, and what is told of it."""

import pytest

from applet.nat.knowledge import Asked, Knowledge, Mapper, MapperSeen
from applet.nat.strategy import DIRECT, Kind, Way, contact, plan, why
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


def names(knowledge: Knowledge, mode: str = "auto") -> list[str]:
    return [way.name for way in plan(knowledge, mode).ways]


def with_relays(knowledge: Knowledge) -> Knowledge:
    return knowledge.having(RELAYS[0]).having(RELAYS[1])


@pytest.mark.parametrize(
    ("knowledge", "ways", "said"),
    [
        (NOTHING._replace(server="192.168.1.9"), ["direct"], "192.168.1.9 is in our own network"),
        (NOTHING, ["direct"], "Nothing is known of a router"),
        (OPEN, ["direct"], "sees this phone at its own address"),
        (CONE, ["stun", "direct"], "All servers see this phone at 5.5.1.2:5060"),
        (CONE.having(UPNP), ["upnp", "stun", "direct"], "opens ports when we ask it (UPnP)"),
        (SYMMETRIC, ["rport", "direct"], "symmetric NAT"),
        (SYMMETRIC.having(MapperSeen(Mapper.PCP, "5.5.1.2")), ["pcp", "rport", "direct"], "(PCP)"),
        (with_relays(SYMMETRIC), ["turn", "turn", "rport", "direct"], "symmetric NAT"),
        (with_relays(CONE), ["stun", "turn", "turn", "direct"], "All servers"),
        (ALG, ["alg", "direct"], "so we send private addresses and let it work"),
        (NO_UDP.having(RELAYS[1]), ["turn", "direct"], "Nothing comes back over UDP"),
        (NO_UDP, ["direct"], "no relay can be reached"),
        (known(*stun(OUTSIDE), asked=Asked(1)), ["stun", "direct"], "A STUN server sees"),
        (known(*stun(OUTSIDE), RELAYS[0], asked=Asked(1)), ["turn", "direct"], "not certain"),
        (known(*stun(None, None), sip(OUTSIDE)), ["direct"], "No STUN server answered"),
    ],
)
def test_the_table(knowledge: Knowledge, ways: list[str], said: str) -> None:
    assert names(knowledge) == ways
    assert said in plan(knowledge).proof


def test_a_stun_address_is_never_used_behind_a_symmetric_nat() -> None:
    assert "stun" not in names(with_relays(SYMMETRIC))


def test_stun_and_an_alg_never_come_together() -> None:
    assert "stun" not in names(with_relays(ALG).having(UPNP))
    assert "stun" not in names(known(*stun(OUTSIDE), sip(LOCAL), asked=Asked(1)))


def test_fault_02_a_silent_stun_server_leaves_the_other_ways() -> None:
    silent = with_relays(known(*stun(None, None), sip(OUTSIDE)))
    assert names(silent) == ["turn", "turn", "direct"]


@pytest.mark.parametrize(
    ("mode", "ways"),
    [
        ("none", ["direct"]),
        ("stun", ["stun", "direct"]),
        ("upnp", ["upnp", "direct"]),
        ("turn", ["turn", "turn"]),
    ],
)
def test_a_mode_leaves_the_other_ways_out(mode: str, ways: list[str]) -> None:
    assert names(with_relays(CONE).having(UPNP), mode) == ways


def test_the_only_way_that_is_allowed_may_not_be_there() -> None:
    assert plan(CONE, "turn").ways == (DIRECT,)


def test_each_way_knows_what_it_needs() -> None:
    mapped, by_stun, relay, *_ = plan(with_relays(CONE).having(UPNP)).ways
    assert mapped == Way(Kind.MAPPED, mapper=Mapper.UPNP)
    assert by_stun == Way(Kind.STUN, stun=STUN[0])
    assert relay == Way(Kind.RELAY, relay=UDP_RELAY)
    assert DIRECT.as_bound and not relay.as_bound


def test_sip_goes_where_the_server_answers() -> None:
    assert plan(CONE)[1:3] == ("udp", 5060)
    assert plan(NOTHING)[1:3] == ("", 0)
    blocked = plan(NO_UDP)
    assert blocked[1:3] == ("tls", 443)
    assert "does not answer over UDP, but over TLS on port 443" in blocked.proof
    spoilt = plan(HALF_ALG.having(sip(OUTSIDE, "tcp")))
    assert spoilt.transport == "tcp"
    assert "broken SIP ALG), so we call over TCP" in spoilt.proof
    wanted = plan(known(*stun(OUTSIDE, OUTSIDE), sip(OUTSIDE, "tls", 5061))._replace(usual="tls"))
    assert wanted.transport == "tls" and "UDP" not in wanted.proof


def test_contact_shows_what_the_server_itself_sees() -> None:
    udp = SYMMETRIC.over("udp")
    assert contact(SYMMETRIC, udp) == OUTSIDE._replace(port=31003)
    assert contact(SYMMETRIC, None) is None
    assert contact(CONE, None) == OUTSIDE
    assert contact(CONE, sip(None)) == OUTSIDE
    assert contact(CONE, sip(None, "tcp")) is None
    assert contact(OPEN, sip(LOCAL)) is None
    assert contact(CONE._replace(server="10.0.0.1"), sip(OUTSIDE)) is None


def test_behind_an_alg_contact_shows_our_own_address() -> None:
    assert contact(ALG, ALG.over("udp")) is None
    assert contact(ALG, None) is None


def test_a_mode_without_any_router_still_names_a_relay() -> None:
    assert with_relays(NO_UDP).working_relays == (UDP_RELAY, TLS_RELAY)


@pytest.mark.parametrize(
    ("knowledge", "way", "said"),
    [
        (CONE, Way(Kind.STUN, stun=STUN[0]), "All servers see this phone at 5.5.1.2:5060."),
        (
            with_relays(SYMMETRIC).having(UPNP),
            Way(Kind.RELAY, relay=UDP_RELAY),
            "No way could be opened in time by UPNP. Your router gives each server another port "
            "(symmetric NAT), so the sound goes through a relay (UDP).",
        ),
        (with_relays(CONE), DIRECT, "No way could be opened in time by STUN or TURN."),
        (CONE, Way(Kind.MAPPED, mapper=Mapper.UPNP), ""),
    ],
    ids=["the best", "the second", "none", "no longer known"],
)
def test_what_a_call_really_uses_has_its_own_proof(
    knowledge: Knowledge, way: Way, said: str
) -> None:
    assert why(knowledge, way) == said
