"""The torture messages of RFC 4475, live, over UDP and over TCP, with OPTIONS answered after each.

Each message comes from an address of its own in 127/8, so that the answer finds us at the port the
message itself names in its Via, and what one message does to the phone is its own doing.
"""

import json
import re
import select
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.headless import Headless

FOLDER = Path(__file__).parent.parent / "data/rfc4475"
LIMIT_S = 3.0
# The ports that the messages name as sent-by; an answer may come to any of them.
SENT_BY_PORTS = (5060, 5050)
OPTIONS = (
    "OPTIONS sip:support@{phone} SIP/2.0\r\n"
    "Via: SIP/2.0/{transport} {us};branch=z9hG4bK{number}\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:probe@{us}>;tag=1\r\nTo: <sip:support@{phone}>\r\n"
    "Call-ID: probe{number}\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
# Answers that the section tolerates although it prefers others, and why we give them.
JUSTIFIED: dict[str, str] = {}


class Case(NamedTuple):
    """`preferred` and `allowed`: status codes, 2xx for any of a hundred, none for no answer."""

    number: int
    file: str
    preferred: list[str]
    allowed: list[str]
    data: bytes

    def accepts(self, status: str) -> bool:
        wanted = self.preferred + (self.allowed if self.file in JUSTIFIED else [])
        return status in wanted or f"{status[0]}xx" in wanted


def cases() -> list[Case]:
    expectations: list[dict[str, Any]] = json.loads((FOLDER / "expectations.json").read_text())
    return [
        Case(
            number,
            each["file"],
            each["preferred"],
            each["allowed"],
            (FOLDER / each["file"]).read_bytes(),
        )
        for number, each in enumerate(expectations, 1)
    ]


CASES = {case.file: case for case in cases()}
# Over a stream these end before, or go on behind, what Content-Length says (RFC 3261 section 18.3).
NOT_FOR_STREAMS = ("clerr.dat", "ncl.dat", "mcl01.dat", "inv2543.dat", "dblreq.dat", "baddn.dat")


@pytest.fixture(scope="module")
def phone() -> Iterator[Headless]:
    with Headless("--answer", "486", "--accept-any-user") as phone:
        yield phone
        assert phone.quit() == 0
        assert not any("unexpected" in line for line in phone.errors), phone.transcript()


def prepared(case: Case, transport: bytes) -> bytes:
    """The message for this transport, with branches of its own; its length does not change."""
    own = b"%s%02d" % (transport[:1], case.number % 100)
    branches = re.compile(rb"(branch=z9hG4bK[\w-]*)\w{3}(?=[\r;])")
    transports = re.compile(rb"(?im)^((?:v|via)\s*:\s*SIP/[27].0/)(UDP|TCP|TLS)")
    return branches.sub(rb"\g<1>" + own, transports.sub(rb"\1" + transport, case.data, count=1))


def statuses(data: bytes) -> list[tuple[str, str]]:
    """Status and CSeq of each response in `data`."""
    found = re.finditer(rb"SIP/2.0 (\d{3}) .*?\r\n(.*?)\r\n\r\n", data, re.DOTALL)
    pairs = []
    for response in found:
        sequence = re.search(rb"(?im)^CSeq:\s*(.*?)\r?$", response[2])
        pairs.append((response[1].decode(), sequence[1].decode() if sequence else ""))
    return pairs


# --- UDP ----------------------------------------------------------------------------------------


class Udp:
    """Our end of one conversation: sockets on the ports that the messages' Via names."""

    def __init__(self, phone: Headless, case: Case) -> None:
        host, _, port = phone.address.rpartition(":")
        self.phone, self.remote = phone.address, (host, int(port))
        self.us, self.case = f"127.44.75.{case.number}", case
        self.sockets = [_udp(self.us, port) for port in SENT_BY_PORTS]

    def answer(self, message: bytes) -> str:
        """The final status that `message` gets; "none" if OPTIONS, sent behind it, gets its own
        answer first."""
        self.sockets[0].sendto(message, self.remote)
        probe = OPTIONS.format(
            phone=self.phone, transport="UDP", us=f"{self.us}:{SENT_BY_PORTS[0]}", number=1
        )
        self.sockets[0].sendto(probe.encode(), self.remote)
        answered = "none"
        while True:
            status, sequence = self._receive()
            if sequence == "7 OPTIONS":
                assert status == "200"
                return answered
            answered = status if status >= "200" else answered

    def _receive(self) -> tuple[str, str]:
        readable = _readable(self.sockets)
        assert readable, f"no answer to OPTIONS after {self.case.file}"
        return statuses(readable[0].recv(65536))[0]

    def close(self) -> None:
        for each in self.sockets:
            each.close()


@pytest.mark.parametrize("file", CASES)
def test_each_message_gets_a_preferred_answer_over_udp(phone: Headless, file: str) -> None:
    case = CASES[file]
    with closing(Udp(phone, case)) as us:
        status = us.answer(prepared(case, b"UDP"))
    assert case.accepts(status), f"{status}; preferred: {case.preferred}, allowed: {case.allowed}"


def test_baddn_with_its_final_crlf_is_refused_for_its_display_name(phone: Headless) -> None:
    case = CASES["baddn.dat"]._replace(number=101)
    with closing(Udp(phone, case)) as us:
        assert us.answer(prepared(case, b"UDP") + b"\r\n") == "400"


def test_a_body_of_a_type_we_do_not_know_never_rings(phone: Headless) -> None:
    case = CASES["invut.dat"]._replace(number=102)
    rung = sum(event["ev"] == "incoming" for event in phone.events)
    with closing(Udp(phone, case)) as us:
        assert us.answer(prepared(case, b"UDP")) == "415"
    assert sum(event["ev"] == "incoming" for event in phone.events) == rung


def _udp(host: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((host, port))
    return opened


def _readable(sockets: list[socket.socket]) -> list[socket.socket]:
    return select.select(sockets, [], [], LIMIT_S)[0]


# --- TCP ----------------------------------------------------------------------------------------


class Stream:
    """Our end of a TCP connection; what was received stays in `data`."""

    def __init__(self, phone: Headless) -> None:
        host, _, port = phone.address.rpartition(":")
        self.phone, self.data, self.closed = phone.address, b"", False
        self._socket = socket.create_connection((host, int(port)), LIMIT_S)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def end(self) -> None:
        """Say that nothing more will come."""
        self._socket.shutdown(socket.SHUT_WR)

    def probe(self) -> bool:
        """Whether OPTIONS is answered on this connection."""
        us = "{}:{}".format(*self._socket.getsockname())
        message = OPTIONS.format(phone=self.phone, transport="TCP", us=us, number=us[-4:])
        try:
            self.send(message.encode())
        except OSError:
            return False
        while ("200", "7 OPTIONS") not in statuses(self.data):
            if not self.receive():
                return False
        return True

    def receive(self) -> bool:
        """Take what comes next; False at the end of the connection."""
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.data += data
        self.closed = not data
        return not self.closed

    def finals(self) -> list[str]:
        """The final statuses received, but for those of our own probe."""
        return [s for s, sequence in statuses(self.data) if sequence != "7 OPTIONS" and s >= "200"]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def stream(phone: Headless) -> Iterator[Stream]:
    with closing(Stream(phone)) as opened:
        yield opened
    with closing(Stream(phone)) as afterwards:
        assert afterwards.probe(), "no answer to OPTIONS on a new connection"


@pytest.mark.parametrize("file", [file for file in CASES if file not in NOT_FOR_STREAMS])
def test_each_message_gets_a_preferred_answer_over_tcp(stream: Stream, file: str) -> None:
    case = CASES[file]
    stream.send(prepared(case, b"TCP"))
    alive = stream.probe()
    answers = stream.finals() or ["none"]
    assert case.accepts(answers[0]), f"{answers}; preferred: {case.preferred}"
    assert alive or answers[0] in ("400", "505", "none")


@pytest.mark.parametrize("file", ["ncl.dat", "mcl01.dat", "inv2543.dat"])
def test_a_stream_whose_framing_is_lost_is_closed(stream: Stream, file: str) -> None:
    stream.send(prepared(CASES[file], b"TCP"))
    while stream.receive():
        pass
    assert stream.finals() in ([], ["400"])


@pytest.mark.parametrize("file", ["clerr.dat", "baddn.dat"])
def test_a_message_that_is_not_complete_is_waited_for(stream: Stream, file: str) -> None:
    stream.send(prepared(CASES[file], b"TCP"))
    stream.end()
    while stream.receive():
        pass
    assert stream.data == b""


def test_two_messages_in_one_piece_are_two(stream: Stream) -> None:
    stream.send(prepared(CASES["dblreq.dat"], b"TCP"))
    assert stream.probe()
    register, invite = stream.finals()[:2]
    assert CASES["dblreq.dat"].accepts(register)
    assert CASES["longreq.dat"].accepts(invite)
