"""One call's media: its session, its two sockets, its device, and the clock that joins them.

Everything here runs on the media thread, but for `LiveCall.playout`, which the sound card calls
from its own thread; the session's lock stands between, and is never held over I/O.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

from applet.audio.device import FRAME_SAMPLES, SILENCE, TICK, AudioDevice, ClockedDevice, LiveDevice
from applet.hints import TYPE_CHECKING
from applet.media.events import ConsentLost, MediaEvent, PathFound
from applet.nat.ice import Base
from applet.phone.messages import Levels
from applet.threads.loop import clock
from applet.threads.paths import Paths
from applet.threads.rtp_socket import Receive, RtpSocket
from applet.threads.sockets import MediaSockets, receive_all, send
from applet.threads.stun import CALL_LIMIT, StunClient
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address
    from applet.media.session import MediaSession
    from applet.phone.orders import UpdateMedia
    from applet.threads.ice import IcePath

STAND_IN_AFTER = 0.3
"""Seconds without a sign of an end of a live device, after which it is stood in for."""
PLAYOUT_WAIT = 0.002
"""Seconds the loudspeaker waits for the session's lock; after that it plays 20 ms of silence."""
LEVELS_EVERY = 0.1


Tell = Callable[["MediaCall", MediaEvent | Levels], None]


class Parts(NamedTuple):
    """What a call is made of, whatever its device. `levels`: report them."""

    number: int
    session: MediaSession
    sockets: MediaSockets
    ice: IcePath
    tell: Tell
    levels: bool


class MediaCall(ABC):
    """What both kinds of device have in common. `due`: the monotonic time of the next tick;
    `paced`: there is no other clock."""

    paced = False

    def __init__(self, parts: Parts) -> None:
        self.number = parts.number
        self.session = parts.session
        self.lock = threading.Lock()
        self.rtp = RtpSocket(parts.sockets.rtp, parts.session.receive_datagram)
        self.rtcp = parts.sockets.rtcp
        self.due = 0.0
        self.clock_runs = False
        self.agreed = False
        self.closed = False
        self._bound = parts.sockets
        self._tell = parts.tell
        self._ice = parts.ice
        self.paths = Paths((self.rtp.send, partial(send, self.rtcp)))
        self._sound: Receive | None = None  # for what is no STUN, where there may be some
        self._stun: tuple[StunClient, StunClient] | None = None
        self._microphone = False
        self._levels_due = 0.0 if parts.levels else None

    # --- from the media thread's orders

    def update(self, agreement: UpdateMedia, now: float) -> None:
        parameters, ice = agreement.parameters, agreement.ice
        if agreement.local is not None:
            self.paths.take(agreement.local)
        with self.lock:
            self.session.update(parameters, now)
        if ice is not None:
            self._look_for_stun()
        self._ice.follow(ice, {1: parameters.remote_rtp, 2: parameters.remote_rtcp}, now)
        self.agreed = True

    def start_clock(self, now: float) -> None:
        """The first tick is at `now`; called again to move it there."""
        self.clock_runs = True
        self.due = now

    def open_microphone(self) -> None:
        self._microphone = True
        with self.lock:
            self.session.open_microphone()

    @property
    def bound(self) -> tuple[Address, Address]:
        """Where the sockets for RTP and RTCP are bound, as the other side would see it without a
        router in between."""
        return self._bound.rtp_address, self._bound.rtcp_address

    def moved_to(self, local: str) -> None:
        """The network is another one; the sockets are bound to every address of ours."""
        rtp, rtcp = self.bound
        self._bound = self._bound._replace(
            rtp_address=rtp._replace(host=local), rtcp_address=rtcp._replace(host=local)
        )

    def map(
        self, server: Address, answer: Callable[[tuple[Address, Address] | None], None]
    ) -> None:
        """Ask a STUN server for both sockets. `answer` comes once, from another thread, with what
        it sees of RTP and RTCP, or with None if it did not answer for both in time."""
        if self._stun is None:
            self._stun = (StunClient(self.rtp.sock), StunClient(self.rtcp))
            self._look_for_stun()
        found: dict[int, Address | None] = {}
        lock = threading.Lock()
        for which, client in enumerate(self._stun):

            def answered(mapped: Address | None, _: Address | None, which: int = which) -> None:
                with lock:
                    found[which] = mapped
                    rtp, rtcp = found.get(0), found.get(1)
                    done = len(found) == 2
                if done:
                    answer((rtp, rtcp) if rtp is not None and rtcp is not None else None)

            client.ask((server,), CALL_LIMIT, answered)

    def relayed(self, which: int, data: bytes, source: Address, now: float) -> None:
        """A datagram came through a relay: 0 for RTP, 1 for RTCP."""
        if which == 0:
            self._receive_sound(data, source, now, Base.RELAY)
            self.flush(now)
        else:
            self._receive_control(data, source, now, Base.RELAY)

    def close(self, now: float) -> None:
        """Say RTCP BYE and close the sockets. The device is the subclass's."""
        self.closed = True
        with self.lock:
            self.session.close(now)
        self.flush(now)
        for client in self._stun or ():
            client.close()
        self.paths.close()
        self.rtp.sock.close()
        self.rtcp.close()

    # --- from the loop

    def rtp_readable(self, now: float) -> None:
        self.rtp.read(now)
        self.flush(now)

    def rtcp_readable(self, now: float) -> None:
        receive_all(self.rtcp, self._receive_control, now)

    @abstractmethod
    def tick(self, now: float) -> None:
        """Called once `due` has come; moves `due` on."""

    def flush(self, now: float) -> None:
        """Send what the session wants to send, tell what happened, and look at its timer."""
        session = self.session
        with self.lock:
            timer = session.next_timer()
            if timer is not None and now >= timer:
                session.handle_timers(now)
            outgoing = session.datagrams_to_send()
            events = session.events()
        for data, destination, control in outgoing:
            self._send(control, data, destination)
        for component, data, (base, to) in self._ice.serve(now):
            self.paths.by(base)[component - 1](data, to)
        found = self._ice.take_found()
        if found is not None:
            events.append(PathFound(found.address, found.base is Base.RELAY))
        if self._ice.take_lost():
            events.append(ConsentLost())
        for event in events:
            self._tell(self, event)
        if self._levels_due is not None and now >= self._levels_due:
            self._levels_due = now + LEVELS_EVERY
            with self.lock:
                levels = session.levels()
            self._tell(self, Levels(self.number, *levels))

    def _send(self, control: bool, data: bytes, to: Address) -> None:
        route = self._ice.outward(1 + control)
        if route is None:
            self.paths.plain[control](data, to)
        elif self._ice.may_send(1 + control):
            self.paths.by(route.base)[control](data, route.address)

    def _look_for_stun(self) -> None:
        """From now on not everything on the RTP socket is media."""
        if self._sound is None:
            self._sound, self.rtp.receive = self.rtp.receive, self._receive_sound

    def _receive_sound(
        self, data: bytes, source: Address, now: float, base: Base = Base.SOCKET
    ) -> None:
        sound = self._sound or self.rtp.receive
        known = self._known(0, data, source, now, base)
        if known is not None:
            sound(data, known, now)

    def _receive_control(
        self, data: bytes, source: Address, now: float, base: Base = Base.SOCKET
    ) -> None:
        known = self._known(1, data, source, now, base)
        if known is not None:
            with self.lock:
                self.session.receive_control(data, known, now)

    def _known(
        self, which: int, data: bytes, source: Address, now: float, base: Base
    ) -> Address | None:
        """Whom a datagram counts as coming from; None: it is STUN, or a stranger's."""
        if self._ice.receive(which + 1, data, source, now, base):
            if self._ice.consented_at == now:
                with self.lock:
                    self.session.consented(now)
            return None
        if self._stun is not None and self._stun[which].take(data, source):
            return None
        return self._ice.inward(which + 1, source, base)


class ClockedCall(MediaCall):
    """Ticked every 20 ms: what has arrived is read, the next 20 ms are played, 20 ms are recorded
    (in this order, so that a looped device loses no time), and what that makes is sent."""

    paced = True

    def __init__(self, parts: Parts, device: ClockedDevice) -> None:
        super().__init__(parts)
        self._device = device
        # Only the media thread touches this session: no lock on the hot path.
        self._write = device.write
        self._read = device.read
        self._playout = parts.session.playout
        self._capture = parts.session.capture
        self._reads_at_ticks = self.rtp.stamped

    def tick(self, now: float) -> None:
        # Sound is made for the nominal time: a device's clock knows nothing of our lateness.
        due = self.due
        self.due = due + TICK
        if self._reads_at_ticks:
            self.rtp.read(now)
        self._write(self._playout(due))
        self._capture(self._read(FRAME_SAMPLES) if self._microphone else SILENCE, due)
        self.flush(now)

    def close(self, now: float) -> None:
        super().close(now)
        self._device.close()


class LiveCall(MediaCall):
    """A sound card is the clock, each end for itself. The tick is only the stand-in for an end
    that does not run: a call without a microphone still sends silence, and one without a
    loudspeaker still lets the other side's packets go."""

    def __init__(self, parts: Parts, device: LiveDevice, wake: Callable[[LiveCall], None]) -> None:
        super().__init__(parts)
        self.rtp.receive = self._receive
        self._device = device
        self._wake = wake
        self._said_at = self._heard_at = 0.0

    def start_clock(self, now: float) -> None:
        if not self.clock_runs:
            # Until the card runs, it is stood in for.
            self._said_at = self._heard_at = now - STAND_IN_AFTER
            self._device.open_speaker(self.playout)
            super().start_clock(now)

    def open_microphone(self) -> None:
        if not self._microphone:
            super().open_microphone()
            self._device.open_microphone(lambda: self._wake(self))

    def playout(self) -> bytes:
        """The loudspeaker's door, on its own thread: bounded, and silence rather than late."""
        if not self.lock.acquire(timeout=PLAYOUT_WAIT):
            return SILENCE
        try:
            now = clock()
            self._heard_at = now
            return SILENCE if self.closed else self.session.playout(now)
        finally:
            self.lock.release()

    def recorded(self, now: float) -> None:
        """The microphone has woken us: send all it has."""
        while not self.closed and (frame := self._device.take()) is not None:
            self._said_at = now
            with self.lock:
                self.session.capture(frame, now)
        self.flush(now)

    def tick(self, now: float) -> None:
        due = self.due
        silent = due - self._said_at >= STAND_IN_AFTER
        deaf = due - self._heard_at >= STAND_IN_AFTER
        with self.lock:
            if deaf:
                self.session.playout(due)
            if silent:
                self.session.capture(SILENCE, due)
        self.flush(now)
        self.due = due + (TICK if silent or deaf else LEVELS_EVERY)

    def close(self, now: float) -> None:
        super().close(now)
        self._device.close()

    def _receive(self, data: bytes, source: Address, now: float) -> None:
        with self.lock:
            self.session.receive_datagram(data, source, now)


def make_call(parts: Parts, device: AudioDevice, recorded: Callable[[LiveCall], None]) -> MediaCall:
    """`recorded` is called from the sound card's thread when the microphone has something."""
    if isinstance(device, ClockedDevice):
        return ClockedCall(parts, device)
    return LiveCall(parts, device, recorded)
