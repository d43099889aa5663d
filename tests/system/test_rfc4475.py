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
LIMIT_S = 2.0
# The ports that the messages name as sent-by; an answer may come to any of them.
SENT_BY_PORTS = (5060, 5050)
PROBE = (
    "OPTIONS sip:support@{phone} SIP/2.0\r\n"
    "Via: SIP/2.0/{transport} {us};branch=z9hG4bK{number}\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:probe@{us}>;tag=1\r\nTo: <sip:support@{phone}>\r\n"
    "Call-ID: probe@{us}\r\nCSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
FIRST_PROBE = 777_000
# Files for which we give an answer that is only tolerated, and why.
JUSTIFIED: dict[str, str] = {}
# Over a stream these end before, or go on behind, what Content-Length says (RFC 3261 section 18.3).
NOT_FOR_STREAMS = ("clerr.dat", "ncl.dat", "mcl01.dat", "inv2543.dat", "dblreq.dat", "baddn.dat")


class Case(NamedTuple):
    """`preferred` and `allowed`: status codes, 2xx for any of a hundred, none for no answer."""

    number: int
    file: str
    preferred: list[str]
    allowed: list[str]
    data: bytes

    def check(self, statuses: list[str]) -> None:
        """The first of the final answers is one that is wanted."""
        status = statuses[0] if statuses else "none"
        wanted = self.preferred + (self.allowed if self.file in JUSTIFIED else [])
        assert status in wanted or f"{status[0]}xx" in wanted, (
            f"{status}; preferred: {self.preferred}; allowed: {self.allowed}"
        )

    def message(self, transport: bytes) -> bytes:
        """For this transport, and with branches of its own; its length does not change."""
        own = b"%s%02d" % (transport[:1], self.number % 100)
        branches = re.compile(rb"(branch=z9hG4bK[\w-]*)\w{3}(?=[\r;])")
        transports = re.compile(rb"(?im)^((?:v|via)\s*:\s*SIP/[27].0/)(UDP|TCP|TLS)")
        data = transports.sub(rb"\1" + transport, self.data, count=1)
        return branches.sub(rb"\g<1>" + own, data)


def cases() -> dict[str, Case]:
    expectations: list[dict[str, Any]] = json.loads((FOLDER / "expectations.json").read_text())
    return {
        each["file"]: Case(
            number,
            each["file"],
            each["preferred"],
            each["allowed"],
            (FOLDER / each["file"]).read_bytes(),
        )
        for number, each in enumerate(expectations, 1)
    }


CASES = cases()


class Link:
    """Our end of a conversation with the phone, over one transport."""

    transport = ""
    us = ""

    def __init__(self, phone: Headless) -> None:
        self.phone = phone.address
        host, _, port = phone.address.rpartition(":")
        self.remote = (host, int(port))
        self.alive = True
        self._probes = FIRST_PROBE

    def finals(self, message: bytes, *, expected: bool) -> list[str]:
        """The final statuses that `message` gets, waited for if one is `expected`; `alive` says
        whether the phone answered OPTIONS, sent behind it on the same link."""
        self.send(message)
        answers = self.probe()
        if expected and not answers and self.alive:
            answers = [status for status, _ in self.receive()[:1]]
        return answers + (self.probe() if self.alive else [])

    def probe(self) -> list[str]:
        """Send OPTIONS and wait for the 200; the other final statuses that came meanwhile."""
        self._probes += 1
        text = PROBE.format(
            phone=self.phone, transport=self.transport, us=self.us, number=self._probes
        )
        answers: list[str] = []
        self.send(text.encode())
        while received := self.receive():
            mine = f"{self._probes} OPTIONS"
            answers += [status for status, sequence in received if sequence != mine]
            probed = [status for status, sequence in received if sequence == mine]
            if probed:  # another answer may stand behind it in the same piece
                assert probed == ["200"]
                return answers
        self.alive = False
        return answers

    def send(self, data: bytes) -> None:
        raise AssertionError("which transport?")

    def receive(self) -> list[tuple[str, str]]:
        """Status and CSeq of the next final responses; none when nothing comes in time."""
        raise AssertionError("which transport?")

    def close(self) -> None:
        raise AssertionError("which transport?")


def finals_in(data: bytes) -> list[tuple[str, str]]:
    """Status and CSeq of each final response in `data`."""
    found = re.finditer(rb"SIP/2.0 ([2-6]\d\d) .*?\r\n(.*?)\r\n\r\n", data, re.DOTALL)
    sequence = re.compile(rb"(?im)^CSeq:\s*(.*?)\r?$")
    pairs = [(response[1], sequence.search(response[2])) for response in found]
    return [(status.decode(), cseq[1].decode() if cseq else "") for status, cseq in pairs]


class Udp(Link):
    """Sockets on an address of its own, at the ports that the messages' Via names."""

    transport = "UDP"

    def __init__(self, phone: Headless, number: int) -> None:
        super().__init__(phone)
        host = f"127.44.75.{number}"
        self.us = f"{host}:{SENT_BY_PORTS[0]}"
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in SENT_BY_PORTS]
        for each, port in zip(self._sockets, SENT_BY_PORTS, strict=True):
            each.bind((host, port))

    def send(self, data: bytes) -> None:
        self._sockets[0].sendto(data, self.remote)

    def receive(self) -> list[tuple[str, str]]:
        while readable := select.select(self._sockets, [], [], LIMIT_S)[0]:
            if finals := finals_in(readable[0].recv(65536)):
                return finals
        return []

    def close(self) -> None:
        for each in self._sockets:
            each.close()


class Tcp(Link):
    """A connection; `closed` says whether the phone has closed it."""

    transport = "TCP"

    def __init__(self, phone: Headless) -> None:
        super().__init__(phone)
        self.closed = False
        self._socket = socket.create_connection(self.remote, LIMIT_S)
        self.us = "{}:{}".format(*self._socket.getsockname())

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except ConnectionError:
            self.closed = True

    def end(self) -> None:
        """Say that nothing more will come."""
        self._socket.shutdown(socket.SHUT_WR)

    def receive(self) -> list[tuple[str, str]]:
        waiting = b""
        while not self.closed:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return []
            except ConnectionError:
                data = b""
            self.closed = not data
            waiting += data
            if finals := finals_in(waiting):
                return finals
        return []

    def close(self) -> None:
        self._socket.close()


def a_phone() -> Iterator[Headless]:
    with Headless("--answer", "486", "--accept-any-user") as phone:
        yield phone
        assert phone.quit() == 0
        assert not any("unexpected" in line for line in phone.errors), phone.transcript()


# Two phones: the same request by another way is a merged one (RFC 3261 section 8.2.2.2).
udp_phone = pytest.fixture(scope="module", name="udp_phone")(a_phone)
tcp_phone = pytest.fixture(scope="module", name="tcp_phone")(a_phone)


@pytest.fixture
def stream(tcp_phone: Headless) -> Iterator[Tcp]:
    with closing(Tcp(tcp_phone)) as opened:
        yield opened
    with closing(Tcp(tcp_phone)) as afterwards:
        afterwards.probe()
        assert afterwards.alive, "no answer to OPTIONS on a new connection"


@pytest.mark.parametrize("file", CASES)
def test_each_message_gets_a_preferred_answer_over_udp(udp_phone: Headless, file: str) -> None:
    case = CASES[file]
    with closing(Udp(udp_phone, case.number)) as us:
        answers = us.finals(case.message(b"UDP"), expected="none" not in case.preferred)
        assert us.alive, "no answer to OPTIONS"
    case.check(answers)


def test_baddn_with_its_final_crlf_is_refused_for_its_display_name(udp_phone: Headless) -> None:
    with closing(Udp(udp_phone, 101)) as us:
        message = CASES["baddn.dat"].message(b"UDP") + b"\r\n"
        assert us.finals(message, expected=True) == ["400"]


def test_a_body_of_a_type_we_do_not_know_never_rings(udp_phone: Headless) -> None:
    rung = sum(event["ev"] == "incoming" for event in udp_phone.events)
    with closing(Udp(udp_phone, 102)) as us:
        case = CASES["invut.dat"]._replace(number=102)
        message = case.message(b"UDP").replace(b"Call-ID: ", b"Call-ID: another-")
        assert us.finals(message, expected=True)[0] == "415"
    assert sum(event["ev"] == "incoming" for event in udp_phone.events) == rung


@pytest.mark.parametrize("file", [file for file in CASES if file not in NOT_FOR_STREAMS])
def test_each_message_gets_a_preferred_answer_over_tcp(stream: Tcp, file: str) -> None:
    case = CASES[file]
    case.check(stream.finals(case.message(b"TCP"), expected="none" not in case.preferred))
    assert stream.alive or stream.closed


@pytest.mark.parametrize("file", ["ncl.dat", "mcl01.dat", "inv2543.dat"])
def test_a_stream_whose_framing_is_lost_is_closed(stream: Tcp, file: str) -> None:
    stream.send(CASES[file].message(b"TCP"))
    answers = [status for status, _ in stream.receive()]
    stream.receive()
    assert stream.closed
    assert answers in ([], ["400"])


@pytest.mark.parametrize("file", ["clerr.dat", "baddn.dat"])
def test_a_message_that_is_not_complete_is_waited_for(stream: Tcp, file: str) -> None:
    stream.send(CASES[file].message(b"TCP"))
    stream.end()
    assert stream.receive() == []
    assert stream.closed


def test_two_messages_in_one_piece_are_two(stream: Tcp) -> None:
    """Its INVITE is longer than its Content-Length says: what is left over is no message."""
    stream.send(CASES["dblreq.dat"].message(b"TCP"))
    answers = stream.receive()
    while len(answers) < 2 and (more := stream.receive()):
        answers += more
    assert sorted(sequence for _, sequence in answers) == ["8 INVITE", "8 REGISTER"]
    CASES["dblreq.dat"].check([status for status, sequence in answers if "REGISTER" in sequence])
