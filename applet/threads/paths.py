"""How the datagrams of one call leave: by its own sockets, or through a relay."""

from collections.abc import Callable

from applet.address import Address
from applet.nat.ice import Base
from applet.threads.mappings import Mapped
from applet.threads.relay import Relayed

Send = Callable[[bytes, Address], object]


class Bound:
    """The sockets as they are: nothing is held elsewhere."""

    def close(self) -> None:
        """Nothing to let go of."""


Path = Relayed | Mapped | Bound


class Paths:
    """Belongs to the media thread. `plain` sends RTP and RTCP where ICE has not chosen another
    way. Of `others`, which stand beside a path for ICE, there is one relay at most."""

    __slots__ = ("_next", "_others", "_own", "_path", "plain")

    def __init__(self, own: tuple[Send, Send]) -> None:
        """`own`: the sockets for RTP and for RTCP."""
        self.plain = self._own = own
        self._path: Path = Bound()
        self._others: tuple[Path, ...] = ()
        self._next: tuple[Path, tuple[Path, ...]] | None = None

    def prepare(self, path: Path, others: tuple[Path, ...] = ()) -> None:
        """From the next agreement on everything goes this way."""
        self.keep()
        self._next = (path, others)

    def keep(self) -> None:
        """What was prepared is not wanted."""
        if self._next is not None:
            path, others = self._next
            for each in (path, *others):
                each.close()
            self._next = None

    def take(self) -> None:
        """There is an agreement."""
        if self._next is None:
            return
        before = (self._path, *self._others)
        (self._path, self._others), self._next = self._next, None
        self.plain = self._relayed() if isinstance(self._path, Relayed) else self._own
        for each in before:
            each.close()

    def by(self, base: Base) -> tuple[Send, Send]:
        return self._own if base is Base.SOCKET else self._relayed()

    def close(self) -> None:
        self.keep()
        for each in (self._path, *self._others):
            each.close()

    @property
    def is_mapped(self) -> bool:
        """Whether what the other side was told is a mapping."""
        return isinstance(self._path, Mapped)

    def _relayed(self) -> tuple[Send, Send]:
        for each in (self._path, *self._others):
            if isinstance(each, Relayed):
                return each.rtp.send, each.rtcp.send
        return self._own
