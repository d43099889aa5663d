"""Short-lived relay passwords: a web server of the test's own, over https on loopback."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue

import pytest

from applet.nat.knowledge import Fetched
from applet.phone.orders import Probe
from applet.threads.core_inbox import NatFact
from applet.threads.credentials import LIMIT, fetch_relays, read_relays
from applet.threads.helpers import Helpers
from applet.threads.probes import Probes
from applet.threads.relay import RelayError
from tests.support.certificates import Authority, Certificate
from tests.support.ports import free_port

ANSWER = {"username": "1:u", "password": "p", "uris": ["turn:relay.example.com?transport=udp"]}


class _Handler(BaseHTTPRequestHandler):
    server: "Web"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path == "/drip":
            while not self.server.over.wait(0.1):
                try:
                    self.wfile.write(b"H")
                except OSError:
                    return
            return
        to = self.server.moved.get(self.path)
        self.send_response(302 if to else 200)
        if to:
            self.send_header("Location", to)
        self.end_headers()
        self.wfile.write(b"" if to else json.dumps(ANSWER).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


class Web(ThreadingHTTPServer):
    """`moved`: where a path is redirected to; `asked`: the paths that were asked for."""

    daemon_threads = True

    def __init__(self, certificate: Certificate | None) -> None:
        super().__init__(("127.0.0.1", free_port()), _Handler)
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []
        self.over = threading.Event()
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.file, certificate.key)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"{scheme}://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join(5)
        self.server_close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def web(authority: Authority) -> Iterator[Web]:
    server = Web(authority.issue("IP:127.0.0.1"))
    yield server
    server.stop()


@pytest.fixture
def plain() -> Iterator[Web]:
    server = Web(None)
    yield server
    server.stop()


def test_relays_are_fetched_also_where_https_leads_on_to_https(
    web: Web, authority: Authority
) -> None:
    web.moved["/old"] = f"{web.url}/turn"
    (relay,) = fetch_relays(f"{web.url}/old", str(authority.ca))
    assert (relay.user, relay.password) == ("1:u", "p")
    assert web.asked == ["/old", "/turn"]


def test_a_redirect_to_plain_http_is_refused(web: Web, plain: Web, authority: Authority) -> None:
    web.moved["/turn"] = f"{plain.url}/turn"
    with pytest.raises(RelayError, match="No relay password could be fetched"):
        fetch_relays(f"{web.url}/turn", str(authority.ca))
    assert web.asked == ["/turn"] and plain.asked == []


def test_plain_http_is_not_asked_at_all(plain: Web) -> None:
    with pytest.raises(RelayError, match="No relay password could be fetched"):
        fetch_relays(f"{plain.url}/turn")
    assert plain.asked == []


def test_a_web_server_that_drips_its_answer_is_given_up_in_time(
    web: Web, authority: Authority
) -> None:
    begin = time.monotonic()
    with pytest.raises(RelayError, match="in time"):
        fetch_relays(f"{web.url}/drip", str(authority.ca))
    assert time.monotonic() - begin < 2 * LIMIT


def test_a_fetch_that_fails_tells_the_host_and_nothing_of_the_secret_in_its_address() -> None:
    facts: SimpleQueue[NatFact] = SimpleQueue()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        probes = Probes(facts.put, sock, Helpers())
        url = f"https://me:word@127.0.0.1:{free_port()}/turn?token=secret"
        probes.look(Probe(7, (), (), False, url))
        generation, fact = facts.get(timeout=2 * LIMIT)
    assert isinstance(fact, Fetched) and fact.problem
    assert (generation, fact.host, fact.servers) == (7, "127.0.0.1", ())
    assert "secret" not in repr(fact) and "word@" not in repr(fact)


def test_short_lived_passwords_come_with_the_ways_to_the_relay() -> None:
    answer = {
        "username": "123:u",
        "password": "secret",
        "ttl": 600,
        "uris": ["turn:relay.example.com?transport=udp", "turns:relay.example.com:443", "odd:x"],
    }
    assert [(s.transport, s.address.port, s.user, s.password) for s in read_relays(answer)] == [
        ("udp", 3478, "123:u", "secret"),
        ("tls", 443, "123:u", "secret"),
    ]


@pytest.mark.parametrize(
    "answer", [[], {}, {"username": "u"}, {"username": "u", "password": "p", "uris": ["x"]}]
)
def test_an_answer_without_relays_is_refused(answer: object) -> None:
    with pytest.raises(ValueError, match="no"):
        read_relays(answer)


def test_a_web_server_that_is_not_there_is_a_plain_problem() -> None:
    with pytest.raises(RelayError, match="No relay password could be fetched"):
        fetch_relays(f"https://127.0.0.1:{free_port()}/turn")
