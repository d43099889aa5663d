"""The two kinds of router that open ports: by UPnP (miniupnpc), and by PCP or NAT-PMP.

Everything here blocks, for seconds at worst: only `threads.mappings` calls it, on its own threads.
A mapping names us, so that one that a crash has left behind is known again.
"""

from __future__ import annotations

import os
import socket
import time

from applet.address import Address
from applet.hints import Any, Protocol
from applet.nat import port_mapping as ports
from applet.nat.hosts import is_public
from applet.nat.knowledge import Mapper
from applet.nat.port_mapping import LEASE, Granted, PortMappingError
from applet.threads.gateway import default_gateway

NAME = "Call Support"
DISCOVER_MS = 1000
"""miniupnpc rounds it up to whole seconds anyway, and takes four times as long without a router."""
_TRIES = (0.25, 0.5)
"""Seconds that each of the questions waits for its answer."""
_MOST_ENTRIES = 200
_OTHER_PORTS = 3
_MOST_NONCES = 64


class Router(Protocol):
    """`external` is its address in the world, if it told; `place` says which router it is."""

    kind: Mapper
    external: str
    place: str

    def look_again(self) -> None:
        """Its address in the world may be another one by now. Raises nothing."""

    def add(self, internal: int, lifetime: int = LEASE) -> Granted:
        """Open UDP port `internal` to the world, or renew it. Raises PortMappingError."""

    def remove(self, internal: int, external: int) -> None:
        """Take it away. Raises nothing."""


class UpnpRouter:
    kind = Mapper.UPNP

    def __init__(self, client: Any, external: str, place: str = "") -> None:
        self._client = client
        self._lease = LEASE
        self.external = external
        self.place = place

    def look_again(self) -> None:
        try:
            external = self._client.externalipaddress()
        except Exception:  # the library raises nothing narrower
            return
        if is_public(external or ""):
            self.external = external

    def add(self, internal: int, lifetime: int = LEASE) -> Granted:
        external = internal
        for _ in range(_OTHER_PORTS):
            try:
                self._map(external, internal)
            except Exception as error:  # the library raises nothing narrower
                if "Only" in str(error) and self._lease:
                    self._lease = 0  # 725: this router knows no leases
                    continue
                if "Conflict" not in str(error):
                    raise PortMappingError("The router refuses a port.") from error
                external = external % 30000 + 20000
            else:
                return Granted(Address(self.external, external), LEASE)
        raise PortMappingError("The router has no free port for us.")

    def _map(self, external: int, internal: int) -> None:
        client = self._client
        mapping = (external, "UDP", client.lanaddr, internal, NAME, "", self._lease)
        if not client.addportmapping(*mapping):
            raise PortMappingError("The router refuses a port.")

    def remove(self, internal: int, external: int) -> None:
        try:
            self._client.deleteportmapping(external, "UDP")
        except Exception:  # it is gone already, or the router is
            return

    def remove_left_behind(self) -> None:
        """Mappings of ours on this machine whose port nobody uses any more: a crash left them.

        The whole list is read first: with each entry removed the others get other numbers.
        """
        left = []
        for external, protocol, (host, internal), name, *_ in self._entries():
            ours = name == NAME and protocol == "UDP" and host == self._client.lanaddr
            if ours and _is_free(internal):
                left.append((internal, external))
        for internal, external in left:
            self.remove(internal, external)

    def _entries(self) -> list[Any]:
        entries = []
        for number in range(_MOST_ENTRIES):
            try:
                entry = self._client.getgenericportmapping(number)
            except Exception:  # past the last one
                break
            if entry is None:
                break
            entries.append(entry)
        return entries


def find_upnp(_: int = 0) -> UpnpRouter | None:
    """Up to four seconds. A router without an address in the world is none: it stands behind
    another one."""
    try:
        import miniupnpc

        client = miniupnpc.UPnP()
        client.discoverdelay = DISCOVER_MS
        if client.discover() < 1:
            return None
        place = str(client.selectigd())
        external = client.externalipaddress() or ""
    except Exception:  # "Success" when there is none; and whatever a router's XML may cause
        return None
    if not is_public(external):
        return None
    router = UpnpRouter(client, external, place)
    router.remove_left_behind()
    return router


class PmpRouter:
    """PCP where the router knows it, else NAT-PMP."""

    def __init__(
        self, gateway: str, external: str, kind: Mapper, nonces: dict[tuple[str, int], bytes]
    ) -> None:
        """`nonces`, by gateway and internal port, outlive this: a mapping can be renewed and
        taken away by nobody who does not know its own."""
        self._gateway = gateway
        self._nonces = nonces
        self.external = external
        self.kind = kind
        self.place = f"{kind.value} {gateway}"

    def look_again(self) -> None:
        if self.kind is not Mapper.NAT_PMP:
            return  # PCP tells it with each mapping
        try:
            self.external = _nat_pmp_external(self._gateway) or self.external
        except OSError:  # there is no network at the moment
            return

    def add(self, internal: int, lifetime: int = LEASE) -> Granted:
        nonce = self._nonces.setdefault((self._gateway, internal), os.urandom(12))
        while len(self._nonces) > _MOST_NONCES:
            del self._nonces[next(iter(self._nonces))]
        with _connected(self._gateway) as sock:
            if self.kind is Mapper.PCP:
                client = sock.getsockname()[0]
                ask = ports.pcp_map_request(client, nonce, internal, internal, lifetime)
            else:
                ask = ports.nat_pmp_request(internal, internal, lifetime)
            for answer in _answers(sock, ask):
                granted = (
                    ports.parse_pcp_map(answer, nonce, internal)
                    if self.kind is Mapper.PCP
                    else ports.parse_nat_pmp(answer, internal, self.external)
                )
                if granted is not None:
                    return granted
        raise PortMappingError("The router does not answer any more.")

    def remove(self, internal: int, external: int) -> None:
        try:
            self.add(internal, lifetime=0)
        except (PortMappingError, OSError):
            return
        self._nonces.pop((self._gateway, internal), None)


def find_pmp(
    probe_port: int, nonces: dict[tuple[str, int], bytes], gateway: str | None = None
) -> PmpRouter | None:
    """Within a second. PCP is tried with a short mapping of `probe_port`, a UDP port of ours."""
    gateway = gateway or default_gateway()
    if gateway is None:
        return None
    try:
        external = _nat_pmp_external(gateway)
        pcp = PmpRouter(gateway, external or "", Mapper.PCP, nonces)
        try:
            pcp.external = pcp.add(probe_port, lifetime=120).external.host
            pcp.remove(probe_port, probe_port)
        except PortMappingError:
            return PmpRouter(gateway, external, Mapper.NAT_PMP, nonces) if external else None
    except OSError:
        return None
    return pcp


def _nat_pmp_external(gateway: str) -> str | None:
    with _connected(gateway) as sock:
        for answer in _answers(sock, ports.external_address_request()):
            try:
                external = ports.parse_external_address(answer)
            except PortMappingError:
                return None
            if external is not None:
                return external
    return None


def _connected(gateway: str) -> socket.socket:
    """Connected: only the router's own answers come in."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.connect((gateway, ports.PORT))
    except OSError:
        sock.close()
        raise
    return sock


def _answers(sock: socket.socket, ask: bytes) -> list[bytes]:
    """What comes back within the time of one question, the first time that anything does."""
    for wait in _TRIES:
        sock.send(ask)
        deadline = time.monotonic() + wait
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                return [sock.recv(1100)]
            except TimeoutError:
                break
            except ConnectionError:  # "port unreachable": no such service
                return []
    return []


def _is_free(port: int) -> bool:
    """Whether no program on this machine uses the UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
