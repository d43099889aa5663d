"""Through a Kamailio registrar and proxy with digest and Record-Route: registered, called, and
calling, over UDP, TCP and TLS; and what is refused when a certificate is wrong."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.baresip import Baresip
from tests.support.certificates import Authority
from tests.support.dns_server import DnsServer
from tests.support.headless import Headless
from tests.support.kamailio import PASSWORD, Kamailio
from tests.support.process import wait_until
from tests.system.conftest import Voice

pytestmark = pytest.mark.peers

DOMAIN = "lab.example"
SERVICES = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}
Phone = Callable[..., Headless]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def names() -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


@pytest.fixture
def kamailio(tmp_path: Path, authority: Authority, names: DnsServer) -> Iterator[Kamailio]:
    """It is the server of our domain for all services, under a name of its own."""
    certificate = authority.issue(f"DNS:{DOMAIN}")
    with Kamailio(tmp_path / "kamailio", DOMAIN, certificate=certificate) as server:
        publish(names, server)
        yield server


def publish(names: DnsServer, server: Kamailio) -> None:
    names.add("server7.hosting.example", "A", "127.0.0.1")
    for transport, service in SERVICES.items():
        port = server.tls_port if transport == "tls" else server.port
        names.add(f"{service}.{DOMAIN}", "SRV", f"10 5 {port} server7.hosting.example.")


@pytest.fixture
def phone(names: DnsServer, authority: Authority) -> Iterator[Phone]:
    """Starts phones with an account at the domain."""
    with ExitStack() as stack:

        def start(
            name: str, transport: str, *options: str | Path, ca: Path | None = None
        ) -> Headless:
            started = Headless(
                *("--id", f"sip:{name}@{DOMAIN}", "--user", name, "--password", PASSWORD),
                *("--registrar", f"sip:{DOMAIN};transport={transport}"),
                *("--transport", transport, "--dns", str(names.address)),
                *("--tls-ca", authority.ca, "--answer", "auto", "--nat", "none"),
                *options,
            )
            return stack.enter_context(started)

        yield start


def hears(phone: Headless) -> None:
    """Sound comes in."""
    begin = phone.stats()["rx"]
    assert isinstance(begin, int)

    def more() -> bool:
        now = phone.stats()["rx"]
        return isinstance(now, int) and now >= begin + 10

    wait_until(more, 5, "ten packets more", phone.transcript)


@pytest.mark.parametrize(
    ("scheme", "transport"), [("sip", "udp"), ("sip", "tcp"), ("sip", "tls"), ("sips", "tls")]
)
def test_two_registered_phones_call_each_other_through_the_proxy(
    scheme: str, transport: str, kamailio: Kamailio, phone: Phone, names: DnsServer
) -> None:
    where = ("--registrar", f"{scheme}:{DOMAIN};transport={transport}")
    alice, bob = phone("alice", transport, *where), phone("bob", transport, *where)
    for each in (alice, bob):
        each.wait_for("registered")
    alice.call(f"{scheme}:bob@{DOMAIN}")
    bob.connected()
    hears(alice)
    hears(bob)
    bob.send("hold")
    alice.wait_for("hold", by="them")
    bob.send("resume")
    alice.wait_for("hold", by="none")
    alice.send("reinvite")
    bob.hang_up()
    assert alice.wait_for_state("ended")["text"]
    bob.call(f"{scheme}:alice@{DOMAIN}")
    alice.connected()
    hears(bob)
    alice.hang_up()
    bob.wait_for_state("ended")
    for each in (alice, bob):
        assert each.quit() == 0
    used = {line.split()[0] for method in ("REGISTER", "INVITE", "BYE", "ACK")
            for line in kamailio.requests(method)}  # fmt: skip
    assert used == {transport}
    assert f"SRV {SERVICES[transport]}.{DOMAIN}" in names.asked
    # One connection for everything: registration, calls out and in, and what is inside them.
    if transport != "udp":
        sources = {line.split()[1] for line in kamailio.requests("INVITE")}
        assert sources == {line.split()[1] for line in kamailio.requests("REGISTER")}
        assert len(sources) == 2


def test_naptr_chooses_tls_for_a_phone_that_was_told_nothing(
    kamailio: Kamailio, names: DnsServer, authority: Authority
) -> None:
    names.add(
        DOMAIN,
        "NAPTR",
        f'10 10 "s" "SIPS+D2T" "" _sips._tcp.{DOMAIN}.',
        f'20 10 "s" "SIP+D2U" "" _sip._udp.{DOMAIN}.',
    )
    account = ("--id", f"sip:alice@{DOMAIN}", "--user", "alice", "--password", PASSWORD)
    where = ("--registrar", f"sip:{DOMAIN}", "--dns", str(names.address), "--nat", "none")
    with Headless(*account, *where, "--tls-ca", authority.ca) as alice:
        alice.wait_for("registered")
        assert {line.split()[0] for line in kamailio.requests("REGISTER")} == {"tls"}


def test_baresip_is_called_through_the_proxy(
    tmp_path: Path, names: DnsServer, phone: Phone, theirs: Voice
) -> None:
    with (
        Baresip(tmp_path / "baresip", theirs.long_file) as baresip,
        Kamailio(tmp_path / "kamailio", DOMAIN, desk=baresip.uri) as server,
    ):
        publish(names, server)
        alice = phone("alice", "udp")
        alice.wait_for("registered")
        alice.call(f"sip:desk@{DOMAIN}")
        hears(alice)
        baresip.command("hangup")
        alice.wait_for_state("ended")
        alice.call(f"sip:desk@{DOMAIN}")
        alice.hang_up()
        baresip.wait_for("CALL_CLOSED")


def test_a_wrong_password_is_said_in_words(kamailio: Kamailio, phone: Phone) -> None:
    mallory = phone("mallory", "udp", "--password", "guessed")
    failed = mallory.wait_for("register_failed")
    assert failed["text"] == "The telephone system did not accept this phone's password."
    mallory.send(f"call sip:bob@{DOMAIN}")
    ended = mallory.wait_for_state("ended")
    assert (ended["code"], ended["text"]) == (407, failed["text"])


def test_calls_take_the_registrars_service_route(
    tmp_path: Path, names: DnsServer, phone: Phone
) -> None:
    first = f'append_to_reply("Service-Route: <sip:{DOMAIN};lr>\\r\\n");'
    first += 'xlog("L_ERR", "request $rm route $hdr(Route)\\n");'
    with Kamailio(tmp_path / "kamailio", DOMAIN, first=first) as server:
        publish(names, server)
        alice = phone("alice", "udp")
        alice.wait_for("registered")
        alice.send(f"call sip:nobody@{DOMAIN}")
        assert alice.wait_for_state("ended")["code"] == 404
        assert f"route <sip:{DOMAIN};lr>" in server.requests("INVITE")


def test_a_phone_that_lost_its_connection_registers_again_by_itself(
    tmp_path: Path, kamailio: Kamailio, phone: Phone, authority: Authority, names: DnsServer
) -> None:
    alice = phone("alice", "tls")
    alice.wait_for("registered")
    kamailio.kill()
    certificate = authority.issue(f"DNS:{DOMAIN}")
    port = kamailio.port
    with Kamailio(tmp_path / "again", DOMAIN, port=port, certificate=certificate) as again:
        wait_until(lambda: len(again.requests("REGISTER")) == 2, 10, "REGISTER", alice.transcript)
        bob = phone("bob", "tls")
        bob.wait_for("registered")
        bob.call(f"sip:alice@{DOMAIN}")
        bob.hang_up()


SENTENCES = {
    "strange": "The telephone system could not prove who it is, so nothing was sent.",
    "server": "The telephone system's certificate belongs to somebody else, so nothing was sent.",
    "common": "The telephone system's certificate belongs to somebody else, so nothing was sent.",
    "expired": "The telephone system's certificate is not valid today, so nothing was sent.",
}


@pytest.mark.parametrize("wrong", SENTENCES)
def test_a_wrong_certificate_is_refused_in_words_and_nothing_is_sent(
    wrong: str, tmp_path: Path, authority: Authority, names: DnsServer, phone: Phone
) -> None:
    certificate = {
        "strange": lambda: Authority(tmp_path / "strange", "Strange").issue(f"DNS:{DOMAIN}"),
        "server": lambda: authority.issue("DNS:server7.hosting.example"),
        "common": lambda: authority.issue(common_name=DOMAIN),
        "expired": lambda: authority.issue(f"DNS:{DOMAIN}", expired=True),
    }[wrong]()
    with Kamailio(tmp_path / "kamailio", DOMAIN, certificate=certificate) as server:
        publish(names, server)
        alice = phone("alice", "tls")
        assert alice.wait_for("register_failed")["text"] == SENTENCES[wrong]
        for uri in (f"sip:bob@{DOMAIN}", f"sips:bob@{DOMAIN}"):
            alice.send(f"call {uri}")
            assert alice.wait_for_state("ended")["text"] == SENTENCES[wrong]
        assert server.requests("REGISTER") == server.requests("INVITE") == []
