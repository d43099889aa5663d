"""Offer/answer and hold of one call: joins `sip.invite` and `sdp.offer_answer`.

Our wish is a `Proposal`: a direction (`sendrecv`, or on hold that of the style which the server
takes) and the address where we want to hear. What we last agreed on is another. `_settle` offers
the wish whenever the two differ and nothing stands in the way, so hold and resume may be pressed
in any order and at any time, the address may change under them, and an answer to *their*
re-INVITE may settle ours.
"""

from __future__ import annotations

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.phone.branches import Branches
from applet.phone.hold import HoldInput, HoldMemory, HoldState
from applet.phone.hold_wish import HoldWish
from applet.phone.ice import ice_places, ice_setup
from applet.phone.messages import HeldBy, HoldChanged, MediaChanged, Reason, Trouble
from applet.phone.orders import HoldMedia, UpdateMedia
from applet.phone.parameters import media_parameters
from applet.sdp.description import SdpError
from applet.sdp.offer_answer import Direction, Negotiated, OfferAnswer, State
from applet.sip.uri import SipUri
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.nat.strategy import OpenedWay
    from applet.phone.outbox import Outbox
    from applet.sip.events import ReinviteAnswered, ReinviteFailed
    from applet.sip.invite import InviteSession

_NOT_FOR_THE_STYLE = frozenset((401, 407, 408, 481, 503))
"""Refusals that another way of saying the same would meet as well."""
_NOWHERE = Address("", 0)
"""In place of an address that was agreed, or is being offered, once it counts no more."""


class Proposal(NamedTuple):
    """What our side of a description says beside codecs. `hidden`: it shows 0.0.0.0."""

    direction: Direction
    hidden: bool
    local: Address


class Negotiation:
    """Made when the media sockets are bound; `session` is set when there is one."""

    __slots__ = (
        "_agreed",
        "_answer",
        "_branches",
        "_call",
        "_described",
        "_hold",
        "_in_flight",
        "_local",
        "_negotiated",
        "_offering",
        "_outbox",
        "_repeat",
        "_them",
        "_told",
        "_waiting",
        "session",
    )

    def __init__(
        self,
        call: int,
        local: Address,
        described: OfferAnswer,
        outbox: Outbox,
        memory: HoldMemory,
    ) -> None:
        self.session: InviteSession | None = None
        self._call = call
        self._local = local
        self._described = described
        self._outbox = outbox
        self._branches = Branches()
        self._answer: bytes | None = None
        self._hold = HoldWish(memory)
        self._agreed = Proposal(Direction.SENDRECV, False, local)
        self._in_flight: Proposal | None = None
        self._offering = described
        self._waiting = False
        self._repeat = False
        self._negotiated: Negotiated | None = None
        self._them = False
        self._told = (HeldBy.NONE, False)

    # --- before the call is answered

    def first_offer(self) -> bytes:
        """The body of our INVITE, or of our 2xx to one without an offer."""
        self._agreed = self._wish()
        return self._described.create_offer(Direction.SENDRECV)

    def offer_again(self) -> bytes:
        """The same for another attempt: nobody answered the one before for good."""
        self._described.offer_failed()
        self._branches = Branches()
        self._in_flight, self._waiting = None, False  # an UPDATE to a branch that is gone
        return self.first_offer()

    def simplify(self) -> bool:
        """Offer less in the next attempt; False if there is nothing to leave out."""
        return self._described.simplify()

    def first_offer_received(self, offer: bytes) -> None:
        """The body of their INVITE. Raises SdpError if it cannot be answered, so that nothing
        rings for a call that cannot be."""
        self._described.receive_offer(offer)

    def first_answer(self) -> bytes:
        """The body of our 200 or 183: the same answer each time, or our offer if theirs was
        missing."""
        if self._answer is None:
            if self._described.state is State.REMOTE_OFFER:
                self._answer = self._create_answer(self._described)
            else:
                self._answer = self.first_offer()
        return self._answer

    def early_answer(self, branch: str, body: bytes, final: bool = False) -> bool:
        """Early media of one branch of a fork. False if it cannot be used, or is not new."""
        negotiated = self._branches.answered_early(self._described, branch, body, final)
        if negotiated is not None:
            self._apply(negotiated)
        return negotiated is not None

    def answered(self, branch: str, body: bytes | None) -> bool:
        """Somebody picked up; `body` is the answer of the 2xx, or of the ACK. False if there is
        none that can be used."""
        described = self._branches.picked_up(self._described, branch, body)
        if described is None or described.negotiated is None:
            return False
        if described is not self._offering:
            self._in_flight = None  # an UPDATE to a branch that did not pick up
        self._described = described
        self._apply(described.negotiated)
        return True

    # --- hold

    def hold(self, with_music: bool, now: float) -> None:
        """Silence at once (unless music goes on), then ask them."""
        if self._hold.hold(with_music, self._server):
            self._silence()
            self.settle(now)

    def resume(self, now: float) -> None:
        if self._hold.resume():
            self.settle(now)

    def refresh(self, now: float) -> None:
        """Repeat what is agreed, whatever it is, as soon as it can be offered."""
        self._repeat = True
        self.settle(now)

    def update(self, now: float) -> bool:
        """Repeat it by UPDATE, before the call is answered to the branch that is heard. False if
        the other side does not take that now."""
        session, branch = self.session, self._branches.heard
        described = self._branches.of(branch) or self._described
        possible = (
            session is not None
            and self._in_flight is None
            and described.state is State.STABLE
            and session.can_update(branch, offer=True)
        )
        if not possible or session is None:
            return False
        body = self._open(described, self._agreed)
        session.update(body, now, branch)
        return True

    def relocate(self, opened: OpenedWay, now: float) -> None:
        """From now on our sound and reports are to be sent there: offer that as soon as it can be
        offered, in a call that is held too. The same place is offered again: the port for
        reports, our Contact or the way there may be new."""
        self._local = opened.rtp
        for described in (self._described, *self._branches.described()):
            described.set_local(opened.rtp, opened.rtcp.port, ice_places(opened))
        self._agreed = self._agreed._replace(local=_NOWHERE)
        if self._in_flight is not None:
            self._in_flight = self._in_flight._replace(local=_NOWHERE)
        self.settle(now)

    def stay(self, rtp: Address, rtcp_port: int) -> None:
        """What `relocate` asked for was refused: our sound goes on coming to `rtp`, as agreed."""
        self._local = rtp
        for described in (self._described, *self._branches.described()):
            described.keep_local(rtp, rtcp_port)
        self._agreed = self._agreed._replace(local=rtp)

    @property
    def can_offer(self) -> bool:
        """Nothing stands in the way of an offer."""
        session = self.session
        return (
            session is not None
            and session.can_reinvite
            and self._in_flight is None
            and not self._waiting
        )

    @property
    def free(self) -> bool:
        """Neither side holds, and nothing stands in the way of an offer."""
        return self.can_offer and self.held_by is HeldBy.NONE

    @property
    def moving(self) -> bool:
        """What `relocate` asked for is neither agreed nor refused yet."""
        return self._agreed.local != self._local

    @property
    def agreed_at(self) -> Address | None:
        """Where they were told, by what is agreed now, that we hear."""
        return None if self._negotiated is None else self._negotiated.local_rtp

    @property
    def held_by(self) -> HeldBy:
        us = self._hold.state.silent
        if us and self._them:
            return HeldBy.BOTH
        return HeldBy.US if us else HeldBy.THEM if self._them else HeldBy.NONE

    @property
    def on_hold(self) -> bool:
        """Held by whomever, and not only asked for: what the state of the call says."""
        return self._them or self._hold.state.state in (HoldState.HELD, HoldState.RESUMING)

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

    @property
    def awaits_answer(self) -> bool:
        """The offer in our 2xx has not been answered."""
        return self._described.state is State.LOCAL_OFFER and self._in_flight is None

    # --- their offers

    def offered(self, offer: bytes | None, now: float) -> None:
        """Answer it with what we wish (RFC 3264 section 8.4: both sides may hold at once)."""
        session = self.session
        assert session is not None
        if offer is None:
            session.answer_reinvite(self._open(self._described, self._wish()), now)
            return
        try:
            self._described.receive_offer(offer)
        except SdpError:
            session.reject_reinvite(488, now)
            return
        session.answer_reinvite(self._create_answer(self._described), now)

    def offered_at_once(self, branch: str, offer: bytes, now: float) -> None:
        """Their UPDATE or PRACK, in an early dialog perhaps: the same, without any ACK."""
        session = self.session
        assert session is not None
        early = self._branches.of(branch)
        described = early or self._described
        if described.state is not State.STABLE:
            session.reject_offer(488, now)  # the answer before could not be used
            return
        try:
            described.receive_offer(offer)
        except SdpError:
            session.reject_offer(488, now)
            return
        if early is not None:
            self._branches.listen_to(branch)
        session.answer_offer(self._create_answer(described), now)
        self.settle(now)

    def offer_confirmed(self, answer: bytes | None, now: float) -> None:
        """The ACK to our 200; it carries their answer if their re-INVITE had no offer."""
        if self._described.state is State.LOCAL_OFFER:
            offered, self._in_flight = self._in_flight, None
            assert offered is not None  # what `offered` has asked in turn
            if answer is None:
                self._described.offer_failed()
            else:
                self._take_answer(answer, offered)
        self.settle(now)

    # --- the fate of our own re-INVITE or UPDATE

    def offer_answered(self, event: ReinviteAnswered, now: float) -> None:
        offered, self._in_flight = self._in_flight, None
        assert offered is not None  # one offer of ours at a time
        self._repeat = False
        if event.body is None:
            # RFC 3261 section 14.1 wants an answer here; some leave it out when nothing changes.
            self._agreed = offered
            before, negotiated = self.agreed_at, self._offering.receive_no_answer()
            if negotiated is not None and negotiated.local_rtp != before:
                self._apply(negotiated)
        elif not self._take_answer(event.body, offered):
            self._refused(offered)
        self.settle(now)

    def offer_failed(self, event: ReinviteFailed, now: float) -> None:
        offered, self._in_flight = self._in_flight, None
        assert offered is not None  # one offer of ours at a time
        self._offering.offer_failed()
        self._waiting = event.will_retry
        if not event.will_retry:
            self._repeat = False
            another_way = event.response is not None and event.status not in _NOT_FOR_THE_STYLE
            self._refused(offered, another_way)
        self.settle(now)

    def retry(self, now: float) -> None:
        """The back-off is over (RFC 3261 section 14.1)."""
        self._waiting = False
        self.settle(now)

    def settle(self, now: float) -> None:
        """Bring what is agreed to what is wished, one offer at a time."""
        wish = self._wish()
        if self._in_flight is None:
            if self._hold.state.pending and self._agreed == wish:
                self._hold.accepted(self._server)
                self._silence()
            elif self._hold.state.pending and not self._waiting:
                self._offer(wish, now)
            elif (self._repeat or self._agreed.local != self._local) and not self._waiting:
                self._offer(self._agreed, now)  # a hold that was refused is not offered again
        self._tell()

    # --- inside

    def _wish(self) -> Proposal:
        return Proposal(*self._hold.words, self._local)

    def _offer(self, proposal: Proposal, now: float) -> None:
        session = self.session
        if session is None or not session.can_reinvite or self._in_flight is not None:
            return
        session.reinvite(self._open(self._described, proposal), now)

    def _open(self, described: OfferAnswer, proposal: Proposal) -> bytes:
        self._in_flight, self._offering = proposal._replace(local=self._local), described
        return described.create_offer(proposal.direction, proposal.hidden)

    def _create_answer(self, described: OfferAnswer) -> bytes:
        """To their offer, with what we wish. Nobody answers with 0.0.0.0: they have said that
        they know directions by offering again."""
        wish = self._wish()
        direction = Direction.INACTIVE if wish.hidden else wish.direction
        answer, negotiated = described.create_answer(direction)
        self._agreed, self._repeat = wish, False
        self._apply(negotiated)
        return answer

    def _take_answer(self, body: bytes, offered: Proposal) -> bool:
        try:
            negotiated = self._offering.receive_answer(body)
        except SdpError:
            return False
        self._agreed = offered
        self._apply(negotiated)
        return True

    def _refused(self, offered: Proposal, another_way: bool = True) -> None:
        """They did not agree. A hold is tried in the other styles; after the last one, and after
        a refused resume, stay silent until the person chooses, and say so. A new address is not
        offered twice: whoever moved us decides what comes next."""
        self._agreed = self._agreed._replace(local=offered.local)
        wish = self._wish()
        if offered != wish or not self._hold.state.pending or self._agreed == wish:
            return
        if another_way and self._hold.try_another(ipv6=":" in self._local.host):
            return
        reason = Reason.HOLD_FAILED if self._hold.state.wanted else Reason.RESUME_FAILED
        self._hold.state.feed(HoldInput.REFUSED)
        self._outbox.tell(Trouble(self._call, reason, ""))

    @property
    def _server(self) -> str:
        """Whom a style is remembered for."""
        assert self.session is not None  # nobody holds a call that is not up
        uri = self.session.remote.uri
        return uri.host.lower() if isinstance(uri, SipUri) else str(uri)

    def _silence(self) -> None:
        self._outbox.order(HoldMedia(self._call, self._hold.silences))

    def _apply(self, negotiated: Negotiated) -> None:
        self._negotiated = negotiated
        self._them = negotiated.held_by_them
        parameters = media_parameters(negotiated)
        checks = ice_setup(negotiated.ice, negotiated.rtcp_mux)
        local = negotiated.local_rtp
        self._outbox.order(UpdateMedia(self._call, parameters, checks, local))
        self._outbox.tell(
            MediaChanged(
                self._call,
                parameters.codec,
                parameters.direction,
                str(local or self._local),
                str(parameters.remote_rtp or ""),
                "",
            )
        )
        self._tell()

    def _tell(self) -> None:
        now_held = (self.held_by, self._hold.state.pending)
        if now_held != self._told:
            self._told = now_held
            self._outbox.tell(HoldChanged(self._call, *now_held))
