"""The channel between two starts on Linux: a socket in the user's run-time folder, which is the
session's own (XDG Base Directory Specification)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import threading
from pathlib import Path

from applet.hints import TYPE_CHECKING
from applet.windows.channel import CLOSE_WITHIN, PATIENCE, READ_WITHIN
from applet.windows.handover import LONGEST_LINE, Order, line, parse

if TYPE_CHECKING:
    from collections.abc import Callable


class SocketChannel:
    """The lock says who holds it: a socket's file may be left over from a crash."""

    def __init__(self, path: Path, lock: int, take: Callable[[Order], None]) -> None:
        self._path = path
        self._lock = lock
        self._take = take
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(4)
        self._thread = threading.Thread(target=self._serve, name="channel", daemon=True)
        self._thread.start()

    @classmethod
    def claim(cls, product: str, take: Callable[[Order], None]) -> SocketChannel | None:
        path = _path(product)
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(path, lock, take)
        except BlockingIOError:
            os.close(lock)
            return None
        except OSError:
            os.close(lock)
            raise

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(CLOSE_WITHIN)
        self._listener.close()
        self._path.unlink(missing_ok=True)
        os.close(self._lock)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                order = parse(_read(connection))
            if order is not None:
                self._take(order)


def hand_over(product: str, order: Order) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(_path(product)))
            connection.sendall(line(order))
    except OSError:
        return False
    return True


def _path(product: str) -> Path:
    """Raises OSError without a run-time folder."""
    folder = os.environ.get("XDG_RUNTIME_DIR")
    if not folder:
        raise FileNotFoundError("there is no XDG_RUNTIME_DIR")
    return Path(folder, f"{product}.sock")


def _read(connection: socket.socket) -> bytes:
    connection.settimeout(READ_WITHIN)
    data = b""
    try:
        while not data.endswith(b"\n") and len(data) <= LONGEST_LINE:
            more = connection.recv(LONGEST_LINE)
            if not more:
                break
            data += more
    except OSError:
        return b""
    return data
