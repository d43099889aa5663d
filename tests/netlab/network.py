"""The street: a client behind one or two routers, an internet, servers and the far end.

    client -- home -- carrier -- net -- servers   5.5.3.10, .11   coturn: STUN and TURN
    (inner)   (NAT)    (2nd NAT)    \\- desk      5.5.4.10, .11   the far end

No link leads to the host, and the middle has no way out, so nothing can leave. The public side has
addresses that routers and libraries take for public ones: of those set apart for documentation
miniupnpd makes no mapping, and Python says of them that they are private.
"""

from tests.netlab.namespaces import add, delete, inside, run

WAN = "5.5.1.2"
"""Of the home router, when its provider gives it a public address."""
SHARED_WAN = "100.64.1.2"
"""Of the home router behind a carrier's (RFC 6598)."""
CARRIER_WAN = "5.5.2.2"
PUBLIC_CLIENT = "5.5.8.2"
"""Of the client where there is no NAT."""
INNER_CLIENT = "192.168.11.2"
MOVED_CLIENT = "192.168.11.7"
"""Where the client is after its network has changed."""
SERVERS = ("5.5.3.10", "5.5.3.11")
DESK = "5.5.4.10"
MOVED_DESK = "5.5.4.11"

ROLES = ("client", "home", "carrier", "net", "servers", "desk")


class Network:
    """One set of namespaces; `prefix` keeps it apart from every other."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def name(self, role: str) -> str:
        return f"{self.prefix}-{role}"

    def up(self) -> None:
        for role in ROLES:
            add(self.name(role))
        self._link("client", "eth0", "home", "lan")
        self._link("home", "wan", "carrier", "home")
        self._link("carrier", "wan", "net", "carrier", f"{CARRIER_WAN}/24", "5.5.2.1/24")
        self._link("servers", "eth0", "net", "servers", f"{SERVERS[0]}/24", "5.5.3.1/24")
        self._link("desk", "eth0", "net", "desk", f"{DESK}/24", "5.5.4.1/24")
        self.ip("servers", f"addr add {SERVERS[1]}/24 dev eth0", "route add default via 5.5.3.1")
        self.ip("desk", f"addr add {MOVED_DESK}/24 dev eth0", "route add default via 5.5.4.1")
        self.ip("carrier", "route add default via 5.5.2.1")
        self.ip(
            "net",
            f"route add 5.5.1.0/24 via {CARRIER_WAN}",
            f"route add 5.5.8.0/24 via {CARRIER_WAN}",
            "route add unreachable default",
        )

    def down(self) -> None:
        for role in ROLES:
            delete(self.name(role))

    def move_in(self, client: str, wan: str) -> None:
        """Give the client and the home router their addresses, and no others."""
        inner, outer = client.rpartition(".")[0], wan.rpartition(".")[0]
        self.ip(
            "client",
            "addr flush dev eth0",
            f"addr add {client}/24 dev eth0",
            f"route replace default via {inner}.1",
        )
        self.ip(
            "home",
            "addr flush dev lan",
            "addr flush dev wan",
            f"addr add {inner}.1/24 dev lan",
            f"addr add {wan}/24 dev wan",
            f"route replace default via {outer}.1",
            "route replace 239.0.0.0/8 dev lan",  # where UPnP is announced
        )
        self.ip(
            "carrier",
            "addr flush dev home",
            f"addr add {outer}.1/24 dev home",
            f"route replace 5.5.8.0/24 via {wan}",
        )

    def move_client(self, address: str) -> None:
        """The client gets another address in the same house, and loses the one it has."""
        self.ip(
            "client",
            f"addr add {address}/24 dev eth0",
            f"addr del {INNER_CLIENT}/24 dev eth0",
            f"addr replace {address}/24 dev eth0",  # the second of a net goes with the first
            f"route replace default via {address.rpartition('.')[0]}.1",
        )

    def ip(self, role: str, *commands: str) -> None:
        """Commands of iproute2, without the word `ip`."""
        run("ip", "-n", self.name(role), "-batch", "-", text="\n".join(commands) + "\n")

    def _link(
        self, one: str, device: str, other: str, far: str, address: str = "", opposite: str = ""
    ) -> None:
        run(
            *("ip", "link", "add", device, "netns", self.name(one), "type", "veth"),
            *("peer", "name", far, "netns", self.name(other)),
        )
        for role, name, own in ((one, device, address), (other, far, opposite)):
            addresses = [f"addr add {own} dev {name}"] if own else []
            self.ip(role, f"link set dev {name} up", *addresses)
            with inside(self.name(role)):  # the ALGs rewrite packets: they need whole checksums
                run("ethtool", "-K", name, "tx", "off", "rx", "off", "gso", "off", "gro", "off")
