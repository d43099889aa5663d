"""The jitter buffer: packets in as the network brings them, out when it is their turn.

Codec-neutral and bounded: it keeps payloads by their extended RTP timestamp and knows nothing of
samples. All lengths are in units of the RTP clock. `playout_delay` says which delay is best.

The delay grows at once: when a late packet arrives while its gap is being concealed, the cursor
goes back to it if that pays. It shrinks, or grows without a gap, by the caller's time-stretching:
`review` says by how much. In a pause of the sound it is free to change.

    floor        cursor
      |  concealed  |  next to play
    ==|.............|=====  ======    time of the sender ->
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.media.playout_delay import PlayoutDelay
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_HALF = 1 << 31
_MASK = (1 << 32) - 1
_WINDOW_SIZE = 64
_WINDOW = (1 << _WINDOW_SIZE) - 1
_REVIEW_GAIN = 0.3
"""Of R in G.107: the delay is not touched for less ..."""
_GAP_GAIN = 5.0
"""... and running speech not moved for less, when its next packet is there."""


class Buffered(NamedTuple):
    """A packet taken from the buffer; `timestamp` is extended over its wraps.

    `pause`: it carries no sound, and until the next packet there is none (comfort noise, digits).
    `skip`: so much of its beginning, in clock units, was already replaced by concealment.
    """

    timestamp: int
    sequence: int
    payload_type: int
    payload: bytes
    pause: bool = False
    skip: int = 0


class JitterBuffer:
    """Give every packet to `push`; `pop` the one whose turn it is, and `advance` by the length of
    what was played: the packet, or its replacement."""

    MAX_SPAN_S = 0.5
    """Nothing is kept longer than this, and so nothing is delayed longer."""
    MAX_PACKETS = 64
    QUIET_S = 0.06
    """A gap of this length is heard as a pause: after it the delay is free to change."""
    CATCH_UP_S = 0.1
    """After a stall, so much more than the best delay is played, and time-stretched away."""
    JUMP_S = 1.0
    """A transit this far from the base means that the sender set its timestamps anew."""
    STALE_S = 5.0
    """After so long without a packet the base says nothing any more."""

    __slots__ = (
        "_cursor",
        "_delay",
        "_duration",
        "_floor",
        "_highest",
        "_jump",
        "_last_arrival",
        "_last_sequence",
        "_least_schedule",
        "_newest",
        "_pause",
        "_paused",
        "_playing",
        "_rate",
        "_schedule",
        "_seen",
        "_store",
        "ahead",
        "duplicates",
        "late",
        "reordered",
    )

    def __init__(self, clock_rate: int = 8000) -> None:
        """`clock_rate`: of the RTP timestamps, in Hz."""
        self._rate = clock_rate
        self._delay = PlayoutDelay(clock_rate)
        self.late = 0
        """Came after their turn and were not played."""
        self.duplicates = 0
        self.reordered = 0
        """Came after one with a higher sequence number, in time or late."""
        self.restart()

    def restart(self) -> None:
        """Another source, or a fresh beginning: only the distribution of the delays is kept."""
        self._store: dict[int, Buffered] = {}
        self._newest: int | None = None  # extended timestamp of the packet pushed last
        self._last_arrival = 0.0
        self._highest = 0  # sequence number, with a bit in `seen` for it and those before it
        self._seen = 0
        self._jump: int | None = None
        self._playing = False
        self._paused = False
        self._pause: int | None = None  # the timestamp at which the last pause began
        self._cursor = 0  # timestamp of what is played next
        self._floor = 0  # where the last packet that was played ended: all before it is past
        self._duration = 0
        self.ahead: int | None = None
        """After a `pop` without a packet: the next one begins so much later (None: unknown)."""
        self._last_sequence = 0
        self._schedule = 0  # of the packet taken last (see playout_delay)
        self._least_schedule: int | None = None  # since the last review

    # --- in ---------------------------------------------------------------------------------

    def push(
        self,
        sequence: int,
        timestamp: int,
        payload_type: int,
        payload: bytes,
        now: float,
        *,
        pause: bool = False,
    ) -> None:
        """`sequence` extended (RFC 3550 A.1), `timestamp` as in the packet, `now` in seconds."""
        if self._newest is None:
            self._begin_source(sequence, timestamp, now)
        elif self._is_duplicate(sequence):
            self.duplicates += 1
            return
        assert self._newest is not None
        extended = self._newest + ((timestamp - self._newest + _HALF) & _MASK) - _HALF
        transit = int(now * self._rate) - extended
        if pause:
            self._push_pause(Buffered(extended, sequence, payload_type, payload, True), transit)
            return
        if not self._measured(transit, now):
            self.late += 1
            return
        self._newest = extended
        if self._playing and extended < self._floor:
            self.late += 1
            return
        self._store[extended] = Buffered(extended, sequence, payload_type, payload)
        self._bound(extended)

    def _push_pause(self, packet: Buffered, transit: int) -> None:
        """All packets of one digit have the timestamp of its beginning: the first of them is the
        one, and it is not late: a pause begins now at the earliest."""
        timestamp = packet.timestamp
        if timestamp == self._pause or self._is_far(transit):
            return
        self._pause = timestamp
        if self._playing:
            timestamp = max(timestamp, self._cursor)
        if timestamp not in self._store:
            self._store[timestamp] = packet
            self._bound(timestamp)

    def _begin_source(self, sequence: int, timestamp: int, now: float) -> None:
        self._newest = timestamp
        self._highest = sequence
        self._seen = 1
        self._last_arrival = now
        self._delay.rebase(int(now * self._rate) - timestamp)

    def _is_duplicate(self, sequence: int) -> bool:
        ahead = sequence - self._highest
        if not -_WINDOW_SIZE < ahead < _WINDOW_SIZE:
            self._highest, self._seen = sequence, 1
            return False
        if ahead > 0:
            self._highest = sequence
            self._seen = (self._seen << ahead | 1) & _WINDOW
            return False
        bit = 1 << -ahead
        if self._seen & bit:
            return True
        self._seen |= bit
        self.reordered += 1
        return False

    def _measured(self, transit: int, now: float) -> bool:
        """Learn from a packet; False if its timestamp is not to be believed (yet): one packet far
        off is an accident, two in a row are a sender that began anew."""
        if now - self._last_arrival > self.STALE_S:
            self._begin_anew(transit, now)
        elif self._is_far(transit):
            previous, self._jump = self._jump, transit
            if previous is None or abs(transit - previous) > self.JUMP_S * self._rate:
                return False
            self._begin_anew(transit, now)
        self._jump = None
        self._last_arrival = now
        self._delay.measure(transit, now)
        return True

    def _is_far(self, transit: int) -> bool:
        return abs(transit - self._delay.base) > self.JUMP_S * self._rate

    def _begin_anew(self, transit: int, now: float) -> None:
        self._drop(self._store)
        self._delay.rebase(transit)
        self._playing = False

    def _bound(self, newest: int) -> None:
        """Nobody plays what comes, or the timestamps ran ahead: keep the newest, begin there."""
        span = int(self.MAX_SPAN_S * self._rate)
        oldest = self._cursor if self._playing else min(self._store)
        if newest - oldest > span or len(self._store) > self.MAX_PACKETS:
            self._playing = False
            while len(self._store) > self.MAX_PACKETS or newest - min(self._store) > span:
                self._drop([min(self._store)])

    def _drop(self, timestamps: Iterable[int]) -> None:
        for timestamp in tuple(timestamps):
            self.late += not self._store.pop(timestamp).pause

    # --- out --------------------------------------------------------------------------------

    def pop(self, now: float) -> Buffered | None:
        """The packet whose turn it is; None if there is none: play something else."""
        if self._playing and self._cursor == self._floor and self._cursor in self._store:
            return self._take(self._cursor, now)
        self.ahead = None
        return self._search(now) if self._store else None

    def advance(self, length: int, *, heard: bool) -> None:
        """`length` clock units were played: of the packet (`heard`), or in its place."""
        self._cursor += length
        if heard:
            self._floor = self._cursor
            self._duration = length

    def review(self) -> int:
        """Asked some times a second: by how much the delay should change (clock units; negative:
        play faster), judged by the packet that was taken earliest since the last time."""
        schedule, self._least_schedule = self._least_schedule, None
        return 0 if schedule is None else self._delay.change(schedule, gain=_REVIEW_GAIN)

    @property
    def delay(self) -> int:
        """How long the fastest packets wait here, in clock units."""
        return self._schedule - self._delay.base if self._playing else 0

    @property
    def in_pause(self) -> bool:
        """The sender said that it sends no sound now."""
        return self._paused or not self._playing

    def _take(self, timestamp: int, now: float, skip: int = 0) -> Buffered:
        """Go on with this packet."""
        packet = self._store.pop(timestamp)
        self._cursor = self._floor = timestamp + skip
        self._playing = True
        self._paused = packet.pause
        self._last_sequence = packet.sequence
        self._schedule = schedule = int(now * self._rate) - timestamp
        if self._least_schedule is None or schedule < self._least_schedule:
            self._least_schedule = schedule
        return packet._replace(skip=skip) if skip else packet

    def _leap(self, timestamp: int, now: float, skip: int = 0) -> Buffered:
        """Go on with this packet, wherever the cursor is; those before it are dropped."""
        self._drop([older for older in self._store if older < timestamp])
        self._least_schedule = None
        return self._take(timestamp, now, skip)

    def _search(self, now: float) -> Buffered | None:
        first = min(self._store)
        if not self._playing:
            return self._begin(first, now, 0)
        if self._is_quiet(first):
            return self._begin(first, now, int(self.CATCH_UP_S * self._rate))
        if first < self._cursor:
            return self._belated(now)
        return self._next(first, now)

    def _next(self, first: int, now: float) -> Buffered | None:
        if first == self._cursor:
            return self._take(first, now)
        self.ahead = first - self._cursor
        return None

    def _is_quiet(self, first: int) -> bool:
        """In a pause nobody hears when the sound begins again. A sender need not announce one:
        then the timestamps make a leap and the sequence numbers none (RFC 3551 section 4.1)."""
        return (
            self._paused
            or self._cursor - self._floor >= self.QUIET_S * self._rate
            or (first > self._cursor and self._store[first].sequence == self._last_sequence + 1)
        )

    def _begin(self, first: int, now: float, excess: int) -> Buffered | None:
        """Wait until the schedule is the best for the first packet. Is it later by then, start
        with the oldest packet that is at most `excess` behind."""
        clock = int(now * self._rate)
        change = self._delay.change(clock - first)
        if change > 0:
            return None
        best = first - change - excess
        chosen = next((ts for ts in sorted(self._store) if ts >= best), max(self._store))
        return self._leap(chosen, now)

    def _belated(self, now: float) -> Buffered | None:
        """The gap is being concealed, and now a packet of it is here."""
        schedule = int(now * self._rate) - self._cursor
        belated = sorted(timestamp for timestamp in self._store if timestamp < self._cursor)
        others = len(belated) < len(self._store)
        gain = _GAP_GAIN if others else 0.0
        worth = self._cursor - self._delay.change(schedule, grow_only=True, gain=gain)
        for timestamp in belated:
            if timestamp >= worth:
                return self._leap(timestamp, now)
        newest = belated[-1]
        skip = self._cursor - newest
        if skip < self._duration:
            return self._leap(newest, now, skip)
        if others:
            self._drop(belated)
            return self._next(min(self._store), now)
        # Its own sound, a little late, is better than more concealment.
        return self._leap(newest, now)
