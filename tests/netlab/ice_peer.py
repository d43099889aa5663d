"""The far end's ICE: aioice between a plain tone line and the network, independent of the product.

The line sends to `inner` and hears from there; outside there is one component (`rtcp-mux`).
"""

import asyncio
import re
import threading
from typing import Any

from aioice import Candidate, Connection

from tests.netlab.namespaces import inside
from tests.netlab.sip_text import Place

GATHERED_S = 10.0


class IcePeer:
    """It offers, so it controls. `lines` belong into the offer whose place is the first of
    `places`, which are all its own."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(GATHERED_S), "the ICE peer has gathered nothing"

    def answered(self, body: str) -> None:
        """The phone's answer; a later one changes nothing."""
        self._loop.call_soon_threadsafe(self._take_answer, body)

    def __enter__(self) -> "IcePeer":
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(5)

    # --- its thread

    def _run(self) -> None:
        with inside(self._namespace):
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._answer = self._loop.create_future()
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        ice = Connection(ice_controlling=True, components=1, use_ipv6=False)
        await ice.gather_candidates()
        self.places: list[Place] = [(each.host, each.port) for each in ice.local_candidates]
        self.lines = (
            f"a=ice-ufrag:{ice.local_username}",
            f"a=ice-pwd:{ice.local_password}",
            "a=rtcp-mux",
            *(f"a=candidate:{candidate.to_sdp()}" for candidate in ice.local_candidates),
        )
        line = _Line(ice)
        transport, _ = await self._loop.create_datagram_endpoint(
            lambda: line, local_addr=("127.0.0.1", 0)
        )
        self.inner: Place = transport.get_extra_info("sockname")
        self._ready.set()
        try:
            await self._talk(ice, line, await self._answer)
        except asyncio.CancelledError:
            transport.close()
            await ice.close()

    async def _talk(self, ice: Connection, line: "_Line", answer: str) -> None:
        ice.remote_username = _value(answer, "ice-ufrag")
        ice.remote_password = _value(answer, "ice-pwd")
        for candidate in re.findall(r"(?m)^a=candidate:(.*?)\r?$", answer):
            await ice.add_remote_candidate(Candidate.from_sdp(candidate))
        await ice.add_remote_candidate(None)
        await ice.connect()
        line.connected = True
        while True:
            line.hand_in(await ice.recv())

    def _take_answer(self, body: str) -> None:
        if not self._answer.done():
            self._answer.set_result(body)


class _Line(asyncio.DatagramProtocol):
    """The side of the tone line."""

    def __init__(self, ice: Connection) -> None:
        self.connected = False
        self._ice = ice
        self._transport: Any = None
        self._there: Any = None
        self._sends: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._there = addr
        if self.connected:
            task = asyncio.ensure_future(self._ice.send(data))
            self._sends.add(task)
            task.add_done_callback(self._sends.discard)

    def hand_in(self, data: bytes) -> None:
        if self._there is not None:
            self._transport.sendto(data, self._there)


def _value(sdp: str, name: str) -> str:
    found = re.search(rf"(?m)^a={name}:(\S+)", sdp)
    assert found is not None, f"no {name} in the answer"
    return found[1]
