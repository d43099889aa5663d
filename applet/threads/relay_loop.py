"""The asyncio side of `threads.relay`: imported with the first relay that is asked for, because
asyncio and aioice cost a tenth of a second."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from aioice import stun, turn

from applet.address import Address
from applet.hints import TYPE_CHECKING, Any, cast
from applet.threads.relay import Allocation, Receive, Relayed, RelayError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from applet.nat.knowledge import RelayServer

PROBE_LIMIT = 3.0
CALL_LIMIT = 2.0
CLOSE_LIMIT = 1.0
"""Seconds: for the look around at the start, for the two allocations of a call, and to give
allocations back."""
MOST_LOOK_UPS = 16
_REFUSED = (401, 403, 441)
"""RFC 8656 section 15 and RFC 8489 section 14.8: name, password or permission are wrong."""


class _LookUps(ThreadPoolExecutor):
    """Where asyncio looks names up. Its own threads are joined before the program may end, and a
    look-up cannot be interrupted: these die with us."""

    def __init__(self) -> None:
        super().__init__(1)  # which is never begun
        self._running: list[threading.Thread] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Raises OSError while too many names hang. The loop's thread."""
        self._running = [thread for thread in self._running if thread.is_alive()]
        if len(self._running) >= MOST_LOOK_UPS:
            raise OSError("too many look-ups")
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:  # for who waits
                future.set_exception(error)

        thread = threading.Thread(target=work, name="look-up", daemon=True)
        self._running.append(thread)
        thread.start()
        return future


def serve(loop: asyncio.AbstractEventLoop) -> None:
    """The thread: until somebody stops `loop`, and then what is still to be given back."""
    asyncio.set_event_loop(loop)
    loop.set_default_executor(_LookUps())
    loop.set_exception_handler(lambda loop, context: None)  # a relay that vanished
    try:
        loop.run_forever()
        if waiting := asyncio.all_tasks(loop):
            loop.run_until_complete(asyncio.wait(waiting, timeout=CLOSE_LIMIT))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()


async def probe(
    server: RelayServer, ca_file: str, answer: Callable[[RelayError | None], None]
) -> None:
    try:
        allocation = await allocate(server, PROBE_LIMIT, lambda data, source: None, ca_file)
    except RelayError as error:
        answer(error)
    else:
        allocation.close()
        answer(None)


async def open_both(
    server: RelayServer,
    receivers: tuple[Receive, Receive],
    ca_file: str,
    answer: Callable[[Relayed | None], None],
) -> None:
    """Allocate for RTP and for RTCP; both or none."""
    made = await asyncio.gather(
        *(allocate(server, CALL_LIMIT, receive, ca_file) for receive in receivers),
        return_exceptions=True,
    )
    allocations = [one for one in made if isinstance(one, Allocation)]
    if len(allocations) == 2:
        answer(Relayed(*allocations))
        return
    for one in allocations:
        one.close()
    answer(None)


async def allocate(server: RelayServer, limit: float, receive: Receive, ca_file: str) -> Allocation:
    """One relayed address within `limit` seconds. Raises RelayError."""
    try:
        transport, _ = await asyncio.wait_for(
            turn.create_turn_endpoint(
                lambda: _Receiver(receive),
                server_addr=(server.address.host, server.address.port),
                username=server.user,
                password=server.password,
                ssl=tls_context(ca_file) if server.transport == "tls" else None,
                transport="udp" if server.transport == "udp" else "tcp",
            ),
            limit,
        )
    except (TimeoutError, stun.TransactionTimeout):
        raise RelayError("The relay does not answer.") from None
    except stun.TransactionFailed as error:
        raise _refusal(error.response.error_code) from None
    except (OSError, ValueError, KeyError) as error:
        raise RelayError(f"The relay cannot be reached ({type(error).__name__}).") from None
    relayed, related = (
        Address(*transport.get_extra_info(name)[:2]) for name in ("sockname", "related_address")
    )
    return Allocation(relayed, related, asyncio.get_running_loop(), transport)


def _refusal(code: int | None) -> RelayError:
    if code in _REFUSED:
        return RelayError("The relay refuses our name and password.", refused=True)
    return RelayError(f"The relay refuses ({code}).")


def tls_context(ca_file: str) -> ssl.SSLContext:
    import ssl

    if ca_file:
        return ssl.create_default_context(cafile=ca_file)
    import truststore

    return cast("ssl.SSLContext", truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._receive(data, Address(addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """A packet that could not be relayed is a lost one."""
