"""TURN relays (RFC 8656) by aioice, on an asyncio loop and a thread of their own.

A relayed packet costs the media thread one hand-over, and never waits for the signalling. The
thread begins with the first relay that is asked for. aioice does not give up by itself where
nothing comes back, so everything has a limit of ours (`threads.relay_loop`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine

from applet.address import Address
from applet.hints import TYPE_CHECKING, Any
from applet.value import NamedTuple

if TYPE_CHECKING:
    import asyncio

    from aioice.turn import TurnTransport

    from applet.nat.knowledge import RelayServer

JOIN_LIMIT = 2.0

Receive = Callable[[bytes, Address], None]


class RelayError(Exception):
    """Why a relay cannot be used, as one plain sentence; `refused`: wrong name or password."""

    def __init__(self, text: str, refused: bool = False) -> None:
        super().__init__(text)
        self.refused = refused


class Allocation:
    """One relayed address; `related`: what the relay sees of us. `send` and `close` from any
    thread."""

    def __init__(
        self,
        address: Address,
        related: Address,
        loop: asyncio.AbstractEventLoop,
        transport: TurnTransport,
    ) -> None:
        self.address = address
        self.related = related
        self._loop = loop
        self._transport = transport

    def send(self, data: bytes, to: Address) -> None:
        """At once or never; after the end of the relay's thread nothing happens."""
        try:
            self._loop.call_soon_threadsafe(self._transport.sendto, data, (to.host, to.port))
        except RuntimeError:
            return

    def close(self) -> None:
        """Give it back to the server."""
        try:
            self._loop.call_soon_threadsafe(self._transport.close)
        except RuntimeError:
            return


class Relayed(NamedTuple):
    """The two allocations of one call."""

    rtp: Allocation
    rtcp: Allocation

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


class RelayThread:
    """`ca_file`: whom to trust for TLS; empty: the machine's own certificates. Every method from
    any thread; answers come on the relay's."""

    def __init__(self, ca_file: str = "") -> None:
        self.ca_file = ca_file
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def probe(self, server: RelayServer, answer: Callable[[RelayError | None], None]) -> None:
        """Try one allocation and give it back: None if it worked."""
        from applet.threads.relay_loop import probe

        self._run(probe(server, self.ca_file, answer))

    def open(
        self,
        server: RelayServer,
        receivers: tuple[Receive, Receive],
        answer: Callable[[Relayed | None], None],
    ) -> None:
        """Allocate for one call; `receivers` get what comes for RTP and for RTCP."""
        from applet.threads.relay_loop import open_both

        self._run(open_both(server, receivers, self.ca_file, answer))

    def stop(self) -> None:
        """Give back what is still allocated and end the thread; idempotent."""
        with self._lock:
            self._stopped = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(JOIN_LIMIT)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        import asyncio

        from applet.threads.relay_loop import serve

        with self._lock:
            if self._stopped:
                work.close()
                return
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=serve, args=(self._loop,), name="relay", daemon=True
                )
                self._thread.start()
            asyncio.run_coroutine_threadsafe(work, self._loop)
