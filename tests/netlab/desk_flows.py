"""The far end's ears for SIP: UDP and TCP on 5060, TLS on 5061 and on 443."""

import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from tests.netlab.certificates import Certificates
from tests.netlab.namespaces import opened
from tests.netlab.sip_text import Place, framed

STREAMS = (("tcp", 5060), ("tls", 5061), ("tls", 443))


class Flow(NamedTuple):
    """One way to a peer, from a port of ours. `send` loses what a network would lose."""

    kind: str
    port: int
    peer: Place
    send: Callable[[bytes], None]

    def contact(self, host: str) -> str:
        """How the peer reaches us at `host` by such a way."""
        if self.kind == "udp":
            return f"<sip:desk@{host}>"
        return f"<sip:desk@{host}:{self.port};transport={self.kind}>"


class Flows:
    """Calls `take(data, flow)` for each whole message, from threads of its own."""

    def __init__(
        self,
        namespace: str,
        hosts: tuple[str, ...],
        certificates: Certificates,
        take: Callable[[bytes, Flow], None],
    ) -> None:
        self._take = take
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.certificate, certificates.key)
        self._udp = {host: opened(namespace, socket.SOCK_DGRAM, host, 5060) for host in hosts}
        self._open: list[socket.socket] = [*self._udp.values()]
        for sock in self._udp.values():
            self._start(self._read_datagrams, sock)
        for host in hosts:
            for kind, port in STREAMS:
                listener = opened(namespace, socket.SOCK_STREAM, host, port)
                listener.listen(8)
                self._open.append(listener)
                self._start(self._accept, listener, kind)

    def datagrams_to(self, host: str, peer: Place) -> Flow:
        """From UDP 5060 of our address `host`."""

        def send(data: bytes) -> None:
            try:
                self._udp[host].sendto(data, peer)
            except OSError:
                return  # there is no way to such an address, or we have ended

        return Flow("udp", 5060, peer, send)

    def close(self) -> None:
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
            sock.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def _read_datagrams(self, sock: socket.socket) -> None:
        host = sock.getsockname()[0]
        while True:
            try:
                data, peer = sock.recvfrom(65536)
            except ConnectionError:
                continue
            except OSError:
                return
            if not data and sock.fileno() < 0:
                return
            if data.strip():  # not a keep-alive
                self._take(data, self.datagrams_to(host, peer))

    def _accept(self, listener: socket.socket, kind: str) -> None:
        while True:
            try:
                plain, peer = listener.accept()
            except OSError:
                return
            self._open.append(plain)
            self._start(self._read_stream, plain, peer, kind)

    def _read_stream(self, plain: socket.socket, peer: Place, kind: str) -> None:
        try:
            port = plain.getsockname()[1]
            sock = self._context.wrap_socket(plain, server_side=True) if kind == "tls" else plain
            self._open.append(sock)
            lock = threading.Lock()
            flow = Flow(kind, port, peer, _sender(sock, lock))
            waiting = b""
            while data := _received(sock, lock):
                messages, waiting = framed(waiting + data)
                for message in messages:
                    self._take(message, flow)
        except (OSError, ValueError):  # it was closed, also under our hands
            return


def _sender(sock: socket.socket, lock: threading.Lock) -> Callable[[bytes], None]:
    def send(data: bytes) -> None:
        with lock, suppress(OSError):
            sock.sendall(data)

    return send


def _received(sock: socket.socket, lock: threading.Lock) -> bytes:
    """OpenSSL must not read and write one connection at the same time: so no read waits."""
    if not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
        select.select([sock], [], [])
    with lock:
        return sock.recv(65536)
