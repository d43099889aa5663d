"""The deadlines of an endpoint."""

from applet.sip.timers import Timers


class Owner:
    def __init__(self, timers: Timers) -> None:
        self.timers = timers
        self.heard: list[tuple[str, float]] = []

    def handle_timer(self, name: str, now: float) -> None:
        self.heard.append((name, now))
        if name == "again":
            self.timers.set(self, "again", now + 1)


def test_deadlines_come_in_order_of_time_and_then_of_setting() -> None:
    timers = Timers()
    owner = Owner(timers)
    for name, at in [("c", 2.0), ("a", 1.0), ("b", 1.0), ("d", 9.0)]:
        timers.set(owner, name, at)
    timers.fire(5.0)
    assert owner.heard == [("a", 1.0), ("b", 1.0), ("c", 2.0)]
    assert timers.next() == 9.0


def test_the_owner_is_told_the_deadline_and_not_the_late_clock() -> None:
    timers = Timers()
    owner = Owner(timers)
    timers.set(owner, "again", 1.0)
    timers.fire(3.7)
    assert owner.heard == [("again", 1.0), ("again", 2.0), ("again", 3.0)]
    assert timers.next() == 4.0


def test_setting_a_deadline_again_moves_it() -> None:
    timers = Timers()
    owner = Owner(timers)
    timers.set(owner, "a", 1.0)
    timers.set(owner, "a", 4.0)
    timers.fire(3.0)
    assert owner.heard == []
    assert len(timers) == 1 and timers.next() == 4.0


def test_a_cancelled_deadline_never_comes() -> None:
    timers = Timers()
    owner = Owner(timers)
    timers.set(owner, "a", 1.0)
    assert timers.is_set(owner, "a")
    timers.cancel(owner, "a")
    timers.cancel(owner, "never set")
    assert not timers.is_set(owner, "a")
    assert timers.next() is None and len(timers) == 0


def test_cancelled_deadlines_do_not_pile_up() -> None:
    timers = Timers()
    owner = Owner(timers)
    for number in range(10_000):
        timers.set(owner, "a", float(number))
    assert len(timers._heap) < 50
    timers.fire(20_000.0)
    assert owner.heard == [("a", 9_999.0)]
