"""What this process has open, so that a test can see that nothing stays behind."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path


def open_files() -> int:
    """The number of descriptors (sockets, files); 0 where the system does not tell."""
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


def bound_sockets() -> int:
    """How many UDP and TCP sockets of this process are bound; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    ours = {link[8:-1] for link in _links() if link.startswith("socket:")}
    tables = (Path("/proc/self/net", name) for name in ("udp", "udp6", "tcp", "tcp6"))
    known = {line.split()[9] for table in tables for line in table.read_text().splitlines()[1:]}
    return len(ours & known)


def _links() -> Iterator[str]:
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one this listing itself had open
            yield str(entry.readlink())
