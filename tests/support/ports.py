"""Ports on loopback that are free now, below the range the system gives out by itself."""

import random
import socket

LOWEST, HIGHEST = 20_000, 32_000
_given: set[int] = set()


def free_port() -> int:
    """A port free for UDP and for TCP, given out only once by this process."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first, an even one, of `count` free ports in a row."""
    for _ in range(1000):
        first = random.randrange(LOWEST, HIGHEST - count, 2)
        wanted = range(first, first + count)
        if _given.isdisjoint(wanted) and all(map(_is_free, wanted)):
            _given.update(wanted)
            return first
    raise AssertionError(f"no {count} free ports in a row")


def is_taken(port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> bool:
    """Somebody has bound this port; for UDP that is how a peer's readiness shows."""
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _is_free(port: int) -> bool:
    return not is_taken(port) and not is_taken(port, socket.SOCK_STREAM)
