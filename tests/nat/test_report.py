"""The report, line by line, in words that can be read out on the telephone."""

import pytest

from applet.nat.knowledge import Asked, Fetched, Knowledge, Mapper, MapperSeen, RelaySeen, SipSeen
from applet.nat.report import Finding, findings
from applet.nat.strategy import plan
from tests.nat.facts import (
    ALG,
    CONE,
    HALF_ALG,
    NO_UDP,
    NOTHING,
    OPEN,
    OUTSIDE,
    RELAYS,
    SYMMETRIC,
    UDP_RELAY,
    UPNP,
    known,
    sip,
    stun,
)


def line(knowledge: Knowledge, name: str) -> Finding:
    return next(found for found in findings(knowledge, plan(knowledge)) if found.name == name)


@pytest.mark.parametrize(
    ("knowledge", "words"),
    [
        (OPEN, "Open Internet"),
        (CONE, "Full Cone, Restric NAT or Restric Port NAT"),
        (SYMMETRIC, "Symmetric NAT"),
        (NO_UDP, "Blocked"),
        (NOTHING, "unknown"),
    ],
)
def test_the_nat_type_is_told_in_the_originals_words(knowledge: Knowledge, words: str) -> None:
    assert line(knowledge, "NAT type").found == words


def test_our_address_is_told_as_we_and_as_the_world_see_it() -> None:
    assert line(CONE, "Our address").found == "192.168.1.2:5060, seen as 5.5.1.2:5060"
    half = known(*stun(OUTSIDE, None))
    assert line(half, "Our address").meaning == "1 of 2 STUN servers did not answer."
    assert line(known(asked=Asked()), "Our address").meaning == "No STUN server is configured."


def test_the_server_and_the_alg() -> None:
    assert line(NO_UDP, "Server").found == "UDP 5060: silent, TLS 443: answers"
    assert "calls will fail" in line(known(SipSeen("udp", 5060, None)), "Server").meaning
    assert line(NOTHING, "Server").found == "not asked"
    assert line(ALG, "SIP ALG").found == "works"
    assert line(HALF_ALG, "SIP ALG").found == "broken"
    assert line(CONE, "SIP ALG").found == "none"
    assert line(known(sip(OUTSIDE)), "SIP ALG").found == "not known"


@pytest.mark.parametrize(
    ("seen", "found", "meaning"),
    [
        (UPNP, "upnp, outer address 5.5.1.2", "opens ports"),
        (MapperSeen(None, ""), "none", "opens no ports"),
        (MapperSeen(Mapper.PCP, ""), "pcp, outer address unknown", "Another router"),
    ],
)
def test_the_router(seen: MapperSeen, found: str, meaning: str) -> None:
    told = line(CONE.having(seen), "Port mapping")
    assert told.found == found and meaning in told.meaning


def test_a_router_that_was_not_asked_or_is_still_silent() -> None:
    assert line(CONE, "Port mapping").found == "no answer yet"
    assert line(known(asked=Asked()), "Port mapping").found == "not asked"


def test_a_relay_password_that_could_not_be_fetched_is_told_and_one_that_could_is_not() -> None:
    failed = CONE.having(Fetched("web.example.com", (), "No relay password."))
    told = line(failed, "Relay password")
    assert (told.found, told.meaning) == ("web.example.com", "No relay password.")
    worked = failed.having(Fetched("web.example.com", (UDP_RELAY,)))
    assert "Relay password" not in [found.name for found in findings(worked, plan(worked))]


def test_relays_and_the_choice() -> None:
    relays = CONE.having(RELAYS[1]).having(RelaySeen(UDP_RELAY, "The relay does not answer."))
    assert line(relays, "Relay by TLS").meaning == "It works."
    assert line(relays, "Relay by UDP").meaning == "The relay does not answer."
    assert line(relays, "A call would go").found == "stun, then turn, then direct"
