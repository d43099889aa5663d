"""ICE agents in virtual time: two of ours across a wire, and one with scripted messages."""

import random
from itertools import pairwise

import pytest

from applet.address import Address
from applet.nat import binding
from applet.nat.binding import read_binding, write_binding, xor_mapped
from applet.nat.ice import (
    CONSENT,
    KEEP_ALIVE,
    LIMIT,
    Base,
    IceAgent,
    IceSetup,
    Route,
    Target,
)
from applet.stun_frame import is_stun

OURS, THEIRS = ("ours", "our-password-of-22-chars"), ("them", "their-password-of-22-char")
HERE, THERE, ELSEWHERE = Address("10.0.0.1", 1), Address("10.0.0.2", 2), Address("10.9.9.9", 9)
ID = bytes(range(12))


def agent(seed: int = 1, *, lite: bool = False, targets: tuple[Target, ...] = ()) -> IceAgent:
    return IceAgent(IceSetup(OURS, THEIRS, targets, lite), random.Random(seed), 0.0)


def to(address: Address, priority: int = 100, component: int = 1) -> Target:
    return Target(component, address, priority)


def request(*more: tuple[int, bytes], user: str = "ours:them", password: str = OURS[1]) -> bytes:
    said = (binding.USERNAME, user.encode())
    return write_binding(binding.REQUEST, ID, (said, *more), password)


def sent(of: IceAgent) -> list[tuple[int, dict[int, bytes], Address]]:
    """(kind, attributes, destination) of what it sends, all of it well formed."""
    found = []
    for _, data, route in of.datagrams_to_send():
        message = read_binding(data)
        assert message is not None
        found.append((message.kind, message.attributes, route.address))
    return found


def checked(of: IceAgent, now: float) -> tuple[bytes, dict[int, bytes], Address]:
    """The one check that it sends now: transaction, attributes, destination."""
    of.handle_timers(now)
    ((_, data, route),) = of.datagrams_to_send()
    message = read_binding(data)
    assert message is not None and message.kind == binding.REQUEST
    assert message.is_by(THEIRS[1])
    return message.transaction, message.attributes, route.address


def chosen(of: IceAgent) -> dict[int, Address]:
    return {component: route.address for component, route in of.chosen.items()}


def success(transaction: bytes, password: str = THEIRS[1]) -> bytes:
    mapped = ((binding.XOR_MAPPED, xor_mapped(HERE, transaction)),)
    return write_binding(binding.SUCCESS, transaction, mapped, password)


NOMINATES = ((binding.PRIORITY, (90).to_bytes(4, "big")), (binding.USE_CANDIDATE, b""))


# --- messages


def test_a_binding_message_of_rfc_5769_is_read_and_its_signature_holds() -> None:
    data = bytes.fromhex(
        "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
        "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
        "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
    )
    message = read_binding(data)
    assert message is not None
    assert message.attributes[binding.USERNAME] == b"evtj:h6vY"
    assert message.is_by("VOkJxbRl1RmTxUk/WvJxBt")
    assert not message.is_by("another")


def test_an_address_is_hidden_as_rfc_5769_does_it() -> None:
    transaction = bytes.fromhex("b7e7a701bc34d686fa87dfae")
    assert xor_mapped(Address("192.0.2.1", 32853), transaction).hex() == "0001a147e112a643"
    six = Address("2001:db8:1234:5678:11:2233:4455:6677", 32853)
    assert xor_mapped(six, transaction).hex() == "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"


def test_what_we_write_ends_in_a_right_fingerprint() -> None:
    import zlib

    data = request()
    assert data[-8:-4] == bytes.fromhex("80280004")
    assert int.from_bytes(data[-4:], "big") == zlib.crc32(data[:-8]) ^ 0x5354554E


GOOD = request()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" + GOOD[1:],
        GOOD[:4] + b"\0\0\0\0" + GOOD[8:],
        GOOD[:-1],
        GOOD + bytes(2000),
        b"\0\x03" + GOOD[2:],
        GOOD[:2] + b"\0\0" + GOOD[4:20],
        GOOD[:2] + b"\0\x04" + GOOD[4:20] + b"\0\x06\0\x09",
    ],
    ids=["empty", "rtp", "no cookie", "cut", "long", "allocate", "unsigned", "value cut"],
)
def test_what_is_no_signed_binding_message_is_not_taken(data: bytes) -> None:
    assert read_binding(data) is None
    assert not agent().receive(1, data, THERE, 0.0)


def test_stun_is_told_from_sound() -> None:
    assert is_stun(GOOD)
    assert not is_stun(b"\x80" + bytes(40))


# --- two agents


class Wire:
    """Both agents, one address each and component; what `lost` says does not arrive."""

    def __init__(self, one: IceAgent, other: IceAgent) -> None:
        self.ends = {HERE: one, THERE: other}
        self.now = 0.0

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            for source, each in self.ends.items():
                each.handle_timers(self.now)
                for component, data, route in each.datagrams_to_send():
                    if route.address in self.ends:
                        self.ends[route.address].receive(component, data, source, self.now)
            self.now += 0.02


def both(controlling: tuple[bool, bool]) -> Wire:
    one = IceSetup(OURS, THEIRS, (to(ELSEWHERE, 200), to(THERE), to(THERE, 99, 2)), controlling[0])
    other = IceSetup(THEIRS, OURS, (to(HERE), to(HERE, 99, 2)), controlling[1])
    return Wire(IceAgent(one, random.Random(1), 0.0), IceAgent(other, random.Random(2), 0.0))


@pytest.mark.parametrize(
    "controlling", [(False, True), (True, False), (False, False), (True, True)]
)
def test_two_agents_find_each_other_whoever_controls(controlling: tuple[bool, bool]) -> None:
    wire = both(controlling)
    wire.run(2.0)
    assert chosen(wire.ends[HERE]) == {1: THERE, 2: THERE}
    assert chosen(wire.ends[THERE]) == {1: HERE, 2: HERE}


def test_what_is_chosen_is_asked_every_few_seconds() -> None:
    wire = both((False, True))
    wire.run(2.0)
    one = wire.ends[HERE]
    one.handle_timers(wire.now + 1.2 * KEEP_ALIVE)
    assert [to for _, _, to in sent(one)] == [THERE]


# --- one agent


def test_without_an_answer_the_checks_end_after_their_limit() -> None:
    one = agent(targets=(to(THERE),))
    checked(one, 0.0)
    one.handle_timers(0.01)
    assert sent(one) == []
    checked(one, LIMIT - 0.1)
    one.handle_timers(LIMIT + 1)
    assert sent(one) == [] and one.chosen == {}


def test_the_best_candidate_is_asked_first() -> None:
    one = agent(targets=(to(ELSEWHERE, 1), to(THERE, 2)))
    assert checked(one, 0.0)[2] == THERE
    assert checked(one, 0.05)[2] == ELSEWHERE


def test_a_controlled_agent_takes_what_is_nominated_once_its_own_check_came_back() -> None:
    one = agent()
    assert one.receive(1, request(*NOMINATES), THERE, 0.0)
    ((kind, attributes, destination),) = sent(one)
    assert (kind, destination) == (binding.SUCCESS, THERE)
    assert attributes[binding.XOR_MAPPED] == xor_mapped(THERE, ID)
    assert one.chosen == {}
    transaction, attributes, destination = checked(one, 0.0)
    assert destination == THERE and binding.CONTROLLED in attributes
    assert one.receive(1, success(transaction), THERE, 0.1)
    assert chosen(one) == {1: THERE}
    assert not one.receive(1, success(transaction), THERE, 0.1), "each check has one answer"


def test_what_works_is_chosen_the_moment_it_is_nominated() -> None:
    one = agent(targets=(to(THERE),))
    one.receive(1, success(checked(one, 0.0)[0]), THERE, 0.0)
    assert one.chosen == {}
    one.receive(1, request(*NOMINATES), THERE, 0.1)
    assert chosen(one) == {1: THERE}


def test_of_two_nominated_the_better_one_is_chosen() -> None:
    one = agent(targets=(to(THERE, 1), to(ELSEWHERE, 2)))
    second, first = checked(one, 0.0), checked(one, 0.05)
    assert (first[2], second[2]) == (THERE, ELSEWHERE)
    for transaction, _, address in (first, second, first):
        one.receive(1, success(transaction), address, 0.1)
        one.receive(1, request(*NOMINATES), address, 0.1)
    assert chosen(one) == {1: ELSEWHERE}


@pytest.mark.parametrize(
    ("password", "source"), [("wrong", THERE), (THEIRS[1], ELSEWHERE)], ids=["forged", "astray"]
)
def test_an_answer_that_is_not_theirs_changes_nothing(password: str, source: Address) -> None:
    one = agent(lite=True, targets=(to(THERE),))
    transaction, _, _ = checked(one, 0.0)
    assert one.receive(1, success(transaction, password), source, 0.0)
    assert binding.USE_CANDIDATE not in checked(one, 0.5)[1]


def test_a_check_for_others_is_not_ours_and_a_forged_one_gets_no_answer() -> None:
    one = agent()
    assert not one.receive(1, request(user="else:them"), THERE, 0.0)
    assert one.receive(1, request(password="wrong"), THERE, 0.0)
    assert sent(one) == []


def test_towards_a_lite_agent_we_choose_the_first_that_works() -> None:
    one = agent(lite=True, targets=(to(THERE),))
    transaction, attributes, _ = checked(one, 0.0)
    assert binding.CONTROLLING in attributes and binding.USE_CANDIDATE not in attributes
    one.receive(1, success(transaction), THERE, 0.0)
    transaction, attributes, _ = checked(one, 0.1)
    assert binding.USE_CANDIDATE in attributes
    one.receive(1, success(transaction), THERE, 0.1)
    assert chosen(one) == {1: THERE}


def test_who_controls_does_not_let_them_choose() -> None:
    one = agent(lite=True)
    one.receive(1, request(*NOMINATES), THERE, 0.0)
    sent(one)
    transaction, _, _ = checked(one, 0.0)
    one.receive(1, success(transaction), THERE, 0.0)
    assert one.chosen == {}


@pytest.mark.parametrize("controlling", [False, True])
@pytest.mark.parametrize("theirs", [0, 2**64 - 1])
def test_in_a_conflict_of_roles_the_larger_number_controls(controlling: bool, theirs: int) -> None:
    role = binding.CONTROLLING if controlling else binding.CONTROLLED
    one = agent(lite=controlling, targets=(to(THERE),))
    one.receive(1, request((role, theirs.to_bytes(8, "big"))), THERE, 0.0)
    ((kind, attributes, _),) = sent(one)
    we_are_larger = theirs == 0
    if we_are_larger == controlling:
        assert kind == binding.ERROR and attributes[binding.ERROR_CODE][2:4] == b"\x04\x57"
    else:
        assert kind == binding.SUCCESS
    assert (binding.CONTROLLING in checked(one, 0.0)[1]) == we_are_larger


def test_a_role_that_they_refuse_is_changed_and_other_errors_are_not_believed() -> None:
    one = agent(targets=(to(THERE),))
    now = 0.0
    for refusal, role in (
        (b"\0\0\x04\x00", binding.CONTROLLED),
        (binding.ROLE_CONFLICT, binding.CONTROLLED),
        (b"\0\0\x04\x00", binding.CONTROLLING),
    ):
        transaction, attributes, _ = checked(one, now)
        assert role in attributes
        error = ((binding.ERROR_CODE, refusal),)
        data = write_binding(binding.ERROR, transaction, error, THEIRS[1])
        assert one.receive(1, data, THERE, now)
        now += 0.5


def test_memory_stays_bounded_whoever_asks() -> None:
    one = agent(targets=(to(THERE),))
    for port in range(1, 500):
        one.receive(1, request(), Address("10.0.0.3", port), 0.0)
        one.datagrams_to_send()
    assert len(one._pairs) == 100
    for step in range(400):
        one.receive(1, request(), Address("10.0.0.3", 1), step)
        one.handle_timers(step)
    assert len(one._asked) == 256


def test_after_a_restart_what_was_chosen_goes_on_until_there_is_better() -> None:
    setup = IceSetup(OURS, THEIRS, (to(ELSEWHERE),))
    before = agent(lite=True)
    before.chosen[1] = Route(Base.SOCKET, THERE)
    one = IceAgent(setup, random.Random(1), 0.0, before)
    assert chosen(one) == {1: THERE}
    transaction, attributes, _ = checked(one, 0.0)
    assert binding.CONTROLLING in attributes, "who controls stays the same"
    one.receive(1, success(transaction), ELSEWHERE, 0.0)
    one.receive(1, success(checked(one, 0.1)[0]), ELSEWHERE, 0.1)
    assert chosen(one) == {1: ELSEWHERE}


# --- bases


def both_bases(lite: bool = False) -> IceAgent:
    targets = (to(THERE), to(THERE)._replace(base=Base.RELAY))
    return agent(lite=lite, targets=targets)


def test_our_own_sockets_are_tried_before_the_relay_and_each_says_what_it_is() -> None:
    one = both_bases()
    one.handle_timers(0.0)
    one.handle_timers(0.05)
    routes, said = [], []
    for _, data, route in one.datagrams_to_send():
        message = read_binding(data)
        assert message is not None
        routes.append(route)
        said.append(int.from_bytes(message.attributes[binding.PRIORITY], "big"))
    assert routes == [Route(Base.SOCKET, THERE), Route(Base.RELAY, THERE)]
    assert said[0] > said[1] and {value >> 24 for value in said} == {110}


def test_an_answer_by_another_base_than_the_check_is_not_taken() -> None:
    one = both_bases()
    transaction, _, _ = checked(one, 0.0)
    one.receive(1, request(*NOMINATES), THERE, 0.0)
    one.receive(1, success(transaction), THERE, 0.0, Base.RELAY)
    assert one.chosen == {}
    one.receive(1, success(transaction), THERE, 0.0)
    assert one.chosen == {1: Route(Base.SOCKET, THERE)}


def test_where_only_the_relay_gets_through_the_relay_is_chosen() -> None:
    one = both_bases()
    checked(one, 0.0)
    transaction, _, _ = checked(one, 0.05)
    one.receive(1, request(*NOMINATES), THERE, 0.1, Base.RELAY)
    assert [route.base for _, _, route in one.datagrams_to_send()] == [Base.RELAY]
    one.receive(1, success(transaction), THERE, 0.1, Base.RELAY)
    assert one.chosen == {1: Route(Base.RELAY, THERE)}


def test_what_works_by_our_own_sockets_later_is_better_than_the_relay() -> None:
    one = both_bases()
    by_socket, by_relay = checked(one, 0.0)[0], checked(one, 0.05)[0]
    for transaction, base in ((by_relay, Base.RELAY), (by_socket, Base.SOCKET)):
        one.receive(1, request(*NOMINATES), THERE, 0.1, base)
        one.receive(1, success(transaction), THERE, 0.1, base)
        assert one.chosen == {1: Route(base, THERE)}


# --- consent (RFC 7675)


def consenting(until: float) -> tuple[IceAgent, float]:
    """Chosen at 0.1, and answered up to `until`; the time of the last answer."""
    one = agent(targets=(to(THERE),))
    one.receive(1, success(checked(one, 0.0)[0]), THERE, 0.1)
    one.receive(1, request(*NOMINATES), THERE, 0.1)
    one.datagrams_to_send()
    now = answered = 0.1
    while now < until:
        now += 0.1
        one.handle_timers(now)
        for _, data, _ in one.datagrams_to_send():
            message = read_binding(data)
            assert message is not None
            one.receive(1, success(message.transaction), THERE, now)
            assert one.consented_at == now
            answered = now
    return one, answered


def test_consent_is_asked_for_every_four_to_six_seconds_and_each_answer_renews_it() -> None:
    one, _ = consenting(100.0)
    assert one.lost == set()
    times = []
    now = 100.1
    while now < 125:
        one.handle_timers(now)
        times += [now for _ in one.datagrams_to_send()]
        now += 0.05
    pauses = [after - before for before, after in pairwise(times)]
    assert len(pauses) >= 3 and all(3.9 < pause < 6.2 for pause in pauses)


def test_without_an_answer_for_half_a_minute_they_do_not_consent_any_more() -> None:
    one, answered = consenting(20.0)
    now = 20.0
    while now < answered + CONSENT - 0.1:
        now += 0.05
        one.handle_timers(now)
        assert one.lost == set()
    one.datagrams_to_send()
    one.handle_timers(answered + CONSENT)
    assert one.lost == {1}
    one.handle_timers(answered + CONSENT + 60)
    assert sent(one) == [], "nor are they asked"


def test_a_forged_answer_is_no_consent() -> None:
    one, answered = consenting(10.0)
    transaction, _, _ = checked(one, answered + 1.3 * KEEP_ALIVE)
    one.receive(1, success(transaction, "wrong"), THERE, answered + 7)
    one.receive(1, success(transaction), ELSEWHERE, answered + 7)
    one.handle_timers(answered + CONSENT)
    assert one.lost == {1}


def test_a_restart_does_not_go_on_with_what_they_do_not_consent_to() -> None:
    one, answered = consenting(1.0)
    one.handle_timers(answered + CONSENT)
    again = IceAgent(one.setup, random.Random(2), answered + CONSENT, one)
    assert again.chosen == {} and again.lost == set()


def test_what_a_restart_does_not_confirm_in_time_makes_room_for_the_plain_addresses() -> None:
    one, answered = consenting(1.0)
    again = IceAgent(one.setup, random.Random(2), answered, one)
    again.handle_timers(answered + LIMIT - 0.1)
    assert chosen(again) == {1: THERE}
    again.handle_timers(answered + LIMIT)
    assert again.chosen == {}
    again.handle_timers(answered + CONSENT)
    assert again.lost == set()


@pytest.mark.parametrize("moved", [False, True])
def test_a_relay_that_is_gone_is_no_way_after_a_restart(moved: bool) -> None:
    relay = Address("198.51.100.9", 50000)
    before = IceAgent(IceSetup(OURS, THEIRS, (), relayed=relay), random.Random(1), 0.0)
    by_relay, by_socket = Route(Base.RELAY, THERE), Route(Base.SOCKET, ELSEWHERE)
    before.chosen.update({1: by_relay, 2: by_socket})
    setup = before.setup._replace(relayed=relay._replace(port=50002) if moved else relay)
    again = IceAgent(setup, random.Random(2), 0.0, before)
    assert again.chosen == ({2: by_socket} if moved else {1: by_relay, 2: by_socket})


# --- what comes late


def test_who_begins_after_our_checks_have_ended_is_checked_in_turn() -> None:
    one = agent(targets=(to(THERE),))
    checked(one, 0.0)
    begins = LIMIT + 1
    one.receive(1, request(*NOMINATES), THERE, begins)
    assert [kind for kind, _, _ in sent(one)] == [binding.SUCCESS]
    checked(one, begins)  # is lost
    one.receive(1, success(checked(one, begins + LIMIT - 0.1)[0]), THERE, begins + LIMIT)
    assert chosen(one) == {1: THERE}


def test_who_stops_asking_is_not_checked_for_ever() -> None:
    one = agent(targets=(to(THERE), to(ELSEWHERE)))
    one.receive(1, request(), THERE, LIMIT + 1)
    sent(one)
    assert checked(one, LIMIT + 1)[2] == THERE, "nor is where nobody asked from"
    one.handle_timers(2 * LIMIT + 1)
    assert sent(one) == []


def test_a_candidate_that_comes_late_is_checked_as_long_as_the_others() -> None:
    one = agent(targets=(to(THERE),))
    late = LIMIT + 1
    one.add((to(THERE), to(ELSEWHERE)), late)
    assert checked(one, late)[2] == ELSEWHERE
    one.handle_timers(late + LIMIT)
    assert sent(one) == []


def test_a_better_pair_that_they_nominate_after_another_is_checked_until_it_works() -> None:
    """RFC 5245 lets them nominate every pair at once, and use the best that works for them."""
    one = agent(targets=(to(THERE, 1), to(ELSEWHERE, 2)))
    checked(one, 0.0)  # the better one: is lost
    one.receive(1, success(checked(one, 0.05)[0]), THERE, 0.1)
    one.receive(1, request(*NOMINATES), THERE, 0.1)
    assert chosen(one) == {1: THERE}
    sent(one)
    late = LIMIT + 1
    assert checked(one, late)[2] == THERE, "consent alone"
    one.receive(1, request(*NOMINATES), ELSEWHERE, late)
    sent(one)
    assert checked(one, late + 0.1)[2] == ELSEWHERE
    one.receive(1, success(checked(one, late + 0.6)[0]), ELSEWHERE, late + 0.7)
    assert chosen(one) == {1: ELSEWHERE}


def test_a_worse_pair_that_they_nominate_after_another_is_left_alone() -> None:
    one = agent(targets=(to(THERE, 200), to(ELSEWHERE, 1)))
    one.receive(1, success(checked(one, 0.0)[0]), THERE, 0.1)
    one.receive(1, request(*NOMINATES), THERE, 0.1)
    one.receive(1, request(*NOMINATES), ELSEWHERE, 0.2)
    sent(one)
    one.handle_timers(0.3)
    assert sent(one) == []


def test_they_are_known_wherever_a_check_came_from_or_worked() -> None:
    one = agent(targets=(to(THERE), to(ELSEWHERE)))
    there, elsewhere = Route(Base.SOCKET, THERE), Route(Base.SOCKET, ELSEWHERE)
    assert not one.is_settled(1) and not one.knows(1, there)
    one.receive(1, request(password="wrong"), THERE, 0.0)
    assert not one.knows(1, there)
    one.receive(1, success(checked(one, 0.0)[0]), THERE, 0.0)
    assert one.knows(1, there) and not one.knows(1, elsewhere) and not one.knows(2, there)
    one.receive(1, request(), ELSEWHERE, 0.1)
    assert one.knows(1, elsewhere) and not one.knows(1, elsewhere._replace(base=Base.RELAY))
    assert not one.is_settled(1)
    one.receive(1, request(*NOMINATES), THERE, 0.2)
    assert one.is_settled(1) and not one.is_settled(2)
    one.lost.add(1)
    assert not one.is_settled(1)
