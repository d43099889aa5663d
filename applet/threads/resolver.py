"""Names to addresses, without making anybody wait: getaddrinfo() in threads, with a deadline.

getaddrinfo() cannot be interrupted. A look-up that is not answered in time counts as not found;
its thread is left to the operating system, and its late answer is dropped.
"""

import socket
import threading
from collections.abc import Callable
from typing import NamedTuple

from applet.address import Address
from applet.threads.sockets import is_ip

LOOK_UP_LIMIT = 5.0
"""Seconds until a name counts as not found."""
MOST_AT_ONCE = 8

Ask = Callable[[str, int], tuple[Address, ...]]


class LookedUp(NamedTuple):
    """Posted to the loop; `addresses` is empty when the name was not found (in time)."""

    number: int
    host: str
    addresses: tuple[Address, ...]


def ask_system(family: int) -> Ask:
    """getaddrinfo() for addresses of one family (our socket cannot send to the other)."""

    def ask(host: str, port: int) -> tuple[Address, ...]:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_DGRAM)
        return tuple(dict.fromkeys(Address(str(entry[4][0]), port) for entry in found))

    return ask


class Resolver:
    """On the thread of the loop that `post` belongs to; only the asking happens elsewhere."""

    def __init__(self, post: Callable[[LookedUp], None], ask: Ask) -> None:
        self._post = post
        self._ask = ask
        self._number = 0
        self._open: dict[int, tuple[str, float]] = {}
        self._threads: list[threading.Thread] = []

    def look_up(self, host: str, port: int, now: float) -> None:
        """Answers come as `LookedUp`, which must be brought to `settled`."""
        self._number += 1
        number = self._number
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if is_ip(host) or len(self._threads) >= MOST_AT_ONCE:
            known = (Address(host, port),) if is_ip(host) else ()
            self._open[number] = (host, now)
            self._post(LookedUp(number, host, known))
            return
        self._open[number] = (host, now + LOOK_UP_LIMIT)
        thread = threading.Thread(
            target=self._work, args=(number, host, port), name="look-up", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def settled(self, answer: LookedUp) -> bool:
        """Whether this answer is the first to its question; a late one is to be dropped."""
        return self._open.pop(answer.number, None) is not None

    def next_deadline(self) -> float | None:
        return min((deadline for _, deadline in self._open.values()), default=None)

    def overdue(self, now: float) -> list[LookedUp]:
        """The look-ups whose time is over, as answers."""
        late = [n for n, (_, deadline) in self._open.items() if now >= deadline]
        return [LookedUp(number, self._open.pop(number)[0], ()) for number in late]

    def stop(self, limit: float) -> None:
        """Wait up to `limit` seconds in all; a thread that still hangs then dies with us."""
        self._open.clear()
        for thread in self._threads:
            thread.join(limit / len(self._threads))

    def _work(self, number: int, host: str, port: int) -> None:
        try:
            addresses = self._ask(host, port)
        except (OSError, UnicodeError):
            addresses = ()
        self._post(LookedUp(number, host, addresses))
