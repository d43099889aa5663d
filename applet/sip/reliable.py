"""Reliable provisional responses, as their sender (RFC 3262 section 3): numbered by RSeq, one after
the other, each repeated with doubling intervals until its PRACK comes."""

from __future__ import annotations

from collections import deque
from functools import partial

from applet.hints import TYPE_CHECKING
from applet.sip.extensions import RELIABLE
from applet.sip.grammar import clamped
from applet.sip.timers import T1
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.sip.core import Core, Incoming
    from applet.sip.message import Request
    from applet.sip.uas import Headers

_MOST_QUEUED = 4
_HIGHEST = 2**32 - 1
_REQUIRE = ("Require", RELIABLE)


class Numbered(NamedTuple):
    """One that was sent; `has_body`: with a description."""

    number: int
    send: Callable[[float], None]
    has_body: bool


class ReliableProvisionals:
    """Those of one INVITE; `expired(now)` is called when a PRACK does not come within 64*T1."""

    __slots__ = ("_core", "_expired", "_incoming", "_interval", "_last", "_open", "_queue")

    def __init__(self, core: Core, incoming: Incoming, expired: Callable[[float], None]) -> None:
        self._core = core
        self._incoming = incoming
        self._expired = expired
        self._last = core.random.getrandbits(30)
        self._interval = T1
        self._open: Numbered | None = None
        self._queue: deque[tuple[int, Headers, bytes]] = deque(maxlen=_MOST_QUEUED)

    @property
    def body_open(self) -> bool:
        """A description was sent, or is to be, and its PRACK has not come."""
        sent = self._open is not None and self._open.has_body
        return sent or any(body for _, _, body in self._queue)

    def send(self, status: int, headers: Headers, body: bytes, now: float) -> None:
        """At once, or after the PRACK of the one before."""
        if self._open is not None:
            self._queue.append((status, headers, body))
            return
        self._last += 1
        numbered = (*headers, _REQUIRE, ("RSeq", str(self._last)))
        again = partial(self._incoming.respond, status, headers=numbered, body=body)
        self._open = Numbered(self._last, again, bool(body))
        self._interval = T1
        again(now)
        self._core.timers.set(self, "again", now + T1)
        self._core.timers.set(self, "limit", now + 64 * T1)

    def prove(self, prack: Request, now: float) -> Numbered | None:
        """A PRACK came: for which response; None if it is not for the one that is open."""
        proved = self._open
        if proved is None or not self._is_for(prack, proved.number):
            return None
        self._open = None
        self._stop()
        return proved

    def go_on(self, now: float) -> None:
        """Send what waited for the PRACK."""
        if self._open is None and self._queue:
            self.send(*self._queue.popleft(), now)

    def _is_for(self, prack: Request, number: int) -> bool:
        words = (prack.header("RAck") or "").split()
        if len(words) != 3 or words[2].upper() != "INVITE":
            return False
        sequence = self._incoming.request.cseq.number
        return (clamped(words[0], _HIGHEST), clamped(words[1], _HIGHEST)) == (number, sequence)

    def handle_timer(self, name: str, now: float) -> None:
        assert self._open is not None  # both timers stop with it
        if name == "limit":
            self.close()
            self._expired(now)
            return
        self._open.send(now)
        self._interval *= 2
        self._core.timers.set(self, "again", now + self._interval)

    def _stop(self) -> None:
        self._core.timers.cancel(self, "again")
        self._core.timers.cancel(self, "limit")

    def close(self) -> None:
        """A final response was sent: nothing is repeated any more, yet a late PRACK is taken."""
        self._queue.clear()
        self._stop()
