"""The local router's IPv4 address, from the system's routing table."""

from __future__ import annotations

import socket
import struct
import sys
from pathlib import Path

_ROUTES = Path("/proc/net/route")


def default_gateway() -> str | None:
    """None if there is none, or the system does not tell."""
    try:
        return _of_windows() if sys.platform == "win32" else _of_linux(_ROUTES.read_text())
    except (OSError, ValueError, IndexError):
        return None


def _of_linux(table: str) -> str | None:
    """The gateway of the default route with the smallest metric; numbers are little-endian."""
    found: list[tuple[int, str]] = []
    for line in table.splitlines()[1:]:
        _, destination, gateway, _, _, _, metric, *_ = line.split()
        if destination == "00000000" and gateway != "00000000":
            host = socket.inet_ntoa(struct.pack("=L", int(gateway, 16)))
            found.append((int(metric), host))
    return min(found)[1] if found else None


def _of_windows() -> str | None:
    if sys.platform != "win32":
        return None
    import ctypes

    row = (ctypes.c_uint32 * 14)()  # MIB_IPFORWARDROW; the fourth number is the next hop
    target = struct.unpack("=L", socket.inet_aton("192.0.2.1"))[0]
    if ctypes.windll.iphlpapi.GetBestRoute(target, 0, ctypes.byref(row)) != 0:
        return None
    host = socket.inet_ntoa(struct.pack("=L", row[3]))
    return None if host == "0.0.0.0" else host
