"""A STUN server on loopback that answers as a test says, and the owner of a socket who asks it."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from applet.address import Address
from applet.stun_frame import COOKIE
from applet.threads.stun import StunClient
from tests.support.ports import free_port

Reply = Callable[[bytes, Address], list[bytes]]


def attribute(name: int, value: bytes) -> bytes:
    return struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4)


def plain(address: Address, name: int = 0x0001) -> bytes:
    value = struct.pack("!BBH", 0, 1, address.port) + socket.inet_aton(address.host)
    return attribute(name, value)


def xored(address: Address, name: int = 0x0020) -> bytes:
    port = address.port ^ 0x2112
    host = bytes(a ^ b for a, b in zip(socket.inet_aton(address.host), COOKIE, strict=True))
    return attribute(name, struct.pack("!BBH", 0, 1, port) + host)


def success(identifier: bytes, body: bytes, kind: int = 0x0101, length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    return struct.pack("!HH", kind, length) + identifier + body


def good(data: bytes, source: Address) -> list[bytes]:
    return [success(data[4:20], xored(source))]


class Lab:
    """A socket whose owner reads it, and a server that answers as `reply` says."""

    def __init__(self, reply: Reply) -> None:
        self.sock = self._bound()
        self.address = Address(*self.sock.getsockname())
        self.client = StunClient(self.sock)
        self.others: SimpleQueue[bytes] = SimpleQueue()
        self.requests: list[bytes] = []
        self._reply = reply
        self._server = self._bound()
        self.server = Address(*self._server.getsockname())
        self._running = True
        self._threads = [threading.Thread(target=work) for work in (self._own, self._serve)]
        for thread in self._threads:
            thread.start()

    def ask(self, limit: float = 1.5) -> Address | None:
        return self.client.mapped_address(self.server, limit)

    def close(self) -> None:
        self._running = False
        self.client.close()
        for thread in self._threads:
            thread.join(5)
        self.sock.close()
        self._server.close()

    def _bound(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", free_port()))
        sock.settimeout(0.01)
        return sock

    def _own(self) -> None:
        while self._running:
            try:
                data, source = self.sock.recvfrom(2048)
            except TimeoutError:
                continue
            if not self.client.take(data, Address(*source)):
                self.others.put(data)

    def _serve(self) -> None:
        while self._running:
            try:
                data, source = self._server.recvfrom(2048)
            except TimeoutError:
                continue
            self.requests.append(data)
            for reply in self._reply(data, Address(*source)):
                self._server.sendto(reply, source)


@contextmanager
def lab(reply: Reply) -> Iterator[Lab]:
    lab = Lab(reply)
    try:
        yield lab
    finally:
        lab.close()
