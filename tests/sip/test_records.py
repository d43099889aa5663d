"""The order in which servers are tried (RFC 2782), and those that wait at its end."""

import random
from collections import Counter

from applet.address import Address
from applet.sip.hop import Hop, Transport
from applet.sip.penalty import DEFAULT, LONGEST, MOST, PenaltyBox
from applet.sip.records import Srv, in_order


def targets(records: list[Srv], dice: random.Random) -> str:
    return "".join(record.target for record in in_order(records, dice))


def test_servers_of_one_priority_are_drawn_by_their_weight() -> None:
    dice = random.Random(1)
    records = [Srv(1, 10, 0, "a"), Srv(1, 30, 0, "b"), Srv(1, 60, 0, "c"), Srv(2, 99, 0, "d")]
    drawn = Counter(targets(records, dice) for _ in range(4000))
    first = Counter[str]()
    for order, times in drawn.items():
        assert order[3] == "d" and sorted(order) == ["a", "b", "c", "d"]
        first[order[0]] += times
    shares = {name: times / 4000 for name, times in first.items()}
    assert abs(shares["a"] - 0.1) < 0.03 and abs(shares["b"] - 0.3) < 0.03
    assert abs(shares["c"] - 0.6) < 0.03
    # Of what is left the same rule holds: b after a, with 30 of 90.
    after_a = drawn["abcd"] / (drawn["abcd"] + drawn["acbd"])
    assert abs(after_a - 1 / 3) < 0.1


def test_weight_0_is_hardly_ever_drawn_before_the_others() -> None:
    dice = random.Random(2)
    records = [Srv(1, 0, 0, "a"), Srv(1, 5, 0, "b")]
    assert {targets(records, dice) for _ in range(500)} == {"ba"}
    assert sorted(targets([Srv(1, 0, 0, "a"), Srv(1, 0, 0, "b")], dice)) == ["a", "b"]


def hop(n: int) -> Hop:
    return Hop(Transport.UDP, Address("192.0.2.1", n))


def test_a_dead_server_is_tried_last_until_its_time_is_over() -> None:
    box = PenaltyBox()
    box.add(hop(1), 0.0)
    assert box.ordered((hop(1), hop(2), hop(3)), 1.0) == [hop(2), hop(3), hop(1)]
    assert box.ordered((hop(1), hop(2)), DEFAULT) == [hop(1), hop(2)] and len(box) == 0


def test_a_server_that_answers_again_is_forgiven() -> None:
    box = PenaltyBox()
    box.add(hop(1), 0.0)
    box.forgive(hop(1))
    box.forgive(hop(2))
    assert box.ordered((hop(1), hop(2)), 1.0) == [hop(1), hop(2)]


def test_where_all_are_dead_the_order_is_kept() -> None:
    box = PenaltyBox()
    box.add(hop(2), 0.0)
    box.add(hop(1), 0.0)
    assert box.ordered((hop(1), hop(2)), 1.0) == [hop(1), hop(2)]


def test_a_server_says_itself_how_long_it_wants_to_be_left_alone_but_not_for_ever() -> None:
    box = PenaltyBox()
    box.add(hop(1), 0.0, 7)
    assert box.ordered((hop(1), hop(2)), 6.0) == [hop(2), hop(1)]
    assert box.ordered((hop(1), hop(2)), 7.0) == [hop(1), hop(2)]
    box.add(hop(1), 0.0, 10**9)
    assert box.ordered((hop(1), hop(2)), LONGEST) == [hop(1), hop(2)]


def test_the_box_is_bounded_and_lets_the_oldest_go() -> None:
    box = PenaltyBox()
    for number in range(MOST + 1):
        box.add(hop(number), 0.0)
    assert len(box) == MOST
    assert box.ordered((hop(1), hop(0)), 1.0) == [hop(0), hop(1)]
