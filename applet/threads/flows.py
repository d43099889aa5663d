"""TCP connections of the signalling: accepted and opened, none of them ever waited for.

RFC 3261 section 18: a connection is used again for the same address, in both directions. Limits
keep strangers from eating the descriptors: a bounded number of connections, a bounded heap of
unsent bytes, and an end for connections on which nobody ever said anything that we answered.
"""

import errno
import itertools
import socket
from typing import NamedTuple, Protocol

from applet.address import Address
from applet.threads.loop import Loop
from applet.threads.sockets import READS_PER_WAKE, is_ip, open_socket

CONNECT_LIMIT = 4.0
UNANSWERED_LIMIT = 32.0
"""Seconds: how long a connection may take to be made, and how long an accepted one may live
without our having sent anything on it."""
MOST_FLOWS = 100
MOST_UNSENT = 256 * 1024
ACCEPTS_PER_WAKE = 16
LISTEN_AGAIN = 0.5
CHUNK = 16384


class StreamUser(Protocol):
    """Who is told; the verbs of `sip.endpoint.Endpoint`, without its `Hop`."""

    def stream_received(self, flow: int, data: bytes, now: float) -> None: ...
    def stream_opened(self, flow: int, remote: Address, now: float) -> None: ...
    def stream_closed(self, flow: int, now: float) -> None: ...
    def stream_failed(self, remote: Address, flow: int | None, now: float) -> None:
        """What was sent did not leave: no connection could be made, or `flow` is gone."""


class _Flow:
    __slots__ = ("answered", "connecting", "last_used", "limit", "number", "out", "remote", "sock")

    def __init__(self, number: int, sock: socket.socket, remote: Address, now: float) -> None:
        self.number = number
        self.sock = sock
        self.remote = remote
        self.connecting = False
        self.answered = False
        self.last_used = now
        self.limit = now + UNANSWERED_LIMIT
        self.out = bytearray()


class FlowCounts(NamedTuple):
    open: int
    connecting: int


class Flows:
    """All TCP connections on one loop. Every method on the loop's thread."""

    def __init__(self, loop: Loop, user: StreamUser) -> None:
        self._loop = loop
        self._listener: socket.socket | None = None
        self._user = user
        self._numbers = itertools.count(1)
        self._flows: dict[int, _Flow] = {}
        self._by_remote: dict[Address, _Flow] = {}
        self._listen_again: float | None = None

    def listen(self, listener: socket.socket) -> None:
        """Accept connections on `listener`, which is ours from now on."""
        self._listener = listener
        self._look_at(listener)

    def send(self, data: bytes, remote: Address, number: int | None, now: float) -> None:
        """Send on connection `number`; with None on one to `remote`, opened if there is none."""
        if number is None:
            flow = self._by_remote.get(remote) or self._connect(remote, now)
        else:
            flow = self._flows.get(number)
        if flow is None:
            self._user.stream_failed(remote, number, now)
            return
        if len(flow.out) + len(data) > MOST_UNSENT:
            self._end(flow, now)
            return
        flow.answered = True
        flow.last_used = now
        flow.out += data
        if not flow.connecting:
            self._write(flow, now)

    def close(self, number: int) -> None:
        """At the user's wish, who is not told again."""
        flow = self._flows.get(number)
        if flow is not None:
            self._forget(flow)

    def next_deadline(self) -> float | None:
        limits = [flow.limit for flow in self._flows.values() if not flow.answered]
        limits += [flow.limit for flow in self._flows.values() if flow.connecting]
        if self._listen_again is not None:
            limits.append(self._listen_again)
        return min(limits, default=None)

    def handle_deadlines(self, now: float) -> None:
        if self._listen_again is not None and now >= self._listen_again:
            self._listen_again = None
            if self._listener is not None:
                self._look_at(self._listener)
        for flow in list(self._flows.values()):
            if now >= flow.limit and (flow.connecting or not flow.answered):
                self._end(flow, now)

    def close_all(self) -> None:
        """What still waits to be sent is tried once; nobody is told."""
        if self._listener is not None:
            self._loop.forget(self._listener)
            self._listener.close()
        for flow in list(self._flows.values()):
            self._forget(flow)

    def counts(self) -> FlowCounts:
        return FlowCounts(len(self._flows), sum(f.connecting for f in self._flows.values()))

    def _connect(self, remote: Address, now: float) -> _Flow | None:
        if not is_ip(remote.host):
            return None
        try:
            sock = open_socket(socket.SOCK_STREAM, remote.host)
        except OSError:
            return None
        try:
            outcome = sock.connect_ex(remote)
        except (OSError, OverflowError):
            outcome = errno.EINVAL
        if outcome not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            sock.close()
            return None
        flow = self._add(sock, remote, now)
        # Even a connection that stands at once becomes writable at the next wake.
        flow.connecting = True
        flow.limit = now + CONNECT_LIMIT
        self._loop.watch(sock, None, lambda now: self._connected(flow, now))
        return flow

    def _connected(self, flow: _Flow, now: float) -> None:
        if flow.number not in self._flows:
            return
        if flow.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0:
            self._end(flow, now)
            return
        flow.connecting = False
        self._user.stream_opened(flow.number, flow.remote, now)
        self._write(flow, now)

    def _look_at(self, listener: socket.socket) -> None:
        self._loop.watch(listener, lambda now: self._acceptable(listener, now))

    def _acceptable(self, listener: socket.socket, now: float) -> None:
        for _ in range(ACCEPTS_PER_WAKE):
            try:
                sock, source = listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue
            except OSError:
                # No descriptor is left. The listener stays readable: look away for a while.
                self._loop.forget(listener)
                self._listen_again = now + LISTEN_AGAIN
                return
            sock.setblocking(False)
            flow = self._add(sock, Address(source[0], source[1]), now)
            self._watch(flow)
            self._user.stream_opened(flow.number, flow.remote, now)

    def _add(self, sock: socket.socket, remote: Address, now: float) -> _Flow:
        if len(self._flows) >= MOST_FLOWS:
            unanswered = [flow for flow in self._flows.values() if not flow.answered]
            self._end(min(unanswered or self._flows.values(), key=lambda f: f.last_used), now)
        flow = _Flow(next(self._numbers), sock, remote, now)
        self._flows[flow.number] = flow
        self._by_remote[remote] = flow
        return flow

    def _readable(self, flow: _Flow, now: float) -> None:
        if flow.number not in self._flows:
            return  # ended by what was served before it in the same wake
        for _ in range(READS_PER_WAKE):
            try:
                data = flow.sock.recv(CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._end(flow, now)
                return
            flow.last_used = now
            self._user.stream_received(flow.number, data, now)
            if flow.number not in self._flows:
                return

    def _write(self, flow: _Flow, now: float) -> None:
        if flow.number not in self._flows:
            return
        try:
            while flow.out:
                del flow.out[: flow.sock.send(flow.out)]
        except BlockingIOError:
            pass  # the rest goes when the socket is writable again
        except OSError:
            self._end(flow, now)
            return
        self._watch(flow)

    def _watch(self, flow: _Flow) -> None:
        self._loop.watch(
            flow.sock,
            lambda now: self._readable(flow, now),
            (lambda now: self._write(flow, now)) if flow.out else None,
        )

    def _end(self, flow: _Flow, now: float) -> None:
        """The connection is over, and not by the user's wish."""
        self._forget(flow)
        if flow.connecting:
            self._user.stream_failed(flow.remote, None, now)
        else:
            self._user.stream_closed(flow.number, now)

    def _forget(self, flow: _Flow) -> None:
        self._flows.pop(flow.number, None)
        if self._by_remote.get(flow.remote) is flow:
            del self._by_remote[flow.remote]
        self._loop.forget(flow.sock)
        flow.sock.close()
