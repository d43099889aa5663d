"""Reference probes: what a packet can do in a home, whatever a phone makes of it."""

import asyncio
import socket
import ssl

from aioice import turn

from tests.netlab.cell import Cell
from tests.netlab.house import House
from tests.netlab.namespaces import inside, opened
from tests.netlab.network import DESK, SERVERS
from tests.netlab.router import client_address
from tests.netlab.services import PASSWORD, USER

LIMIT_S = 2.0
PORTS = {"udp": 3478, "tcp": 3478, "tls": 443}


def let_in(house: House, cell: Cell, sender: tuple[str, str, int]) -> bool:
    """Whether a datagram from `sender` (role, host, port) reaches a socket of the client that has
    sent one packet to DESK:9000 and is known there by its mapped address."""
    role, host, port = sender
    client = (client_address(cell), 9500)
    with (
        opened(house.network.name("client"), socket.SOCK_DGRAM, *client) as inner,
        opened(house.network.name("desk"), socket.SOCK_DGRAM, DESK, 9000) as known,
    ):
        known.settimeout(LIMIT_S)
        inner.settimeout(0.5)
        inner.sendto(b"hello", (DESK, 9000))
        _, mapped = known.recvfrom(100)
        if (role, host, port) == ("desk", DESK, 9000):
            known.sendto(b"in", mapped)
        else:
            with opened(house.network.name(role), socket.SOCK_DGRAM, host, port) as stranger:
                stranger.sendto(b"in", mapped)
        try:
            return inner.recv(100) == b"in"
        except TimeoutError:
            return False


def relays(house: House, transport: str) -> bool:
    """Whether a packet from the far end reaches the client through the relay, and one goes back."""
    with inside(house.network.name("client")):
        return asyncio.run(_relayed(house, transport))


async def _relayed(house: House, transport: str) -> bool:
    context = ssl.create_default_context(cafile=str(house.certificates.authority))
    came: asyncio.Queue[bytes] = asyncio.Queue()

    class Inner(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _source: object) -> None:
            came.put_nowait(data)

    try:
        relay, _ = await asyncio.wait_for(
            turn.create_turn_endpoint(
                Inner,
                server_addr=(SERVERS[0], PORTS[transport]),
                username=USER,
                password=PASSWORD,
                transport="udp" if transport == "udp" else "tcp",
                ssl=context if transport == "tls" else False,
            ),
            LIMIT_S,
        )
    except (TimeoutError, OSError):
        return False
    with opened(house.network.name("desk"), socket.SOCK_DGRAM, DESK, 9001) as outer:
        outer.settimeout(LIMIT_S)
        relay.sendto(b"out", (DESK, 9001))
        data, source = await asyncio.to_thread(outer.recvfrom, 100)
        outer.sendto(b"in", source)
        back = await asyncio.wait_for(came.get(), LIMIT_S)
    relay.close()
    return (data, back) == (b"out", b"in")
