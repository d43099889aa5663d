"""Another address, or a sleep, is noticed; a network that is away is none."""

from applet.threads.network_watch import ASLEEP, IDLE, IN_A_CALL, NetworkWatch


class World:
    def __init__(self) -> None:
        self.address = "192.168.1.2"
        self.asleep = 0.0
        self.now = 100.0
        self.watch = NetworkWatch("", self.now, lambda _: self.address, self._wall)

    def _wall(self) -> float:
        return 1e9 + self.now + self.asleep

    def look(self) -> bool:
        self.now = self.watch.due(busy=False)
        return self.watch.look(self.now)


def test_the_same_network_is_no_news() -> None:
    world = World()
    assert not world.look()
    assert world.watch.due(busy=False) == world.now + IDLE
    assert world.watch.due(busy=True) == world.now + IN_A_CALL


def test_another_address_is_told_once() -> None:
    world = World()
    world.address = "10.0.0.7"
    assert world.look()
    assert not world.look()


def test_a_network_that_is_away_is_told_when_it_is_back() -> None:
    world = World()
    world.address = "127.0.0.1"
    assert not world.look()
    world.address = "192.168.1.2"
    assert world.look()


def test_a_sleep_is_told_though_the_address_is_the_same() -> None:
    world = World()
    world.asleep = ASLEEP + 60.0
    assert world.look()
    assert not world.look()
