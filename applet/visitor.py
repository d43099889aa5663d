"""One running phone for each user: who holds the channel, and what a second start asks of it."""

from __future__ import annotations

import time
from contextlib import contextmanager

from applet.hints import TYPE_CHECKING
from applet.ui.view import Act, Request
from applet.windows import channel
from applet.windows.handover import CallDesk, Leave, OpenLink, Order, Show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 3.0  # seconds that a running program which is just ending may take


class RunningAlreadyError(Exception):
    """The running phone has taken the order; or it does not answer, if `answers` is false."""

    def __init__(self, answers: bool) -> None:
        super().__init__("the phone is running already")
        self.answers = answers


@contextmanager
def only_one(product: str, order: Order, put: Callable[[Request], None]) -> Iterator[None]:
    """While it lasts, later starts hand over to us: their requests go to `put`, on another
    thread. Raises RunningAlreadyError once a running phone has been given `order`."""

    def take(order: Order) -> None:
        put(request(order))

    try:
        held = _claim_or_send(product, order, take)
    except OSError:
        held = None  # there is no run-time folder: nobody can hand over to us
    try:
        yield
    finally:
        if held is not None:
            held.close()


def _claim_or_send(product: str, order: Order, take: Callable[[Order], None]) -> channel.Channel:
    until = time.monotonic() + PATIENCE
    while True:
        held = channel.claim(product, take)
        if held is not None:
            return held
        if channel.send(product, order):
            raise RunningAlreadyError(answers=True)
        if time.monotonic() > until:
            raise RunningAlreadyError(answers=False)
        time.sleep(0.1)


def request(order: Order) -> Request:
    """An order in the words of the window."""
    match order:
        case Show():
            return Request(Act.SHOW)
        case CallDesk():
            return Request(Act.CALL)
        case OpenLink(address):
            return Request(Act.LINK, address)
        case Leave():
            return Request(Act.QUIT)
