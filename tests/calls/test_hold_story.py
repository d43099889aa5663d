"""Hold and resume pressed at any time, while the other side does the same by re-INVITE with and
without an offer and by UPDATE, and takes its time: in the end both know how they stand."""

import heapq
from collections.abc import Callable
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from applet.address import Address
from applet.phone.config import PhoneConfig
from applet.phone.messages import CallState, Command, Dial, HeldBy, Hold, Reinvite, Resume
from applet.sdp.offer_answer import Direction
from applet.sip.message import Request, Response
from tests.calls.scenes import PBX, PHONE, direction, held, media
from tests.calls.test_any_story import AT_ANY_SPEED
from tests.support.pbx import Pbx
from tests.support.street import House, Street

ALLOW = ("Allow: INVITE, ACK, BYE, UPDATE",)
OFFER, ASK, UPDATE = "INVITE with an offer", "INVITE without one", "UPDATE"


class Change(NamedTuple):
    """What the partner wishes from now on, and how it says so."""

    wish: Direction
    how: str


class Partner(Pbx):
    """Keeps to the rules of RFC 3261 section 14 and RFC 3311, one offer at a time. `pauses` are
    how long it thinks, each in its turn; `heard` is what the phone has last said of direction."""

    def __init__(self, street: Street, pauses: list[float]) -> None:
        super().__init__(street, PBX)
        self.wish = Direction.SENDRECV
        self.heard = "sendrecv"
        self.invite_in = Request("INVITE", None)  # type: ignore[arg-type] # replaced by the call
        self._pauses = pauses
        self._turn = 0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 100
        self._how: str | None = None  # what is to be sent
        self._sent: str | None = None  # what is on its way
        self._busy = False  # their INVITE is not answered, or our 200 not acknowledged
        self._seen: set[str] = set()

    def change(self, to: Change) -> None:
        self.wish, self._how = to
        self._go()

    # --- time

    def next_timer(self) -> float | None:
        return self._due[0][0] if self._due else None

    def handle_timers(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()

    def _after(self, seconds: float, what: Callable[[], None]) -> None:
        self._turn += 1
        heapq.heappush(self._due, (self.street.now + seconds, self._turn, what))

    def _think(self) -> float:
        return self._pauses[self._turn % len(self._pauses)]

    # --- what comes

    def receive(self, data: bytes, source: Address, target: Address, now: float) -> None:
        known = len(self.got)
        super().receive(data, source, target, now)
        for _, message in self.got[known:]:
            if isinstance(message, Response):
                self._answered(message)
            elif message.method == "ACK":
                self._busy = False
                self._go()
            elif message.top_via.branch not in self._seen and message.to.tag:
                self._seen.add(message.top_via.branch)
                self._asked(message)

    def _asked(self, request: Request) -> None:
        if request.method != "INVITE":
            self.answer(request, 200, self.sdp(f"a={self.wish.value}") if request.body else b"")
        elif self._sent:
            self.answer(request, 491)
        else:
            self._busy = True
            self._after(self._think(), lambda: self._accept(request))

    def _accept(self, request: Request) -> None:
        self.heard = direction(request)
        theirs = Direction(self.heard).reversed()
        self.answer(request, 200, self.sdp(f"a={(self.wish & theirs).value}"))

    # --- what goes

    def _go(self) -> None:
        if self._how is None or self._sent or self._busy:
            return
        self._sent, self._how = self._how, None
        self._sequence += 1
        method = "UPDATE" if self._sent is UPDATE else "INVITE"
        body = b"" if self._sent is ASK else self.sdp(f"a={self.wish.value}")
        self.ask(method, self.invite_in, self._sequence, body, headers=ALLOW)

    def _answered(self, response: Response) -> None:
        final = response.status >= 200 and response.cseq.number == self._sequence
        if not final or self._sent is None or self._sent == "answered":
            return
        how, self._sent = self._sent, "answered"
        if response.status >= 300:
            assert response.status in (491, 500), "nothing of it is wrong"
            wait = float(response.header("Retry-After") or self._think())
            self._after(wait, lambda: self._over(how))
            return
        self.heard = direction(response)
        if how is UPDATE:
            self._over(None)
        else:
            self._after(self._think(), lambda: self._confirm(how))

    def _confirm(self, how: str) -> None:
        theirs = Direction(self.heard).reversed()
        body = self.sdp(f"a={(self.wish & theirs).value}") if how is ASK else b""
        self.ask("ACK", self.invite_in, self._sequence, body)
        self._over(None)

    def _over(self, again: str | None) -> None:
        self._sent, self._how = None, self._how or again
        self._go()


presses: st.SearchStrategy[Command] = st.sampled_from([Hold(0), Resume(0), Reinvite(0)])
changes = st.builds(Change, st.sampled_from(list(Direction)), st.sampled_from([OFFER, ASK, UPDATE]))
waits = st.sampled_from([0.0, 0.0, 0.01, 0.1, 0.3, 0.7, 1.5, 4.0])
pauses = st.lists(st.sampled_from([0.0, 0.05, 0.4, 1.1, 2.0]), min_size=1, max_size=7)
stories = st.lists(st.tuples(st.one_of(presses, presses, changes), waits), max_size=15)


@settings(AT_ANY_SPEED, max_examples=200)
@example(0.005, [1.1], [(Change(Direction.SENDRECV, ASK), 0.1), (Hold(0), 0.0)])
@given(st.sampled_from([0.005, 0.2]), pauses, stories)
def test_in_the_end_both_know_how_they_stand(
    delay: float,
    thinks: list[float],
    story: list[tuple[Command | Change, float]],
) -> None:
    street = Street(delay)
    phone = House(street, PHONE, PhoneConfig(other_addresses=True), sound=False)
    partner = Partner(street, thinks)
    phone.do(Dial(f"sip:desk@{PBX}", confirmed=True))
    partner.invite_in = partner.wait_for("INVITE")
    partner.answer(partner.invite_in, 200, partner.sdp(), headers=ALLOW)
    street.run(1.0)
    on_hold = False
    for step, wait in story:
        if isinstance(step, Change):
            partner.change(step)
        else:
            phone.do(step)
            on_hold = isinstance(step, Hold) or (on_hold and not isinstance(step, Resume))
        street.run(wait)
    street.run(60.0)
    by, pending = held(phone)
    assert not pending
    if on_hold:
        assert partner.heard == "inactive" and by in (HeldBy.US, HeldBy.BOTH)
        assert phone.state() is CallState.ON_HOLD
        return
    assert media(phone).direction == partner.wish.reversed().value
    assert by is (HeldBy.NONE if partner.wish.receives else HeldBy.THEM)
    assert phone.state() is (CallState.CONNECTED if partner.wish.receives else CallState.ON_HOLD)
