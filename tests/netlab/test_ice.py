"""A far end that offers ICE, in homes of three kinds: every candidate that the phone can have is in
its answer, and the sound takes the best way that a check gets through."""

import re
from collections.abc import Iterator

import pytest

from tests.netlab.cell import cell_named
from tests.netlab.house import House
from tests.netlab.ice_peer import IcePeer
from tests.netlab.talk import talk

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]


@pytest.fixture
def peer(house: House) -> Iterator[IcePeer]:
    peer = IcePeer(house.network.name("desk"))
    yield peer
    peer.stop()


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
    house: House, peer: IcePeer, home: str, kinds: set[str], relayed: bool
) -> None:
    with talk(house, cell_named(home)) as conversation:
        conversation.registers()
        conversation.dials()
        conversation.both_hear()
        conversation.phone.send("hangup")
        conversation.phone.wait_for_state("ended", 10)
        conversation.desk.ice = peer
        conversation.is_called()
        found = conversation.phone.wait_for("nat", 10, way="ice")
        there = re.search(r"the way to ([\d.]+):(\d+)", str(found["proof"]))
        assert there is not None and (there[1], int(there[2])) in peer.places
        assert ("through the relay" in str(found["proof"])) == relayed
        conversation.both_hear()
        answer = conversation.call.bodies[-1]
        candidates = re.findall(r"a=candidate:\S+ (\d) .* typ (\w+)", answer)
        assert {kind for _, kind in candidates} == kinds
        assert {component for component, _ in candidates} == {"1"}, "rtcp-mux was agreed on"
        conversation.call.hang_up()
        conversation.phone.wait_for_state("ended", 10)
