"""The RTP socket of one call.

Waking for every packet costs more than the packet itself. Where the kernel stamps arrivals
(Linux), nobody wakes: the packets are read at the call's next tick, just before they are played,
and each still comes with its true time of arrival. Elsewhere the loop wakes for each.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Callable

from applet.address import Address
from applet.threads.sockets import READS_PER_WAKE, is_ip

LARGEST = 2048
"""Bytes; a larger datagram is no RTP of ours and comes cut off."""
OLDEST = 0.5
"""Seconds: no stamp is believed to be older (somebody set the wall clock meanwhile)."""

Receive = Callable[[bytes, Address, float], None]

_SO_TIMESTAMPNS = 35
_STAMP = struct.Struct("@ll")
_STAMP_SPACE = 64


SOON = 0.015
LATER = 0.025
"""Seconds: packets of 20 ms come no closer and no farther apart than this on a quiet network."""


class RtpSocket:
    __slots__ = ("_latest", "_source", "_source_tuple", "_to", "receive", "sock", "stamped")

    def __init__(self, sock: socket.socket, receive: Receive) -> None:
        """`receive(data, source, arrival)` gets each datagram, in order of arrival."""
        self.sock = sock
        self.receive = receive
        self.stamped = _stamp_arrivals(sock)
        self._source_tuple: object = None
        self._source = Address("", 0)
        self._to = Address("", 0)
        self._latest = 0.0  # arrival of the packet read last

    def read(self, now: float) -> None:
        """Read what waits, up to READS_PER_WAKE datagrams.

        To hear from the kernel that nothing more waits costs as much as a packet. After a packet
        that came in step with the one before, and less than SOON ago, it is not asked: the next
        one cannot be there yet, unless it is early, and then the next tick is early enough.
        """
        if sys.platform == "linux" and self.stamped:
            recvmsg = self.sock.recvmsg
            for _ in range(READS_PER_WAKE):
                try:
                    data, notes, _, source = recvmsg(LARGEST, _STAMP_SPACE)
                except BlockingIOError:
                    return
                except OSError:
                    continue  # an ICMP message about an earlier packet of ours
                if source != self._source_tuple:
                    self._know(source)
                arrival = _arrival(notes, now)
                self.receive(data, self._source, arrival)
                gap = arrival - self._latest
                self._latest = arrival
                if SOON < gap < LATER and now - arrival < SOON:
                    return
            return
        for _ in range(READS_PER_WAKE):
            try:
                data, source = self.sock.recvfrom(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # the same; and 10040 of Windows, larger than LARGEST
            if source != self._source_tuple:
                self._know(source)
            self.receive(data, self._source, now)

    def send(self, data: bytes, to: Address) -> None:
        """Send at once or lose it: RTP knows no second try."""
        if to != self._to:
            if not is_ip(to.host):
                return
            self._to = to
        try:
            self.sock.sendto(data, to)
        except (OSError, OverflowError):
            return

    def _know(self, source: tuple[str, int]) -> None:
        """One object for all packets of a stream."""
        self._source_tuple = source
        self._source = Address(source[0], source[1])


def _stamp_arrivals(sock: socket.socket) -> bool:
    if sys.platform != "linux":
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def _arrival(notes: list[tuple[int, int, bytes]], now: float) -> float:
    """The kernel stamps by the wall clock; ours is the monotonic one."""
    for _, kind, stamp in notes:
        if kind == _SO_TIMESTAMPNS and len(stamp) == _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack(stamp)
            arrival: float = seconds + nanoseconds * 1e-9 - (time.time() - time.monotonic())
            return min(now, max(now - OLDEST, arrival))
    return now
