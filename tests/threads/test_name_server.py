"""What a real name server on loopback says, as the values of `sip.records`."""

import socket
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from applet.sip.records import Naptr, Question, Record, Srv
from applet.threads import name_server
from applet.threads.core_inbox import LookedUp
from applet.threads.name_server import NameServer
from applet.threads.resolver import Resolver
from tests.support.dns_server import DnsServer


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


def names(dns: DnsServer, family: int = socket.AF_INET) -> NameServer:
    return NameServer(family, dns.address)


def test_srv_records_are_told_as_they_stand(dns: DnsServer) -> None:
    dns.add("_sip._udp.a.example", "SRV", "10 60 5060 One.Example.", "20 0 5062 two.example.")
    found = names(dns).ask(Question(Record.SRV, "_sip._udp.a.example"))
    assert set(found) == {Srv(10, 60, 5060, "one.example"), Srv(20, 0, 5062, "two.example")}


def test_a_service_that_is_not_offered_has_no_target(dns: DnsServer) -> None:
    dns.add("_sip._udp.a.example", "SRV", "0 0 0 .")
    assert names(dns).ask(Question(Record.SRV, "_sip._udp.a.example")) == (Srv(0, 0, 0, ""),)


def test_naptr_records_are_told_as_they_stand(dns: DnsServer) -> None:
    dns.add("a.example", "NAPTR", '50 10 "s" "SIPS+D2T" "" _sips._tcp.a.example.')
    found = names(dns).ask(Question(Record.NAPTR, "a.example"))
    assert found == (Naptr(50, 10, "s", "SIPS+D2T", "_sips._tcp.a.example"),)


def test_addresses_are_those_of_our_sockets_family(dns: DnsServer) -> None:
    dns.add("a.example", "A", "192.0.2.1", "192.0.2.2")
    dns.add("a.example", "AAAA", "2001:db8::1")
    asked = Question(Record.ADDRESS, "a.example")
    assert set(names(dns).ask(asked)) == {"192.0.2.1", "192.0.2.2"}
    assert names(dns, socket.AF_INET6).ask(asked) == ("2001:db8::1",)


def test_a_name_of_this_machine_is_known_although_the_name_server_knows_nothing(
    dns: DnsServer,
) -> None:
    assert names(dns).ask(Question(Record.ADDRESS, "localhost")) == ("127.0.0.1",)


@pytest.mark.parametrize("name", ["nowhere.example", "a..example", "x" * 70 + ".example"])
def test_what_is_not_there_or_no_name_is_nothing(dns: DnsServer, name: str) -> None:
    assert names(dns).ask(Question(Record.SRV, name)) == ()


def test_a_name_server_that_is_silent_is_nothing_in_time(
    dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_server, "LIFETIME", 0.2)
    dns.silent = True
    assert names(dns).ask(Question(Record.SRV, "_sip._udp.a.example")) == ()
    assert dns.asked


def test_all_questions_of_a_name_are_asked_at_once(dns: DnsServer) -> None:
    answers: SimpleQueue[LookedUp] = SimpleQueue()
    dns.add("a.example", "A", "192.0.2.1")
    resolver = Resolver(answers.put, names(dns).ask)
    questions = [Question(Record.NAPTR, "a.example"), Question(Record.ADDRESS, "a.example")]
    questions += [Question(Record.SRV, f"{s}.a.example") for s in ("_sip._udp", "_sip._tcp")]
    for question in questions:
        resolver.look_up(question, 0.0)
    got = [answers.get(timeout=5) for _ in questions]
    assert {answer.question for answer in got} == set(questions)
    resolver.stop(2)
