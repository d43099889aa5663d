"""Notices that the network has become another one: another address of ours, or a sleep."""

from __future__ import annotations

import time

from applet.hints import TYPE_CHECKING
from applet.threads.sockets import local_ip

if TYPE_CHECKING:
    from collections.abc import Callable

IN_A_CALL = 0.5
IDLE = 5.0
"""Seconds between two looks; a look asks the routing table and sends nothing."""
ASLEEP = 3.0
"""Seconds by which the wall clock may run ahead: more, and the machine has slept."""
_NOWHERE = ("127.0.0.1", "::1")


class NetworkWatch:
    """`remote`: whom our address must face (empty: the Internet)."""

    def __init__(
        self,
        remote: str,
        now: float,
        address: Callable[[str], str] = local_ip,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._remote = remote
        self._address = address
        self._wall = wall
        self._known = address(remote)
        self._ahead = wall() - now
        self._looked_at = now

    def due(self, busy: bool) -> float:
        """The time of the next look; soon once there is a call, however long there was none."""
        return self._looked_at + (IN_A_CALL if busy else IDLE)

    def look(self, now: float) -> bool:
        """Whether there is a network, and another one than before or after a sleep."""
        self._looked_at = now
        ahead = self._wall() - now
        slept, self._ahead = ahead - self._ahead > ASLEEP, ahead
        before, self._known = self._known, self._address(self._remote)
        return self._known not in _NOWHERE and (slept or self._known != before)
