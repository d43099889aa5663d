"""The calls of one phone: by their numbers, and by their sessions."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import CallState

if TYPE_CHECKING:
    from applet.phone.call import Call
    from applet.phone.outbox import Outbox
    from applet.sip.invite import InviteSession


class Calls:
    """Numbers count from 1 and are never used again."""

    __slots__ = ("_by_number", "_by_session", "_last_number", "_outbox")

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._by_number: dict[int, Call] = {}
        self._by_session: dict[InviteSession, Call] = {}
        self._last_number = 0

    def new(self, peer: str, outgoing: bool) -> Call:
        # With the first call, and not with the program: a quarter of the start goes to what only
        # a call needs.
        from applet.phone.call import Call

        self._last_number += 1
        call = Call(self._last_number, peer, outgoing, self._outbox)
        self._by_number[call.number] = call
        return call

    def bind(self, call: Call, session: InviteSession) -> None:
        """What `session` tells is for `call`."""
        self._by_session[session] = call

    def follow(self, call: Call, session: InviteSession) -> None:
        """`session` has told something, and `call` may have gone on with another one."""
        if call.session is not None and call.session is not session:
            del self._by_session[session]
            self.bind(call, call.session)

    def all(self) -> list[Call]:
        return list(self._by_number.values())

    def get(self, number: int) -> Call | None:
        return self._by_number.get(number)

    def of(self, session: InviteSession) -> Call | None:
        return self._by_session.get(session)

    def wanted(self, number: int) -> Call | None:
        """The call with this number; 0 is the newest that has not ended."""
        return self.get(number) if number else self.newest()

    def newest(self, but: int = 0) -> Call | None:
        """The newest that has not ended, leaving out the one with the number `but`."""
        live = [call for call in self._by_number.values() if call.live and call.number != but]
        return live[-1] if live else None

    @property
    def live(self) -> int:
        """How many the person still sees."""
        return sum(call.live for call in self._by_number.values())

    @property
    def engaged(self) -> int:
        """As `live`, without those that have come in and are not shown yet: they may be refused
        without anybody being asked."""
        calls = self._by_number.values()
        return sum(c.live and (c.outgoing or c.state is not CallState.DIALLING) for c in calls)

    @property
    def begun(self) -> bool:
        """Whether there has been a call."""
        return self._last_number > 0

    @property
    def empty(self) -> bool:
        return not self._by_number and not self._by_session

    def end_busy_tones(self, now: float) -> None:
        """Nothing is heard any more of calls that have ended: another one begins."""
        for call in self.all():
            if not call.live:
                call.hang_up(now)

    def forget_over(self) -> None:
        """Let go of those of which nothing is left."""
        for call in self.all():
            if call.over:
                del self._by_number[call.number]
                if call.session is not None:
                    self._by_session.pop(call.session, None)
