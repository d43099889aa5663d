"""Offer/answer and hold of one call: joins `sip.invite` and `sdp.offer_answer`.

Our wish is one direction: `sendrecv`, or on hold `inactive` (the original phone's way) or
`sendonly` (with music). What we last agreed on is another. `_settle` offers the wish whenever the
two differ and nothing stands in the way, so hold and resume may be pressed in any order and at
any time, and an answer to *their* re-INVITE may settle ours.
"""

from applet.address import Address
from applet.phone.hold import Hold, HoldInput, HoldState
from applet.phone.messages import HeldBy, HoldChanged, MediaChanged, Reason, Trouble
from applet.phone.orders import HoldMedia, UpdateMedia
from applet.phone.outbox import Outbox
from applet.phone.parameters import media_parameters
from applet.sdp.description import SdpError
from applet.sdp.offer_answer import Direction, Negotiated, OfferAnswer, State
from applet.sip.events import ReinviteAnswered, ReinviteFailed
from applet.sip.invite import InviteSession


class Negotiation:
    """Made when the media sockets are bound; `session` is set when there is one."""

    __slots__ = (
        "_agreed",
        "_answer",
        "_call",
        "_described",
        "_early",
        "_hold",
        "_in_flight",
        "_local",
        "_negotiated",
        "_outbox",
        "_them",
        "_told",
        "_waiting",
        "_with_music",
        "session",
    )

    def __init__(self, call: int, local: Address, described: OfferAnswer, outbox: Outbox) -> None:
        self.session: InviteSession | None = None
        self._call = call
        self._local = local
        self._described = described
        self._outbox = outbox
        self._early: dict[str, bytes] = {}
        self._answer: bytes | None = None
        self._hold = Hold()
        self._with_music = False
        self._agreed = Direction.SENDRECV
        self._in_flight: Direction | None = None
        self._waiting = False
        self._negotiated: Negotiated | None = None
        self._them = False
        self._told = (HeldBy.NONE, False)

    # --- before the call is answered

    def first_offer(self) -> bytes:
        """The body of our INVITE."""
        return self._described.create_offer(Direction.SENDRECV)

    def first_offer_received(self, offer: bytes) -> None:
        """The body of their INVITE. Raises SdpError if it cannot be answered, so that nothing
        rings for a call that cannot be."""
        self._described.receive_offer(offer)

    def first_answer(self) -> bytes:
        """The body of our 200 or 183: the same answer each time, or our offer if theirs was
        missing."""
        if self._answer is None:
            if self._described.state is State.REMOTE_OFFER:
                self._answer, negotiated = self._described.create_answer(self._wish())
                self._apply(negotiated)
            else:
                self._answer = self.first_offer()
        return self._answer

    def early_answer(self, branch: str, body: bytes) -> bool:
        """Early media of one branch of a fork (RFC 3264 with RFC 3261 section 13.2.1: each early
        dialog has an answer of its own). False if it cannot be used, or is not new."""
        if branch in self._early:
            return False
        try:
            negotiated = self._described.early_answer(body)
        except SdpError:
            return False
        self._early[branch] = body
        self._apply(negotiated)
        return True

    def answered(self, branch: str, body: bytes | None) -> bool:
        """The answer of the 2xx (or of the ACK) counts; that of the same branch's early media
        stands in for a missing one. False if there is none that can be used."""
        body = body if body is not None else self._early.get(branch)
        self._early.clear()
        return body is not None and self._take_answer(body, Direction.SENDRECV)

    # --- hold

    def hold(self, with_music: bool, now: float) -> None:
        """Silence at once (unless music goes on), then ask them."""
        if self._hold.feed(HoldInput.HOLD):
            self._with_music = with_music
            self._silence(not with_music)
            self._settle(now)

    def resume(self, now: float) -> None:
        if self._hold.feed(HoldInput.RESUME):
            self._settle(now)

    def refresh(self, now: float) -> None:
        """Repeat our description, whatever it is."""
        self._offer(self._wish(), now)

    @property
    def held_by(self) -> HeldBy:
        us = self._hold.silent
        if us and self._them:
            return HeldBy.BOTH
        return HeldBy.US if us else HeldBy.THEM if self._them else HeldBy.NONE

    @property
    def on_hold(self) -> bool:
        """Held by whomever, and not only asked for: what the state of the call says."""
        return self._them or self._hold.state in (HoldState.HELD, HoldState.RESUMING)

    @property
    def held_in_silence(self) -> bool:
        """They hold us and send nothing: no music to listen to."""
        return (
            self.held_by is HeldBy.THEM
            and self._negotiated is not None
            and self._negotiated.direction in (Direction.INACTIVE, Direction.SENDONLY)
        )

    @property
    def takes_digits(self) -> bool:
        return self._negotiated is not None and self._negotiated.dtmf_payload_type is not None

    # --- their re-INVITE

    def offered(self, offer: bytes | None, now: float) -> None:
        """Answer it with what we wish (RFC 3264 section 8.4: both sides may hold at once)."""
        session = self.session
        assert session is not None
        if offer is None:
            session.answer_reinvite(self._described.create_offer(self._wish()), now)
            return
        try:
            self._described.receive_offer(offer)
        except SdpError:
            session.reject_reinvite(488, now)
            return
        answer, negotiated = self._described.create_answer(self._wish())
        self._agreed = self._wish()
        self._apply(negotiated)
        session.answer_reinvite(answer, now)

    def offer_confirmed(self, answer: bytes | None, now: float) -> None:
        """The ACK to our 200; it carries their answer if their re-INVITE had no offer."""
        if self._described.state is State.LOCAL_OFFER:
            if answer is None:
                self._described.offer_failed()
            else:
                self._take_answer(answer, self._wish())
        self._settle(now)

    # --- the fate of our own re-INVITE

    def offer_answered(self, event: ReinviteAnswered, now: float) -> None:
        offered, self._in_flight = self._in_flight, None
        assert offered is not None  # one re-INVITE of ours at a time
        if event.body is None:
            # RFC 3261 section 14.1 wants an answer here; some leave it out when nothing changes.
            self._described.offer_failed()
            self._agreed = offered
        elif not self._take_answer(event.body, offered):
            self._refused()
        self._settle(now)

    def offer_failed(self, event: ReinviteFailed, now: float) -> None:
        self._in_flight = None
        self._described.offer_failed()
        self._waiting = event.will_retry
        if not event.will_retry and self._agreed is not self._wish():
            self._refused()
        self._settle(now)

    def retry(self, now: float) -> None:
        """The back-off is over (RFC 3261 section 14.1)."""
        self._waiting = False
        self._settle(now)

    # --- inside

    def _wish(self) -> Direction:
        if not self._hold.wanted:
            return Direction.SENDRECV
        return Direction.SENDONLY if self._with_music else Direction.INACTIVE

    def _settle(self, now: float) -> None:
        """Bring what is agreed to what is wished, one offer at a time."""
        if self._hold.pending and self._in_flight is None:
            if self._agreed is self._wish():
                self._hold.feed(HoldInput.ACCEPTED)
                self._silence(self._hold.silent and not self._with_music)
            elif not self._waiting:
                self._offer(self._wish(), now)
        self._tell()

    def _offer(self, direction: Direction, now: float) -> None:
        session = self.session
        if session is None or not session.can_reinvite or self._in_flight is not None:
            return
        self._in_flight = direction
        session.reinvite(self._described.create_offer(direction), now)

    def _take_answer(self, body: bytes, offered: Direction) -> bool:
        try:
            negotiated = self._described.receive_answer(body)
        except SdpError:
            return False
        self._agreed = offered
        self._apply(negotiated)
        return True

    def _refused(self) -> None:
        """They did not agree: stay silent until the person chooses, and say so."""
        wanted = self._hold.wanted
        if self._hold.feed(HoldInput.REFUSED):
            reason = Reason.HOLD_FAILED if wanted else Reason.RESUME_FAILED
            self._outbox.tell(Trouble(self._call, reason, ""))
            self._tell()

    def _silence(self, on: bool) -> None:
        self._outbox.order(HoldMedia(self._call, on))

    def _apply(self, negotiated: Negotiated) -> None:
        self._negotiated = negotiated
        self._them = negotiated.held_by_them
        parameters = media_parameters(negotiated)
        self._outbox.order(UpdateMedia(self._call, parameters))
        self._outbox.tell(
            MediaChanged(
                self._call,
                parameters.codec,
                parameters.direction,
                str(self._local),
                str(parameters.remote_rtp or ""),
                "",
            )
        )
        self._tell()

    def _tell(self) -> None:
        now_held = (self.held_by, self._hold.pending)
        if now_held != self._told:
            self._told = now_held
            self._outbox.tell(HoldChanged(self._call, *now_held))
