"""Questions about names, without making anybody wait: each in a thread, with a deadline.

getaddrinfo() cannot be interrupted. A look-up that is not answered in time counts as not found;
its thread is left to the operating system, and its late answer is dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from applet.sip.records import Question, Record, Value
from applet.threads.core_inbox import LookedUp
from applet.threads.sockets import is_ip

LOOK_UP_LIMIT = 5.0
"""Seconds until a name counts as not found."""
MOST_AT_ONCE = 16
"""One name may be five questions at once (NAPTR, three SRV, addresses)."""

Ask = Callable[[Question], tuple[Value, ...]]


class Resolver:
    """On the thread of the loop that `post` belongs to; only the asking happens elsewhere. Made
    with the first name that is looked for."""

    def __init__(self, post: Callable[[LookedUp], None], ask: Ask) -> None:
        self._post = post
        self._ask = ask
        self._number = 0
        self._open: dict[int, tuple[Question, float]] = {}
        self._threads: list[threading.Thread] = []

    def look_up(self, question: Question, now: float) -> None:
        """Answers come as `LookedUp`, which must be brought to `settled`."""
        self._number += 1
        number = self._number
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        known = question.kind is Record.ADDRESS and is_ip(question.name)
        if known or len(self._threads) >= MOST_AT_ONCE:
            self._open[number] = (question, now)
            self._post(LookedUp(number, question, (question.name,) if known else ()))
            return
        self._open[number] = (question, now + LOOK_UP_LIMIT)
        thread = threading.Thread(
            target=self._work, args=(number, question), name="look-up", daemon=True
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

    def _work(self, number: int, question: Question) -> None:
        try:
            answers = self._ask(question)
        except (OSError, UnicodeError):
            answers = ()
        self._post(LookedUp(number, question, answers))
