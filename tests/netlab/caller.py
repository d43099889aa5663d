"""A caller of the simplest kind, to prove the homes: it names one address and believes in it.

It knows no way through anything. What it gets or does not get is what the topology gives.
"""

import os
import select
import socket
import struct
import time
from enum import Enum

from tests.netlab.cell import Cell
from tests.netlab.desk import URI
from tests.netlab.desk_call import DESK_HZ, PHONE_HZ
from tests.netlab.namespaces import opened
from tests.netlab.network import DESK, SERVERS, Network
from tests.netlab.router import client_address
from tests.netlab.sip_text import Message, Place, parse, parse_sdp, print_message, print_sdp
from tests.netlab.tone_line import ToneLine

SIP_PORT, RTP_PORT = 5062, 40000
COOKIE = 0x2112A442


class Names(Enum):
    """Which address the caller gives for itself."""

    OWN = "own"
    MAPPED = "mapped"
    """What a STUN server sees."""


class Caller:
    """One call by UDP. Raises TimeoutError if there is no answer."""

    def __init__(self, network: Network, cell: Cell, names: Names) -> None:
        self._namespace = network.name("client")
        host = client_address(cell)
        own = (host, RTP_PORT)
        place = own if names is Names.OWN else self._mapped(own)
        self._sip = opened(self._namespace, socket.SOCK_DGRAM, host, SIP_PORT)
        self.line = ToneLine(self._namespace, *own, PHONE_HZ, DESK_HZ)
        try:
            self.answer = self._invite(host, place)
        except TimeoutError:
            self.stop()
            raise

    def talk(self) -> None:
        """Send the tone to where the answer says."""
        sdp = parse_sdp(self.answer.body)
        assert sdp is not None
        self.line.aim(sdp.place)

    def stop(self) -> None:
        self.line.stop()
        self._sip.close()

    def _invite(self, host: str, place: Place) -> Message:
        """The answer, acknowledged."""
        headers = [
            f"Via: SIP/2.0/UDP {host}:{SIP_PORT};branch=z9hG4bK{os.urandom(4).hex()};rport",
            "Max-Forwards: 70",
            f"From: <sip:caller@{host}>;tag=caller",
            f"To: <{URI}>",
            f"Call-ID: {os.urandom(8).hex()}@{host}",
        ]
        contact = f"Contact: <sip:caller@{host}:{SIP_PORT}>"
        start, sdp = f"INVITE {URI} SIP/2.0", print_sdp(place, 1)
        invite = print_message(start, [*headers, "CSeq: 1 INVITE", contact], sdp)
        for wait in (0.5, 1.0):
            self._sip.sendto(invite, (DESK, 5060))
            if select.select([self._sip], [], [], wait)[0]:
                answer = parse(self._sip.recv(65536))
                headers[3] = f"To: {answer.first('to')}"
                ack = print_message(f"ACK {URI} SIP/2.0", [*headers, "CSeq: 1 ACK"])
                self._sip.sendto(ack, (DESK, 5060))
                return answer
        raise TimeoutError("the far end does not answer by UDP")

    def _mapped(self, own: Place) -> Place:
        """What the first STUN server sees of `own` (RFC 8489 sections 5 and 14.2)."""
        with opened(self._namespace, socket.SOCK_DGRAM, *own) as sock:
            sock.settimeout(2)
            sock.sendto(struct.pack("!HHI", 1, 0, COOKIE) + os.urandom(12), (SERVERS[0], 3478))
            return xor_mapped(sock.recv(2048))


def xor_mapped(answer: bytes) -> Place:
    position = 20
    while position < len(answer):
        name, size = struct.unpack_from("!HH", answer, position)
        if name == 0x0020:
            port, host = struct.unpack_from("!HI", answer, position + 6)
            return socket.inet_ntoa(struct.pack("!I", host ^ COOKIE)), port ^ COOKIE >> 16
        position += 4 + (size + 3) // 4 * 4
    raise AssertionError("the STUN server does not say what it sees")


def heard(line: ToneLine, limit: float) -> bool:
    """The other end's tone came within `limit` seconds."""
    until = time.monotonic() + limit
    while time.monotonic() < until and line.first_tone(0.0) is None:
        select.select([], [], [], 0.02)
    return line.first_tone(0.0) is not None
