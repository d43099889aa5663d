"""One call: its signalling (`sip.invite`), its descriptions (`sdp.offer_answer`) and its media.

    Dialling -> Ringing or Early -> Connected <-> On hold -> Ended

is what the person sees. `phone.negotiation` keeps offer/answer and hold; here is what happens
before the answer and at the end, and `phone.call_face` tells it.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.media.tones import Tone
from applet.phone.call_face import CallFace
from applet.phone.ending import why_ended
from applet.phone.ice import offers_ice
from applet.phone.messages import (
    CallState,
    IncomingCall,
    Reason,
    Redirected,
    Trouble,
)
from applet.phone.orders import (
    CloseMedia,
    OpenMedia,
    OpenMicrophone,
    RequestMediaStatistics,
)
from applet.phone.parameters import statistics
from applet.phone.reasons import Why
from applet.phone.way_clock import WayClock
from applet.phone.words import remark
from applet.sdp.description import SdpError
from applet.sip.events import (
    Answered,
    Confirmed,
    EndedBy,
    Provisional,
    SessionEnded,
)
from applet.sip.message import allows
from applet.sip.session_table import SessionState

if TYPE_CHECKING:
    from applet.media.events import MediaStatistics
    from applet.nat.strategy import OpenedWay, Way
    from applet.phone.attempts import Attempts
    from applet.phone.negotiation import Negotiation
    from applet.phone.outbox import Outbox
    from applet.phone.rescuer import Rescuer
    from applet.sip.headers import NameAddr
    from applet.sip.invite import InviteSession
    from applet.sip.uri import SipUri

_BUSY_TONE_SECONDS = 2.0


class Call(CallFace):
    """Made by `Phone`; `number` is its id in commands and events. `over` once nothing is left."""

    __slots__ = (
        "_answer_status",
        "_attempts",
        "_caller",
        "_close_at",
        "_hung_up",
        "_media_open",
        "_offer",
        "_way_clock",
        "over",
        "rescuer",
        "server",
        "session",
        "stands_in",
        "takes_info",
    )

    def __init__(self, number: int, peer: str, outgoing: bool, outbox: Outbox) -> None:
        super().__init__(number, peer, outgoing, outbox)
        self.session: InviteSession | None = None
        self.over = False
        self.server: SipUri | None = None  # whom its requests go to
        self.rescuer: Rescuer | None = None
        self._attempts: Attempts | None = None
        self._offer: bytes | None = None
        self._answer_status = 0
        self._hung_up = False
        self._media_open = False
        self._close_at: float | None = None
        self._caller = ""
        self._way_clock = WayClock()
        self.stands_in = False
        """Whether another call waits for the outcome of this one: it fails without a tone."""
        self.takes_info = False
        """Whether the other side allows INFO."""

    # --- the beginning

    def dial(self, attempts: Attempts, now: float) -> None:
        """Call out: the first of `attempts` is made once there are sockets for the media, which
        `open_media` asks for."""
        self._attempts = attempts
        self._way_clock.begin(now)
        self.tell_state(CallState.DIALLING)

    def open_media(self, remote_host: str, ways: tuple[Way, ...], now: float) -> None:
        """It is known how the sound can go to `remote_host`."""
        if self.live:
            every = offers_ice(self._offer)
            self._outbox.order(OpenMedia(self.number, remote_host, ways, every))
            self._way_clock.start(now)

    def ring_here(
        self,
        session: InviteSession,
        offer: bytes | None,
        answer_status: int,
        ways: tuple[Way, ...],
        caller: NameAddr,
        now: float,
    ) -> None:
        """A call came in from `caller`. `answer_status`: what `PhoneConfig.answer` wants."""
        self.session = session
        self.peer = str(caller.uri)
        self._caller = caller.display
        self.takes_info = allows(session.request, "INFO")
        self._offer = offer
        self._answer_status = answer_status
        self._way_clock.begin(now)
        host = session.remote_address.host if session.remote_address else ""
        self.open_media(host, ways, now)

    def media_opened(self, negotiation: Negotiation | None, now: float) -> None:
        """The sockets are bound (None: they could not be)."""
        self._media_open = negotiation is not None
        self.negotiation = negotiation
        if negotiation is None:
            self._fail(Reason.MEDIA_FAILED, 500, now)
        elif self.outgoing:
            assert self._attempts is not None
            self.session = self._attempts.send(negotiation.first_offer(), now)
            negotiation.session = self.session
        else:
            self._receive_call(negotiation, now)

    def _receive_call(self, negotiation: Negotiation, now: float) -> None:
        session = self.session
        assert session is not None
        negotiation.session = session
        if self._offer is not None:
            try:
                negotiation.first_offer_received(self._offer)
            except SdpError:
                self._fail(Reason.NO_COMMON_CODEC, 488, now)
                return
        called = str(session.local.uri)
        self._outbox.tell(IncomingCall(self.number, self._caller, self.peer, called))
        self.tell_state(CallState.RINGING)
        if self._answer_status == 200:
            self.answer(200, now)
        elif self._answer_status == 183:
            self.answer(183, now)
        elif self._answer_status >= 300:
            self.reject(self._answer_status, now)
        else:
            self._ring(now)
            self.play(Tone.INCOMING)

    def _ring(self, now: float) -> None:
        """180; with our offer, if it is to be a reliable one and the INVITE brought none."""
        assert self.session is not None and self.negotiation is not None
        if self.session.wants_offer_to_ring:
            self.session.progress(180, self.negotiation.first_answer(), now)
        else:
            self.session.ring(now)

    # --- what the person does

    def answer(self, status: int, now: float) -> None:
        """Accept an incoming call (200), or only ring (180) or play early media (183)."""
        if self.outgoing or self._connected or not self._ready():
            return
        assert self.session is not None and self.negotiation is not None
        if status == 200:
            self.play(None)
            self._connected = True
            self._outbox.order(OpenMicrophone(self.number))
            self.session.answer(self.negotiation.first_answer(), now)
            self.show(200)
        elif status == 183 and (self._offer is not None or self.session.rings_reliably):
            self.session.progress(183, self.negotiation.first_answer(), now)
            self.tell_state(CallState.EARLY, 183)
        else:
            self._ring(now)

    def reject(self, status: int, now: float) -> None:
        """Refuse an incoming call with a final status 300-699."""
        if self.outgoing or self._connected or not self._ready():
            return
        assert self.session is not None
        self._hung_up = True
        self.session.reject(status, now)

    def hang_up(self, now: float) -> None:
        """End it, whatever state it is in. While the last numbers are still counted nothing more
        is to be done: the end is told behind them."""
        if self._end is not None:
            if self._close_at is not None:
                self._close(now)
            return
        self._hung_up = True
        self._passed_on = False
        if self.session is None:
            self._finish(Why(Reason.CANCELLED_HERE), 0, now)
        else:
            self.session.hang_up(now)

    def hold(self, with_music: bool, now: float) -> None:
        if self.talking and self.negotiation is not None:
            self.negotiation.hold(with_music, now)
            self.show()

    def resume(self, now: float) -> None:
        if self.talking and self.negotiation is not None:
            self.negotiation.resume(now)
            self.show()

    def reinvite(self, now: float) -> None:
        if self.talking and self.negotiation is not None:
            self.negotiation.refresh(now)

    def update(self, now: float) -> None:
        if self._end is None and self.negotiation is not None and self.negotiation.update(now):
            return
        self._outbox.tell(Trouble(self.number, Reason.NO_UPDATE, ""))

    def relocate(self, opened: OpenedWay, now: float) -> None:
        """Its sound is to come here from now on."""
        if self._end is None and self.negotiation is not None:
            self.negotiation.relocate(opened, now)

    # --- what the network does

    def provisional(self, event: Provisional) -> None:
        negotiation = self.negotiation
        assert negotiation is not None  # without it no INVITE was sent
        body = event.body
        if body is not None and negotiation.early_answer(event.branch, body, event.final):
            self.play(None)
            self.tell_state(CallState.EARLY, event.status)
        elif event.status == 182 and self._state in (CallState.DIALLING, CallState.RINGING):
            self.play(Tone.RINGBACK)
            self.tell_queued(remark(event.reason) if event.reason != "Queued" else "")
        elif event.status == 180 and self._state is CallState.DIALLING:
            self.play(Tone.RINGBACK)
            self.tell_state(CallState.RINGING, 180)

    def answered(self, event: Answered, now: float) -> None:
        assert self.negotiation is not None  # without it no INVITE was sent
        if not self.negotiation.answered(event.branch, event.body):
            self._fail(Reason.NO_COMMON_CODEC, 488, now)
            return
        self._connected = True
        self.takes_info = allows(event.response, "INFO")
        self.play(None)
        self._outbox.order(OpenMicrophone(self.number))
        self.negotiation.settle(now)
        self.show(event.response.status)

    def confirmed(self, event: Confirmed, now: float) -> None:
        """The ACK to our 200; it carries their answer if the INVITE had no offer."""
        assert self.negotiation is not None  # without it no 200 was sent
        if self.negotiation.awaits_answer and not self.negotiation.answered("", event.body):
            self._fail(Reason.NO_COMMON_CODEC, 488, now)
            return
        self.negotiation.settle(now)
        self.show(200)

    def early_offer_answered(self, body: bytes | None, now: float) -> None:
        """The PRACK to our ringing, which carried our offer."""
        assert self.negotiation is not None  # without it nothing was offered
        if not self.negotiation.answered("", body):
            self._fail(Reason.NO_COMMON_CODEC, 488, now)

    def session_ended(self, event: SessionEnded, now: float) -> None:
        if self._end is None and not self._try_again(event, now):
            why = why_ended(event, self.outgoing, self._connected)
            if self._passed_on and event.by in (EndedBy.LOCAL, EndedBy.REMOTE):
                why = Why(Reason.TRANSFERRED)
            self._finish(why, event.status, now)

    def _try_again(self, event: SessionEnded, now: float) -> bool:
        """A call out failed: it may be worth another attempt, of which the person sees no more
        than that it goes on."""
        attempts, negotiation = self._attempts, self.negotiation
        if attempts is None or negotiation is None or self._connected or self._hung_up:
            return False
        plainer = attempts.wants_plainer(event) and negotiation.simplify()
        if not (plainer or attempts.next_target(event)):
            return False
        self.peer = str(attempts.target)
        self.play(None)
        self.tell_state(CallState.DIALLING)
        self.session = negotiation.session = attempts.send(negotiation.offer_again(), now)
        return True

    def dial_elsewhere(self, now: float) -> bool:
        """The server answers, but not where our INVITE went: call there, if nobody has heard us
        yet."""
        before, attempts, negotiation = self.session, self._attempts, self.negotiation
        unheard = before is not None and before.state is SessionState.CALLING
        if not unheard or attempts is None or negotiation is None or self._hung_up:
            return False
        self.session = negotiation.session = attempts.send(negotiation.offer_again(), now)
        return True

    # --- what the media does

    def request_statistics(self) -> None:
        if self._media_open and self._end is None:
            self._outbox.order(RequestMediaStatistics(self.number))

    def counted(self, counted: MediaStatistics, now: float) -> None:
        """Numbers that were asked for: by the person, or for the end of the call."""
        if self.over or self._close_at is not None:
            return
        self._outbox.tell(statistics(self.number, counted))
        if self._end is not None:
            self._tell_end(now)

    # --- transfer

    def pass_on(self, now: float) -> None:
        """Another call has taken its place."""
        self.hang_up(now)
        self._passed_on = True

    # --- the end

    def _fail(self, reason: Reason, status: int, now: float) -> None:
        """End it from here because it cannot work."""
        if self.session is not None:
            if self.outgoing or self._connected:
                self.session.hang_up(now)
            else:
                self.session.reject(status, now)
        self._finish(Why(reason), status, now)

    def _finish(self, why: Why, code: int, now: float) -> None:
        self._end = (why, code)
        if self._media_open:
            self._outbox.order(RequestMediaStatistics(self.number))
        else:
            self._tell_end(now)

    def _tell_end(self, now: float) -> None:
        """The last words; a call out that failed is heard to have failed."""
        failed = self.outgoing and not (self._connected or self._hung_up or self.stands_in)
        if failed and self._media_open:
            self.play(Tone.BUSY)
            self._close_at = now + _BUSY_TONE_SECONDS
        else:
            self._close(now)
        assert self._end is not None
        why, code = self._end
        self.tell_state(CallState.ENDED, code, why)
        if failed and self._attempts is not None and self._attempts.ask is not None:
            self._outbox.tell(Redirected(self.number, str(self._attempts.ask)))

    def _close(self, now: float) -> None:
        if not self.over and self._media_open:
            self._outbox.order(CloseMedia(self.number))
        self.over = True
        self._close_at = None

    def next_timer(self) -> float | None:
        if not self.live:
            return self._close_at
        return self._way_clock.next_timer() if self.rescuer is None else self.rescuer.next_timer()

    def handle_timers(self, now: float) -> None:
        if self.rescuer is not None and self.live:
            self.rescuer.handle_timers(now)
        elif self.live:
            self._way_clock.handle_timers(self.number, self._outbox, now)
        if self._close_at is not None and self._close_at <= now:
            self._close(now)

    def _ready(self) -> bool:
        return self._end is None and self.session is not None and self.negotiation is not None
