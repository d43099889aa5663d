"""The homes behave as the table supposes: proved by peers that know nothing of the product."""

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import miniupnpc
import pytest

from tests.netlab.caller import Caller, Names, heard
from tests.netlab.cell import Alg, Cell, Firewall, Mapper, Nat, Server, cell_named
from tests.netlab.desk_call import DeskCall
from tests.netlab.house import House
from tests.netlab.matrix import direct_media
from tests.netlab.namespaces import inside, opened, run_in
from tests.netlab.network import DESK, INNER_CLIENT, WAN
from tests.netlab.probes import let_in, relays
from tests.netlab.services import PCP_PORT, mappings
from tests.support.process import wait_until

pytestmark = pytest.mark.netns

BOTH, ONLY_DESK, NOBODY = "both", "only the desk", "nobody"
KNOWN = [
    ("none/no-alg/no-map/strict/inbound", Names.OWN, BOTH),
    ("port/no-alg/no-map/strict/open", Names.OWN, ONLY_DESK),
    ("port/no-alg/no-map/latching/open", Names.OWN, BOTH),
    ("port/no-alg/no-map/strict/inbound", Names.MAPPED, BOTH),
    ("full/no-alg/no-map/strict/inbound", Names.MAPPED, BOTH),
    ("address/no-alg/no-map/strict/open", Names.MAPPED, BOTH),
    ("symmetric/no-alg/no-map/strict/open", Names.MAPPED, ONLY_DESK),
    ("symmetric/no-alg/no-map/latching/inbound", Names.MAPPED, BOTH),
    ("double/no-alg/no-map/strict/open", Names.MAPPED, ONLY_DESK),
    ("port/alg-direct/no-map/strict/inbound", Names.OWN, BOTH),
    ("symmetric/alg-direct/no-map/strict/inbound", Names.OWN, BOTH),
    ("double/alg-direct/no-map/strict/open", Names.OWN, ONLY_DESK),
    ("port/alg-any/no-map/strict/open", Names.OWN, BOTH),
    ("port/alg-any/no-map/strict/open", Names.MAPPED, ONLY_DESK),
    ("port/alg-any/no-map/latching/open", Names.MAPPED, BOTH),
    ("port/alg-half/no-map/strict/open", Names.OWN, ONLY_DESK),
    ("port/alg-half/no-map/strict/open", Names.MAPPED, BOTH),
    ("port/no-alg/no-map/latching/no-udp", Names.OWN, NOBODY),
    ("port/no-alg/no-map/latching/only-443", Names.OWN, NOBODY),
]


@contextmanager
def called(house: House, cell: Cell, names: Names) -> Iterator[tuple[Caller, DeskCall]]:
    with direct_media(0 if cell.alg is Alg.ANY_HOST else 1), house.furnished(cell) as desk:
        caller = Caller(house.network, cell, names)
        try:
            call = desk.wait_for_call(0, 2)
            wait_until(lambda: call.line.sent >= 3, 2, "the far end speaks first, as it may")
            caller.talk()
            yield caller, call
        finally:
            caller.stop()


@pytest.mark.parametrize(("name", "names", "result"), KNOWN)
def test_a_caller_that_knows_one_address_is_heard_where_it_is_valid(
    house: House, name: str, names: Names, result: str
) -> None:
    try:
        with called(house, cell_named(name), names) as (caller, call):
            at_desk = heard(call.line, 3)
            at_caller = heard(caller.line, 3 if result == BOTH else 0.5)
    except TimeoutError:
        at_desk = at_caller = False
    assert (at_desk, at_caller) == {
        BOTH: (True, True),
        ONLY_DESK: (True, False),
        NOBODY: (False, False),
    }[result]


def test_the_kernels_alg_repairs_contact_and_sdp(house: House) -> None:
    cell = cell_named("port/alg-direct/no-map/strict/inbound")
    with called(house, cell, Names.OWN) as (_, call):
        assert WAN in call.contact
        assert call.sdps[0].place[0] == WAN


def test_the_half_alg_repairs_the_contact_alone(house: House) -> None:
    cell = cell_named("port/alg-half/no-map/latching/inbound")
    with called(house, cell, Names.OWN) as (caller, call):
        assert WAN in call.contact
        assert call.sdps[0].place[0] == INNER_CLIENT
        assert f"SIP/2.0/UDP {WAN}:5062" in caller.answer.first("via")  # not translated back


KNOWN_PEER, SAME_HOST, OTHER = ("desk", DESK, 9000), ("desk", DESK, 9002), ("net", "5.5.4.1", 9000)


@pytest.mark.parametrize(
    ("nat", "firewall", "senders"),
    [
        (Nat.NONE, Firewall.OPEN, [KNOWN_PEER, SAME_HOST, OTHER]),
        (Nat.NONE, Firewall.INBOUND, [KNOWN_PEER]),
        (Nat.FULL, Firewall.OPEN, [KNOWN_PEER, SAME_HOST, OTHER]),
        (Nat.FULL, Firewall.INBOUND, [KNOWN_PEER]),
        (Nat.ADDRESS, Firewall.OPEN, [KNOWN_PEER, SAME_HOST]),
        (Nat.PORT, Firewall.OPEN, [KNOWN_PEER]),
        (Nat.SYMMETRIC, Firewall.OPEN, [KNOWN_PEER]),
        (Nat.DOUBLE, Firewall.OPEN, [KNOWN_PEER]),
    ],
)
def test_each_nat_lets_in_what_its_name_says(
    house: House, nat: Nat, firewall: Firewall, senders: list[tuple[str, str, int]]
) -> None:
    cell = Cell(nat, Alg.NONE, Mapper.NONE, Server.STRICT, firewall)
    came = []
    for sender in (KNOWN_PEER, SAME_HOST, OTHER):
        with house.furnished(cell):  # what the last one taught the filter is forgotten
            came += [sender] if let_in(house, cell, sender) else []
    assert came == senders


@pytest.mark.parametrize(
    ("firewall", "reached"),
    [
        (Firewall.OPEN, ["udp", "tcp", "tls"]),
        (Firewall.INBOUND, ["udp", "tcp", "tls"]),
        (Firewall.NO_UDP, ["tcp", "tls"]),
        (Firewall.ONLY_443, ["tls"]),
    ],
)
@pytest.mark.parametrize("nat", [Nat.SYMMETRIC, Nat.DOUBLE])
def test_the_relay_is_reached_as_the_firewall_allows(
    house: House, nat: Nat, firewall: Firewall, reached: list[str]
) -> None:
    cell = Cell(nat, Alg.NONE, Mapper.NONE, Server.STRICT, firewall)
    with house.furnished(cell):
        assert [kind for kind in ("udp", "tcp", "tls") if relays(house, kind)] == reached


def test_upnp_maps_a_port_and_takes_it_back(house: House) -> None:
    with house.furnished(cell_named("port/no-alg/upnp/strict/inbound")):
        with inside(house.network.name("client")):
            router = miniupnpc.UPnP()
            router.discoverdelay = 1000
            assert router.discover() >= 1
            router.selectigd()
            assert router.externalipaddress() == WAN
            assert router.addportmapping(7000, "UDP", INNER_CLIENT, 7000, "lab", "", 600)
            assert re.search(r"dport 7000\b.*dnat", mappings(house.network))
            assert router.deleteportmapping(7000, "UDP")
        assert mappings(house.network) == ""


def test_behind_two_nats_upnp_knows_no_public_address(house: House) -> None:
    cell = cell_named("double/no-alg/upnp/strict/inbound")
    with house.furnished(cell), inside(house.network.name("client")):
        router = miniupnpc.UPnP()
        router.discoverdelay = 1000
        assert router.discover() >= 1
        router.selectigd()
        assert router.externalipaddress() == ""


def test_pcp_maps_a_port(house: House) -> None:
    """RFC 6887 section 11: MAP for UDP, 120 s."""
    client = (INNER_CLIENT, 7100)
    inner = bytes(10) + b"\xff\xff" + socket.inet_aton(INNER_CLIENT)
    header = struct.pack("!BBHI", 2, 1, 0, 120) + inner
    body = bytes(12) + struct.pack("!B3xHH", 17, 7100, 7100) + bytes(10) + b"\xff\xff" + bytes(4)
    with (
        house.furnished(cell_named("port/no-alg/pcp/strict/inbound")),
        opened(house.network.name("client"), socket.SOCK_DGRAM, *client) as sock,
    ):
        sock.settimeout(3)
        sock.sendto(header + body, ("192.168.11.1", PCP_PORT))
        answer = sock.recv(1100)
        assert answer[:2] == b"\x02\x81" and answer[3] == 0, answer.hex()
        assert answer[-4:] == socket.inet_aton(WAN)
        assert re.search(r"dport 7100\b.*dnat", mappings(house.network))


DEVICES = {
    "client": {"eth0"},
    "home": {"lan", "wan"},
    "carrier": {"home", "wan"},
    "net": {"carrier", "servers", "desk"},
    "servers": {"eth0"},
    "desk": {"eth0"},
}
"""Ten ends of five links between these: none is left for the host."""


def test_nothing_leads_out_of_the_street(house: House) -> None:
    with pytest.raises(RuntimeError, match="No route to host"):
        run_in(house.network.name("net"), "ip", "route", "get", "1.1.1.1")
    for role in DEVICES:
        shown = run_in(house.network.name(role), "ip", "-o", "link")
        devices = {line.split()[1].split("@")[0].rstrip(":") for line in shown.splitlines()}
        assert devices - {"lo"} == DEVICES[role]
