"""Look-ups in threads with a deadline that holds."""

import socket
import threading
from queue import Empty, SimpleQueue

import pytest

from applet.address import Address
from applet.threads.resolver import LOOK_UP_LIMIT, MOST_AT_ONCE, LookedUp, Resolver, ask_system


class Server:
    """A name service that answers when it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.answers: SimpleQueue[LookedUp] = SimpleQueue()
        self.resolver = Resolver(self.answers.put, self.ask)

    def ask(self, host: str, port: int) -> tuple[Address, ...]:
        assert self.go.wait(10)
        if host == "nowhere.example":
            raise socket.gaierror("unknown")
        return (Address("192.0.2.1", port),)


def test_a_name_is_found_in_a_thread() -> None:
    server = Server()
    server.resolver.look_up("pbx.example", 5060, 0.0)
    assert server.resolver.next_deadline() == LOOK_UP_LIMIT
    server.go.set()
    answer = server.answers.get(timeout=5)
    assert answer.addresses == (Address("192.0.2.1", 5060),)
    assert answer.host == "pbx.example"
    assert server.resolver.settled(answer)
    assert server.resolver.next_deadline() is None
    server.resolver.stop(2)
    assert not [t for t in threading.enumerate() if t.name == "look-up"]


def test_an_unknown_name_has_no_addresses() -> None:
    server = Server()
    server.go.set()
    server.resolver.look_up("nowhere.example", 5060, 0.0)
    assert server.answers.get(timeout=5).addresses == ()


def test_a_look_up_that_hangs_is_not_found_in_time_and_its_late_answer_is_dropped() -> None:
    server = Server()
    server.resolver.look_up("pbx.example", 5060, 100.0)
    assert server.resolver.overdue(100.0 + LOOK_UP_LIMIT - 0.1) == []
    (late,) = server.resolver.overdue(100.0 + LOOK_UP_LIMIT)
    assert (late.host, late.addresses) == ("pbx.example", ())
    server.go.set()
    assert not server.resolver.settled(server.answers.get(timeout=5))


def test_an_ip_literal_needs_no_thread() -> None:
    server = Server()
    server.resolver.look_up("::1", 5060, 0.0)
    assert server.answers.get_nowait().addresses == (Address("::1", 5060),)


def test_the_number_of_threads_is_bounded() -> None:
    server = Server()
    for number in range(MOST_AT_ONCE + 1):
        server.resolver.look_up(f"{number}.example", 5060, 0.0)
    assert server.answers.get_nowait().addresses == ()
    with pytest.raises(Empty):
        server.answers.get_nowait()
    server.go.set()
    server.resolver.stop(5)
    assert len([server.answers.get(timeout=5) for _ in range(MOST_AT_ONCE)]) == MOST_AT_ONCE


def test_the_end_does_not_wait_for_a_look_up_that_hangs() -> None:
    server = Server()
    server.resolver.look_up("pbx.example", 5060, 0.0)
    server.resolver.stop(0.01)
    server.go.set()
    assert not server.resolver.settled(server.answers.get(timeout=5))


def test_the_system_is_asked_for_the_family_of_our_socket() -> None:
    assert ask_system(socket.AF_INET)("localhost", 5060) == (Address("127.0.0.1", 5060),)


def test_a_name_that_is_no_name_is_not_found() -> None:
    answers: SimpleQueue[LookedUp] = SimpleQueue()
    Resolver(answers.put, ask_system(socket.AF_INET)).look_up("a" * 300, 5060, 0.0)
    assert answers.get(timeout=5).addresses == ()
