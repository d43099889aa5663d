"""One running program for each user and log-on: the first start holds a channel, the next ones
hand over what they were started for, and end.

Only processes of the same user and log-on session can open it. What comes in is one bounded line
(`handover`); whatever else is sent is ignored.
"""

from __future__ import annotations

import sys

from applet.hints import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.windows.handover import Order

PATIENCE = 3.0  # seconds that a second start waits for the first to listen
READ_WITHIN = 1.0  # seconds that the first waits for a line once somebody has connected
CLOSE_WITHIN = 1.0  # seconds until another start may hold the channel


class Channel(Protocol):
    """Held as long as the program runs."""

    def close(self) -> None:
        """Listen no more; another start may now hold the channel. CLOSE_WITHIN at most."""


def claim(product: str, take: Callable[[Order], None]) -> Channel | None:
    """Hold the channel of this product; None if a running program holds it. `take` is called on
    the channel's own thread, and must not wait. Raises OSError where there can be no channel."""
    if sys.platform == "win32":
        from applet.windows.channel_win32 import PipeChannel

        return PipeChannel.claim(product, take)
    from applet.windows.channel_posix import SocketChannel

    return SocketChannel.claim(product, take)


def send(product: str, order: Order) -> bool:
    """Hand over to the running program; False if there is none that listens."""
    if sys.platform == "win32":
        from applet.windows.channel_win32 import hand_over
    else:
        from applet.windows.channel_posix import hand_over
    return hand_over(product, order)
