"""Opens a way for the sound of one call: the first of those that are wanted and can be had.

Belongs to the media thread; what takes time (a STUN server, the router, a relay) happens on other
threads, each with a deadline, and comes back by `post`. The bound sockets themselves are the way
that is always there.
"""

from collections.abc import Callable

from applet.address import Address
from applet.nat.strategy import DIRECT, Way
from applet.threads.mappings import Mapped, Mappings
from applet.threads.media_call import Bound, MediaCall
from applet.threads.relay import Relayed, RelayThread
from applet.value import NamedTuple


class OpenedWay(NamedTuple):
    """Where the other side finds us; `bound`: the sockets' own addresses, if others."""

    way: Way
    rtp: Address
    rtcp: Address
    bound: tuple[Address, Address] | None = None


class Tried(NamedTuple):
    """One attempt has ended; `found` None: it failed. For `Ways.tried`, by `post`."""

    call: int
    way: Way
    found: tuple[Address, Address] | Relayed | Mapped | None
    rest: tuple[Way, ...]


class FromRelay(NamedTuple):
    """A datagram that came through a relay; `which`: 0 for RTP, 1 for RTCP."""

    call: int
    which: int
    data: bytes
    source: Address


class Ways:
    """Every method on the media thread."""

    def __init__(
        self, post: Callable[[object], None], relays: RelayThread, mappings: Mappings
    ) -> None:
        self._post = post
        self._relays = relays
        self._mappings = mappings

    def open(self, call: MediaCall, ways: tuple[Way, ...], local: str = "") -> OpenedWay | None:
        """Begin; None: `Tried` will come. `local`: our IP, if it has become another one."""
        if local:
            call.moved_to(local)
        if not ways or ways[0].as_bound:
            call.prepare(Bound())
            return OpenedWay(ways[0] if ways else DIRECT, *call.bound)
        way, rest = ways[0], ways[1:]
        number = call.number
        if way.stun is not None:
            call.map(way.stun, lambda found: self._post(Tried(number, way, found, rest)))
        elif way.relay is not None:
            self._relays.open(
                way.relay,
                (
                    lambda data, source: self._post(FromRelay(number, 0, data, source)),
                    lambda data, source: self._post(FromRelay(number, 1, data, source)),
                ),
                lambda found: self._post(Tried(number, way, found, rest)),
            )
        else:
            rtp, rtcp = call.bound
            self._mappings.open(
                rtp, rtcp, lambda found: self._post(Tried(number, way, found, rest))
            )
        return None

    def tried(self, call: MediaCall, tried: Tried) -> OpenedWay | None:
        """An attempt has ended; None: the next one has begun."""
        found = tried.found
        if found is None:
            return self.open(call, tried.rest)
        if isinstance(found, Relayed):
            call.prepare(found)
            return OpenedWay(tried.way, found.rtp.address, found.rtcp.address)
        if isinstance(found, Mapped):
            call.prepare(found)
            return OpenedWay(tried.way, found.rtp, found.rtcp, call.bound)
        call.prepare(Bound())
        return OpenedWay(tried.way, *found, call.bound)

    @staticmethod
    def unwanted(tried: Tried) -> None:
        """Its call has ended meanwhile: leave nothing behind."""
        if isinstance(tried.found, Relayed | Mapped):
            tried.found.close()
