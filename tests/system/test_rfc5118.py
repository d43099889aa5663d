"""The IPv6 messages of RFC 5118, live on [::1], over UDP and over TCP.

`rport` is added to each topmost Via, so that the answers find our socket: they would go to ports
that another program may have.
"""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.support.headless import Headless
from tests.support.rfc5118 import CASES, Case

LIMIT_S = 5.0
PROBE = (
    "OPTIONS sip:you@[::1] SIP/2.0\r\nVia: SIP/2.0/{} [::1];branch=z9hG4bKprobe{};rport\r\n"
    "From: <sip:probe@[::1]>;tag=1\r\nTo: <sip:you@[::1]>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


@pytest.fixture(scope="module")
def phone() -> Iterator[Headless]:
    with Headless("--answer", "486", "--accept-any-user", bind="[::1]") as started:
        yield started
        assert started.quit() == 0
        assert not any("unexpected" in line for line in started.errors), started.transcript()


def connected(phone: Headless, kind: socket.SocketKind) -> socket.socket:
    host, _, port = phone.address.rpartition(":")
    opened = socket.socket(socket.AF_INET6, kind)
    opened.settimeout(LIMIT_S)
    opened.connect((host.strip("[]"), int(port)))
    return opened


def live(case: Case, transport: str) -> bytes:
    """With rport, this transport, and a Call-ID and branch of its own."""
    via = re.compile(rb"(Via: SIP/2.0/)UDP( [^;\r]*)")
    data = via.sub(rb"\1%b\2;rport" % transport.encode(), case.data, count=1)
    return data.replace(b"branch=z9hG4bK", b"branch=z9hG4bK%b" % transport.encode(), 1).replace(
        b"Call-ID: ", b"Call-ID: %b-" % transport.encode()
    )


def final(opened: socket.socket) -> int:
    """The status of the next final response."""
    while True:
        for status in re.findall(rb"SIP/2.0 (\d{3}) ", opened.recv(65536)):
            if int(status) >= 200:
                return int(status)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("name", CASES)
def test_each_message_gets_its_answer_and_the_phone_lives_on(
    phone: Headless, name: str, transport: str
) -> None:
    kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
    with connected(phone, kind) as us:
        us.send(live(CASES[name], transport))
        assert final(us) == CASES[name].status
        us.send(PROBE.format(transport, name).encode())
        assert final(us) == 200
