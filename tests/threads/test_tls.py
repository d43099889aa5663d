"""TLS connections of the signalling over loopback, with certificates of every kind."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from applet.address import Address
from applet.sip.events import EndedBy
from applet.sip.hop import Hop, Transport
from applet.threads.flows import CONNECT_LIMIT, MOST_UNSENT, UNANSWERED_LIMIT, Flows
from applet.threads.loop import Loop, clock
from applet.threads.sockets import bind_sip
from applet.threads.tls_files import NO_FILES, TlsFiles, TlsFilesError
from tests.support.certificates import Authority, Certificate
from tests.support.ports import free_ports

pytestmark = pytest.mark.peers  # they need openssl

NAME = "pbx.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def good(authority: Authority) -> Certificate:
    return authority.issue(f"DNS:{NAME}")


class Side:
    """One phone's connections, and what it was told about them."""

    def __init__(self, files: TlsFiles = NO_FILES) -> None:
        host = Address("127.0.0.1", free_ports(2))
        self.sip = bind_sip(host, with_tls=bool(files.certificate))
        self.tls_address = Address(host.host, host.port + 1)
        self.loop = Loop(lambda value, now: None, self.mistaken)
        self.flows = Flows(self.loop, self, files)
        self.flows.listen(self.sip.tcp)
        if self.sip.tls is not None:
            self.flows.listen(self.sip.tls, Transport.TLS)
        self.opened: list[Hop] = []
        self.closed: list[int] = []
        self.failed: list[tuple[Hop, EndedBy]] = []
        self.data: dict[int, bytes] = {}

    def mistaken(self, error: Exception, now: float) -> None:
        raise error

    def stream_received(self, flow: int, data: bytes, now: float) -> None:
        self.data[flow] = self.data.get(flow, b"") + data

    def stream_opened(self, hop: Hop, now: float) -> None:
        self.opened.append(hop)

    def stream_closed(self, flow: int, now: float) -> None:
        self.closed.append(flow)

    def stream_failed(self, hop: Hop, by: EndedBy, now: float) -> None:
        self.failed.append((hop, by))

    def until(self, condition: Callable[[], object], *others: "Side") -> None:
        limit = clock() + 10
        while not condition():
            assert clock() < limit, (self.opened, self.closed, self.failed)
            for side in (self, *others):
                side.loop.wait(clock() + 0.005)

    def send(self, data: bytes, hop: Hop) -> None:
        self.flows.send(data, hop, clock())

    def close(self) -> None:
        self.flows.close_all()
        self.sip.udp.close()
        self.loop.close()


Start = Callable[..., Side]


@pytest.fixture
def start(authority: Authority) -> Iterator[Start]:
    """A side that trusts our authority and has this certificate."""
    sides: list[Side] = []

    def one(certificate: Certificate | None = None, *, trusts: str | None = None) -> Side:
        own = ("", "") if certificate is None else (str(certificate.file), str(certificate.key))
        sides.append(Side(TlsFiles(str(authority.ca) if trusts is None else trusts, *own)))
        return sides[-1]

    yield one
    for side in sides:
        side.close()


def towards(side: Side, identity: str = NAME) -> Hop:
    return Hop(Transport.TLS, side.tls_address, None, identity)


def test_messages_go_both_ways_on_one_connection(start: Start, good: Certificate) -> None:
    ours, theirs = start(), start(good)
    ours.send(b"INVITE", towards(theirs))
    ours.send(b" more", towards(theirs))
    ours.until(lambda: theirs.data == {1: b"INVITE more"}, theirs)
    assert ours.opened == [towards(theirs)._replace(flow=1)]
    assert [(hop.transport, hop.identity) for hop in theirs.opened] == [(Transport.TLS, "")]
    theirs.send(b"200", theirs.opened[0])
    ours.until(lambda: ours.data == {1: b"200"}, theirs)
    ours.send(b" ACK", towards(theirs))
    ours.until(lambda: theirs.data == {1: b"INVITE more ACK"}, theirs)
    assert ours.flows.counts().open == 1 and ours.failed == theirs.failed == []


def test_the_port_of_tcp_speaks_tls_too_to_whoever_begins_with_it(
    start: Start, good: Certificate
) -> None:
    ours, theirs = start(), start(good)
    ours.send(b"secret", Hop(Transport.TLS, theirs.sip.address, None, NAME))
    ours.until(lambda: theirs.data == {1: b"secret"}, theirs)
    ours.send(b"plain", Hop(Transport.TCP, theirs.sip.address))
    ours.until(lambda: theirs.data.get(2) == b"plain", theirs)
    assert [hop.transport for hop in theirs.opened] == [Transport.TLS, Transport.TCP]
    for hop in theirs.opened:
        theirs.send(b"200", hop)
    ours.until(lambda: ours.data == {1: b"200", 2: b"200"}, theirs)


def test_another_name_at_the_same_address_has_its_own_connection(
    start: Start, authority: Authority
) -> None:
    ours, theirs = start(), start(authority.issue("DNS:a.example", "DNS:b.example"))
    for name in ("a.example", "b.example", "a.example"):
        ours.send(b"x", towards(theirs, name))
    ours.until(lambda: theirs.data in ({1: b"xx", 2: b"x"}, {1: b"x", 2: b"xx"}), theirs)


@pytest.mark.parametrize(
    ("names", "identity"),
    [
        (("DNS:pbx.example",), "pbx.example"),
        (("DNS:*.hosted.example",), "customer.hosted.example"),
        (("URI:sip:sip.example",), "sip.example"),
        (("IP:127.0.0.1",), "127.0.0.1"),
    ],
)
def test_a_certificate_that_names_whom_we_meant_is_believed(
    start: Start, authority: Authority, names: tuple[str, ...], identity: str
) -> None:
    ours, theirs = start(), start(authority.issue(*names))
    ours.send(b"INVITE", towards(theirs, identity))
    ours.until(lambda: theirs.data == {1: b"INVITE"}, theirs)


def refused(ours: Side, theirs: Side, identity: str = NAME) -> EndedBy:
    """Why our message did not leave; and nothing of it was readable there."""
    ours.send(b"INVITE", towards(theirs, identity))
    ours.until(lambda: ours.failed, theirs)
    ((hop, by),) = ours.failed
    assert hop == towards(theirs, identity) and ours.opened == [] and theirs.data == {}
    assert ours.flows.counts().open == 0
    return by


@pytest.mark.parametrize(
    ("names", "identity"),
    [
        (("DNS:server7.hosting.example",), NAME),  # the SRV target's name
        ((), NAME),  # a common name only
        (("DNS:127.0.0.1",), "127.0.0.1"),
        (("URI:sip:somebody@pbx.example",), NAME),
    ],
)
def test_a_certificate_of_somebody_else_is_refused(
    start: Start, authority: Authority, names: tuple[str, ...], identity: str
) -> None:
    certificate = authority.issue(*names, common_name=NAME)
    assert refused(start(), start(certificate), identity) is EndedBy.WRONG_NAME


def test_an_expired_certificate_is_refused(start: Start, authority: Authority) -> None:
    expired = authority.issue(f"DNS:{NAME}", expired=True)
    assert refused(start(), start(expired)) is EndedBy.EXPIRED


def test_an_authority_that_we_do_not_know_is_not_believed(start: Start, tmp_path: Path) -> None:
    strange = Authority(tmp_path, "Strange CA").issue(f"DNS:{NAME}")
    assert refused(start(), start(strange)) is EndedBy.UNTRUSTED


def test_the_machine_does_not_trust_what_only_a_test_trusts(
    start: Start, good: Certificate
) -> None:
    assert refused(start(trusts=""), start(good)) is EndedBy.UNTRUSTED


def test_somebody_who_speaks_no_tls_gets_nothing(start: Start) -> None:
    ours = start()
    with socket.create_server(("127.0.0.1", free_ports(2))) as server:
        hop = Hop(Transport.TLS, Address(*server.getsockname()), None, NAME)
        ours.send(b"INVITE", hop)
        ours.until(lambda: ours.flows.counts().open)
        sock, _ = server.accept()
        with sock:
            ours.until(lambda: ours.loop.wait(clock()) and _waits(sock))
            assert b"INVITE" not in sock.recv(4096)
            sock.sendall(b"SIP/2.0 400 Bad Request\r\n\r\n")
            ours.until(lambda: ours.failed)
        assert ours.failed == [(hop, EndedBy.NOT_SECURE)]


def _waits(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


def test_a_server_that_hangs_up_or_hangs_in_the_handshake_is_only_unreachable(
    start: Start,
) -> None:
    ours = start()
    with socket.create_server(("127.0.0.1", free_ports(2))) as server:
        hop = Hop(Transport.TLS, Address(*server.getsockname()), None, NAME)
        ours.send(b"INVITE", hop)
        server.accept()[0].close()
        ours.until(lambda: ours.failed)
        begin = clock()
        ours.flows.send(b"INVITE", hop, begin)
        ours.flows.handle_deadlines(begin + CONNECT_LIMIT)
        assert [by for _, by in ours.failed] == [EndedBy.TRANSPORT] * 2


def test_noise_at_the_listener_and_silence_there_are_ended(start: Start, good: Certificate) -> None:
    theirs = start(good)
    with (
        socket.create_connection(theirs.tls_address) as noisy,
        socket.create_connection(theirs.tls_address),
    ):
        noisy.sendall(b"INVITE sip:x@y SIP/2.0\r\n\r\n")
        theirs.until(lambda: theirs.flows.counts().open == 1)
        assert not (theirs.data or theirs.opened or theirs.closed or theirs.failed)
        theirs.flows.handle_deadlines(clock() + UNANSWERED_LIMIT)
        assert theirs.flows.counts().open == 0


def test_much_data_arrives_whole_and_what_waits_for_the_handshake_is_bounded(
    start: Start, good: Certificate
) -> None:
    ours, theirs = start(), start(good)
    data = bytes(range(256)) * 800
    ours.send(data, towards(theirs))
    ours.until(lambda: theirs.data.get(1) == data, theirs)
    again = towards(theirs)._replace(flow=1)
    theirs.until(lambda: theirs.opened)
    ours.flows.close(1)
    ours.send(bytes(MOST_UNSENT), towards(theirs))
    ours.send(b"x", towards(theirs))
    assert ours.failed == [(again._replace(flow=None), EndedBy.TRANSPORT)]


def test_when_they_go_the_connection_is_told_as_closed(start: Start, good: Certificate) -> None:
    ours, theirs = start(), start(good)
    ours.send(b"INVITE", towards(theirs))
    ours.until(lambda: theirs.data, theirs)
    theirs.flows.close(1)
    ours.until(lambda: ours.closed == [1])


@pytest.mark.parametrize("which", ["ca", "certificate", "key", "nothing"])
def test_files_that_cannot_be_used_are_one_plain_sentence(
    which: str, start: Start, authority: Authority, good: Certificate, tmp_path: Path
) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    gone = tmp_path / "gone.pem"
    files = {
        "ca": TlsFiles(str(rubbish)),
        "certificate": TlsFiles(str(authority.ca), str(rubbish), str(good.key)),
        "key": TlsFiles(str(authority.ca), str(good.file), str(rubbish)),
        "nothing": TlsFiles(str(gone)),
    }[which]
    side = start()
    with pytest.raises(TlsFilesError) as caught:
        Flows(side.loop, side, files).prepare_tls()
    assert str(rubbish) in str(caught.value) or str(gone) in str(caught.value)
    assert "\n" not in str(caught.value)
