"""Ports on loopback that are free now, below the range the system gives out by itself."""

import random
import socket
from pathlib import Path

LOWEST, HIGHEST = 20_000, 32_000
_given: set[int] = set()
# Not the shared generator: tests seed that one, and would be given the same ports again and again.
_dice = random.SystemRandom()


def free_port() -> int:
    """A port free for UDP and for TCP, given out only once by this process."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first, an even one, of `count` free ports in a row."""
    for _ in range(1000):
        first = _dice.randrange(LOWEST, HIGHEST - count, 2)
        wanted = range(first, first + count)
        if _given.isdisjoint(wanted) and all(map(_is_free, wanted)):
            _given.update(wanted)
            return first
    raise AssertionError(f"no {count} free ports in a row")


def is_bound(port: int, transport: str = "udp") -> bool:
    """Somebody has bound this port, which is how a peer's readiness shows. Linux's tables are
    read for it: to try and bind it would take it away from the peer."""
    wanted = f":{port:04X}"
    rows = Path(f"/proc/net/{transport}").read_text().splitlines()[1:]
    return any(row.split()[1].endswith(wanted) for row in rows)


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
