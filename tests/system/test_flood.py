"""A phone in a call, while strangers flood it on loopback: the call and the memory are unharmed."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.headless import Headless, Resources
from tests.support.process import wait_until
from tests.support.rtp_peer import HEADER, RtpPeer
from tests.support.sipp import Sipp
from tests.system.conftest import Voice

pytestmark = pytest.mark.peers

FLOOD = 2000
A_PIECE = 20
"""So many datagrams are sent, then the answers are read: the socket buffers of both sides hold
them, and the flood is as fast as the phone answers."""
MOST_GROWTH_KB = 20_000
BODY = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 0\r\n"
)


class Stranger:
    """Sends requests, each of a call of its own, and counts the statuses of the answers."""

    def __init__(self, phone: Headless) -> None:
        host, _, port = phone.address.rpartition(":")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect((host, int(port)))
        self._us = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._sent = 0
        self.answers: Counter[str] = Counter()

    def flood(self, method: str, pad: str = "", count: int = FLOOD) -> None:
        for _ in range(count // A_PIECE):
            for _ in range(A_PIECE):
                self._socket.send(self._request(method, pad))
            self._read()

    def _request(self, method: str, pad: str) -> bytes:
        self._sent += 1
        n, body = self._sent, BODY if method == "INVITE" else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} sip:support@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self._us};branch=z9hG4bKflood{n};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:flood@127.0.0.1>;tag={n}\r\n"
            f"To: <sip:support@127.0.0.1>{';tag=guessed' if method == 'BYE' else ''}\r\n"
            f"Call-ID: flood{n}{pad}\r\nCSeq: 1 {method}\r\nContact: <sip:flood@{self._us}>\r\n"
            f"Event: dialog\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def _read(self) -> None:
        """An answer to each of a piece; those that do not come in time are given up."""
        self._socket.settimeout(0.1)
        try:
            for _ in range(A_PIECE):
                self.answers[self._socket.recv(65536)[8:11].decode()] += 1
        except TimeoutError:
            return

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def far_end(theirs: Voice) -> Iterator[RtpPeer]:
    with RtpPeer(theirs.sound) as peer:
        yield peer


@pytest.mark.timeout(180)
def test_floods_of_every_kind_leave_the_running_call_and_the_memory_unharmed(
    tmp_path: Path, far_end: RtpPeer
) -> None:
    with (
        Sipp("answers", tmp_path, rtp_port=far_end.port) as sipp,
        Headless("--audio-in", "tone:440", "--accept-any-user") as phone,
        closing(Stranger(phone)) as stranger,
    ):
        far_end.talk_to(phone.call(sipp.uri))
        far_end.wait_for_sound(1)
        held = Resources(phone.pid)
        before, sockets = held.memory_kb(), held.sockets()
        for method in ("INVITE", "OPTIONS", "SUBSCRIBE", "BYE"):
            stranger.flood(method)
        stranger.flood("INVITE", "x" * 40_000, FLOOD // 10)
        far_end.wait_for_sound(1)
        assert held.memory_kb() - before < MOST_GROWTH_KB
        assert held.sockets() == sockets
        answered = stranger.answers
        assert answered["486"] > 0 and answered["481"] > 0 and sum(answered.values()) > FLOOD
        assert not any(event["ev"] == "incoming" for event in phone.events)
        counted = phone.stats()
        assert int(str(counted["lost"])) + int(str(counted["late"])) < 10
        phone.hang_up()
        sipp.check()
        assert phone.quit() == 0
        assert not any("unexpected" in line for line in phone.errors), phone.transcript()


def test_sound_from_strangers_is_not_heard(tmp_path: Path, far_end: RtpPeer) -> None:
    """The source rule: while the peer is heard, nobody else is, however much he sends."""
    with (
        Sipp("answers", tmp_path, rtp_port=far_end.port) as sipp,
        Headless("--audio-in", "tone:440") as phone,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        host, _, port = phone.call(sipp.uri).rpartition(":")
        far_end.talk_to(f"{host}:{port}")
        far_end.wait_for_sound(1)
        before = int(str(phone.stats()["rx"]))
        began = time.monotonic()
        for number in range(2000):
            packet = HEADER.pack(0x80, 0, number, number * 160, 0x666) + b"\x00" * 160
            stranger.sendto(packet, (host, int(port)))
        far_end.wait_for_sound(1)
        received = int(str(phone.stats()["rx"])) - before
        assert received <= (time.monotonic() - began) * 50 + 10
        phone.hang_up()
        sipp.check()


@pytest.mark.parametrize("said", [b"", b"INVITE sip:", b"OPTIONS sip:a@b SIP/2.0\r\nX: "])
def test_connections_that_dribble_or_never_end_cost_a_bounded_number_of_sockets(
    said: bytes,
) -> None:
    """And a phone that has all of them still answers a new one."""
    with Headless("--accept-any-user") as phone:
        held = Resources(phone.pid)
        before = held.memory_kb()
        host, _, port = phone.address.rpartition(":")
        opened = [socket.create_connection((host, int(port)), 5) for _ in range(150)]
        for each in opened:
            _dribble(each, said)
        wait_until(lambda: held.sockets() < 120, 10, "at most a hundred connections are kept")
        with socket.create_connection((host, int(port)), 5) as late:
            late.sendall(
                b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1;rport\r\n"
                b"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
                b"Content-Length: 0\r\n\r\n"
            )
            assert late.recv(65536).startswith(b"SIP/2.0 200")
        for each in opened:
            _dribble(each, b"y" * 30_000)
        assert held.memory_kb() - before < MOST_GROWTH_KB
        for each in opened:
            each.close()
        assert phone.quit() == 0


def _dribble(connection: socket.socket, data: bytes) -> None:
    """Byte by byte, as long as the other side wants it."""
    try:
        for at in range(0, len(data), 1 if len(data) < 100 else 10_000):
            connection.send(data[at : at + (1 if len(data) < 100 else 10_000)])
    except ConnectionError:
        return
