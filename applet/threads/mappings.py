"""Port mappings on the local router."""

from collections.abc import Callable
from typing import NamedTuple

from applet.address import Address
from applet.nat.knowledge import MapperSeen


class Mapped(NamedTuple):
    """Both ports of a call, as the world reaches them. `close` takes the mappings away again."""

    rtp: Address
    rtcp: Address
    close: Callable[[], None]


class Mappings:
    def look(self, answer: Callable[[MapperSeen], None]) -> None:
        answer(MapperSeen(None, ""))

    def open(self, rtp: Address, rtcp: Address, answer: Callable[[Mapped | None], None]) -> None:
        answer(None)
