"""Binding, port pairs, and what must never be fatal."""

import errno
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from applet.address import Address
from applet.threads.sockets import (
    ANY_MEDIA_PORT,
    HIGHEST_PORT,
    UNACKNOWLEDGED_LIMIT_MS,
    BindError,
    MediaPorts,
    MediaSockets,
    PortRange,
    SipSockets,
    bind_sip,
    is_ip,
    local_ip,
    local_ip_for,
    open_socket,
    receive_all,
    send,
)
from tests.support.ports import free_port, free_ports


@pytest.fixture
def bound() -> Iterator[list[SipSockets | MediaSockets]]:
    """Sockets to be closed."""
    everything: list[SipSockets | MediaSockets] = []
    yield everything
    for sockets in everything:
        for sock in sockets:
            if isinstance(sock, socket.socket):
                sock.close()


def received(sock: socket.socket, count: int = 1, limit_s: float = 5) -> list[bytes]:
    """`count` datagrams, read as the core reads them."""
    got: list[bytes] = []
    limit = time.monotonic() + limit_s
    while len(got) < count and time.monotonic() < limit:
        select.select([sock], [], [], max(limit - time.monotonic(), 0))
        receive_all(sock, lambda data, source, now: got.append(data), time.monotonic())
    return got


def test_sip_has_udp_and_tcp_on_one_port(bound: list[SipSockets | MediaSockets]) -> None:
    port = free_port()
    sip = bind_sip(Address("127.0.0.1", port))
    bound.append(sip)
    assert sip.address == sip.bound == ("127.0.0.1", port)
    assert sip.udp.getsockname() == sip.tcp.getsockname() == ("127.0.0.1", port)
    with socket.create_connection(sip.address, timeout=5):
        pass


def test_port_0_is_any_free_port_below_32768(bound: list[SipSockets | MediaSockets]) -> None:
    first = bind_sip(Address("127.0.0.1", 0))
    second = bind_sip(Address("127.0.0.1", 0))
    bound += [first, second]
    assert first.address.port != second.address.port
    assert all(1024 < sip.address.port <= HIGHEST_PORT for sip in (first, second))


def test_fault_15_a_taken_port_is_told_or_the_next_one_is_used(
    bound: list[SipSockets | MediaSockets],
) -> None:
    port = free_ports(6)
    bound.append(bind_sip(Address("127.0.0.1", port)))
    with pytest.raises(BindError, match=f"127.0.0.1:{port} is in use") as told:
        bind_sip(Address("127.0.0.1", port))
    assert told.value.in_use
    second = bind_sip(Address("127.0.0.1", port), next_free_port=True)
    bound.append(second)
    assert second.address == ("127.0.0.1", port + 1)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_that_is_taken_for_one_transport_only_is_taken(
    bound: list[SipSockets | MediaSockets], kind: socket.SocketKind
) -> None:
    port = free_ports(4)
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(BindError):
            bind_sip(Address("127.0.0.1", port))
        second = bind_sip(Address("127.0.0.1", port), next_free_port=True)
        bound.append(second)
        assert second.address.port == port + 1


def test_an_address_of_another_machine_cannot_be_bound() -> None:
    with pytest.raises(BindError, match=r"192.0.2.1:\d+ is not an address") as told:
        bind_sip(Address("192.0.2.1", free_port()))
    assert not told.value.in_use


def test_ipv6_is_bound_as_ipv6_only(bound: list[SipSockets | MediaSockets]) -> None:
    sip = bind_sip(Address("::1", free_port()))
    bound.append(sip)
    assert str(sip.address).startswith("[::1]:")
    assert sip.udp.family == sip.tcp.family == socket.AF_INET6


def test_a_wildcard_shows_an_address_that_can_be_called(
    bound: list[SipSockets | MediaSockets],
) -> None:
    sip = bind_sip(Address("", free_port()))
    bound.append(sip)
    assert sip.bound.host == "0.0.0.0"
    assert sip.address.host != "0.0.0.0"
    assert is_ip(sip.address.host)


def test_fault_03_the_local_address_is_the_one_that_faces_the_destination() -> None:
    assert local_ip("127.0.0.5") == "127.0.0.1"
    assert local_ip("::1") == "::1"
    assert is_ip(local_ip("pbx.example"))
    assert local_ip_for("127.0.0.9")("192.0.2.1") == "127.0.0.9"
    assert local_ip_for("0.0.0.0")("127.0.0.5") == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "literal"),
    [("127.0.0.1", True), ("::1", True), ("fe80::1%eth0", True), ("localhost", False)]
    + [("", False), ("1.2.3", False), ("1.2.3.256", False), ("a:b", False), ("1.2.3.4\0", False)],
)
def test_only_ip_literals_may_be_sent_to(host: str, literal: bool) -> None:
    assert is_ip(host) is literal


def test_rtp_has_an_even_port_and_rtcp_the_odd_one_above(
    bound: list[SipSockets | MediaSockets],
) -> None:
    low = free_ports(8)
    ports = MediaPorts("127.0.0.1", PortRange(low + 1, low + 7))
    pairs = [ports.bind("192.0.2.1") for _ in range(3)]
    bound += pairs
    assert sorted(pair.rtp_address.port for pair in pairs) == [low + 2, low + 4, low + 6]
    for pair in pairs:
        assert pair.rtcp_address == ("127.0.0.1", pair.rtp_address.port + 1)
        assert pair.rtp.getsockname()[1] == pair.rtp_address.port
        assert pair.rtcp.getsockname()[1] == pair.rtcp_address.port
    with pytest.raises(OSError, match=r"in use|no free"):
        ports.bind("192.0.2.1")


def test_a_range_without_a_whole_pair_has_none() -> None:
    low = free_ports(2)
    with pytest.raises(OSError, match="no free pair"):
        MediaPorts("127.0.0.1", PortRange(low, low)).bind("127.0.0.1")


def test_a_pair_whose_rtcp_port_is_taken_is_passed_over(
    bound: list[SipSockets | MediaSockets],
) -> None:
    low = free_ports(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", low + 1))
        pair = MediaPorts("127.0.0.1", PortRange(low, low + 3)).bind("127.0.0.1")
        bound.append(pair)
        assert pair.rtp_address.port == low + 2
    # The even port of the pair that was given up is free again.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", low))


def test_the_next_call_has_other_ports_than_the_one_before() -> None:
    low = free_ports(8)
    ports = MediaPorts("127.0.0.1", PortRange(low, low + 7))
    seen = []
    for _ in range(4):
        pair = ports.bind("127.0.0.1")
        seen.append(pair.rtp_address.port)
        pair.rtp.close()
        pair.rtcp.close()
    assert len(set(seen)) == 4


def test_a_pair_that_was_bound_ahead_is_the_next_one(
    bound: list[SipSockets | MediaSockets],
) -> None:
    low = free_ports(4)
    ports = MediaPorts("127.0.0.1", PortRange(low, low + 3))
    ports.bind_ahead()
    ports.bind_ahead()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", low + 2))
        bound.append(ports.bind("127.0.0.1"))
        assert bound[0].rtp_address.port == low  # type: ignore[union-attr]
        ports.bind_ahead()
        with pytest.raises(OSError, match="in use"):
            ports.bind("127.0.0.1")
    ports.bind_ahead()
    ports.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", low + 2))


def test_a_pair_that_was_bound_ahead_for_ipv4_is_not_given_to_ipv6(
    bound: list[SipSockets | MediaSockets],
) -> None:
    ports = MediaPorts("0.0.0.0", None)
    ports.bind_ahead()
    pairs = [ports.bind("::1"), ports.bind("127.0.0.1")]
    bound += pairs
    assert [pair.rtp.family for pair in pairs] == [socket.AF_INET6, socket.AF_INET]
    assert [pair.rtp_address.host for pair in pairs] == ["::1", "127.0.0.1"]


def test_without_a_range_the_ports_are_below_32768(
    bound: list[SipSockets | MediaSockets],
) -> None:
    ports = MediaPorts("", None)
    pair = ports.bind("127.0.0.1")
    six = ports.bind("::1")
    bound += [pair, six]
    assert pair.rtp_address.host == "127.0.0.1"
    assert six.rtp_address.host == "::1"
    assert six.rtp.family == socket.AF_INET6
    for each in (pair, six):
        assert each.rtp_address.port % 2 == 0
        assert ANY_MEDIA_PORT.low <= each.rtp_address.port < HIGHEST_PORT


def test_reading_goes_on_after_sending_to_a_closed_port(
    bound: list[SipSockets | MediaSockets],
) -> None:
    sip = bind_sip(Address("127.0.0.1", free_port()))
    bound.append(sip)
    closed = Address("127.0.0.1", free_port())
    for _ in range(3):
        assert send(sip.udp, b"nobody is there", closed) is None
    assert received(sip.udp, limit_s=0.05) == []
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as peer:
        peer.sendto(b"hello", sip.address)
        assert received(sip.udp) == [b"hello"]


def test_an_icmp_error_on_the_socket_does_not_end_the_reading() -> None:
    """A connected socket gets on Linux what Windows gives to every UDP socket."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", free_port()))
        peer_port = free_port()
        sock.connect(("127.0.0.1", peer_port))
        sock.send(b"nobody is there")
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as peer:
            peer.bind(("127.0.0.1", peer_port))
            peer.sendto(b"hello", sock.getsockname())
            assert received(sock) == [b"hello"]


def test_one_wake_reads_a_bounded_number_of_datagrams(
    bound: list[SipSockets | MediaSockets],
) -> None:
    sip = bind_sip(Address("127.0.0.1", free_port()))
    bound.append(sip)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as peer:
        for _ in range(60):
            peer.sendto(b"flood", sip.address)
    got: list[bytes] = []
    receive_all(sip.udp, lambda data, source, now: got.append(data), 0.0)
    assert len(got) == 32


@pytest.mark.parametrize(
    "to",
    [
        Address("pbx.example", 5060),
        Address("", 5060),
        Address("127.0.0.1", 0),
        Address("127.0.0.1", 70000),
        Address("::1", 5060),
    ],
)
def test_what_cannot_be_sent_is_told_and_never_raises(
    bound: list[SipSockets | MediaSockets], to: Address
) -> None:
    sip = bind_sip(Address("127.0.0.1", free_port()))
    bound.append(sip)
    assert isinstance(send(sip.udp, b"x", to), OSError)


def test_a_datagram_that_is_too_large_is_told(bound: list[SipSockets | MediaSockets]) -> None:
    sip = bind_sip(Address("127.0.0.1", free_port()))
    bound.append(sip)
    error = send(sip.udp, bytes(70000), Address("127.0.0.1", 9))
    assert error is not None
    assert error.errno == errno.EMSGSIZE
    with suppress(OSError):
        sip.udp.recv(10)


@pytest.mark.skipif(sys.platform != "linux", reason="Windows gives up by itself")
def test_a_connection_whose_other_end_has_vanished_does_not_seem_to_stand_for_long() -> None:
    with open_socket(socket.SOCK_STREAM, "127.0.0.1") as sock:
        limit = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert limit == UNACKNOWLEDGED_LIMIT_MS
