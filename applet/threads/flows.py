"""Connections of the signalling by TCP and TLS: accepted and opened, none of them ever waited for.

RFC 3261 section 18: a connection is used again for the same end, in both directions. Limits keep
strangers from eating the descriptors: a bounded number of connections, a bounded heap of unsent
bytes, and an end for connections on which nobody ever said anything that we answered.

A TLS connection is told as opened only when its certificate was found right; what is to be sent
waits for that, and nothing of it ever leaves unprotected.
"""

from __future__ import annotations

import errno
import itertools
import socket

from applet.address import Address
from applet.hints import TYPE_CHECKING, Protocol
from applet.sip.events import EndedBy
from applet.sip.hop import End, Hop, Transport
from applet.threads.sockets import READS_PER_WAKE, is_ip, open_socket
from applet.threads.tls_files import NO_FILES, TlsFiles
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.threads.loop import Loop
    from applet.threads.tls import TlsContexts, TlsStream

CONNECT_LIMIT = 4.0
UNANSWERED_LIMIT = 32.0
"""Seconds: how long a connection may take to be made, TLS included, and how long an accepted one
may live without our having sent anything on it."""
MOST_FLOWS = 100
MOST_UNSENT = 256 * 1024
ACCEPTS_PER_WAKE = 16
LISTEN_AGAIN = 0.5
CHUNK = 16384
TLS_HANDSHAKE = 0x16
"""The first byte of TLS (RFC 8446 section 5.1); no SIP message begins with it."""


class StreamUser(Protocol):
    """Who is told; the verbs of `sip.endpoint.Endpoint`."""

    def stream_received(self, flow: int, data: bytes, now: float) -> None: ...
    def stream_opened(self, hop: Hop, now: float) -> None: ...
    def stream_closed(self, flow: int, now: float) -> None: ...
    def stream_failed(self, hop: Hop, by: EndedBy, now: float) -> None:
        """What was sent did not leave: no connection could be made, or that of `hop` is gone."""


class _Flow:
    """`waiting` is what goes out once the connection is `opened`, `out` what the socket did not
    take yet."""

    __slots__ = (
        "answered",
        "hop",
        "last_used",
        "limit",
        "number",
        "opened",
        "out",
        "outgoing",
        "sock",
        "tls",
        "waiting",
    )

    def __init__(self, number: int, sock: socket.socket, hop: Hop, now: float) -> None:
        self.number = number
        self.sock = sock
        self.hop = hop._replace(flow=number)
        self.outgoing = False
        self.opened = False
        self.answered = False
        self.last_used = now
        self.limit = now + UNANSWERED_LIMIT
        self.waiting = bytearray()
        self.out = bytearray()
        self.tls: TlsStream | None = None

    @property
    def connecting(self) -> bool:
        return self.outgoing and not self.opened


class FlowCounts(NamedTuple):
    open: int
    connecting: int


class Flows:
    """All connections on one loop. Every method on the loop's thread."""

    def __init__(self, loop: Loop, user: StreamUser, tls_files: TlsFiles = NO_FILES) -> None:
        self._loop = loop
        self._user = user
        self._tls_files = tls_files
        self._tls: TlsContexts | None = None
        self._listeners: dict[Transport, socket.socket] = {}
        self._numbers = itertools.count(1)
        self._flows: dict[int, _Flow] = {}
        self._by_end: dict[End, _Flow] = {}
        self._listen_again: float | None = None

    def prepare_tls(self) -> TlsContexts:
        """Load what TLS needs, once. Raises TlsFilesError."""
        if self._tls is None:
            from applet.threads.tls import TlsContexts

            self._tls = TlsContexts(self._tls_files)
        return self._tls

    def listen(self, listener: socket.socket, transport: Transport = Transport.TCP) -> None:
        """Accept connections on `listener`, which is ours from now on."""
        self._listeners[transport] = listener
        self._look_at(transport)

    def send(self, data: bytes, hop: Hop, now: float) -> None:
        """Send on the connection `hop.flow`; with None on one to the same end, opened if there is
        none."""
        if hop.flow is None:
            flow = self._by_end.get(hop.end) or self._connect(hop, now)
        else:
            flow = self._flows.get(hop.flow)
        if flow is None:
            self._user.stream_failed(hop, EndedBy.TRANSPORT, now)
            return
        if len(flow.out) + len(flow.waiting) + len(data) > MOST_UNSENT:
            self._end(flow, now)
            return
        flow.answered = True
        flow.last_used = now
        flow.waiting += data
        if flow.opened:
            self._send_waiting(flow, now)

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
            for transport in self._listeners:
                self._look_at(transport)
        for flow in list(self._flows.values()):
            if now >= flow.limit and (flow.connecting or not flow.answered):
                self._end(flow, now)

    def drop_all(self, now: float) -> None:
        """The network is another one: no connection leads anywhere any more."""
        for flow in list(self._flows.values()):
            self._end(flow, now)

    def close_all(self) -> None:
        """What still waits to be sent is tried once; nobody is told."""
        for listener in self._listeners.values():
            self._loop.forget(listener)
            listener.close()
        for flow in list(self._flows.values()):
            self._forget(flow)

    def counts(self) -> FlowCounts:
        return FlowCounts(len(self._flows), sum(f.connecting for f in self._flows.values()))

    def _connect(self, hop: Hop, now: float) -> _Flow | None:
        if not is_ip(hop.address.host):
            return None
        try:
            sock = open_socket(socket.SOCK_STREAM, hop.address.host)
        except OSError:
            return None
        try:
            outcome = sock.connect_ex(hop.address)
        except (OSError, OverflowError):
            outcome = errno.EINVAL
        if outcome not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            sock.close()
            return None
        flow = self._add(sock, hop, now)
        # Even a connection that stands at once becomes writable at the next wake.
        flow.outgoing = True
        flow.limit = now + CONNECT_LIMIT
        self._loop.watch(sock, None, lambda now: self._connected(flow, now))
        return flow

    def _connected(self, flow: _Flow, now: float) -> None:
        if flow.number not in self._flows:
            return
        if flow.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0:
            self._end(flow, now)
        elif flow.hop.transport is Transport.TLS:
            flow.tls = self.prepare_tls().client(flow.hop.identity)
            self._watch(flow)
            self._received(flow, b"", now)  # the first move is ours
        else:
            self._opened(flow, now)

    def _opened(self, flow: _Flow, now: float) -> None:
        flow.opened = True
        self._user.stream_opened(flow.hop, now)
        self._watch(flow)
        self._send_waiting(flow, now)

    def _look_at(self, transport: Transport) -> None:
        listener = self._listeners[transport]
        self._loop.watch(listener, lambda now: self._acceptable(listener, transport, now))

    def _acceptable(self, listener: socket.socket, transport: Transport, now: float) -> None:
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
            flow = self._add(sock, Hop(transport, Address(source[0], source[1])), now)
            if transport is Transport.TLS:
                flow.tls = self.prepare_tls().server()
                self._watch(flow)
            elif self._tls_files.certificate:
                self._watch(flow)  # its first byte shows whether it is TLS
            else:
                self._opened(flow, now)

    def _add(self, sock: socket.socket, hop: Hop, now: float) -> _Flow:
        if len(self._flows) >= MOST_FLOWS:
            # Strangers never cost us the connection to our own server.
            flows = self._flows.values()
            self._end(min(flows, key=lambda f: (f.outgoing, f.answered, f.last_used)), now)
        flow = _Flow(next(self._numbers), sock, hop, now)
        self._flows[flow.number] = flow
        self._by_end[hop.end] = flow
        return flow

    def _readable(self, flow: _Flow, now: float) -> None:
        if flow.number not in self._flows:
            return  # ended by what was served before it in the same wake
        for turn in range(READS_PER_WAKE):
            try:
                data = flow.sock.recv(CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                if turn == 0:  # else it ends with the next wake: what just came is answered first
                    self._end(flow, now)
                return
            flow.last_used = now
            self._received(flow, data, now)
            if flow.number not in self._flows:
                return

    def _received(self, flow: _Flow, data: bytes, now: float) -> None:
        """Bytes of the connection; through TLS they may be nothing but its own business."""
        if flow.tls is None and not flow.opened:
            self._recognise(flow, data, now)
        if flow.tls is None:
            self._user.stream_received(flow.number, data, now)
            return
        from applet.threads.tls import TlsError

        try:
            plain = flow.tls.feed(data)
        except TlsError as error:
            _say_why(flow.sock, flow.tls.to_send())
            self._end(flow, now, error.by)
            return
        flow.out += flow.tls.to_send()
        if flow.tls.established and not flow.opened:
            self._opened(flow, now)
        if plain:
            self._user.stream_received(flow.number, plain, now)
        if flow.out:
            self._write(flow, now)

    def _recognise(self, flow: _Flow, data: bytes, now: float) -> None:
        """Whoever has our address only speaks TLS there, too, if we can."""
        if data[0] != TLS_HANDSHAKE:
            self._opened(flow, now)
            return
        self._by_end.pop(flow.hop.end, None)
        flow.hop = flow.hop._replace(transport=Transport.TLS)
        self._by_end[flow.hop.end] = flow
        flow.tls = self.prepare_tls().server()

    def _send_waiting(self, flow: _Flow, now: float) -> None:
        data = bytes(flow.waiting)
        flow.waiting.clear()
        if flow.tls is None:
            flow.out += data
        elif data:
            from applet.threads.tls import TlsError

            try:
                flow.tls.write(data)
            except TlsError:
                self._end(flow, now)
                return
            flow.out += flow.tls.to_send()
        self._write(flow, now)

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

    def _end(self, flow: _Flow, now: float, by: EndedBy = EndedBy.TRANSPORT) -> None:
        """The connection is over, and not by the user's wish."""
        self._forget(flow)
        if flow.opened:
            self._user.stream_closed(flow.number, now)
        elif flow.outgoing:
            self._user.stream_failed(flow.hop._replace(flow=None), by, now)

    def _forget(self, flow: _Flow) -> None:
        self._flows.pop(flow.number, None)
        if self._by_end.get(flow.hop.end) is flow:
            del self._by_end[flow.hop.end]
        self._loop.forget(flow.sock)
        flow.sock.close()


def _say_why(sock: socket.socket, alert: bytes) -> None:
    """For whoever reads their log."""
    try:
        sock.send(alert)
    except OSError:
        return
