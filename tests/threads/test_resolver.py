"""Look-ups in threads with a deadline that holds."""

import socket
import threading
from queue import Empty, SimpleQueue

import pytest

from applet.sip.records import Question, Record, Value
from applet.threads.core_inbox import LookedUp
from applet.threads.name_server import NameServer
from applet.threads.resolver import LOOK_UP_LIMIT, MOST_AT_ONCE, Resolver


def address_of(name: str) -> Question:
    return Question(Record.ADDRESS, name)


class Server:
    """A name service that answers when it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.answers: SimpleQueue[LookedUp] = SimpleQueue()
        self.resolver = Resolver(self.answers.put, self.ask)

    def ask(self, question: Question) -> tuple[Value, ...]:
        assert self.go.wait(10)
        if question.name == "nowhere.example":
            raise socket.gaierror("unknown")
        return ("192.0.2.1",)


def test_a_name_is_found_in_a_thread() -> None:
    server = Server()
    server.resolver.look_up(address_of("pbx.example"), 0.0)
    assert server.resolver.next_deadline() == LOOK_UP_LIMIT
    server.go.set()
    answer = server.answers.get(timeout=5)
    assert answer.answers == ("192.0.2.1",)
    assert answer.question == address_of("pbx.example")
    assert server.resolver.settled(answer)
    assert server.resolver.next_deadline() is None
    server.resolver.stop(2)
    assert not [t for t in threading.enumerate() if t.name == "look-up"]


def test_an_unknown_name_has_no_addresses() -> None:
    server = Server()
    server.go.set()
    server.resolver.look_up(address_of("nowhere.example"), 0.0)
    assert server.answers.get(timeout=5).answers == ()


def test_a_look_up_that_hangs_is_not_found_in_time_and_its_late_answer_is_dropped() -> None:
    server = Server()
    server.resolver.look_up(address_of("pbx.example"), 100.0)
    assert server.resolver.overdue(100.0 + LOOK_UP_LIMIT - 0.1) == []
    (late,) = server.resolver.overdue(100.0 + LOOK_UP_LIMIT)
    assert (late.question, late.answers) == (address_of("pbx.example"), ())
    server.go.set()
    assert not server.resolver.settled(server.answers.get(timeout=5))


def test_an_ip_literal_needs_no_thread() -> None:
    server = Server()
    server.resolver.look_up(address_of("::1"), 0.0)
    assert server.answers.get_nowait().answers == ("::1",)


def test_the_number_of_threads_is_bounded() -> None:
    server = Server()
    for number in range(MOST_AT_ONCE + 1):
        server.resolver.look_up(address_of(f"{number}.example"), 0.0)
    assert server.answers.get_nowait().answers == ()
    with pytest.raises(Empty):
        server.answers.get_nowait()
    server.go.set()
    server.resolver.stop(5)
    assert len([server.answers.get(timeout=5) for _ in range(MOST_AT_ONCE)]) == MOST_AT_ONCE


def test_the_end_does_not_wait_for_a_look_up_that_hangs() -> None:
    server = Server()
    server.resolver.look_up(address_of("pbx.example"), 0.0)
    server.resolver.stop(0.01)
    server.go.set()
    assert not server.resolver.settled(server.answers.get(timeout=5))


def test_the_system_is_asked_for_the_family_of_our_socket() -> None:
    assert NameServer(socket.AF_INET).ask(address_of("localhost")) == ("127.0.0.1",)


def test_a_name_that_is_no_name_is_not_found() -> None:
    answers: SimpleQueue[LookedUp] = SimpleQueue()
    Resolver(answers.put, NameServer(socket.AF_INET).ask).look_up(address_of("a" * 300), 0.0)
    assert answers.get(timeout=5).answers == ()
