"""Debian's servers in the namespaces: coturn for STUN and TURN, miniupnpd for port mappings."""

from pathlib import Path

from tests.netlab.cell import Mapper
from tests.netlab.namespaces import inside, run
from tests.netlab.network import SERVERS, Network
from tests.support.process import Program

USER, PASSWORD = "lab", "secret"
IGD_PORT, PCP_PORT = 5000, 5351
# miniupnpd expects its chains; `lab` of router.py has the last word on what is forwarded.
CHAINS = """
    table inet miniupnpd {
        chain forward { type filter hook forward priority -5; policy accept; jump miniupnpd; }
        chain miniupnpd { }
        chain prerouting { type nat hook prerouting priority -101; policy accept;
            jump prerouting_miniupnpd; }
        chain postrouting { type nat hook postrouting priority 99; policy accept;
            jump postrouting_miniupnpd; }
        chain prerouting_miniupnpd { }
        chain postrouting_miniupnpd { }
    }
"""


class Coturn(Program):
    """STUN and TURN on 3478 by UDP and TCP, and on 443 by TLS; STUN on a second address too."""

    def __init__(self, network: Network, folder: Path, certificate: Path, key: Path) -> None:
        settings = [
            *(f"listening-ip={address}" for address in SERVERS),
            "listening-port=3478",
            "alt-listening-port=3479",
            "tls-listening-port=443",
            f"cert={certificate}",
            f"pkey={key}",
            f"relay-ip={SERVERS[0]}",
            "min-port=50000",
            "max-port=50999",
            "lt-cred-mech",
            f"user={USER}:{PASSWORD}",
            "realm=lab",
            "no-cli",
            "no-dtls",
            "no-multicast-peers",
            "fingerprint",
            "relay-threads=1",
            f"pidfile={folder / 'turn.pid'}",
            f"userdb={folder / 'turn.db'}",
            "log-file=stdout",
            "simple-log",
        ]
        config = folder / "turn.conf"
        config.write_text("\n".join(settings) + "\n")
        name = network.name("servers")
        with inside(name):
            super().__init__(["turnserver", "-c", config], folder=folder)
        self.wait_ready(lambda: listens(self.pid, "tcp", 443), "coturn")


class Miniupnpd(Program):
    """The home router's mappings, by one protocol alone."""

    def __init__(self, network: Network, folder: Path, mapper: Mapper, inner: str) -> None:
        self._name = network.name("home")
        yes_no = {True: "yes", False: "no"}
        settings = [
            "ext_ifname=wan",
            "listening_ip=lan",
            f"http_port={IGD_PORT}",
            f"enable_upnp={yes_no[mapper is Mapper.UPNP]}",
            f"enable_natpmp={yes_no[mapper is Mapper.PCP]}",
            "secure_mode=yes",
            "uuid=707b815a-608e-4e18-8b36-775e2d757cc1",
            f"lease_file={folder / 'leases'}",
            "upnp_table_name=miniupnpd",
            "upnp_nat_table_name=miniupnpd",
            "upnp_forward_chain=miniupnpd",
            "upnp_nat_chain=prerouting_miniupnpd",
            "upnp_nat_postrouting_chain=postrouting_miniupnpd",
            "min_lifetime=60",
            "max_lifetime=86400",
            f"allow 1024-65535 {inner}/24 1024-65535",
            "deny 0-65535 0.0.0.0/0 0-65535",
        ]
        config = folder / "miniupnpd.conf"
        config.write_text("\n".join(settings) + "\n")
        pid_file = folder / "miniupnpd.pid"
        with inside(self._name):
            run("nft", "-f", "-", text=CHAINS)
            super().__init__(["miniupnpd", "-d", "-f", config, "-P", pid_file], folder=folder)
        port = IGD_PORT if mapper is Mapper.UPNP else PCP_PORT
        kind = "tcp" if mapper is Mapper.UPNP else "udp"
        self.wait_ready(lambda: listens(self.pid, kind, port), f"miniupnpd by {mapper.value}")

    def stop(self, timeout_s: float = 3) -> None:
        super().stop(timeout_s)
        with inside(self._name):
            run("nft", "delete", "table", "inet", "miniupnpd")


def mappings(network: Network) -> str:
    """The port mappings of the home router, as nft shows them; empty if there are none."""
    with inside(network.name("home")):
        rules = run("nft", "list", "ruleset", "inet")
    return "\n".join(
        line.strip() for line in rules.splitlines() if "dport" in line and "dnat" in line
    )


def listens(pid: int, transport: str, port: int) -> bool:
    """Some program in the namespace of process `pid` has bound this port."""
    tables = [Path(f"/proc/{pid}/net/{transport}{version}") for version in ("", "6")]
    rows = [row for table in tables if table.exists() for row in table.read_text().splitlines()]
    return any(row.split()[1].endswith(f":{port:04X}") for row in rows)
