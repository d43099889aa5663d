"""Port mappings on the local router: found at the start, made for a call, renewed while it lasts,
taken away after it.

One worker does everything with a router in turn (miniupnpc is not thread-safe); nobody waits for
it: each answer comes in time or counts as a failure, and a mapping that comes too late is taken
away again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from applet.address import Address
from applet.nat.knowledge import MapperSeen
from applet.nat.port_mapping import LEASE, PortMappingError

if TYPE_CHECKING:
    from applet.threads.routers import Router

OPEN_LIMIT = 1.0
STOP_LIMIT = 1.5
"""Seconds: for the two mappings of a call, and to take all away at the end."""
RENEW_AFTER = LEASE / 2

Job = Callable[[], None]
Find = Callable[[int], "Router | None"]


def _find_pmp(probe_port: int) -> Router | None:
    from applet.threads.routers import find_pmp  # not needed where there is nothing to look for

    return find_pmp(probe_port)


def _find_upnp(probe_port: int) -> Router | None:
    from applet.threads.routers import find_upnp

    return find_upnp(probe_port)


class Mapped(NamedTuple):
    """Both ports of a call, as the world reaches them. `close` takes the mappings away again,
    and does not wait."""

    rtp: Address
    rtcp: Address
    close: Callable[[], None]


class Mappings:
    """Every method from any thread. `finders`: how a router is looked for; each gets a UDP port
    of ours."""

    def __init__(self, finders: tuple[Find, ...] = (_find_pmp, _find_upnp)) -> None:
        self._finders = finders
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._router: Router | None = None
        self._made: dict[int, int] = {}  # internal port -> external port
        self._users: dict[int, int] = {}  # internal port -> how many `Mapped` stand for it
        self._renew_at = 0.0

    def look(self, probe_port: int, answer: Callable[[MapperSeen], None]) -> None:
        """Look for a router by both protocols at once; the first that is found counts. `answer`
        comes once, from another thread, after four seconds at most. `probe_port`: a UDP port of
        ours."""
        looking = len(self._finders)
        told = False

        def work(find: Find) -> None:
            nonlocal looking, told
            found = find(probe_port)
            with self._lock:
                looking -= 1
                if told or (found is None and looking):
                    return
                told = True
                if not self._is_known(found):
                    self._router = found
            answer(MapperSeen(found.kind, found.external) if found else MapperSeen(None, ""))

        for find in self._finders:
            threading.Thread(target=work, args=(find,), name="router", daemon=True).start()

    def _is_known(self, found: Router | None) -> bool:
        """The same router again: the one that we have knows what it has opened for us."""
        known = self._router
        return (
            known is not None
            and found is not None
            and (known.kind, known.external) == (found.kind, found.external)
        )

    def open(self, rtp: Address, rtcp: Address, answer: Callable[[Mapped | None], None]) -> None:
        """Map both ports. `answer` comes once, from another thread, within OPEN_LIMIT."""
        once = _Once(answer)
        timer = threading.Timer(OPEN_LIMIT, once.give, (None,))
        timer.daemon = True
        timer.start()
        self._do(lambda: self._open(rtp, rtcp, once))

    def stop(self) -> None:
        """Take away what is still mapped; STOP_LIMIT at most. Idempotent."""
        worker = self._worker
        if worker is not None and worker.is_alive():
            self._jobs.put(self._remove_all)
            self._jobs.put(None)
            worker.join(STOP_LIMIT)

    # --- the worker

    def _do(self, job: Job) -> None:
        with self._lock:
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="mappings", daemon=True)
                self._worker.start()
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            wait = max(0.0, self._renew_at - time.monotonic()) if self._made else None
            try:
                job = self._jobs.get(timeout=wait)
            except Empty:
                self._renew()
                continue
            if job is None:
                return
            job()

    def _open(self, rtp: Address, rtcp: Address, once: _Once) -> None:
        internal = (rtp.port, rtcp.port)
        router = self._router
        if router is None or once.given:
            once.give(None)
            return
        done: tuple[int, ...] = ()
        try:
            rtp_outside = self._add(router, rtp.port)
            done = (rtp.port,)
            rtcp_outside = self._add(router, rtcp.port)
        except (PortMappingError, OSError):
            once.give(None)
            self._remove(done)
            return
        mapped = Mapped(rtp_outside, rtcp_outside, lambda: self._do(lambda: self._remove(internal)))
        if not once.give(mapped):
            self._remove(internal)

    def _add(self, router: Router, internal: int) -> Address:
        """Open or renew; a call that opens its way anew holds it twice for a moment."""
        external = router.add(internal)
        self._made[internal] = external.port
        self._users[internal] = self._users.get(internal, 0) + 1
        self._renew_at = time.monotonic() + RENEW_AFTER
        return external

    def _renew(self) -> None:
        self._renew_at = time.monotonic() + RENEW_AFTER
        for internal in self._made if self._router is not None else ():
            try:
                self._router.add(internal)  # type: ignore[union-attr]
            except (PortMappingError, OSError):
                continue  # the sound will be missed, and rescued

    def _remove(self, internal: tuple[int, ...]) -> None:
        for port in internal:
            self._users[port] = self._users.get(port, 0) - 1
            if self._users[port] > 0:
                continue
            del self._users[port]
            external = self._made.pop(port, None)
            if external is not None and self._router is not None:
                self._router.remove(port, external)

    def _remove_all(self) -> None:
        self._users.clear()
        self._remove(tuple(self._made))


class _Once:
    """Hands on the first answer only."""

    def __init__(self, answer: Callable[[Mapped | None], None]) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.given = False

    def give(self, mapped: Mapped | None) -> bool:
        """False: another answer was first."""
        with self._lock:
            if self.given:
                return False
            self.given = True
        self._answer(mapped)
        return True
