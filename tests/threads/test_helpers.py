"""Relays and the router are begun by whoever asks first, and by nobody after the end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from applet.address import Address
from applet.nat.knowledge import MapperSeen, RelayServer
from applet.threads.helpers import Helpers
from applet.threads.mappings import Mapped
from applet.threads.relay import RelayError


def test_each_is_made_once_whoever_asks_at_the_same_time() -> None:
    helpers = Helpers("some.pem")
    barrier = threading.Barrier(8)

    def ask() -> tuple[int, int]:
        barrier.wait(5)
        return id(helpers.relays), id(helpers.mappings)

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask) for _ in range(8)]
        assert len({one.result(5) for one in asked}) == 1
    assert helpers.relays.ca_file == "some.pem"
    helpers.stop()


def test_after_the_end_nothing_is_begun() -> None:
    helpers = Helpers()
    helpers.stop()
    before = threading.active_count()
    answers: SimpleQueue[RelayError | None] = SimpleQueue()
    seen: list[MapperSeen] = []
    mapped: list[Mapped | None] = []
    helpers.relays.probe(RelayServer(Address("127.0.0.1", 9), "udp", "u", "p"), answers.put)
    helpers.mappings.look(9, seen.append)
    helpers.mappings.open(Address("127.0.0.1", 9), Address("127.0.0.1", 11), mapped.append)
    assert threading.active_count() == before and answers.empty() and not seen and not mapped
    helpers.stop()
