"""From a URI to the next hop, with look-ups (RFC 3261 section 8.1.2)."""

import pytest

from applet.address import Address
from applet.sip.events import Event, LookupNeeded
from applet.sip.hop import Hop, Transport
from applet.sip.locate import LOOKUP_LIMIT, MAX_NAMES, Locator
from applet.sip.timers import Timers
from applet.sip.uri import OtherUri, parse_uri


class Desk:
    """A locator with what it asks and finds."""

    def __init__(self) -> None:
        self.timers = Timers()
        self.asked: list[Event] = []
        self.found: list[Hop | None] = []
        self.locator = Locator(self.timers, self.asked.append)

    def locate(self, uri: str, preferred: Transport | None = None) -> None:
        self.locator.locate(parse_uri(uri), preferred, self._then, 0.0)

    def _then(self, hop: Hop | None, now: float) -> None:
        self.found.append(hop)


UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS


@pytest.mark.parametrize(
    ("uri", "preferred", "hop"),
    [
        ("sip:192.0.2.1", None, Hop(UDP, Address("192.0.2.1", 5060))),
        ("sip:192.0.2.1:7666", TCP, Hop(TCP, Address("192.0.2.1", 7666))),
        ("sip:192.0.2.1;transport=tcp", None, Hop(TCP, Address("192.0.2.1", 5060))),
        ("sip:192.0.2.1;transport=UDP", TCP, Hop(UDP, Address("192.0.2.1", 5060))),
        ("sip:192.0.2.1;transport=tls", None, Hop(TLS, Address("192.0.2.1", 5061))),
        ("sips:192.0.2.1", UDP, Hop(TLS, Address("192.0.2.1", 5061))),
        ("sips:192.0.2.1;transport=tcp", UDP, Hop(TLS, Address("192.0.2.1", 5061))),
        ("sip:[2001:db8::1]", None, Hop(UDP, Address("2001:db8::1", 5060))),
        ("sip:name.example;maddr=192.0.2.7", None, Hop(UDP, Address("192.0.2.7", 5060))),
        ("sip:192.0.2.1;transport=sctp", None, None),
    ],
)
def test_what_needs_no_look_up_is_found_at_once(
    uri: str, preferred: Transport | None, hop: Hop | None
) -> None:
    desk = Desk()
    desk.locate(uri, preferred)
    assert desk.found == [hop] and desk.asked == [] and len(desk.locator) == 0


def test_another_scheme_is_not_found() -> None:
    desk = Desk()
    desk.locator.locate(OtherUri("tel", "1"), None, desk._then, 0.0)
    assert desk.found == [None]


def test_one_look_up_serves_everybody_who_waits_and_is_kept_for_a_minute() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.locate("sip:a.example:7000;transport=tcp")
    assert desk.asked == [LookupNeeded("a.example", 5060, UDP)] and desk.found == []
    desk.locator.found("a.example", (Address("192.0.2.1", 1), Address("192.0.2.2", 1)), 1.0)
    assert desk.found == [
        Hop(UDP, Address("192.0.2.1", 5060)),
        Hop(TCP, Address("192.0.2.1", 7000)),
    ]
    desk.locate("sip:a.example:5070")
    assert desk.found[2] == Hop(UDP, Address("192.0.2.1", 5070)) and len(desk.asked) == 1
    desk.timers.fire(61.0)
    assert len(desk.locator) == 0 and len(desk.timers) == 0
    desk.locate("sip:a.example")
    assert len(desk.asked) == 2


def test_what_is_not_found_is_not_remembered() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.locator.found("a.example", (), 1.0)
    assert desk.found == [None] and len(desk.locator) == 0 and len(desk.timers) == 0


def test_a_look_up_that_nobody_answers_has_failed_after_a_while() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.timers.fire(LOOKUP_LIMIT)
    assert desk.found == [None] and len(desk.locator) == 0
    desk.locator.found("a.example", (Address("192.0.2.1", 1),), 20.0)
    assert desk.found == [None] and len(desk.locator) == 0


def test_names_are_bounded() -> None:
    desk = Desk()
    for number in range(MAX_NAMES + 5):
        desk.locate(f"sip:h{number}.example")
    assert desk.found == [None] * 5 and len(desk.asked) == MAX_NAMES
