"""What goes wrong around a call: each is told from the topology, with the real phone in it."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.netlab import router
from tests.netlab.cell import Cell, cell_named
from tests.netlab.desk import URI
from tests.netlab.house import RELAY, House
from tests.netlab.network import MOVED_CLIENT, MOVED_DESK, PUBLIC_CLIENT, SERVERS, WAN
from tests.netlab.poor_stun import LIE, PoorStun
from tests.netlab.services import USER, mappings
from tests.netlab.talk import Talk, talk
from tests.support.process import wait_until

pytestmark = [pytest.mark.netns, pytest.mark.timeout(180)]

RESCUED_S = 20.0
"""The phone waits 6 s before it believes that a sound that was there is gone."""
MOVED_S = 3.5
"""2 s to find the way in another network, 0.6 s of the tone that proves it, and room for a busy
machine; measured 0.6 in all."""
STRICT_HOME = cell_named("port/no-alg/no-map/strict/inbound")
LATCHING_HOME = cell_named("port/no-alg/no-map/latching/inbound")


def talking(conversation: Talk) -> Talk:
    conversation.registers()
    conversation.dials()
    conversation.both_hear()
    return conversation


def ends_well(conversation: Talk) -> None:
    """Both still hear each other, and the far end's BYE arrives while it is repeated."""
    conversation.both_hear(RESCUED_S)
    conversation.call.hang_up(32)  # 64 * T1
    conversation.phone.wait_for_state("ended", 10)


def test_fault_1_no_address_of_a_stun_server_is_given_for_our_sound(house: House) -> None:
    relay, server = SERVERS
    with talk(house, STRICT_HOME, stun=(server,)) as conversation:
        talking(conversation)
        assert server not in "".join(conversation.call.bodies)
        assert conversation.call.sdps[-1].place[0] in (WAN, relay)


def test_fault_3_with_a_vpn_beside_it_the_address_towards_the_server_is_given(
    house: House,
) -> None:
    house.network.ip(
        "client", "link add vpn type bridge", "addr add 10.8.0.2/24 dev vpn", "link set dev vpn up"
    )
    try:
        with talk(house, cell_named("none/no-alg/no-map/strict/inbound")) as conversation:
            talking(conversation)
            assert conversation.call.sdps[-1].place[0] == PUBLIC_CLIENT
            assert "10.8.0.2" not in "".join(conversation.call.bodies)
    finally:
        house.network.ip("client", "link del vpn")


def test_a_router_that_was_restarted_learns_the_call_again(house: House) -> None:
    with talk(house, STRICT_HOME) as conversation:
        talking(conversation)
        router.restart(house.network)
        ends_well(conversation)


def test_a_router_that_was_restarted_loses_a_relayed_call_only_for_a_while(house: House) -> None:
    with talk(house, cell_named("symmetric/no-alg/no-map/strict/inbound")) as conversation:
        talking(conversation)
        router.restart(house.network)
        ends_well(conversation)


def test_a_mapping_lost_in_mid_call_is_made_up_for(house: House) -> None:
    with talk(house, cell_named("symmetric/no-alg/upnp/strict/inbound")) as conversation:
        talking(conversation)
        router.restart(house.network)
        ends_well(conversation)


def test_a_nat_that_takes_another_port_does_not_end_the_sound(house: House) -> None:
    with talk(house, STRICT_HOME) as conversation:
        talking(conversation)
        router.rebind(house.network)
        ends_well(conversation)


def test_a_far_end_that_latches_follows_a_nat_to_its_new_port(house: House) -> None:
    with talk(house, LATCHING_HOME) as conversation:
        talking(conversation)
        router.rebind(house.network)
        assert conversation.both_hear(RESCUED_S) < 8


@pytest.mark.parametrize("home", [STRICT_HOME, LATCHING_HOME], ids=["strict", "latching"])
def test_the_network_changes_and_the_sound_follows(house: House, home: Cell) -> None:
    with talk(house, home) as conversation:
        talking(conversation)
        house.network.move_client(MOVED_CLIENT)
        after = conversation.both_hear(RESCUED_S)
        assert after < MOVED_S, f"{after:.1f} s"
        wait_until(lambda: len(conversation.call.sdps) > 1, 10, "the phone's new address")
        ends_well(conversation)


def test_the_far_end_moves_and_the_sound_follows(house: House) -> None:
    with talk(house, STRICT_HOME) as conversation:
        talking(conversation)
        conversation.call.reinvite(MOVED_DESK)
        ends_well(conversation)


@pytest.fixture(params=["silent", "lying"])
def poor_stun(house: House, request: pytest.FixtureRequest) -> Iterator[PoorStun]:
    server = PoorStun(house.network, lies=request.param == "lying")
    yield server
    server.close()


def test_fault_2_poor_stun_servers_do_not_delay_the_call_or_cost_its_sound(
    house: House, poor_stun: PoorStun
) -> None:
    with talk(house, STRICT_HOME, stun=PoorStun.addresses) as conversation:
        conversation.registers()
        began = time.monotonic()
        conversation.dials()
        assert time.monotonic() - began < 3
        conversation.both_hear()
        assert poor_stun.asked
        assert conversation.call.sdps[-1].place[0] != LIE[0]
        ends_well(conversation)


def test_wrong_credentials_of_the_relay_are_told_in_one_sentence(house: House) -> None:
    wrong = f"turn:{USER}:wrong@{SERVERS[0]}"
    with talk(house, STRICT_HOME, turn=wrong) as conversation:
        talking(conversation)
        ends_well(conversation)
        told = [str(event["text"]) for event in conversation.phone.events if event["ev"] == "error"]
        assert len([text for text in told if "relay" in text]) == 1, told


def test_fault_14_a_phone_that_crashed_leaves_no_port_open_for_good(house: House) -> None:
    with talk(house, cell_named("port/no-alg/upnp/strict/inbound")) as conversation:
        conversation.registers()
        conversation.phone.wait_for("nat", 20, way="upnp")
        conversation.dials()
        conversation.both_hear()
        os.kill(conversation.phone.pid, signal.SIGKILL)
        conversation.phone.wait()
        assert mappings(house.network)
        assert all(int(lease.split(":")[-2]) > 0 for lease in leases(house)), leases(house)
        with house.phone(stun=SERVERS, turn=RELAY) as again:
            again.wait_for("nat", 20, way="upnp")
            again.call(URI, 20)
            again.hang_up()
        assert mappings(house.network) == ""


def leases(house: House) -> list[str]:
    """miniupnpd's file: PROTOCOL:PORT:ADDRESS:PORT:END:NAME, the end in seconds since 1970."""
    return (house.folder / "leases").read_text().splitlines()
