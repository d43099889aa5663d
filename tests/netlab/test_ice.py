"""A far end that offers ICE, in homes of three kinds: every candidate that the phone can have is in
its answer, and the sound takes the best way that a check gets through."""

import re

import pytest

from tests.netlab.cell import cell_named
from tests.netlab.house import House
from tests.netlab.ice_peer import IcePeer
from tests.netlab.talk import Talk, talk

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

TRIES = 3
"""The phone waits 300 ms for a relay and no longer; a busy machine may need more for it once."""


def candidates(conversation: Talk) -> list[tuple[str, str]]:
    """Component and kind of those in the phone's last answer."""
    return re.findall(r"a=candidate:\S+ (\d) .* typ (\w+)", conversation.call.bodies[-1])


def rings_off(conversation: Talk) -> None:
    conversation.call.hang_up()
    conversation.phone.wait_for_state("ended", 10)


def is_called_with_ice(conversation: Talk, peer: IcePeer, relayed: bool) -> None:
    conversation.desk.ice = peer
    conversation.is_called()
    found = str(conversation.phone.wait_for("nat", 10, way="ice")["proof"])
    there = re.search(r"the way to ([\d.]+):(\d+)", found)
    assert there is not None and (there[1], int(there[2])) in peer.places
    assert ("through the relay" in found) == relayed
    conversation.both_hear()


@pytest.mark.parametrize(
    ("home", "kinds", "relayed"),
    [
        ("port/no-alg/no-map/strict/inbound", {"srflx", "host", "relay"}, False),
        ("symmetric/no-alg/no-map/strict/inbound", {"host", "relay"}, False),
        ("port/no-alg/no-map/strict/no-udp", {"host", "relay"}, True),
    ],
    ids=["cone", "symmetric", "no UDP"],
)
def test_a_call_with_ice_takes_the_best_way_that_there_is(
    house: House, home: str, kinds: set[str], relayed: bool
) -> None:
    with talk(house, cell_named(home)) as conversation:
        conversation.registers()
        conversation.dials()
        conversation.both_hear()
        conversation.phone.send("hangup")
        conversation.phone.wait_for_state("ended", 10)
        for _ in range(TRIES):
            with IcePeer(house.network.name("desk")) as peer:
                is_called_with_ice(conversation, peer, relayed)
                shown = candidates(conversation)
                rings_off(conversation)
            if {kind for _, kind in shown} == kinds:
                break
        assert {kind for _, kind in shown} == kinds
        assert {component for component, _ in shown} == {"1"}, "rtcp-mux was agreed on"
