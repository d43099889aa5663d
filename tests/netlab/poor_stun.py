"""STUN servers as one would rather not have them."""

import socket
import struct
import threading

from tests.netlab.namespaces import opened
from tests.netlab.network import SERVERS, Network

PORT = 3500
LIE = ("9.9.9.9", 999)


class PoorStun:
    """Listens at `addresses`. `lies`: it answers at once, with an address that is nobody's;
    else it is silent."""

    addresses = tuple(f"{server}:{PORT}" for server in SERVERS)

    def __init__(self, network: Network, *, lies: bool) -> None:
        name = network.name("servers")
        self.asked = 0
        self._lies = lies
        self._sockets = [opened(name, socket.SOCK_DGRAM, server, PORT) for server in SERVERS]
        for sock in self._sockets:
            threading.Thread(target=self._work, args=(sock,), daemon=True).start()

    def close(self) -> None:
        for sock in self._sockets:
            sock.sendto(b"", sock.getsockname())  # the thread's last one
        self._sockets.clear()

    def _work(self, sock: socket.socket) -> None:
        while True:
            data, source = sock.recvfrom(2048)
            if len(data) < 20:
                sock.close()
                return
            self.asked += 1
            if self._lies:
                sock.sendto(self._lie(data), source)

    def _lie(self, request: bytes) -> bytes:
        """A Binding success with MAPPED-ADDRESS and XOR-MAPPED-ADDRESS (RFC 8489 section 14)."""
        host, port = socket.inet_aton(LIE[0]), LIE[1]
        plain = struct.pack("!HHBBH", 0x0001, 8, 0, 1, port) + host
        hidden = bytes(a ^ b for a, b in zip(host, request[4:8], strict=True))
        xored = struct.pack("!HHBBH", 0x0020, 8, 0, 1, port ^ 0x2112) + hidden
        return struct.pack("!HH", 0x0101, len(plain + xored)) + request[4:20] + plain + xored
