"""Routers that open ports: those that do, and those that refuse, lie, vanish or answer nonsense."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from applet.nat.knowledge import Mapper
from applet.nat.port_mapping import PORT, PortMappingError
from applet.threads.gateway import _of_linux
from applet.threads.routers import NAME, PmpRouter, UpnpRouter, find_pmp
from tests.support.ports import free_port

Reply = Callable[[bytes], bytes]
OUTSIDE = "5.5.1.2"


def pmp(result: int = 0) -> Reply:
    def reply(data: bytes) -> bytes:
        if data[0] == 2:
            return bytes([0, 0x81, 0, 1]) + bytes(20)  # it knows NAT-PMP only
        if data[1] == 0:
            return struct.pack("!BBHI", 0, 128, result, 1) + socket.inet_aton(OUTSIDE)
        internal, external, lifetime = struct.unpack_from("!HHI", data, 4)
        return struct.pack("!BBHIHHI", 0, 129, result, 1, internal, external, lifetime)

    return reply


def pcp(data: bytes) -> bytes:
    if data[0] != 2:
        return b"\0\x80\0\1" + bytes(8)
    internal = struct.unpack_from("!H", data, 40)[0]
    head = struct.pack("!BBBBII12x", 2, 0x81, 0, 0, 600, 1) + data[24:40]
    return head + struct.pack("!HH", internal, internal) + data[44:56] + socket.inet_aton(OUTSIDE)


class StrictPcp:
    """Knows each mapping's owner by the nonce, as RFC 6887 section 11.3 wants it."""

    def __init__(self) -> None:
        self.owners: dict[int, bytes] = {}

    def __call__(self, data: bytes) -> bytes:
        if data[0] != 2:
            return pcp(data)
        nonce, internal = data[24:36], struct.unpack_from("!H", data, 40)[0]
        answer = bytearray(pcp(data))
        if self.owners.setdefault(internal, nonce) != nonce:
            answer[3] = 2  # NOT_AUTHORIZED
        elif data[4:8] == bytes(4):
            del self.owners[internal]
        return bytes(answer)


@contextmanager
def router(reply: Reply) -> Iterator[list[bytes]]:
    """Somebody on the port of NAT-PMP and PCP of this machine."""
    asked: list[bytes] = []
    running = True
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", PORT))
        sock.settimeout(0.02)

        def serve() -> None:
            while running:
                try:
                    data, source = sock.recvfrom(2048)
                except TimeoutError:
                    continue
                asked.append(data)
                answer = reply(data)
                if answer:
                    sock.sendto(answer, source)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield asked
        finally:
            running = False
            thread.join(5)


def test_a_router_with_nat_pmp_opens_and_closes_a_port() -> None:
    with router(pmp()) as asked:
        found = find_pmp(5060, {}, "127.0.0.1")
        assert found is not None and (found.kind, found.external) == (Mapper.NAT_PMP, OUTSIDE)
        assert found.add(20000) == ((OUTSIDE, 20000), 600)
        found.remove(20000, 20000)
        assert struct.unpack_from("!HHI", asked[-1], 4) == (20000, 0, 0)


def test_a_router_with_pcp_is_asked_by_pcp() -> None:
    with router(pcp) as asked:
        found = find_pmp(5060, {}, "127.0.0.1")
        assert found is not None and (found.kind, found.external) == (Mapper.PCP, OUTSIDE)
        assert found.add(20000) == ((OUTSIDE, 20000), 600)
        assert asked[-1][4:8] == struct.pack("!I", 600)


def test_who_finds_a_pcp_router_anew_can_still_renew_and_take_away_what_it_made_before() -> None:
    reply, nonces = StrictPcp(), dict[tuple[str, int], bytes]()
    with router(reply):
        for _ in range(2):
            found = find_pmp(5060, nonces, "127.0.0.1")
            assert found is not None and found.kind is Mapper.PCP
            assert found.add(20000) == ((OUTSIDE, 20000), 600)
        assert found is not None
        first = reply.owners[20000]
        found.remove(20000, 20000)
        assert reply.owners == {}
        found.add(20000)
        assert reply.owners[20000] != first, "another mapping has another nonce"
        stranger = PmpRouter("127.0.0.1", OUTSIDE, Mapper.PCP, {})
        with pytest.raises(PortMappingError, match="PCP error 2"):
            stranger.add(20000)


def test_what_a_pcp_router_knows_us_by_does_not_grow_for_ever() -> None:
    nonces: dict[tuple[str, int], bytes] = {}
    with router(StrictPcp()):
        found = PmpRouter("127.0.0.1", OUTSIDE, Mapper.PCP, nonces)
        for port in range(20000, 20100):
            found.add(port)
    assert len(nonces) == 64 and ("127.0.0.1", 20099) in nonces


def test_a_router_that_got_another_address_in_the_world_tells_it() -> None:
    with router(pmp()):
        found = PmpRouter("127.0.0.1", "5.5.9.9", Mapper.NAT_PMP, {})
        found.look_again()
        assert found.external == OUTSIDE
    found.look_again()
    assert found.external == OUTSIDE, "a router that vanished tells nothing"


def test_a_router_that_no_network_leads_to_keeps_its_address_in_the_world() -> None:
    router = PmpRouter("255.255.255.255", OUTSIDE, Mapper.NAT_PMP, {})  # nobody may send there
    router.look_again()
    assert router.external == OUTSIDE


@pytest.mark.parametrize(
    "reply",
    [lambda data: b"", lambda data: b"\xff" * 700, lambda data: b"\0", pmp(3)],
    ids=["silent", "nonsense", "short", "refuses"],
)
def test_a_router_of_another_kind_is_none_within_two_seconds(reply: Reply) -> None:
    with router(reply):
        begin = time.monotonic()
        assert find_pmp(5060, {}, "127.0.0.1") is None
        assert time.monotonic() - begin < 2.5


def test_without_any_such_service_it_is_known_at_once() -> None:
    begin = time.monotonic()
    assert find_pmp(5060, {}, "127.0.0.1") is None
    assert time.monotonic() - begin < 2.5


def test_a_router_that_vanished_is_a_plain_error_and_taking_away_raises_nothing() -> None:
    gone = PmpRouter("127.0.0.1", OUTSIDE, Mapper.NAT_PMP, {})
    with pytest.raises((PortMappingError, OSError)):
        gone.add(20000)
    gone.remove(20000, 20000)


class Igd:
    """A UPnP gateway as miniupnpc shows it; `refuse` raises once per text."""

    lanaddr = "127.0.0.1"

    def __init__(self, *refuse: str, entries: tuple[object, ...] = ()) -> None:
        self.external: str | None = OUTSIDE
        self.refuse = list(refuse)
        self.entries = entries
        self.mapped: list[tuple[int, int, int]] = []
        self.removed: list[int] = []

    def addportmapping(
        self, external: int, _: str, __: str, internal: int, name: str, ___: str, lease: int
    ) -> bool:
        if self.refuse:
            raise Exception(self.refuse.pop(0))
        assert name == NAME
        self.mapped.append((external, internal, lease))
        return external != 1

    def externalipaddress(self) -> str | None:
        if self.refuse:
            raise Exception(self.refuse.pop(0))
        return self.external

    def deleteportmapping(self, external: int, _: str) -> bool:
        self.removed.append(external)
        if external == 666:
            raise Exception("NoSuchEntryInArray")
        return True

    def getgenericportmapping(self, number: int) -> object:
        if number >= len(self.entries):
            raise Exception("SpecifiedArrayIndexInvalid")
        return self.entries[number]


@pytest.mark.parametrize("poor", ["", None, "192.168.0.9"])
def test_a_upnp_router_that_got_another_address_in_the_world_tells_it(poor: str | None) -> None:
    igd = Igd("no answer")
    gateway = UpnpRouter(igd, OUTSIDE)
    for told, known in (("5.5.1.9", OUTSIDE), ("5.5.1.9", "5.5.1.9"), (poor, "5.5.1.9")):
        igd.external = told
        gateway.look_again()
        assert gateway.external == known


def test_upnp_maps_with_a_lease() -> None:
    igd = Igd()
    assert UpnpRouter(igd, OUTSIDE).add(20000).external == (OUTSIDE, 20000)
    assert igd.mapped == [(20000, 20000, 600)]


def test_fault_14_a_router_without_leases_gets_a_mapping_that_is_taken_away_at_the_end() -> None:
    igd = Igd("OnlyPermanentLeasesSupported")
    gateway = UpnpRouter(igd, OUTSIDE)
    assert gateway.add(20000).external == (OUTSIDE, 20000)
    assert igd.mapped == [(20000, 20000, 0)]
    gateway.remove(20000, 20000)
    gateway.remove(666, 666)
    assert igd.removed == [20000, 666]


def test_a_port_that_somebody_has_is_replaced_by_another() -> None:
    igd = Igd("ConflictInMappingEntry")
    host, port = UpnpRouter(igd, OUTSIDE).add(20000).external
    assert (host, port) != (OUTSIDE, 20000)
    assert igd.mapped == [(port, 20000, 600)]


@pytest.mark.parametrize("refusals", [("Action not authorized",), ("Conflict",) * 9])
def test_a_router_that_refuses_is_a_plain_error(refusals: tuple[str, ...]) -> None:
    with pytest.raises(PortMappingError, match="router"):
        UpnpRouter(Igd(*refusals), OUTSIDE).add(20000)
    with pytest.raises(PortMappingError):
        UpnpRouter(Igd(), OUTSIDE).add(1)


def test_fault_14_what_a_crash_has_left_behind_is_found_and_taken_away() -> None:
    free = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as used:
        used.bind(("0.0.0.0", 0))
        busy = used.getsockname()[1]
        igd = Igd(
            entries=(
                (free, "UDP", ("127.0.0.1", free), NAME, "1", "", 0),
                (busy, "UDP", ("127.0.0.1", busy), NAME, "1", "", 0),
                (70, "UDP", ("127.0.0.1", free), "Somebody else", "1", "", 0),
                (71, "TCP", ("127.0.0.1", free), NAME, "1", "", 0),
                (72, "UDP", ("127.0.0.9", free), NAME, "1", "", 0),
                None,
            )
        )
        UpnpRouter(igd, OUTSIDE).remove_left_behind()
    assert igd.removed == [free]


def test_the_gateway_is_that_of_the_best_default_route() -> None:
    head = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    lan = "eth0 000200C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"
    slow = "wlan0 00000000 0101A8C0 0003 0 0 600 00000000 0 0 0\n"
    fast = "eth0 00000000 010200C0 0003 0 0 100 00000000 0 0 0\n"
    assert _of_linux(head + lan + slow + fast) == "192.0.2.1"
    assert _of_linux(head + lan) is None
