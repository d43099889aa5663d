"""Relays: coturn on loopback, and relays that are silent, refuse or are not there."""

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue

import pytest

from applet.address import Address
from applet.nat.knowledge import Fetched, RelaySeen, RelayServer
from applet.phone.orders import Probe
from applet.threads.core_inbox import NatFact
from applet.threads.helpers import Helpers
from applet.threads.probes import Probes
from applet.threads.relay import Relayed, RelayError, RelayThread
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.process import Program, wait_until


class Coturn(Program):
    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        options = [
            "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--no-tls", "--no-dtls",
            f"--listening-port={self.port}", "--min-port=20100", "--max-port=20200", "--no-cli",
            "--lt-cred-mech", "--user=u:p", "--realm=here", "--allow-loopback-peers",
            "--log-file=stdout", "--simple-log", f"--pidfile={folder / 'pid'}",
        ]  # fmt: skip
        super().__init__(["turnserver", *options], folder=folder)
        wait_until(self._listens, 10, "coturn", self.transcript)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def server(self, transport: str, password: str = "p") -> RelayServer:
        return RelayServer(Address("127.0.0.1", self.port), transport, "u", password)


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    program = Coturn(tmp_path_factory.mktemp("coturn"))
    yield program
    program.stop()


@pytest.fixture
def relays() -> Iterator[RelayThread]:
    thread = RelayThread()
    yield thread
    thread.stop()
    assert not [each for each in threading.enumerate() if each.name == "relay"]


def probed(relays: RelayThread, server: RelayServer) -> RelayError | None:
    answers: SimpleQueue[RelayError | None] = SimpleQueue()
    relays.probe(server, answers.put)
    return answers.get(timeout=6)


@pytest.mark.peers
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_packet_goes_through_the_relay_and_back(
    coturn: Coturn, relays: RelayThread, transport: str
) -> None:
    answers: SimpleQueue[Relayed | None] = SimpleQueue()
    came: SimpleQueue[tuple[bytes, Address]] = SimpleQueue()

    def receive(data: bytes, source: Address) -> None:
        came.put((data, source))

    relays.open(coturn.server(transport), (receive, receive), answers.put)
    relayed = answers.get(timeout=5)
    assert relayed is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", free_port()))
        peer.settimeout(5)
        there = Address(*peer.getsockname())
        for allocation in relayed:
            allocation.send(b"sound", there)
            data, source = peer.recvfrom(100)
            assert (data, source) == (b"sound", tuple(allocation.address))
            peer.sendto(b"echo", source)
            assert came.get(timeout=5) == (b"echo", there)
    relayed.close()
    relays.stop()
    relayed.rtp.send(b"late", there)
    relayed.close()


@pytest.mark.peers
def test_a_wrong_password_is_one_clear_sentence(coturn: Coturn, relays: RelayThread) -> None:
    problem = probed(relays, coturn.server("udp", "wrong"))
    assert problem is not None and problem.refused
    assert str(problem) == "The relay refuses our name and password."
    assert probed(relays, coturn.server("udp")) is None


def test_a_silent_relay_is_given_up_in_time(relays: RelayThread) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", free_port()))
        server = RelayServer(Address(*silent.getsockname()), "udp", "u", "p")
        begin = time.monotonic()
        problem = probed(relays, server)
        assert time.monotonic() - begin < 4.0
        assert str(problem) == "The relay does not answer."
        answers: SimpleQueue[Relayed | None] = SimpleQueue()
        nothing = (lambda data, source: None,) * 2
        relays.open(server, nothing, answers.put)
        assert answers.get(timeout=4) is None


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_relay_that_is_not_there_is_a_plain_problem(relays: RelayThread, transport: str) -> None:
    server = RelayServer(Address("127.0.0.1", free_port()), transport, "u", "p")
    problem = probed(relays, server)
    assert problem is not None and not problem.refused
    assert "cannot be reached" in str(problem)


HANGING = """
import socket, threading
from queue import SimpleQueue
from applet.address import Address
from applet.nat.knowledge import RelayServer
from applet.threads.relay import RelayThread

socket.getaddrinfo = lambda *asked, **more: threading.Event().wait()
relays, answers = RelayThread(), SimpleQueue()
for transport in ("udp", "tcp") * 9:
    server = RelayServer(Address("relay.example.com", 3478), transport, "u", "p")
    relays.probe(server, answers.put)
for text in sorted({str(answers.get(timeout=10)) for _ in range(18)}):
    print(text, flush=True)
relays.stop()
"""


def test_names_that_nobody_resolves_do_not_keep_the_program_from_ending() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "The relay cannot be reached (OSError).",  # too many look-ups hang already
        "The relay does not answer.",
    ]


def test_a_relay_is_looked_for_by_its_name(relays: RelayThread) -> None:
    there = RelayServer(Address("localhost", free_port()), "tcp", "u", "p")
    assert "cannot be reached" in str(probed(relays, there))
    nowhere = there._replace(address=Address("bad..name", 3478))
    assert "cannot be reached" in str(probed(relays, nowhere))


def test_after_the_end_nothing_begins() -> None:
    relays = RelayThread()
    relays.stop()
    relays.probe(RelayServer(Address("127.0.0.1", 9), "udp", "u", "p"), lambda _: None)
    relays.stop()


class WebServer(BaseHTTPRequestHandler):
    """Gives `answer` to everybody who asks for /turn, over https."""

    answer = b""

    def do_GET(self) -> None:
        found = self.path == "/turn?key=k" and self.headers["Accept"] == "application/json"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, format: str, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def web(coturn: Coturn, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of short-lived passwords for coturn, and whom to trust for it."""
    authority = Authority(tmp_path)
    certificate = authority.issue("IP:127.0.0.1")
    uri = f"turn:127.0.0.1:{coturn.port}?transport=udp"
    answer = json.dumps({"username": "u", "password": "p", "ttl": 60, "uris": [uri]})
    handler = type("Handler", (WebServer,), {"answer": answer.encode()})
    port = free_port()
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://127.0.0.1:{port}/turn?key=k", authority.ca
        server.shutdown()
        thread.join(5)


@contextmanager
def looked(url: str, ca: str) -> Iterator[SimpleQueue[NatFact]]:
    """What the probes tell of the relays behind `url`."""
    facts: SimpleQueue[NatFact] = SimpleQueue()
    helpers = Helpers(ca)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        Probes(facts.put, sock, helpers).look(Probe(7, (), (), False, url))
        yield facts
    helpers.stop()


@pytest.mark.peers
def test_passwords_of_the_companys_web_server_are_fetched_and_open_the_relay(
    coturn: Coturn, web: tuple[str, Path]
) -> None:
    url, ca = web
    server = coturn.server("udp")
    with looked(url, str(ca)) as facts:
        assert facts.get(timeout=10) == NatFact(7, Fetched("127.0.0.1", (server,)))
        assert facts.get(timeout=10) == NatFact(7, RelaySeen(server, ""))


@pytest.mark.peers
@pytest.mark.parametrize(("trusted", "path"), [(False, ""), (True, "/other")])
def test_a_web_server_that_nobody_vouches_for_or_that_refuses_gives_no_password(
    web: tuple[str, Path], trusted: bool, path: str
) -> None:
    url, ca = web
    with looked(url + path, str(ca) if trusted else "") as facts:
        _, fact = facts.get(timeout=10)
    assert isinstance(fact, Fetched)
    assert (fact.host, fact.servers) == ("127.0.0.1", ())
    assert fact.problem.startswith("No relay password could be fetched")
