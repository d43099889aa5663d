"""One selector, one inbox, one deadline: the ground that the core and the media thread stand on.

Why not asyncio: it costs 48 ms of the start, and rounds every wait up to a millisecond. A thread
with this loop reads `while running: now = loop.wait(deadline)`; sockets and other threads are
served inside `wait`, timers by whoever asked for the deadline.
"""

from __future__ import annotations

import select
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable

clock = time.perf_counter
"""The one clock of all `now` and deadlines here, in seconds. On Linux it is time.monotonic(); on
Windows that one counts in steps of 15.6 ms before Python 3.13."""

Ready = Callable[[float], None]
"""Called with `now` when a socket is ready. Reads a bounded amount: what is left makes the socket
ready again at the next wake, after every other one had its turn."""

NO_EPOLL = NO_INPUT = -1
WINDOWS_GRAIN = 0.016
"""Time-outs of select() on Windows may come this much late, in seconds; time.sleep() is fine."""


class Loop:
    """Owned by one thread; only `post` may be called by others.

    `on_posted` gets each posted value with `now`, in order. `on_mistake` gets what a callback
    raises, so that one mistake costs one packet or command and nothing else. `paced`: deadlines
    are met within a fraction of a millisecond on Windows too, at the price that sockets wait up
    to 16 ms there.
    """

    __slots__ = (
        "_epoll",
        "_inbox",
        "_input",
        "_on_input",
        "_on_mistake",
        "_on_posted",
        "_selector",
        "_signalled",
        "_waited_for",
        "_waker",
        "_waker_end",
        "_woken_by",
        "paced",
    )

    def __init__(
        self,
        on_posted: Callable[[object, float], None],
        on_mistake: Callable[[Exception, float], None],
    ) -> None:
        self._on_posted = on_posted
        self._on_mistake = on_mistake
        self._inbox: deque[object] = deque()
        self._signalled = False
        self._selector: selectors.BaseSelector = selectors.DefaultSelector()
        self._waker, self._waker_end = socket.socketpair()
        self._waker.setblocking(False)
        self._waker_end.setblocking(False)
        self._woken_by = self._waker_end.fileno()
        self._epoll = _epoll_of(self._selector)
        self._waited_for: tuple[int, ...]
        self._on_input: Ready
        self.forget_input()
        if self._epoll == NO_EPOLL:
            self._selector.register(self._waker_end, selectors.EVENT_READ, (self._woken, None))
        self.paced = False

    def post(self, value: object) -> None:
        """Hand `value` to the loop's thread and wake it. Any thread; after `close` nothing
        happens."""
        self._inbox.append(value)
        if not self._signalled:
            self._signalled = True
            try:
                self._waker.send(b"\0")
            except OSError:
                # Full: it is awake anyway. Closed: nobody reads any more.
                return

    def watch(
        self, sock: socket.socket, on_readable: Ready | None, on_writable: Ready | None = None
    ) -> None:
        """Serve `sock` from now on; again to change what is asked."""
        wanted = (selectors.EVENT_READ if on_readable else 0) | (
            selectors.EVENT_WRITE if on_writable else 0
        )
        if sock in self._selector.get_map():
            self._selector.modify(sock, wanted, (on_readable, on_writable))
        else:
            self._selector.register(sock, wanted, (on_readable, on_writable))

    def watch_input(self, descriptor: int, on_readable: Ready) -> bool:
        """Serve a pipe, a terminal or a file: behind what is posted, before all sockets. False:
        this system cannot wait for such a thing together with sockets."""
        if self._epoll == NO_EPOLL:
            return False
        self._waited_for = (self._epoll, self._woken_by, descriptor)
        self._input, self._on_input = descriptor, on_readable
        return True

    def forget_input(self) -> None:
        self._waited_for = (self._epoll, self._woken_by)
        self._input = NO_INPUT

    def forget(self, sock: socket.socket) -> None:
        """Before closing it. A socket that is not watched is fine."""
        if sock.fileno() != -1 and sock in self._selector.get_map():
            self._selector.unregister(sock)

    def wait(self, deadline: float | None) -> float:
        """Sleep until something is posted, the input or a socket is ready or `deadline` (by
        `clock`; None: never) has come, serve it all, and return the time of waking."""
        timeout = None if deadline is None else max(0.0, deadline - clock())
        if self._epoll == NO_EPOLL:
            return self._serve(self._ready(timeout))
        # epoll_wait() counts in milliseconds, rounded up; select() on the epoll descriptor itself
        # counts in microseconds, and one wake per tick is enough.
        ready = select.select(self._waited_for, (), (), timeout)[0]
        if self._woken_by in ready:
            self._woken(clock())
        if self._input in ready:
            self._read_input(clock())
        if self._epoll in ready:
            return self._serve(self._selector.select(0))
        return clock()

    def _read_input(self, now: float) -> None:
        try:
            self._on_input(now)
        except Exception as error:
            self._on_mistake(error, now)

    def _serve(self, ready: list[tuple[selectors.SelectorKey, int]]) -> float:
        now = clock()
        for key, events in ready:
            on_readable, on_writable = key.data
            try:
                if events & selectors.EVENT_WRITE and on_writable is not None:
                    on_writable(now)
                if events & selectors.EVENT_READ and on_readable is not None:
                    on_readable(now)
            except Exception as error:
                self._on_mistake(error, now)
        return now

    def close(self) -> None:
        """Close what the loop itself opened; the watched sockets belong to their owners."""
        self._selector.close()
        self._waker.close()
        self._waker_end.close()

    def _ready(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Without epoll."""
        if not self.paced or timeout is None:
            return self._selector.select(timeout)
        if timeout > 2 * WINDOWS_GRAIN:
            return self._selector.select(timeout - WINDOWS_GRAIN)
        ready = self._selector.select(0)
        if not ready:
            time.sleep(timeout)
        return ready

    def _woken(self, now: float) -> None:
        self._waker_end.recv(4096)
        # Cleared before the inbox is read: what is posted from here on wakes us again.
        self._signalled = False
        inbox = self._inbox
        for _ in range(len(inbox)):
            try:
                self._on_posted(inbox.popleft(), now)
            except Exception as error:
                self._on_mistake(error, now)


def _epoll_of(selector: selectors.BaseSelector) -> int:
    if not hasattr(select, "epoll") or not isinstance(selector, selectors.EpollSelector):
        return NO_EPOLL
    return selector.fileno()
