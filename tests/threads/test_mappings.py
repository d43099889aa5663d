"""Mappings of a call: made in time or not at all, renewed, and never left behind."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from applet.address import Address
from applet.nat.knowledge import Mapper, MapperSeen
from applet.nat.port_mapping import LEASE, Granted, PortMappingError
from applet.phone.messages import Logged, Reason, Trouble
from applet.threads.mappings import RENEW_AGAIN, Mapped, Mappings
from applet.threads.routers import Router
from tests.support.process import wait_until

RTP, RTCP = Address("192.168.1.2", 20000), Address("192.168.1.2", 20001)
OUTSIDE = "5.5.1.2"


class Gateway:
    """A router that knows what is open. `slow`: seconds that each mapping takes."""

    kind = Mapper.UPNP
    external = OUTSIDE
    place = "here"

    def look_again(self) -> None:
        self.asked_again = True

    def __init__(self, slow: float = 0.0, refuses: int = 0, lifetime: int = LEASE) -> None:
        self.open: set[int] = set()
        self.asked = 0
        self._slow = slow
        self._refuses = refuses
        self._lifetime = lifetime
        self.shift = 1000

    def add(self, internal: int, lifetime: int = LEASE) -> Granted:
        self.asked += 1
        threading.Event().wait(self._slow)
        if internal == self._refuses:
            raise PortMappingError("The router refuses a port.")
        self.open.add(internal)
        return Granted(Address(OUTSIDE, internal + self.shift), self._lifetime)

    def remove(self, internal: int, external: int) -> None:
        assert external == internal + self.shift
        self.open.discard(internal)


def found(*finders: Callable[[int], Router | None]) -> tuple[Mappings, MapperSeen]:
    mappings = Mappings(finders)
    answers: SimpleQueue[MapperSeen] = SimpleQueue()
    mappings.look(5060, answers.put)
    return mappings, answers.get(timeout=5)


def opened(mappings: Mappings) -> Mapped | None:
    answers: SimpleQueue[Mapped | None] = SimpleQueue()
    mappings.open(RTP, RTCP, answers.put)
    return answers.get(timeout=5)


def test_the_first_router_that_is_found_counts() -> None:
    never = threading.Event()
    gateway = Gateway()
    mappings, seen = found(lambda _: (never.wait(2), None)[1], lambda _: gateway)
    assert seen == MapperSeen(Mapper.UPNP, OUTSIDE)
    never.set()
    mapped = opened(mappings)
    assert mapped is not None
    assert (mapped.rtp, mapped.rtcp) == ((OUTSIDE, 21000), (OUTSIDE, 21001))
    assert gateway.open == {20000, 20001}
    mapped.close()
    wait_until(lambda: not gateway.open, 5, "the mappings to be taken away")
    mappings.stop()


def test_no_router_is_an_answer_too() -> None:
    mappings, seen = found(lambda _: None, lambda _: None)
    assert seen == MapperSeen(None, "")
    assert opened(mappings) is None
    mappings.stop()
    mappings.stop()


def test_fault_14_nothing_is_left_open_at_the_end() -> None:
    gateway = Gateway()
    mappings, _ = found(lambda _: gateway)
    assert opened(mappings) is not None
    mappings.stop()
    assert gateway.open == set()


def test_half_a_pair_is_none_and_is_taken_away() -> None:
    gateway = Gateway(refuses=RTCP.port)
    mappings, _ = found(lambda _: gateway)
    assert opened(mappings) is None
    mappings.stop()
    assert gateway.open == set()


def test_fault_14_a_slow_router_holds_up_nobody_and_its_late_mapping_is_taken_away() -> None:
    gateway = Gateway(slow=2.5)
    mappings, _ = found(lambda _: gateway)
    begin = time.monotonic()
    assert opened(mappings) is None
    assert time.monotonic() - begin < 2 * 2.5
    wait_until(lambda: gateway.asked == 2, 10, "the second mapping to be asked for")
    wait_until(lambda: not gateway.open, 10, "the late mappings to be taken away")
    mappings.stop()


def test_a_stop_without_any_work_is_quick() -> None:
    Mappings().stop()


def test_mappings_are_renewed_while_the_call_lasts() -> None:
    gateway = Gateway()
    mappings, _ = found(lambda _: gateway)
    assert opened(mappings) is not None
    mappings._renew_at = 0.0
    mappings._do(lambda: None)
    wait_until(lambda: gateway.asked == 4, 5, "the renewal")
    mappings.stop()


def test_a_mistake_in_a_job_is_told_and_no_end_of_the_others() -> None:
    def broken() -> None:
        raise IndexError

    told: SimpleQueue[Logged | Trouble] = SimpleQueue()
    mappings, _ = found(lambda _: Gateway())
    mappings.report_to(told.put)
    mappings._do(broken)
    assert isinstance(logged := told.get(timeout=5), Logged)
    assert logged.line == "! unexpected IndexError in the mappings thread"
    assert told.get(timeout=5) == Trouble(0, Reason.INTERNAL, "IndexError")
    assert opened(mappings) is not None
    mappings.stop()


def test_a_way_that_is_opened_anew_stays_open_when_the_old_one_is_let_go() -> None:
    gateway = Gateway()
    mappings, _ = found(lambda _: gateway)
    old, new = opened(mappings), opened(mappings)
    assert old is not None and new is not None
    old.close()
    third = opened(mappings)  # by then the worker has let go of the first
    assert third is not None
    assert gateway.open == {20000, 20001}
    new.close()
    third.close()
    wait_until(lambda: not gateway.open, 5, "the mappings to be taken away")
    mappings.stop()


def test_the_same_router_that_is_found_again_still_knows_what_it_has_opened() -> None:
    first, again = Gateway(), Gateway()
    routers = [first, again]
    mappings, _ = found(lambda _: routers.pop(0))
    assert opened(mappings) is not None
    answers: SimpleQueue[MapperSeen] = SimpleQueue()
    mappings.look(5060, answers.put)
    assert answers.get(timeout=5) == MapperSeen(Mapper.UPNP, OUTSIDE)
    mappings.stop()
    assert first.open == set() and again.asked == 0


def looked_again(mappings: Mappings) -> None:
    answers: SimpleQueue[MapperSeen] = SimpleQueue()
    mappings.look(5060, answers.put)
    answers.get(timeout=5)


def renewed(mappings: Mappings) -> None:
    mappings._renew_at = 0.0
    mappings._do(lambda: None)


def test_a_look_around_that_finds_no_router_leaves_running_mappings_to_theirs() -> None:
    gateway = Gateway()
    routers: list[Router | None] = [gateway, None]
    mappings, _ = found(lambda _: routers.pop(0))
    mapped = opened(mappings)
    assert mapped is not None
    looked_again(mappings)
    renewed(mappings)
    wait_until(lambda: gateway.asked == 4, 5, "the renewal")
    assert opened(mappings) is None
    mapped.close()
    wait_until(lambda: not gateway.open, 5, "the mappings to be taken away")
    mappings.stop()


def test_a_way_that_is_opened_anew_by_another_router_is_taken_away_from_the_first() -> None:
    first, second = Gateway(), Gateway()
    second.place = "there"
    routers = [first, second]
    mappings, _ = found(lambda _: routers.pop(0))
    old = opened(mappings)
    looked_again(mappings)
    new = opened(mappings)
    assert old is not None and new is not None
    wait_until(lambda: not first.open, 5, "the first router to be told")
    old.close()
    third = opened(mappings)  # by then the worker has let go of the first
    assert third is not None and second.open == {20000, 20001}
    mappings.stop()
    assert second.open == set()


def test_a_mapping_is_renewed_after_half_of_what_the_router_has_granted() -> None:
    mappings, _ = found(lambda _: Gateway(lifetime=60))
    begin = time.monotonic()
    assert opened(mappings) is not None
    assert mappings._renew_at <= time.monotonic() + 30
    assert mappings._renew_at >= begin + 30
    mappings.stop()


def test_another_call_does_not_put_off_the_renewal() -> None:
    mappings, _ = found(lambda _: Gateway())
    assert opened(mappings) is not None
    due = mappings._renew_at
    assert opened(mappings) is not None
    assert mappings._renew_at == due
    mappings.stop()


def test_a_renewal_that_grants_another_port_is_told_at_once() -> None:
    gateway = Gateway()
    mappings, _ = found(lambda _: gateway)
    moved: SimpleQueue[tuple[Address, Address]] = SimpleQueue()
    answers: SimpleQueue[Mapped | None] = SimpleQueue()
    mappings.open(RTP, RTCP, answers.put, lambda *where: moved.put(where))
    mapped = answers.get(timeout=5)
    assert mapped is not None
    renewed(mappings)
    wait_until(lambda: gateway.asked == 4, 5, "the renewal")
    gateway.shift = 2000
    renewed(mappings)
    assert moved.get(timeout=5) == ((OUTSIDE, 22000), (OUTSIDE, 22001))
    assert moved.empty(), "a renewal that changes nothing is not told"
    mapped.close()
    mappings.stop()
    assert gateway.open == set() and mappings._moved == {}


def test_a_renewal_that_fails_is_tried_again_long_before_the_mapping_ends() -> None:
    gateway = Gateway()
    mappings, _ = found(lambda _: gateway)
    assert opened(mappings) is not None
    gateway._refuses = RTP.port
    renewed(mappings)
    wait_until(lambda: gateway.asked == 4, 5, "the renewal")
    mappings._do(lambda: None)
    wait_until(lambda: mappings._jobs.empty(), 5, "the worker")
    assert mappings._renew_at <= time.monotonic() + RENEW_AGAIN
    mappings.stop()


def test_a_renewal_that_grants_another_port_takes_that_one_away_in_the_end() -> None:
    gateway = Gateway()
    mappings, _ = found(lambda _: gateway)
    assert opened(mappings) is not None
    gateway.shift = 2000
    renewed(mappings)
    wait_until(lambda: gateway.asked == 4, 5, "the renewal")
    mappings.stop()
    assert gateway.open == set()
