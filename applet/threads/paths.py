"""How the datagrams of one call leave: by its own sockets, or through a relay."""

from __future__ import annotations

from collections.abc import Callable

from applet.address import Address
from applet.nat.ice import Base
from applet.threads.mappings import Mapped
from applet.threads.relay import Relayed
from applet.value import NamedTuple

Send = Callable[[bytes, Address], object]


class Bound:
    """The sockets as they are: nothing is held elsewhere."""

    def close(self) -> None:
        """Nothing to let go of."""


Path = Relayed | Mapped | Bound


class Place(NamedTuple):
    """Where the other side finds the call: what an `opening` of `threads.ways` has led to. `rtp`
    is the address of `path` that descriptions show; of `others`, which stand beside it for ICE,
    there is one relay at most."""

    opening: int
    rtp: Address | None
    path: Path
    others: tuple[Path, ...] = ()

    @property
    def relay(self) -> Relayed | None:
        return next((p for p in (self.path, *self.others) if isinstance(p, Relayed)), None)

    def is_at(self, shown: Address) -> bool:
        """A description leaves out the interface of a link-local address."""
        rtp = self.rtp
        return rtp is not None and (rtp.host.partition("%")[0], rtp.port) == shown

    def close(self) -> None:
        for path in (self.path, *self.others):
            path.close()


class Paths:
    """Belongs to the media thread. `plain` sends RTP and RTCP where ICE has not chosen another
    way. What was prepared may stand in an offer that is still open, so it is held until an
    agreement names it or one that came after it, or until it is refused."""

    __slots__ = ("_own", "_place", "_prepared", "plain")

    def __init__(self, own: tuple[Send, Send]) -> None:
        """`own`: the sockets for RTP and for RTCP."""
        self.plain = self._own = own
        self._place = Place(-1, None, Bound())
        self._prepared: list[Place] = []

    def begin(self, place: Place) -> None:
        """The first description shows this place: there is none before it."""
        self._go(place)

    def prepare(self, place: Place) -> None:
        """From the agreement about this place on everything goes this way."""
        self._prepared.append(place)

    def refuse(self, rtp: Address) -> None:
        """What was prepared there is not wanted."""
        for place in [place for place in self._prepared if place.rtp == rtp]:
            self._prepared.remove(place)
            place.close()

    def take(self, shown: Address) -> None:
        """There is an agreement: the other side sends to `shown`."""
        found = [n for n, place in enumerate(self._prepared) if place.is_at(shown)]
        if found:
            *before, place = self._prepared[: found[-1] + 1]
            del self._prepared[: found[-1] + 1]
            for each in (self._place, *before):
                each.close()
            self._go(place)

    def by(self, base: Base) -> tuple[Send, Send]:
        return self._own if base is Base.SOCKET else self._by_relay()

    def has_relay(self, opening: int) -> bool:
        """Whether the other side may have been told of a relay of this opening."""
        places = (self._place, *self._prepared)
        return any(place.opening == opening and place.relay is not None for place in places)

    def close(self) -> None:
        for place in (self._place, *self._prepared):
            place.close()

    @property
    def is_mapped(self) -> bool:
        """Whether what the other side was told is a mapping."""
        return isinstance(self._place.path, Mapped)

    def _go(self, place: Place) -> None:
        self._place = place
        self.plain = self._by_relay() if isinstance(place.path, Relayed) else self._own

    def _by_relay(self) -> tuple[Send, Send]:
        relay = self._place.relay
        return self._own if relay is None else (relay.rtp.send, relay.rtcp.send)
