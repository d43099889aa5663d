"""From a URI to the hops that lead to it (RFC 3263 section 4, RFC 3261 section 8.1.2)."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.address import Address
from applet.sip.events import Event, LookupNeeded
from applet.sip.hop import Hop, Transport
from applet.sip.locate import KEPT, MAX_NAMES, Locator
from applet.sip.lookup import LIMIT, MOST_SERVERS, PATIENCE
from applet.sip.records import Naptr, Question, Record, Srv, Value, srv_name
from applet.sip.timers import Timers
from applet.sip.uri import OtherUri, parse_uri
from tests.sip.playbook import ANY_MACHINE

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS
HOST = Question(Record.ADDRESS, "a.example")
NAPTR = Question(Record.NAPTR, "a.example")
SRV_UDP = Question(Record.SRV, "_sip._udp.a.example")
SRV_TCP = Question(Record.SRV, "_sip._tcp.a.example")
SRV_TLS = Question(Record.SRV, "_sips._tcp.a.example")


def hop(ip: str, port: int = 5060, transport: Transport = UDP, identity: str = "") -> Hop:
    return Hop(transport, Address(ip, port), None, identity)


class Desk:
    """A locator with what it asks and finds."""

    def __init__(self, has: tuple[Transport, ...] = (UDP, TCP, TLS)) -> None:
        self.timers = Timers()
        self.events: list[Event] = []
        self.found: list[tuple[Hop, ...]] = []
        self.locator = Locator(self.timers, self.events.append, random.Random(7), has.__contains__)

    def locate(self, uri: str, preferred: Transport | None = None, now: float = 0.0) -> None:
        self.locator.locate(parse_uri(uri), preferred, self.then, now)

    def then(self, hops: tuple[Hop, ...], now: float) -> None:
        self.found.append(hops)

    def asked(self) -> set[Question]:
        """Since the last time; nothing is asked twice."""
        questions = [e.question for e in self.events if isinstance(e, LookupNeeded)]
        assert len(questions) == len(set(questions))
        self.events.clear()
        return set(questions)

    def say(self, question: Question, *values: Value, now: float = 0.0) -> None:
        self.locator.answered(question, values, now)

    def say_nothing_else(self, *questions: Question) -> None:
        for question in questions:
            self.say(question)

    def is_empty(self) -> bool:
        return len(self.locator) == 0 and len(self.timers) == 0


@pytest.mark.parametrize(
    ("uri", "preferred", "found"),
    [
        ("sip:192.0.2.1", None, hop("192.0.2.1")),
        ("sip:192.0.2.1:7666", TCP, hop("192.0.2.1", 7666, TCP)),
        ("sip:192.0.2.1;transport=tcp", None, hop("192.0.2.1", 5060, TCP)),
        ("sip:192.0.2.1;transport=UDP", TCP, hop("192.0.2.1")),
        ("sip:192.0.2.1;transport=tls", None, hop("192.0.2.1", 5061, TLS, "192.0.2.1")),
        ("sips:192.0.2.1", UDP, hop("192.0.2.1", 5061, TLS, "192.0.2.1")),
        ("sips:192.0.2.1;transport=tcp", UDP, hop("192.0.2.1", 5061, TLS, "192.0.2.1")),
        ("sip:[2001:db8::1]", None, hop("2001:db8::1")),
        ("sip:name.example;maddr=192.0.2.7", None, hop("192.0.2.7")),
        ("sips:Name.Example.;maddr=192.0.2.7", None, hop("192.0.2.7", 5061, TLS, "name.example")),
    ],
)
def test_what_needs_no_look_up_is_found_at_once(
    uri: str, preferred: Transport | None, found: Hop
) -> None:
    desk = Desk()
    desk.locate(uri, preferred)
    assert desk.found == [(found,)] and not desk.asked() and desk.is_empty()


def test_another_scheme_and_a_transport_that_nobody_knows_are_not_found() -> None:
    desk = Desk()
    desk.locator.locate(OtherUri("tel", "1"), None, desk.then, 0.0)
    desk.locate("sip:a.example;transport=sctp")
    assert desk.found == [(), ()]


# --- what is asked


@pytest.mark.parametrize(
    ("uri", "preferred", "asked"),
    [
        ("sip:A.example.", None, {HOST, NAPTR, SRV_UDP, SRV_TCP, SRV_TLS}),
        ("sip:a.example:5070", None, {HOST}),
        ("sip:a.example;transport=tcp", None, {HOST, SRV_TCP}),
        ("sip:a.example", TCP, {HOST, SRV_TCP}),
        ("sips:a.example", UDP, {HOST, SRV_TLS}),
        ("sip:localhost", None, {Question(Record.ADDRESS, "localhost")}),
    ],
)
def test_everything_that_may_matter_is_asked_at_once_and_nothing_more(
    uri: str, preferred: Transport | None, asked: set[Question]
) -> None:
    desk = Desk()
    desk.locate(uri, preferred)
    assert desk.asked() == asked


def test_services_for_which_we_have_no_socket_are_not_asked_for() -> None:
    desk = Desk(has=(UDP,))
    desk.locate("sip:a.example")
    assert desk.asked() == {HOST, SRV_UDP}


# --- a name that has only addresses


def test_a_name_without_records_is_its_addresses_by_udp() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.say_nothing_else(NAPTR, SRV_UDP, SRV_TCP, SRV_TLS)
    desk.say(HOST, "192.0.2.1", "192.0.2.2")
    assert desk.found == [(hop("192.0.2.1"), hop("192.0.2.2"))] and desk.is_empty()


def test_a_name_with_a_port_is_not_held_up_by_anything() -> None:
    desk = Desk()
    desk.locate("sip:a.example:5070;transport=tls")
    desk.say(HOST, "192.0.2.1")
    assert desk.found == [(hop("192.0.2.1", 5070, TLS, "a.example"),)] and desk.is_empty()


def test_name_servers_that_never_answer_for_other_records_hold_nobody_up_for_long() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.say(HOST, "192.0.2.1", now=1.0)
    desk.timers.fire(1.0 + PATIENCE - 0.01)
    assert desk.found == []
    desk.timers.fire(1.0 + PATIENCE)
    assert desk.found == [(hop("192.0.2.1"),)] and desk.is_empty()


def test_srv_records_elsewhere_that_never_come_do_not_either() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.say(NAPTR, Naptr(1, 1, "s", "SIP+D2U", "_sip._udp.hosted.example"))
    desk.say_nothing_else(SRV_UDP, SRV_TCP, SRV_TLS)
    desk.say(HOST, "192.0.2.1", now=1.0)
    desk.timers.fire(1.0 + PATIENCE)
    assert desk.found == [(hop("192.0.2.1"),)] and desk.is_empty()


def test_what_is_not_found_is_not_remembered() -> None:
    desk = Desk()
    desk.locate("sip:a.example:1")
    desk.say(HOST)
    assert desk.found == [()] and desk.is_empty() and desk.asked() == {HOST}
    desk.locate("sip:a.example:1")
    assert desk.asked() == {HOST}


def test_a_look_up_that_nobody_answers_has_failed_after_a_while() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.timers.fire(LIMIT)
    assert desk.found == [()] and desk.is_empty()
    desk.say(HOST, "192.0.2.1", now=20.0)
    assert desk.found == [()] and desk.is_empty()


# --- SRV (RFC 2782)


def found_by_srv(*records: Srv, **addresses: str) -> tuple[Hop, ...]:
    """The hops for `sip:a.example;transport=udp` with these records."""
    desk = Desk()
    desk.locate("sip:a.example;transport=udp")
    desk.say(HOST, "192.0.2.99")
    desk.say(SRV_UDP, *records)
    for question in sorted(desk.asked() - {HOST, SRV_UDP}):
        name = question.name.partition(".")[0]
        desk.say(question, *([addresses[name]] if name in addresses else []))
    (hops,) = desk.found
    assert desk.is_empty()
    return hops


def test_the_lowest_priority_comes_first_and_every_server_has_its_own_port() -> None:
    hops = found_by_srv(
        Srv(20, 0, 5062, "two.example"),
        Srv(10, 0, 5064, "one.example"),
        one="192.0.2.1",
        two="192.0.2.2",
    )
    assert hops == (hop("192.0.2.1", 5064), hop("192.0.2.2", 5062))


def test_a_server_without_an_address_is_passed_over() -> None:
    hops = found_by_srv(Srv(1, 0, 1, "gone.example"), Srv(2, 0, 2, "two.example"), two="192.0.2.2")
    assert hops == (hop("192.0.2.2", 2),)


def test_a_service_that_is_decidedly_not_offered_is_not_found_by_the_name_itself() -> None:
    assert found_by_srv(Srv(0, 0, 0, "")) == ()


def test_the_number_of_servers_is_bounded() -> None:
    records = [Srv(n, 0, 5060, f"s{n}.example") for n in range(50)]
    hops = found_by_srv(*records, **{f"s{n}": f"192.0.2.{n}" for n in range(50)})
    assert [h.address.host for h in hops] == [f"192.0.2.{n}" for n in range(MOST_SERVERS)]


def test_the_addresses_of_the_name_are_not_waited_for_when_srv_names_servers() -> None:
    desk = Desk()
    desk.locate("sip:a.example;transport=tcp")
    desk.say(SRV_TCP, Srv(1, 1, 5070, "one.example"))
    desk.say(Question(Record.ADDRESS, "one.example"), "192.0.2.1")
    assert desk.found == [(hop("192.0.2.1", 5070, TCP),)] and desk.is_empty()


def test_a_server_may_be_the_name_itself_whose_address_is_still_on_its_way() -> None:
    desk = Desk()
    desk.locate("sip:a.example;transport=tcp")
    desk.say(SRV_TCP, Srv(1, 1, 5070, "a.example"))
    assert desk.found == [] and desk.asked() == {HOST, SRV_TCP}
    desk.say(HOST, "192.0.2.1")
    assert desk.found == [(hop("192.0.2.1", 5070, TCP),)] and desk.is_empty()


def test_a_server_whose_address_never_comes_does_not_hold_up_the_others() -> None:
    desk = Desk()
    desk.locate("sip:a.example;transport=udp")
    desk.say(SRV_UDP, Srv(1, 0, 1, "slow.example"), Srv(2, 0, 2, "two.example"))
    desk.say(Question(Record.ADDRESS, "two.example"), "192.0.2.2", now=0.5)
    assert desk.found == []
    desk.timers.fire(0.5 + PATIENCE)
    assert desk.found == [(hop("192.0.2.2", 2),)] and desk.is_empty()


def test_without_naptr_all_our_transports_follow_each_other() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.say_nothing_else(NAPTR, SRV_TLS)
    desk.say(SRV_TCP, Srv(1, 0, 5070, "one.example"))
    desk.say(SRV_UDP, Srv(1, 0, 5060, "one.example"))
    desk.say(Question(Record.ADDRESS, "one.example"), "192.0.2.1")
    assert desk.found == [(hop("192.0.2.1"), hop("192.0.2.1", 5070, TCP))]


# --- NAPTR


def naptr(order: int, service: str, transport: Transport, flags: str = "s") -> Naptr:
    return Naptr(order, 10, flags, service, srv_name(transport, "a.example"))


def test_naptr_chooses_the_transport() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.say(NAPTR, naptr(20, "SIP+D2U", UDP), naptr(10, "SIP+D2T", TCP))
    desk.say(SRV_TCP, Srv(1, 0, 5070, "one.example"))
    desk.say(SRV_UDP, Srv(1, 0, 5060, "one.example"))
    desk.say_nothing_else(SRV_TLS)
    desk.say(Question(Record.ADDRESS, "one.example"), "192.0.2.1")
    assert desk.found == [(hop("192.0.2.1", 5070, TCP), hop("192.0.2.1"))]


def test_who_would_use_tls_first_never_falls_back_to_anything_else() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.say(NAPTR, naptr(1, "sips+d2t", TLS, "S"), naptr(2, "SIP+D2U", UDP))
    desk.say(SRV_TLS, Srv(1, 0, 5061, "elsewhere.test"))
    desk.say(SRV_UDP, Srv(1, 0, 5060, "elsewhere.test"))
    desk.say_nothing_else(SRV_TCP)
    desk.say(Question(Record.ADDRESS, "elsewhere.test"), "192.0.2.1")
    # The certificate is to name the domain, never the server that DNS gave.
    assert desk.found == [(hop("192.0.2.1", 5061, TLS, "a.example"),)]


def test_naptr_may_lead_to_srv_records_under_another_name() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    hosted = Question(Record.SRV, "_sip._udp.hosted.example")
    desk.say(NAPTR, Naptr(1, 1, "s", "SIP+D2U", hosted.name))
    desk.say_nothing_else(SRV_UDP, SRV_TCP, SRV_TLS)
    desk.say(HOST, "192.0.2.99")
    assert hosted in desk.asked()
    desk.say(hosted, Srv(1, 0, 5080, "one.example"))
    desk.say(Question(Record.ADDRESS, "one.example"), "192.0.2.1")
    assert desk.found == [(hop("192.0.2.1", 5080),)]


def test_naptr_records_that_are_of_no_use_change_nothing() -> None:
    desk = Desk()
    desk.locate("sip:a.example")
    desk.say(
        NAPTR,
        Naptr(1, 1, "s", "SIPS+D2S", "_sips._sctp.a.example"),
        naptr(1, "SIP+D2T", TCP, flags="a"),
        Naptr(1, 1, "u", "E2U+sip", ""),
    )
    desk.say_nothing_else(SRV_UDP, SRV_TCP, SRV_TLS)
    desk.say(HOST, "192.0.2.1")
    assert desk.found == [(hop("192.0.2.1"),)]


# --- what is kept


def test_one_look_up_serves_everybody_who_waits_and_is_kept_for_a_minute() -> None:
    desk = Desk()
    desk.locate("sip:a.example:5070")
    desk.locate("sip:somebody@a.example:5070;lr")
    assert desk.asked() == {HOST} and desk.found == []
    desk.say(HOST, "192.0.2.1", now=1.0)
    assert desk.found == [(hop("192.0.2.1", 5070),)] * 2
    desk.locate("sip:a.example:5070", now=KEPT)
    assert len(desk.found) == 3 and not desk.asked()
    desk.locate("sip:a.example:5070", now=1.0 + KEPT)
    assert desk.asked() == {HOST}


def test_in_another_network_everything_is_asked_again() -> None:
    desk = Desk()
    desk.locate("sip:a.example:1")
    desk.say(HOST, "192.0.2.1")
    desk.asked()
    desk.locator.forget()
    desk.locate("sip:a.example:1")
    assert desk.asked() == {HOST}


def test_an_answer_serves_every_look_up_that_asked_and_nobody_twice() -> None:
    desk = Desk()
    desk.locate("sip:a.example:1")
    desk.locate("sip:a.example:2")
    desk.say(HOST, "192.0.2.1")
    desk.say(HOST, "192.0.2.2")
    assert desk.found == [(hop("192.0.2.1", 1),), (hop("192.0.2.1", 2),)]


def test_names_are_bounded() -> None:
    desk = Desk()
    for number in range(MAX_NAMES + 5):
        desk.locate(f"sip:h{number}.example:1")
    assert desk.found == [()] * 5 and len(desk.asked()) == MAX_NAMES
    for number in range(MAX_NAMES):
        desk.say(Question(Record.ADDRESS, f"h{number}.example"), "192.0.2.1")
    desk.locate("sip:one-more.example:1")
    desk.say(Question(Record.ADDRESS, "one-more.example"), "192.0.2.1")
    assert len(desk.locator._found) == MAX_NAMES


# --- in any order


TARGETS = ("one.example", "two.example", "a.example", "")
_srv = st.builds(
    Srv, st.integers(0, 3), st.integers(0, 9), st.integers(1, 99), st.sampled_from(TARGETS)
)
_naptr = st.builds(
    Naptr,
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from(("s", "S", "a", "")),
    st.sampled_from(("SIP+D2U", "SIP+D2T", "SIPS+D2T", "x")),
    st.sampled_from((SRV_UDP.name, SRV_TLS.name, "_sip._udp.hosted.example")),
)
_VALUES: dict[Record, st.SearchStrategy[Any]] = {
    Record.SRV: st.lists(_srv, max_size=2),
    Record.NAPTR: st.lists(_naptr, max_size=2),
    Record.ADDRESS: st.lists(st.sampled_from(("192.0.2.1", "192.0.2.2")), max_size=2),
}


def _expected(answers: dict[Question, list[Value]]) -> set[tuple[Transport, str, int]]:
    """Where RFC 3263 leads when everything is answered, whatever the order."""
    found: set[tuple[Transport, str, int]] = set()
    named = {"SIP+D2U": UDP, "SIP+D2T": TCP, "SIPS+D2T": TLS}
    services = [
        (named[record.service], record.replacement)
        for record in answers[NAPTR]
        if isinstance(record, Naptr) and record.flags in ("s", "S") and record.service in named
    ] or [(UDP, SRV_UDP.name), (TCP, SRV_TCP.name), (TLS, SRV_TLS.name)]
    records = [
        (transport, record)
        for transport, name in services
        for record in answers[Question(Record.SRV, name)]
        if isinstance(record, Srv)
    ]
    for transport, record in records:
        for ip in answers.get(Question(Record.ADDRESS, record.target), []):
            found.add((transport, str(ip), record.port))
    if not records:
        found = {(UDP, str(ip), 5060) for ip in answers[HOST]}
    return found


@ANY_MACHINE
@given(st.data())
def test_whatever_is_answered_in_whatever_order_there_is_one_result_and_nothing_left(
    data: st.DataObject,
) -> None:
    desk, now, whole = Desk(), 0.0, data.draw(st.booleans())
    given_: dict[Question, list[Value]] = {}
    desk.locate("sip:a.example")
    asked = sorted(desk.asked(), key=str)
    while asked and not desk.found:
        question = asked.pop(data.draw(st.integers(0, len(asked) - 1)))
        if not whole and data.draw(st.booleans()):
            now += data.draw(st.floats(0, 2))
            desk.timers.fire(now)
        if whole or data.draw(st.integers(0, 3)):  # else it is never answered
            given_[question] = data.draw(_VALUES[question.kind])
            desk.say(question, *given_[question], now=now)
        asked = sorted(set(asked) | desk.asked(), key=str)
    desk.timers.fire(max(now, LIMIT))
    (hops,) = desk.found
    assert desk.is_empty() and len(set(hops)) == len(hops)
    assert all(each.identity == ("a.example" if each.transport is TLS else "") for each in hops)
    places = {(each.transport, each.address.host, each.address.port) for each in hops}
    if hops and hops[0].transport is TLS:
        assert {transport for transport, _, _ in places} == {TLS}
    if whole:
        expected = _expected(given_ | {q: [] for q in (HOST,) if q not in given_})
        if hops and hops[0].transport is TLS:
            expected = {place for place in expected if place[0] is TLS}
        assert places == expected
