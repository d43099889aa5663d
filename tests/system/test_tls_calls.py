"""Two phones call each other over TLS without anybody between: `sips:` by address and by name."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.baresip import Baresip
from tests.support.certificates import Authority, Certificate
from tests.support.dns_server import DnsServer
from tests.support.headless import Headless
from tests.support.ports import free_ports
from tests.system.conftest import Voice

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def names() -> Iterator[DnsServer]:
    with DnsServer() as server:
        server.add("desk.example", "A", "127.0.0.1")
        yield server


def start(authority: Authority, own: Certificate, names: DnsServer, *options: str) -> Headless:
    """Its TLS port is the one above."""
    files = ("--tls-ca", authority.ca, "--tls-cert", own.file, "--tls-key", own.key)
    bind = f"127.0.0.1:{free_ports(2)}"
    return Headless(*files, "--dns", str(names.address), "--accept-any-user", *options, bind=bind)


def tls_port(phone: Headless) -> int:
    return int(phone.address.rpartition(":")[2]) + 1


def test_a_sips_call_by_address_goes_both_ways_over_tls(
    authority: Authority, names: DnsServer
) -> None:
    own = authority.issue("IP:127.0.0.1")
    with (
        start(authority, own, names) as caller,
        start(authority, own, names, "--answer", "auto") as desk,
    ):
        caller.call(f"sips:desk@127.0.0.1:{tls_port(desk)}")
        desk.connected()
        desk.send("hold")
        caller.wait_for("hold", by="them")
        desk.send("resume")
        caller.wait_for("hold", by="none")
        desk.hang_up()
        caller.wait_for_state("ended")
        assert caller.quit() == desk.quit() == 0


def test_the_certificate_of_the_called_name_is_wanted_and_not_that_of_the_address(
    authority: Authority, names: DnsServer
) -> None:
    right, wrong = authority.issue("DNS:desk.example"), authority.issue("IP:127.0.0.1")
    with (
        start(authority, right, names) as caller,
        start(authority, right, names, "--answer", "auto") as desk,
        start(authority, wrong, names, "--answer", "auto") as impostor,
    ):
        caller.call(f"sips:desk@desk.example:{tls_port(desk)}")
        caller.hang_up()
        desk.wait_for_state("ended")
        caller.send(f"call sips:desk@desk.example:{tls_port(impostor)}")
        ended = caller.wait_for_state("ended")
        assert "belongs to somebody else" in str(ended["text"])
        assert not [event for event in impostor.events if event["ev"] == "incoming"]


def test_sips_is_not_called_where_nobody_speaks_tls(authority: Authority, names: DnsServer) -> None:
    own = authority.issue("IP:127.0.0.1")
    with (
        start(authority, own, names) as caller,
        Headless("--answer", "auto", "--accept-any-user") as desk,
    ):
        caller.send(f"call sips:desk@{desk.address}")
        ended = caller.wait_for_state("ended", 8)  # it waits for TLS to answer
        assert ended["text"] == "The other side cannot be reached from here."
        assert len(desk.events) == 1  # "ready", and nothing since


def test_the_phones_own_port_speaks_tls_too(authority: Authority, names: DnsServer) -> None:
    own = authority.issue("IP:127.0.0.1")
    with (
        start(authority, own, names) as caller,
        start(authority, own, names, "--answer", "auto") as desk,
    ):
        caller.call(f"sips:desk@{desk.address}")
        caller.hang_up()
        caller.call(f"sip:desk@{desk.address};transport=tcp")
        caller.hang_up()


def test_baresip_is_called_over_tls(
    authority: Authority, names: DnsServer, tmp_path: Path, theirs: Voice
) -> None:
    own = authority.issue("IP:127.0.0.1")
    pem = tmp_path / "baresip.pem"
    pem.write_text(own.file.read_text() + own.key.read_text())
    with (
        Baresip(tmp_path / "baresip", theirs.long_file, pem=pem) as baresip,
        start(authority, own, names) as caller,
    ):
        caller.call(f"sip:baresip@127.0.0.1:{baresip.port + 1};transport=tls")
        caller.send("hold")
        caller.wait_for("hold", by="us")
        caller.send("resume")
        caller.wait_for("hold", by="none")
        baresip.command("hangup")
        caller.wait_for_state("ended")


def test_files_that_cannot_be_used_end_the_start_with_one_plain_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "applet", "headless", "--tls-ca", str(tmp_path / "gone.pem")],
        capture_output=True,
        text=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == f"{tmp_path / 'gone.pem'}: no certificates can be read from it\n"
