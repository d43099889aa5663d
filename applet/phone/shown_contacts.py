"""What Via and Contact show towards each server: what it sees of us, else what STUN says."""

from __future__ import annotations

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.nat.strategy import contact
from applet.sip.hop import Transport

if TYPE_CHECKING:
    from applet.nat.knowledge import Knowledge
    from applet.phone.known_servers import Server
    from applet.sip.endpoint import Endpoint
    from applet.sip.events import SeenElsewhere


class ShownContacts:
    __slots__ = ("_endpoint", "_moved")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._moved = False

    def show(self, server: Server, known: Knowledge, used: tuple[str, int]) -> None:
        """With what is `known` now; calls go to `used`, a transport and its port. The same verdict
        is given once: a later answer of the server may have shown more."""
        for (transport, port), answer in server.seen.items():
            remote = Transport[transport.upper()], Address(server.host, port)
            shown = contact(known, answer)
            if remote not in server.shown or server.shown[remote] != shown:
                server.shown[remote] = shown
                changed = self._endpoint.set_seen(*remote, shown)
                self._moved |= changed and used == (transport, port)

    def forget(self, server: Server) -> None:
        """The network is another one."""
        for transport, remote in server.shown:
            self._endpoint.set_seen(transport, remote, None)

    def take_moved(self) -> bool:
        """Whether our Contact where calls go has become another one, since last asked."""
        moved, self._moved = self._moved, False
        return moved


def seen_elsewhere(server: Server, event: SeenElsewhere) -> None:
    """What it saw of us when it was asked holds no longer."""
    way = event.transport.value.lower(), event.remote.port
    before = server.seen.get(way)
    if server.host == event.remote.host and before is not None and before.answer:
        answer = before.answer._replace(received=event.seen.host, rport=event.seen.port)
        server.seen[way] = before._replace(answer=answer)
