"""A broken SIP ALG in user space: it does half of its work.

In every SIP message that leaves by UDP for port 5060 it writes the router's public address over
the client's in Via and Contact. The ports there, the SDP and the answers it leaves as they are.

The router hands it the packets through a TUN device. The first pass is not tracked, so that the
second one, when the packet comes back changed, is what the NAT sees.
"""

import fcntl
import os
import re
import struct
import threading
from pathlib import Path

from tests.netlab.namespaces import inside, run
from tests.netlab.network import Network

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
TUN = Path("/dev/net/tun")
DIVERSION = """
    table ip half {
        chain untracked { type filter hook prerouting priority raw;
            iif lan udp dport 5060 notrack; }
        chain aside { type filter hook prerouting priority mangle;
            iif lan udp dport 5060 meta mark set 9; }
    }
"""
_HEADER = re.compile(rb"(?im)^(?:via|v|contact|m)[ \t]*:[^\r\n]*")


class HalfAlg:
    """Works in the home router from its making until `stop`."""

    def __init__(self, network: Network, inner: str, outer: str) -> None:
        self._network = network
        self._inner, self._outer = inner.encode(), outer.encode()
        self._tun = self._device(network.name("home"))
        network.ip(
            "home",
            "link set half up",
            "rule add fwmark 9 lookup 9",
            "route add default dev half table 9",
        )
        with inside(network.name("home")):
            run("nft", "-f", "-", text=DIVERSION)
        self._thread = threading.Thread(target=self._work, name="half ALG", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """A device that is gone ends the thread's reading."""
        with inside(self._network.name("home")):
            run("nft", "delete", "table", "ip", "half")
        self._network.ip("home", "rule del fwmark 9", "link del half")
        self._thread.join(5)
        os.close(self._tun)

    def _device(self, namespace: str) -> int:
        if not TUN.exists():
            TUN.parent.mkdir(exist_ok=True)
            os.mknod(TUN, 0o600 | 0o020000, os.makedev(10, 200))
        with inside(namespace):
            opened = os.open(TUN, os.O_RDWR)
            fcntl.ioctl(opened, TUNSETIFF, struct.pack("16sH", b"half", IFF_TUN | IFF_NO_PI))
        return opened

    def _work(self) -> None:
        while True:
            try:
                packet = os.read(self._tun, 65536)
                os.write(self._tun, self.rewritten(packet))
            except OSError:
                return

    def rewritten(self, packet: bytes) -> bytes:
        """An IPv4 packet with UDP in it, changed and with right lengths and checksums."""
        size = (packet[0] & 15) * 4
        header, ports = packet[:size], packet[size : size + 4]
        text, blank, body = packet[size + 8 :].partition(b"\r\n\r\n")
        text = _HEADER.sub(lambda line: line[0].replace(self._inner, self._outer), text)
        data = text + blank + body
        length = struct.pack("!H", 8 + len(data))
        pseudo = header[12:20] + b"\x00\x11" + length
        udp = ports + length + _checksum(pseudo + ports + length + b"\x00\x00" + data) + data
        total = struct.pack("!H", size + len(udp))
        plain = header[:2] + total + header[4:10] + b"\x00\x00" + header[12:]
        return plain[:10] + _checksum(plain) + plain[12:] + udp


def _checksum(data: bytes) -> bytes:
    """RFC 1071; a UDP checksum of zero is written as its other form (RFC 768)."""
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF or 0xFFFF)
