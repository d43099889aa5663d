"""pystun3 behind its guard, against STUN servers of every kind on loopback."""

import socket
import struct
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from applet.address import Address
from applet.stun_frame import COOKIE
from applet.threads.stun import StunClient, mapped_address_of
from tests.support.process import wait_until
from tests.support.stun_server import Reply, attribute, good, lab, plain, success, xored


def test_the_server_sees_our_socket() -> None:
    with lab(good) as it:
        assert it.ask() == it.address
        (request,) = it.requests
        assert request[:8] == b"\x00\x01\x00\x00" + COOKIE
        assert it.client._waiting == {}


@pytest.mark.parametrize(
    "make",
    [
        plain,
        lambda seen: xored(seen, 0x8020),
        lambda seen: plain(Address("198.51.100.9", 1)) + xored(seen),
        lambda seen: attribute(0x8022, b"some server") + xored(seen) + attribute(0x8028, b"crc!"),
    ],
    ids=["old server", "half-old server", "both attributes", "other attributes"],
)
def test_every_kind_of_honest_answer_is_understood(make: Callable[[Address], bytes]) -> None:
    with lab(lambda data, source: [success(data[4:20], make(source))]) as it:
        assert it.ask() == it.address


def test_fault_02_a_lost_packet_is_sent_again() -> None:
    def second_only(data: bytes, source: Address) -> list[bytes]:
        return good(data, source) if len(it.requests) == 2 else []

    with lab(second_only) as it:
        begin = time.monotonic()
        assert it.ask() == it.address
        assert 0.2 < time.monotonic() - begin < 1.0


def test_a_silent_server_ends_in_time_after_three_questions() -> None:
    with lab(lambda data, source: []) as it:
        begin = time.monotonic()
        assert it.ask(limit=1.5) is None
        assert 1.4 < time.monotonic() - begin < 2.0
        assert len(it.requests) == 3


@pytest.mark.parametrize(
    "reply",
    [
        lambda data, source: [b"x"],
        lambda data, source: [data],
        lambda data, source: [success(data[4:20], xored(source), kind=0x0111)],
        lambda data, source: [success(data[4:20], b"")],
        lambda data, source: [success(bytes(16), xored(source))],
        lambda data, source: [success(COOKIE + bytes(12), xored(source))],
        lambda data, source: [success(data[4:20], xored(source), length=65535)],
        lambda data, source: [success(data[4:20], xored(source)[:-2], length=10)],
        lambda data, source: [success(data[4:20], struct.pack("!HH", 0x0020, 60000))],
        lambda data, source: [success(data[4:20], attribute(0x0020, b"\0\2" + bytes(18)))],
        lambda data, source: [success(data[4:20], attribute(0x0001, b"\0\1"))],
        lambda data, source: [success(data[4:20], bytes(4) * 200 + xored(source))],
        lambda data, source: [success(data[4:20], plain(Address("0.0.0.0", 5)))],
        lambda data, source: [success(data[4:20], plain(Address("224.0.0.1", 5)))],
        lambda data, source: [success(data[4:20], plain(Address("192.0.2.1", 0)))],
        lambda data, source: [b"\1\1" + bytes(18)] * 300,
    ],
)
def test_a_hostile_answer_is_no_answer_and_costs_no_time(reply: Reply) -> None:
    with lab(reply) as it:
        begin = time.monotonic()
        assert it.ask(limit=0.3) is None
        assert time.monotonic() - begin < 0.8
        assert len(it.requests) <= 3


def test_an_answer_from_another_address_is_not_believed() -> None:
    with lab(good) as other:

        def spoof(data: bytes, source: Address) -> list[bytes]:
            other._server.sendto(success(data[4:20], plain(Address("198.51.100.9", 9))), source)
            return good(data, source)

        with lab(spoof) as it:
            assert it.ask() == it.address


def test_a_lie_before_the_truth_does_no_harm() -> None:
    with lab(lambda data, source: [b"", success(data[4:20], b""), *good(data, source)]) as it:
        assert it.ask() == it.address


def test_what_is_no_stun_is_left_to_the_owner() -> None:
    client = StunClient(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    source = Address("192.0.2.1", 3478)
    assert not client.take(b"OPTIONS sip:a@b SIP/2.0\r\n", source)
    assert not client.take(b"\r\n\r\n" + bytes(40), source)
    assert not client.take(bytes([0x80]) + bytes(3) + COOKIE + bytes(12), source)
    assert not client.take(b"", source)
    assert client.take(b"\1\1\0\0" + COOKIE + bytes(12), source)
    client._sock.close()


def test_the_next_server_is_asked_when_the_first_is_silent() -> None:
    with lab(lambda data, source: []) as silent, lab(good) as it:
        answers: SimpleQueue[tuple[Address | None, Address | None]] = SimpleQueue()
        it.client.ask((silent.server, it.server), 0.2, lambda *answer: answers.put(answer))
        assert answers.get(timeout=5) == (it.address, it.server)


def test_no_server_at_all_is_told() -> None:
    with lab(lambda data, source: []) as it:
        answers: SimpleQueue[tuple[Address | None, Address | None]] = SimpleQueue()
        nowhere = Address("no such name", 3478)
        it.client.ask((it.server, nowhere), 0.1, lambda *answer: answers.put(answer))
        assert answers.get(timeout=5) == (None, None)


def test_the_end_does_not_wait_for_an_answer() -> None:
    with lab(lambda data, source: []) as it:
        it.client.ask((it.server,), 60.0, lambda *answer: None)
        begin = time.monotonic()
        while not it.requests:
            assert time.monotonic() < begin + 5
        it.client.close()
        assert time.monotonic() - begin < 5
        assert not [thread for thread in threading.enumerate() if thread.name == "stun"]
        assert it.ask() is None


def test_the_threads_of_questions_that_are_over_are_not_kept() -> None:
    with lab(good) as it:
        for _ in range(5):
            it.client.ask((it.server,), 5.0, lambda *answer: None)
            wait_until(lambda: not any(t.is_alive() for t in it.client._threads), 5, "the end")
        assert len(it.client._threads) == 1


def test_ipv6_is_not_asked() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        assert StunClient(sock).mapped_address(Address("::1", 3478), 1.0) is None


def test_a_server_that_cannot_be_reached_is_no_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        client = StunClient(sock)
        begin = time.monotonic()
        assert client.mapped_address(Address("127.0.0.1", 0), 5.0) is None
        assert time.monotonic() - begin < 1


def test_the_vectors_of_rfc_5769_are_read() -> None:
    """Section 2.2: a response with MESSAGE-INTEGRITY and FINGERPRINT."""
    response = bytes.fromhex(
        "0101003c2112a442b7e7a701bc34d686fa87dfae"
        "8022000b7465737420766563746f7220"
        "002000080001a147e112a643"
        "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
        "80280004c07d4c96"
    )
    assert mapped_address_of(response) == ("192.0.2.1", 32853)


def test_the_owner_reads_on_while_a_question_is_open() -> None:
    with lab(lambda data, source: []) as it:
        it.client.ask((it.server,), 0.3, lambda *answer: None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"OPTIONS", it.address)
        assert it.others.get(timeout=5) == b"OPTIONS"
