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

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.nat.port_mapping import LEASE, PortMappingError
from applet.threads.mishap import Mishaps
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.nat.knowledge import MapperSeen
    from applet.phone.messages import Logged, Trouble
    from applet.threads.routers import Router

LOOK_LIMIT = 4.0
OPEN_LIMIT = 1.0
STOP_LIMIT = 1.5
"""Seconds: to find a router, for the two mappings of a call, and to take all away at the end."""
RENEW_AFTER = LEASE / 2
RENEW_SOONEST = 4.0
RENEW_AGAIN = 30.0
"""Seconds to the renewal, half of what the router grants (RFC 6887 section 11.2.1); and to the
next attempt after one that failed."""

Job = Callable[[], None]
Find = Callable[[int], "Router | None"]
Moved = Callable[[Address, Address], None]


class _FindPmp:
    """Keeps what a PCP router knows us by (RFC 6887 section 11.2), however often it is found."""

    def __init__(self) -> None:
        self._nonces: dict[tuple[str, int], bytes] = {}

    def __call__(self, probe_port: int) -> Router | None:
        from applet.threads.routers import find_pmp  # not needed where there is nothing to find

        return find_pmp(probe_port, self._nonces)


def _find_upnp(probe_port: int) -> Router | None:
    from applet.threads.routers import find_upnp

    return find_upnp(probe_port)


class _Made(NamedTuple):
    """One mapping. A look around may find another router meanwhile, or none: `router` is the one
    that has made this."""

    router: Router
    external: Address


class Mapped(NamedTuple):
    """Both ports of a call, as the world reaches them. `close` takes the mappings away again,
    and does not wait."""

    rtp: Address
    rtcp: Address
    close: Callable[[], None]


class Mappings:
    """Every method from any thread. `finders`: how a router is looked for; each gets a UDP port
    of ours."""

    def __init__(self, finders: tuple[Find, ...] | None = None) -> None:
        self._finders = finders or (_FindPmp(), _find_upnp)
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._stopped = False
        self._router: Router | None = None
        self._made: dict[int, _Made] = {}  # by the internal port
        self._users: dict[int, int] = {}  # internal port -> how many `Mapped` stand for it
        self._moved: dict[tuple[int, int], Moved] = {}  # by the internal ports of a call
        self._renew_at = 0.0
        self._mishaps: Mishaps | None = None

    def report_to(self, report: Callable[[Logged | Trouble], None]) -> None:
        """Whom a mistake of ours is told to, from the worker's thread."""
        self._mishaps = Mishaps("mappings", report)

    def look(self, probe_port: int, answer: Callable[[MapperSeen], None]) -> None:
        """Look for a router by both protocols at once; the first that is found counts. `answer`
        comes once, from another thread, within LOOK_LIMIT, but not after `stop`. `probe_port`: a
        UDP port of ours."""
        if self._stopped:
            return
        from applet.nat.knowledge import MapperSeen  # whoever asks has imported it

        looking = len(self._finders)
        told = False

        def ended(found: Router | None, over: bool) -> None:
            nonlocal looking, told
            with self._lock:
                looking -= 1
                if told or (found is None and looking > 0 and not over):
                    return
                told = True
                if not self._is_known(found):
                    self._router = found
            answer(MapperSeen(found.kind, found.external) if found else MapperSeen(None, ""))

        def work(find: Find) -> None:
            ended(find(probe_port), False)

        for find in self._finders:
            threading.Thread(target=work, args=(find,), name="router", daemon=True).start()
        timer = threading.Timer(LOOK_LIMIT, ended, (None, True))
        timer.daemon = True
        timer.start()

    def _is_known(self, found: Router | None) -> bool:
        """The same router again: the one that we have knows what it has opened for us."""
        known = self._router
        if known is None or found is None or known.place != found.place:
            return False
        known.external = found.external
        return True

    def open(
        self,
        rtp: Address,
        rtcp: Address,
        answer: Callable[[Mapped | None], None],
        moved: Moved = lambda rtp, rtcp: None,
    ) -> None:
        """Map both ports. `answer` comes once, from another thread, within OPEN_LIMIT. `moved`:
        a renewal has led to these addresses; from there too. After `stop` there is none."""
        if self._stopped:
            return
        once = _Once(answer)
        timer = threading.Timer(OPEN_LIMIT, once.give, (None,))
        timer.daemon = True
        timer.start()
        self._do(lambda: self._open(rtp, rtcp, once, moved))

    def stop(self) -> None:
        """Take away what is still mapped, and begin nothing any more; STOP_LIMIT at most.
        Idempotent."""
        with self._lock:
            self._stopped = True
            worker = self._worker
        if worker is not None and worker.is_alive():
            self._jobs.put(self._remove_all)
            self._jobs.put(None)
            worker.join(STOP_LIMIT)

    # --- the worker

    def _do(self, job: Job) -> None:
        with self._lock:
            if self._stopped:
                return
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
                job = self._renew
            if job is None:
                return
            try:
                job()
            except Exception as error:  # the mappings of the other calls live on
                if self._mishaps is not None:
                    self._mishaps.caught(error, time.monotonic())

    def _open(self, rtp: Address, rtcp: Address, once: _Once, moved: Moved) -> None:
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
        self._moved[internal] = moved
        if not once.give(mapped):
            self._remove(internal)

    def _add(self, router: Router, internal: int) -> Address:
        """Open or renew; a call that opens its way anew holds it twice for a moment."""
        if not self._made:
            self._renew_at = time.monotonic() + RENEW_AFTER
        before = self._made.get(internal)
        external = self._ask(router, internal)
        self._users[internal] = self._users.get(internal, 0) + 1
        if before is not None and before.router is not router:
            self._jobs.put(lambda: before.router.remove(internal, before.external.port))
        return external

    def _ask(self, router: Router, internal: int) -> Address:
        external, lifetime = router.add(internal)
        self._made[internal] = _Made(router, external)
        pause = min(max(lifetime / 2, RENEW_SOONEST), RENEW_AFTER)
        self._renew_at = min(self._renew_at, time.monotonic() + pause)
        return external

    def _renew(self) -> None:
        """A mapping that has become another address or port is told at once. One that is lost is
        noticed by the sound that is missed then: its rescue opens the way anew."""
        self._renew_at = time.monotonic() + RENEW_AFTER
        before = dict(self._made)
        for router in {id(made.router): made.router for made in before.values()}.values():
            router.look_again()
        for internal, made in before.items():
            try:
                self._ask(made.router, internal)
            except (PortMappingError, OSError):
                self._renew_at = min(self._renew_at, time.monotonic() + RENEW_AGAIN)
        for ports, moved in list(self._moved.items()):
            after = [self._made[port].external for port in ports]
            if after != [before[port].external for port in ports]:
                moved(*after)

    def _remove(self, internal: tuple[int, ...]) -> None:
        for port in internal:
            self._users[port] = self._users.get(port, 0) - 1
            if self._users[port] > 0:
                continue
            del self._users[port]
            made = self._made.pop(port, None)
            self._moved = {
                ports: moved for ports, moved in self._moved.items() if port not in ports
            }
            if made is not None:
                made.router.remove(port, made.external.port)

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
