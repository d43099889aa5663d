"""Opens a way for the sound of one call: the best of those that are wanted and can be had.

Belongs to the media thread; what takes time (a STUN server, the router, a relay) happens on other
threads, each with a deadline, and comes back by `post`. The bound sockets themselves are the way
that is always there. Relays cost their owner something, so what stands behind the best way is
begun only when that fails, or when the call is in a hurry (`phone.way_clock`).
"""

from __future__ import annotations

from itertools import count

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.nat.strategy import DIRECT, Kind, OpenedWay, Way
from applet.threads.core_inbox import MappingMoved
from applet.threads.mappings import Mapped
from applet.threads.media_inbox import FromRelay, Tried
from applet.threads.paths import Bound, Path, Place
from applet.threads.relay import Receive, Relayed

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.threads.helpers import Helpers
    from applet.threads.media_call import MediaCall

Found = tuple[Address, Address] | Relayed | Mapped


class _Opening:
    """`columns` holds the ways by their kinds, the best first, without those that were begun: of
    one kind they are tried in turn. `ended`: what came of each column, None if nothing. `taken`:
    the column that was answered; a better one is still welcome. `anew`: the call has a place, and
    keeps it until the other side has agreed to another one."""

    __slots__ = ("anew", "begun", "columns", "ended", "every", "fallback", "number", "taken")

    def __init__(self, number: int, ways: tuple[Way, ...], every: bool, anew: bool) -> None:
        self.number = number
        self.every = every
        self.anew = anew
        self.fallback = next((way for way in ways if way.as_bound), DIRECT)
        columns: dict[Kind, list[Way]] = {}
        for way in ways:
            if way.as_bound:
                break  # what stands behind it is never needed
            columns.setdefault(way.kind, []).append(way)
        self.columns = list(columns.values())
        self.ended: dict[int, tuple[Way, Found] | None] = {}
        self.begun = 0
        self.taken: int | None = None

    @property
    def opened(self) -> list[int]:
        return sorted(column for column, found in self.ended.items() if found is not None)

    def found(self, column: int) -> tuple[Way, Found]:
        found = self.ended[column]
        assert found is not None  # it is one of `opened`
        return found

    @property
    def over(self) -> bool:
        return len(self.ended) == len(self.columns)

    @property
    def decided(self) -> bool:
        """Nothing that is still awaited is wanted more than what is there."""
        if self.every or self.over:
            return self.over
        ended = self.ended
        return next(n for n in range(len(self.columns)) if ended.get(n, True) is not None) in ended


class Ways:
    """Every method on the media thread."""

    def __init__(self, post: Callable[[object], None], helpers: Helpers) -> None:
        self._post = post
        self._helpers = helpers
        self._openings: dict[int, _Opening] = {}
        self._numbers = count()

    def open(
        self,
        call: MediaCall,
        ways: tuple[Way, ...],
        *,
        local: str = "",
        every: bool = False,
        anew: bool = False,
    ) -> OpenedWay | None:
        """Begin; None: `tried` or `hurry` will give it. `local`: our IP, if it has become another
        one; `every`: all that can be opened is wanted; `anew`: the call has a way already, and
        none of these waits for another."""
        self.forget(call.number)
        if local:
            call.moved_to(local)
        opening = self._openings[call.number] = _Opening(next(self._numbers), ways, every, anew)
        self._begin(call, opening, len(opening.columns) if every or anew else 1)
        return self._answer(call, opening) if opening.decided else None

    def hurry(self, call: MediaCall, take: bool) -> OpenedWay | None:
        """Begin all that has not begun; with `take` the best of what is there has to do."""
        opening = self._openings.get(call.number)
        if opening is None or opening.taken is not None:
            return None
        self._begin(call, opening, len(opening.columns))
        return self._answer(call, opening) if take else None

    def tried(self, call: MediaCall, tried: Tried) -> OpenedWay | None:
        """An attempt has ended; None: nothing is decided by that."""
        opening = self._openings.get(call.number)
        if opening is None or opening.number != tried.opening:
            self.unwanted(tried)
            return None
        column, found = tried.column, tried.found
        wanted = opening.taken is None or column < opening.taken
        if found is None and wanted and opening.columns[column]:
            self._try(call, opening, column)
            return None
        opening.ended[column] = None if found is None else (tried.way, found)
        if opening.taken is None:
            if found is None:
                self._begin(call, opening, opening.begun + 1)
            return self._answer(call, opening) if opening.decided else None
        if opening.over:
            del self._openings[call.number]
        if found is None or not wanted:
            self.unwanted(tried)
            return None
        opening.taken = column
        opened = self._opened(call, tried.way, found)
        call.paths.prepare(Place(opening.number, opened.rtp, _path(found)))
        return opened._replace(late=True)

    def forget(self, call: int) -> None:
        """It has ended, or begun anew: what was opened and not taken is not wanted."""
        opening = self._openings.pop(call, None)
        if opening is not None and opening.taken is None:
            for column in opening.opened:
                _path(opening.found(column)[1]).close()

    @staticmethod
    def unwanted(tried: Tried) -> None:
        """Leave nothing behind."""
        if tried.found is not None:
            _path(tried.found).close()

    def _begin(self, call: MediaCall, opening: _Opening, up_to: int) -> None:
        while opening.begun < min(up_to, len(opening.columns)):
            opening.begun += 1
            self._try(call, opening, opening.begun - 1)

    def _try(self, call: MediaCall, opening: _Opening, column: int) -> None:
        way, number = opening.columns[column].pop(0), call.number

        def ended(found: Found | None) -> None:
            self._post(Tried(number, opening.number, column, way, found))

        def receiver(which: int) -> Receive:
            return lambda data, source: self._post(
                FromRelay(number, opening.number, which, data, source)
            )

        if way.stun is not None:
            call.map(way.stun, ended)
        elif way.relay is not None:
            self._helpers.relays.open(way.relay, (receiver(0), receiver(1)), ended)
        else:
            self._helpers.mappings.open(
                *call.bound, ended, lambda *where: self._post(MappingMoved(number, *where))
            )

    def _answer(self, call: MediaCall, opening: _Opening) -> OpenedWay:
        """The best of what is there; the rest is given back, unless every way is wanted."""
        own = OpenedWay(opening.fallback, *call.bound)
        columns = opening.opened
        opening.taken = columns[0] if columns else len(opening.columns)
        if opening.over:
            del self._openings[call.number]
        hold = call.paths.prepare if opening.anew else call.paths.begin
        if not columns:
            hold(Place(opening.number, own.rtp, Bound()))
            return own
        (way, best), *rest = map(opening.found, columns)
        if not opening.every:
            for _, found in rest:
                _path(found).close()
            rest = []
        opened = self._opened(call, way, best)
        beside = tuple(_path(found) for _, found in rest)
        hold(Place(opening.number, opened.rtp, _path(best), beside))
        others = tuple(self._opened(call, *each)._replace(others=()) for each in rest)
        return opened._replace(others=(*others, *opened.others))

    def _opened(self, call: MediaCall, way: Way, found: Found) -> OpenedWay:
        own = (OpenedWay(DIRECT, *call.bound),)
        if isinstance(found, Relayed):
            rtp, rtcp = found.rtp, found.rtcp
            related = (rtp.related, rtcp.related)
            return OpenedWay(way, rtp.address, rtcp.address, related, own)
        if isinstance(found, Mapped):
            return OpenedWay(way, found.rtp, found.rtcp, call.bound, own)
        return OpenedWay(way, *found, call.bound, own)


def _path(found: Found) -> Path:
    return found if isinstance(found, Relayed | Mapped) else Bound()
