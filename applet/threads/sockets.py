"""Sockets as the phone needs them: bound, non-blocking, and never fatal.

SIP has UDP and TCP on one port; RTP an even port and RTCP the odd one above (RFC 3550 section 11).
Ports that we choose ourselves lie below 32768, out of the way of the system's own choices.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
import sys
from collections import deque

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HIGHEST_PORT = 32767
SIP_PORTS = range(10000, 16000)
NEXT_PORTS_TRIED = 100
UNACKNOWLEDGED_LIMIT_MS = 30_000
READS_PER_WAKE = 32
"""So many datagrams or chunks of one socket are read before the others have their turn."""


class BindError(OSError):
    """An address cannot be bound. `str()` is one plain line."""

    def __init__(self, address: Address, in_use: bool) -> None:
        self.address = address
        self.in_use = in_use
        why = "is in use by another program" if in_use else "is not an address of this computer"
        super().__init__(f"{address} {why}")


class PortRange(NamedTuple):
    """Both ends included. RTP takes an even port of it, RTCP the odd one above."""

    low: int
    high: int


ANY_MEDIA_PORT = PortRange(16384, HIGHEST_PORT)


class SipSockets(NamedTuple):
    """`bound` may be a wildcard; `address` is then the one that faces the Internet. `tls` listens
    on the port above, if it was asked for."""

    udp: socket.socket
    tcp: socket.socket
    bound: Address
    address: Address
    tls: socket.socket | None = None


class MediaSockets(NamedTuple):
    """`rtp_address` and `rtcp_address` are those to advertise, even if all addresses are bound."""

    rtp: socket.socket
    rtcp: socket.socket
    rtp_address: Address
    rtcp_address: Address


def is_wildcard(host: str) -> bool:
    return host in ("", "0.0.0.0", "::")


def packed_ip(host: str) -> bytes | None:
    """The bytes of an IP literal; None for what is none."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.inet_pton(family, host.split("%")[0])
    except (OSError, ValueError):
        return None


def is_ip(host: str) -> bool:
    """An IP literal, which sendto() and connect() take without asking a name server."""
    return packed_ip(host) is not None


def local_ip(remote: str) -> str:
    """The address of ours that faces `remote` (what is no IP literal stands for the Internet);
    the loopback address if there is no route. Nothing is sent."""
    six = ":" in remote
    target = remote if is_ip(remote) else "2001:db8::1" if six else "192.0.2.1"
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((target, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "::1" if six else "127.0.0.1"


def local_ip_for(bound_host: str) -> Callable[[str], str]:
    """What `Phone` asks which address of ours a destination sees, when we are bound so."""
    return local_ip if is_wildcard(bound_host) else lambda remote: bound_host


def bind_sip(address: Address, next_free_port: bool = False, with_tls: bool = False) -> SipSockets:
    """UDP and TCP on one port, and TLS on the one above it (as 5061 is above 5060). Port 0: any
    free one; `next_free_port`: that one or the next free one. Raises BindError."""
    host = address.host or "0.0.0.0"
    if address.port == 0:
        ports: Iterable[int] = _from(SIP_PORTS, os.getpid() * 17)
    elif next_free_port:
        ports = range(address.port, min(address.port + NEXT_PORTS_TRIED, 65536))
    else:
        ports = (address.port,)
    for port in ports:
        try:
            udp, tcp, tls = _bind_all(host, port, with_tls)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise BindError(Address(host, port), in_use=False) from error
            continue
        shown = local_ip("::" if host == "::" else "") if is_wildcard(host) else host
        return SipSockets(udp, tcp, Address(host, port), Address(shown, port), tls)
    raise BindError(Address(host, address.port), in_use=True)


def _from(ports: range, start: int) -> Iterable[int]:
    """All of `ports`, beginning somewhere in the middle."""
    return (ports[(start + step) % len(ports)] for step in range(len(ports)))


def _bind_all(
    host: str, port: int, with_tls: bool
) -> tuple[socket.socket, socket.socket, socket.socket | None]:
    udp = _bound(socket.SOCK_DGRAM, host, port, receive_buffer=256 * 1024)
    try:
        tcp = _listening(host, port)
    except OSError:
        udp.close()
        raise
    try:
        return udp, tcp, _listening(host, port + 1) if with_tls else None
    except OSError:
        udp.close()
        tcp.close()
        raise


def _listening(host: str, port: int) -> socket.socket:
    sock = _bound(socket.SOCK_STREAM, host, port)
    try:
        sock.listen(64)
    except OSError:
        sock.close()
        raise
    return sock


def _bound(kind: int, host: str, port: int, receive_buffer: int = 0) -> socket.socket:
    sock = open_socket(kind, host)
    try:
        if sys.platform == "win32":
            # Without it another program may take the same port from us there.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.bind((host, port))
    except (OSError, OverflowError) as error:
        sock.close()
        raise OSError(getattr(error, "errno", None) or errno.EINVAL, str(error)) from error
    return sock


def open_socket(kind: int, host: str) -> socket.socket:
    """A non-blocking socket of the family of `host`."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    sock.setblocking(False)
    if kind == socket.SOCK_STREAM:
        # Accepted connections inherit it: no message waits for the acknowledgement of another.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "linux":
            # What is not acknowledged for so long breaks the connection, as it does on Windows
            # by itself: a router that has forgotten it says nothing.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_LIMIT_MS)
    if ":" in host:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


class MediaPorts:
    """Hands out pairs of ports, each time further on in the range, so that the stray packets of
    the call before do not meet the next one. One pair is bound ahead: an INVITE needs its port."""

    def __init__(self, bind_host: str, ports: PortRange | None) -> None:
        low, high = ports or ANY_MEDIA_PORT
        self._host = bind_host
        self._ports = range(low + low % 2, high, 2)
        self._start = 0 if ports else os.getpid() * 31
        self._given = itertools.count(0)
        self._ahead: deque[_Pair] = deque()

    def bind_ahead(self) -> None:
        """Have the next pair ready, if one is free. Any thread."""
        if not self._ahead:
            try:
                self._ahead.append(self._next("0.0.0.0" if is_wildcard(self._host) else self._host))
            except OSError:
                return  # `bind` tries again and tells

    def bind(self, remote_host: str) -> MediaSockets:
        """Any thread. Raises OSError when no pair is free."""
        host = self._host
        if is_wildcard(host):
            host = "::" if ":" in remote_host else "0.0.0.0"
        shown = local_ip(remote_host) if is_wildcard(host) else host
        try:
            pair = self._ahead.popleft() if host != "::" else self._next(host)
        except IndexError:
            pair = self._next(host)
        return MediaSockets(
            pair.rtp, pair.rtcp, Address(shown, pair.port), Address(shown, pair.port + 1)
        )

    def close(self) -> None:
        while self._ahead:
            pair = self._ahead.popleft()
            pair.rtp.close()
            pair.rtcp.close()

    def _next(self, host: str) -> _Pair:
        failure: OSError = OSError(errno.EADDRINUSE, "no free pair of RTP ports")
        for _ in range(len(self._ports)):
            port = self._ports[(self._start + next(self._given)) % len(self._ports)]
            try:
                return _bind_pair(host, port)
            except OSError as error:
                failure = error
        raise failure


class _Pair(NamedTuple):
    rtp: socket.socket
    rtcp: socket.socket
    port: int


def _bind_pair(host: str, port: int) -> _Pair:
    # 64 kB hold some three seconds of one call's packets: enough, and never more stale sound.
    rtp = _bound(socket.SOCK_DGRAM, host, port, receive_buffer=64 * 1024)
    try:
        return _Pair(rtp, _bound(socket.SOCK_DGRAM, host, port + 1), port)
    except OSError:
        rtp.close()
        raise


def receive_all(
    sock: socket.socket, receive: Callable[[bytes, Address, float], None], now: float
) -> None:
    """Read what waits on a UDP socket, up to READS_PER_WAKE datagrams."""
    for _ in range(READS_PER_WAKE):
        try:
            data, source = sock.recvfrom(65536)
        except BlockingIOError:
            return
        except OSError:
            # Somebody's ICMP message: Windows reports "port unreachable" for an earlier sendto()
            # here (10054), Linux for connected sockets. It says nothing about what comes next.
            continue
        receive(data, Address(source[0], source[1]), now)


def send(sock: socket.socket, data: bytes, to: Address) -> OSError | None:
    """Send a datagram at once or lose it. Returns why it could not leave this machine; a full
    buffer counts as lost on the way. `to.host` must be an IP literal, else it is refused."""
    if not is_ip(to.host):
        return OSError(errno.EDESTADDRREQ, "not an IP address")
    try:
        sock.sendto(data, to)
    except (BlockingIOError, ConnectionError):
        # A full buffer, or Windows' late news of an earlier datagram.
        return None
    except (OSError, OverflowError) as error:
        return OSError(getattr(error, "errno", None) or errno.EINVAL, str(error))
    return None
