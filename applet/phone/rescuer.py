"""Brings the sound of one call back: joins `nat.rescue`, the negotiation and the network."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.media.events import ConsentLost, PathFound, SoundBack, SoundMissing
from applet.nat.rescue import BUSY_PAUSE, OFFER_PAUSE, Rescue, RescueInput, RescueState, Step
from applet.nat.strategy import Kind, OpenedWay, Way
from applet.phone.messages import Reason, Trouble
from applet.phone.orders import KeepWay, OpenWay
from applet.sip.events import OfferReceived, ReinviteAnswered, ReinviteConfirmed, ReinviteFailed
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.address import Address
    from applet.phone.call import Call
    from applet.phone.negotiation import Negotiation
    from applet.phone.network import Network
    from applet.phone.outbox import Outbox
    from applet.sip.uri import SipUri

_NOT_A_RESCUE = (Kind.DIRECT, Kind.RPORT)


class _Rerouted(NamedTuple):
    """SIP to `server` goes another way since our offer, until `undo` is called."""

    server: SipUri
    way: tuple[str, int]
    undo: Callable[[], None]


class Rescuer:
    """`opened` is the way that the call has."""

    def __init__(self, call: Call, opened: OpenedWay, network: Network, outbox: Outbox) -> None:
        self._call = call
        self._opened = opened
        self._server = call.server
        self._network = network
        self._outbox = outbox
        self._machine = Rescue()
        self._offered: OpenedWay | None = None
        self._late: list[OpenedWay] = []
        self._rerouted: _Rerouted | None = None
        self._remapped: OpenedWay | None = None
        self._wanted: Way | None = None
        self._moving = False
        self._changes = 0
        self._without_consent = False
        self._tell_at: float | None = None
        self._told_at = -OFFER_PAUSE
        self._by = ""

    # --- what happens

    def media_event(
        self, event: SoundMissing | SoundBack | ConsentLost | PathFound, now: float
    ) -> None:
        match event:
            case SoundBack():
                self._machine.feed(RescueInput.BACK, now)
            case PathFound():
                self._path_found(event, now)
            case ConsentLost():
                self._without_consent = True
                self._missing(True, now)
            case _:  # SoundMissing
                self._missing(event.heard, now)

    def _missing(self, heard: bool, now: float) -> None:
        if self._machine.feed(RescueInput.MISSING, now):
            if not self._machine.began:
                self._machine.begin(self._steps(heard, now))
            self.handle_timers(now)

    def _path_found(self, found: PathFound, now: float) -> None:
        """By ICE. That they consent again is all that is to be known where sound never stopped."""
        by = ", through the relay" if found.relayed else ""
        proof = f"The other side offered ICE, and its checks found the way to {found.remote}{by}."
        self._network.surroundings.news.found("ice", proof)
        if self._without_consent:
            self._without_consent = False
            self._machine.feed(RescueInput.BACK, now)

    def way_opened(self, opened: OpenedWay, now: float) -> None:
        """The threads have opened a way for a step, or only what is always there."""
        if opened.late:
            self._better(opened, now)
        elif self._moving:
            self._moved(opened, now)
        elif self._machine.state is not RescueState.TRYING:
            self._refuse(opened)
        elif opened.way != self._wanted:
            self._refuse(opened)
            self._machine.feed(RescueInput.REFUSED, now)
            self.handle_timers(now)
        else:
            self._offered = opened
            self._machine.offered(now)
            self._call.relocate(opened, now)

    def _better(self, late: OpenedWay, now: float) -> None:
        """It came when the call had begun by another way, which it keeps until they agree."""
        if self._moving or self._rescuing or self._machine.state is RescueState.TRYING:
            self._refuse(late)
            return
        self._late.append(late)
        self._call.relocate(late, now)

    def _refuse(self, opened: OpenedWay) -> None:
        self._outbox.order(KeepWay(self._call.number, opened.rtp))

    def mapping_moved(self, rtp: Address, rtcp: Address, now: float) -> None:
        """The router reaches us by another address or port from now on. While another way is
        offered this waits for what becomes of that."""
        if rtp.host != self._opened.rtp.host:
            self._network.surroundings.look_again(now)  # SIP comes from there too
        moved = self._opened._replace(rtp=rtp, rtcp=rtcp)
        if self._offered is None and not self._late:
            self._moved(moved, now)
        else:
            self._remapped = moved

    def network_changed(self, now: float) -> None:
        """Whatever way the call had is gone, and what is opened for the network before too."""
        self._machine = Rescue()
        self._moving = False
        self._offered = self._remapped = None
        self._late.clear()
        self._go_back()
        self._changes += 1
        change = self._changes

        server = self._server

        def known(now: float) -> None:
            if change == self._changes and server is not None:
                self._move(self._network.plan_towards(server).ways)

        if server is not None:
            self._network.when_known(server, known, now)
        else:
            self._move(self._network.ways_towards(self._peer))

    def _move(self, ways: tuple[Way, ...]) -> None:
        if self._call.live:
            self._moving = True
            local = self._network.local_towards(self._peer).host
            self._outbox.order(OpenWay(self._call.number, ways, local))

    def _moved(self, opened: OpenedWay, now: float) -> None:
        """Offer the new place, and with it the new Contact. It stays ours if they refuse it: the
        one before is gone."""
        self._moving = False
        self._opened = opened
        self._network.tell_way(opened.way, self._server)
        self._call.relocate(opened, now)

    @property
    def _negotiation(self) -> Negotiation:
        negotiation = self._call.negotiation
        assert negotiation is not None  # it was made with this
        return negotiation

    @property
    def _peer(self) -> str:
        """The host that our requests go to."""
        if self._server is not None:
            return self._server.host
        session = self._call.session
        address = None if session is None else session.remote_address
        return "" if address is None else address.host

    def tell_contact(self, now: float) -> None:
        """Repeat our offer as soon as it can be, with the Contact of now."""
        self._tell_at = max(now, self._told_at + OFFER_PAUSE)

    def _tell(self, now: float) -> None:
        negotiation = self._negotiation
        if not negotiation.can_offer:
            self._tell_at = now + BUSY_PAUSE
            return
        self._tell_at, self._told_at = None, now
        negotiation.refresh(now)

    def session_event(self, event: object, now: float) -> None:
        """What became of our offer, if sound has come back meanwhile too."""
        if self._late:
            self._late_event(event, now)
        elif self._rescuing and not self._negotiation.moving:
            self._step_event(event, now)

    def _late_event(self, event: object, now: float) -> None:
        """Which of the better ways has been agreed to, or that they want none."""
        negotiation = self._negotiation
        agreed = [late for late in self._late if late.rtp == negotiation.agreed_at]
        if agreed:
            self._opened, self._remapped = agreed[-1], None
            del self._late[: self._late.index(agreed[-1]) + 1]
            self._network.tell_way(self._opened.way, self._server)
        elif isinstance(event, ReinviteFailed) and not negotiation.moving:
            refused, self._late = self._late, []
            for late in refused:
                self._refuse(late)
            self._stay(now)

    def _step_event(self, event: object, now: float) -> None:
        """An offer of theirs may have come before ours was repeated, and with our answer they know
        the new place; of another transport it proves nothing."""
        theirs = isinstance(event, ReinviteConfirmed | OfferReceived)
        if isinstance(event, ReinviteAnswered) or (theirs and self._rerouted is None):
            self._succeeded(now)
        elif theirs or isinstance(event, ReinviteFailed):
            self._failed(now)

    @property
    def _rescuing(self) -> bool:
        """A step is offered."""
        return self._offered is not None or self._rerouted is not None

    # --- deadlines

    def next_timer(self) -> float | None:
        times = (self._machine.due, self._tell_at)
        return min((time for time in times if time is not None), default=None)

    def handle_timers(self, now: float) -> None:
        if self._tell_at is not None and self._tell_at <= now:
            self._tell(now)
        due = self._machine.due
        if due is None or due > now:
            return
        free = self._negotiation.free
        if self._machine.at_last and self._server is not None:
            free = free and not self._network.surroundings.is_asking(self._server)
        step = self._machine.next_step(free, now)
        if step is not None:
            self._take(step, now)
        elif self._machine.state is RescueState.GIVEN_UP:
            self._outbox.tell(Trouble(self._call.number, Reason.NO_SOUND, ""))

    # --- inside

    def _steps(self, heard: bool, now: float) -> tuple[Step, ...]:
        """The same way anew if it has carried sound before (a router that was restarted has
        forgotten it) or where nothing but consent is missing, the other ways of the plan (one
        relay is enough: it either helps or does not), then SIP over a transport that nobody on
        the way can read."""
        ways: list[Way] = []
        if self._server is not None:
            self._network.surroundings.ask_all(self._server, now)
            ways = list(self._network.plan_towards(self._server).ways)
        kinds = {self._opened.way.kind, *_NOT_A_RESCUE}
        again = self._without_consent or (heard and not self._opened.way.as_bound)
        steps = [Step(self._opened.way)] if again else []
        for way in ways:
            if way.kind not in kinds:
                kinds.add(way.kind)
                steps.append(Step(way))
        return (*steps, Step(None))

    def _take(self, step: Step, now: float) -> None:
        self._wanted = step.way
        if step.way is not None:
            self._by = step.way.name
            self._outbox.order(OpenWay(self._call.number, (step.way,)))
            return
        server, session = self._server, self._call.session
        other = self._network.surroundings.other_transport(server) if server is not None else None
        if server is None or other is None or session is None:
            self._machine.feed(RescueInput.REFUSED, now)
            self.handle_timers(now)
            return
        self._by = other[0]
        undo = session.reroute(lambda uri: self._over(uri, server, other))
        self._rerouted = _Rerouted(server, other, undo)
        self._machine.offered(now)
        self._call.relocate(self._opened, now)

    def _over(self, uri: SipUri, server: SipUri, way: tuple[str, int]) -> SipUri:
        """The same host by another transport. Only of the server it is known on which port it
        answers so; another host has the usual one."""
        transport, port = way
        rest = tuple(pair for pair in uri.params if pair[0].lower() != "transport")
        its_port = port if self._network.surroundings.is_host_of(uri.host, server) else None
        return uri._replace(port=its_port, params=(*rest, ("transport", transport)))

    def _succeeded(self, now: float) -> None:
        self._machine.feed(RescueInput.ANSWERED, now)
        if self._offered is not None:
            self._opened, self._offered, self._remapped = self._offered, None, None
        if self._rerouted is not None:
            self._network.surroundings.settle(self._rerouted.server, self._rerouted.way)
            self._rerouted = None
        why = "The other side stopped answering" if self._without_consent else "No sound came"
        proof = f"{why}, so the call goes on by {self._by.upper()}."
        self._network.surroundings.news.found(self._opened.way.name, proof)

    def _failed(self, now: float) -> None:
        """The call is as it was before."""
        self._go_back()
        self._machine.feed(RescueInput.REFUSED, now)
        if self._offered is not None:
            self._refuse(self._offered)
            self._offered = None
            self._stay(now)

    def _stay(self, now: float) -> None:
        """Where it was, or where the router has moved that meanwhile."""
        self._negotiation.stay(self._opened.rtp, self._opened.rtcp.port)
        if self._remapped is not None:
            moved, self._remapped = self._remapped, None
            self._moved(moved, now)

    def _go_back(self) -> None:
        """SIP goes as it did before the step that sent it another way, if that is not proved."""
        if self._rerouted is not None:
            self._rerouted.undo()
            self._rerouted = None
