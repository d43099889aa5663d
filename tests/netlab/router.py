"""The home router (and the carrier's): address translation, firewall and the kernel's SIP ALG."""

from pathlib import Path

from tests.netlab.cell import Cell, Firewall, Nat
from tests.netlab.namespaces import inside, run
from tests.netlab.network import (
    INNER_CLIENT,
    MOVED_CLIENT,
    PUBLIC_CLIENT,
    SHARED_WAN,
    WAN,
    Network,
)

DIRECT_MEDIA = Path("/sys/module/nf_conntrack_sip/parameters/sip_direct_media")
"""One for the whole kernel: 1 lets in only sound from the host that signals."""

CLIENTS = f"{{ {INNER_CLIENT}, {MOVED_CLIENT} }}"
# A cone's own opening; the firewall tells it from a port mapping by this mark.
CONE = "ct mark set 7"

# Linux keeps the client's port while it is free: a port restricted cone. The wider cones let in
# more; a symmetric NAT takes another port for each connection.
TRANSLATION = {
    Nat.NONE: "",
    Nat.PORT: """
        chain post { type nat hook postrouting priority srcnat; oif wan masquerade persistent; }
    """,
    Nat.FULL: f"""
        chain pre {{ type nat hook prerouting priority dstnat;
            iif wan udp dport 1024-65535 {CONE} dnat to {INNER_CLIENT}; }}
        chain post {{ type nat hook postrouting priority srcnat; oif wan masquerade persistent; }}
    """,
    Nat.ADDRESS: f"""
        set talked {{ type ipv4_addr; flags dynamic,timeout; timeout 120s; size 65535; }}
        chain note {{ type filter hook forward priority 0;
            ip saddr {CLIENTS} oif wan meta l4proto udp update @talked {{ ip daddr }}; }}
        chain pre {{ type nat hook prerouting priority dstnat;
            iif wan ip saddr @talked udp dport 1024-65535 {CONE} dnat to {INNER_CLIENT}; }}
        chain post {{ type nat hook postrouting priority srcnat; oif wan masquerade persistent; }}
    """,
    Nat.SYMMETRIC: """
        chain post { type nat hook postrouting priority srcnat;
            oif wan meta l4proto { tcp, udp } masquerade random,fully-random;
            oif wan masquerade; }
    """,
}
TRANSLATION[Nat.DOUBLE] = TRANSLATION[Nat.SYMMETRIC]

# A mapping is let in by the mark's absence: only the cones set one.
UNSOLICITED = "ct mark != 7 ct status dnat accept; iif wan ct state new drop;"
FORWARDED = {
    Firewall.OPEN: "",
    Firewall.INBOUND: UNSOLICITED,
    Firewall.NO_UDP: f"meta l4proto udp drop; {UNSOLICITED}",
    Firewall.ONLY_443: """
        iif wan ct state new drop;
        ct state established,related tcp sport 443 accept;
        iif lan tcp dport 443 accept;
        drop;
    """,
}

# No router lets a stranger speak to itself. If it did, the far end's first packet would take up the
# port that the client's own first packet is to leave by.
ITSELF = """
    chain itself { type filter hook input priority 0;
        iif wan ct state new meta l4proto { tcp, udp } drop; }
"""

HELPER = """
    ct helper siph { type "sip" protocol udp; }
    ct helper siptcp { type "sip" protocol tcp; }
    chain watch { type filter hook prerouting priority mangle;
        ct state new udp dport 5060 ct helper set "siph";
        ct state new tcp dport 5060 ct helper set "siptcp"; }
"""


def client_address(cell: Cell) -> str:
    return PUBLIC_CLIENT if cell.nat is Nat.NONE else INNER_CLIENT


def build(network: Network, cell: Cell) -> None:
    """Turn the home and the carrier into those of `cell`, with nothing left of the last one.

    `sip_direct_media` is not touched: see `direct_media` in matrix.py.
    """
    network.move_in(client_address(cell), SHARED_WAN if cell.nat is Nat.DOUBLE else WAN)
    through = f"chain through {{ type filter hook forward priority 1; {FORWARDED[cell.firewall]} }}"
    helper = HELPER if cell.kernel_alg else ""
    _rule(network, "home", TRANSLATION[cell.nat] + ITSELF + through + helper)
    second = TRANSLATION[Nat.DOUBLE] + ITSELF if cell.nat is Nat.DOUBLE else ""
    _rule(network, "carrier", second)


def _rule(network: Network, role: str, chains: str) -> None:
    ruled = f"table ip lab {{}}\ndelete table ip lab\ntable ip lab {{ {chains}\n}}\n"
    with inside(network.name(role)):
        run("nft", "-f", "-", text=ruled)
        run("conntrack", "-F")


def restart(network: Network) -> None:
    """The home router knows no connection any more, and no port mapping."""
    with inside(network.name("home")):
        if "chain prerouting_miniupnpd" in run("nft", "list", "ruleset"):
            run("nft", "flush", "chain", "inet", "miniupnpd", "prerouting_miniupnpd")
        run("conntrack", "-F")


def rebind(network: Network) -> None:
    """A port restricted cone gives every connection another port from now on."""
    with inside(network.name("home")):
        run("nft", "flush", "chain", "ip", "lab", "post")
        moved = "oif wan meta l4proto { tcp, udp } masquerade to :40000-49999 persistent"
        run("nft", "add", "rule", "ip", "lab", "post", *moved.split())
        run("conntrack", "-F")
