"""What a STUN server sees of one of our UDP sockets (RFC 8489 section 2), asked with pystun3.

pystun3 knows RFC 3489 only, trusts what it reads and gives up badly, so its `stun_test` gets an
object of ours in place of the socket. That object never reads: the socket's owner goes on reading
and hands STUN answers over by `take`. It writes the magic cookie of RFC 8489 section 5 into the
transaction id (newer servers look dead without it), keeps its own deadlines, and lets through only
a success with the right id from the right address, rewritten to one clean MAPPED-ADDRESS.
IPv4 only, as pystun3.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from queue import Empty, SimpleQueue

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.stun_frame import COOKIE, HEADER, is_stun
from applet.threads.sockets import send

if TYPE_CHECKING:
    from collections.abc import Callable

START_LIMIT = 1.5
CALL_LIMIT = 0.3
"""Seconds for one server: when the phone starts, and before an INVITE."""
FIRST_WAIT = 0.25
"""Seconds to the first repetition; doubled for each further one."""
LARGEST = 548
"""Bytes of an answer that are believed (RFC 8489 section 6.1)."""
_SUCCESS = 0x0101
_MAPPED, _XOR_MAPPED, _OLD_XOR_MAPPED = 0x0001, 0x0020, 0x8020

_Answer = tuple[bytes, Address]


class StunClient:
    """Belongs to the owner of `sock`; `ask` returns at once."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._waiting: dict[bytes, SimpleQueue[_Answer | None]] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False

    @property
    def port(self) -> int:
        """Where the socket is bound."""
        return int(self._sock.getsockname()[1])

    def take(self, data: bytes, source: Address) -> bool:
        """Whether a datagram is STUN and so not for anybody else. The owner's thread."""
        if not is_stun(data):
            return False
        inbox = self._waiting.get(data[4:HEADER])
        if inbox is not None and inbox.qsize() < 8:
            inbox.put((data, source))
        return True

    def ask(
        self,
        servers: tuple[Address, ...],
        limit: float,
        answer: Callable[[Address | None, Address | None], None],
    ) -> None:
        """Ask one server after the other, `limit` seconds each, a name's look-up apart.
        `answer(mapped, server's IP)` is called once, in another thread; with None if no server
        answered."""

        def work() -> None:
            for server in servers:
                found = _resolved(server)
                mapped = found and self.mapped_address(found, limit)
                if mapped:
                    answer(mapped, found)
                    return
            answer(None, None)

        thread = threading.Thread(target=work, name="stun", daemon=True)
        self._threads = [asking for asking in self._threads if asking.is_alive()]
        self._threads.append(thread)
        thread.start()

    def mapped_address(self, server: Address, limit: float) -> Address | None:
        """Ask `server`, an IP. Blocks for `limit` seconds at most. Any thread."""
        import stun  # 10 ms, and only for those who use it

        if self._closed or self._sock.family != socket.AF_INET:
            return None
        guard = _Guard(self._sock, server, self._waiting, limit)
        stun._initialize()
        try:
            result = stun.stun_test(guard, *server, "", 0)
        finally:
            guard.close()
        if not result["Resp"] or result["ExternalIP"] is None:
            return None
        return Address(result["ExternalIP"], result["ExternalPort"])

    def close(self) -> None:
        """Let the questions that are still open end at once."""
        self._closed = True
        for inbox in list(self._waiting.values()):
            inbox.put(None)
        for thread in self._threads:
            thread.join(0.2)


class _Guard:
    """What `stun_test` takes for a socket: one question to one server."""

    def __init__(
        self,
        sock: socket.socket,
        server: Address,
        waiting: dict[bytes, SimpleQueue[_Answer | None]],
        limit: float,
    ) -> None:
        self.server = server
        self._sock = sock
        self._waiting = waiting
        self._inbox: SimpleQueue[_Answer | None] = SimpleQueue()
        self._deadline = time.monotonic() + limit
        self._wait = FIRST_WAIT
        self._asked = self._sent = b""

    def sendto(self, data: bytes, _address: object) -> None:
        """`gaierror` is the one exception that `stun_test` takes for "no answer"."""
        if time.monotonic() >= self._deadline:
            raise socket.gaierror("no answer in time")
        self._asked = data[4:HEADER]
        self._sent = COOKIE + data[8:HEADER]
        self._waiting[self._sent] = self._inbox
        if send(self._sock, data[:4] + self._sent + data[HEADER:], self.server) is not None:
            raise socket.gaierror("not to be reached")

    def recvfrom(self, _size: int) -> _Answer:
        until = min(time.monotonic() + self._wait, self._deadline)
        self._wait *= 2
        while True:
            try:
                answer = self._inbox.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                raise TimeoutError from None
            if answer is None:
                self._deadline = 0.0
                raise TimeoutError
            data, source = answer
            mapped = mapped_address_of(data) if source == self.server else None
            if mapped is not None:
                return _clean(self._asked, mapped), source

    def close(self) -> None:
        self._waiting.pop(self._sent, None)


def _resolved(server: Address) -> Address | None:
    try:
        found = socket.getaddrinfo(*server, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return None
    return Address(str(found[0][4][0]), server.port)


def mapped_address_of(data: bytes) -> Address | None:
    """The IPv4 address in a Binding success; None if it is anything else or makes no sense."""
    kind, length = struct.unpack_from("!HH", data)
    if kind != _SUCCESS or length != len(data) - HEADER or length % 4 or len(data) > LARGEST:
        return None
    found: dict[int, Address] = {}
    position = HEADER
    while position + 4 <= len(data):
        name, size = struct.unpack_from("!HH", data, position)
        value = data[position + 4 : position + 4 + size]
        if len(value) < size:
            return None
        if size == 8 and value[1] == 1 and name in (_MAPPED, _XOR_MAPPED, _OLD_XOR_MAPPED):
            found[name] = _address(value[2:], plain=name == _MAPPED)
        position += 4 + (size + 3) // 4 * 4
    for name in (_XOR_MAPPED, _OLD_XOR_MAPPED, _MAPPED):
        if name in found:
            return found[name] if _makes_sense(found[name]) else None
    return None


def _address(value: bytes, plain: bool) -> Address:
    if not plain:
        value = bytes(a ^ b for a, b in zip(value, COOKIE[:2] + COOKIE, strict=True))
    return Address(socket.inet_ntoa(value[2:]), int.from_bytes(value[:2], "big"))


def _makes_sense(address: Address) -> bool:
    first = int(address.host.split(".")[0])
    return address.port != 0 and 0 < first < 224


def _clean(asked: bytes, mapped: Address) -> bytes:
    """The answer as pystun3 expects it: the id that it chose, and nothing but MAPPED-ADDRESS."""
    attribute = struct.pack("!HHBBH", _MAPPED, 8, 0, 1, mapped.port)
    return struct.pack("!HH", _SUCCESS, 12) + asked + attribute + socket.inet_aton(mapped.host)
