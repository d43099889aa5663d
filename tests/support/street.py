"""Whole phones in virtual time: houses on a street, joined by a wire that may be bad.

Every house has a real `Phone` and real `MediaSession`s; only sockets, threads and clocks are
missing. Sound is clocked every 20 ms. Nothing sleeps: `run` moves the clock from one thing that
happens to the next.
"""

import audioop
import heapq
import math
import random
import struct
from collections.abc import Callable
from typing import Protocol

from applet.address import Address
from applet.media.events import MediaStatistics
from applet.media.session import MediaSession
from applet.nat.strategy import DIRECT, OpenedWay
from applet.phone.config import PhoneConfig
from applet.phone.messages import CallState, CallStateChanged, Command, Event
from applet.phone.orders import (
    CloseMedia,
    HoldMedia,
    LookUp,
    MuteMedia,
    OpenMedia,
    OpenMicrophone,
    Order,
    PlayTone,
    RequestMediaStatistics,
    SendMediaDigits,
    Stop,
    TraceMessage,
    UpdateMedia,
)
from applet.phone.phone import Phone
from applet.sip.hop import Transport
from applet.sip.records import Question, Record

FRAME = 160
SIP_PORT = 5060

Spoiler = Callable[[bytes, Address, Address], list[float]]
"""For one datagram: the extra delays of its copies in seconds; none = lost."""


def perfect(data: bytes, source: Address, target: Address) -> list[float]:
    return [0.0]


def bad_line(seed: int, loss: float, reorder: float, duplicate: float) -> Spoiler:
    """Random loss, reordering (by 50 ms) and duplication, each with its probability."""
    dice = random.Random(seed)

    def spoil(data: bytes, source: Address, target: Address) -> list[float]:
        if dice.random() < loss:
            return []
        delays = [0.05 if dice.random() < reorder else 0.0]
        if dice.random() < duplicate:
            delays.append(0.03)
        return delays

    return spoil


class Resident(Protocol):
    """Whoever lives at an IP address."""

    def receive(self, data: bytes, source: Address, target: Address, now: float) -> None: ...
    def next_timer(self) -> float | None: ...
    def handle_timers(self, now: float) -> None: ...


class Street:
    """The wire, the clock, and who lives where."""

    def __init__(self, delay: float = 0.01, spoil: Spoiler = perfect) -> None:
        self.now = 0.0
        self.delay = delay
        self.spoil = spoil
        self.sent: list[tuple[float, bytes, Address, Address]] = []
        self.residents: dict[str, Resident] = {}
        self._on_the_wire: list[tuple[float, int, bytes, Address, Address]] = []
        self._count = 0

    def send(self, data: bytes, source: Address, target: Address) -> None:
        self.sent.append((self.now, data, source, target))
        for extra in self.spoil(data, source, target):
            self._count += 1
            at = self.now + self.delay + extra
            heapq.heappush(self._on_the_wire, (at, self._count, data, source, target))

    def run(self, seconds: float) -> None:
        self.run_until(lambda: False, seconds)

    def run_until(self, happened: Callable[[], bool], limit: float = 60.0) -> bool:
        """Move the clock until `happened`, by `limit` seconds at most."""
        end = self.now + limit
        while not happened():
            due = self._next()
            if due is None or due > end:
                self.now = end
                return happened()
            self.now = max(self.now, due)
            while self._on_the_wire and self._on_the_wire[0][0] <= self.now:
                _, _, data, source, target = heapq.heappop(self._on_the_wire)
                if resident := self.residents.get(target.host):
                    resident.receive(data, source, target, self.now)
            for resident in self.residents.values():
                at = resident.next_timer()
                if at is not None and at <= self.now:
                    resident.handle_timers(self.now)
        return True

    def requests(self, method: str) -> list[float]:
        """When each SIP request with this method was sent."""
        return [round(at, 3) for at, data, _, _ in self.sent if data.startswith(method.encode())]

    def _next(self) -> float | None:
        times = [resident.next_timer() for resident in self.residents.values()]
        if self._on_the_wire:
            times.append(self._on_the_wire[0][0])
        return min((time for time in times if time is not None), default=None)


class Room:
    """The sound of one call in a house: a microphone with a tone, and ears."""

    def __init__(self, session: MediaSession, rtp: Address, tick_at: float, hertz: int) -> None:
        self.session = session
        self.rtp = rtp
        self.rtcp = Address(rtp.host, rtp.port + 1)
        self.tick_at = tick_at
        self.heard: list[bytes] = []
        self._hertz = hertz
        self._phase = 0

    def speak(self) -> bytes:
        """20 ms of a tone at -12 dBFS; 0 Hz is silence."""
        if not self._hertz:
            return bytes(2 * FRAME)
        step = 2 * math.pi * self._hertz / 8000
        samples = [int(8000 * math.sin(step * (self._phase + n))) for n in range(FRAME)]
        self._phase += FRAME
        return struct.pack(f"<{FRAME}h", *samples)

    def hears(self, seconds: float = 0.2) -> float:
        """The level of what came out of the loudspeaker lately, in dBFS."""
        sound = b"".join(self.heard[-max(1, round(seconds / 0.02)) :])
        rms = audioop.rms(sound, 2) if sound else 0
        return 20 * math.log10(rms / 32768) if rms else -90.0


class House:
    """A phone with its address on the street. `hertz` is what its person says; `counting`: so many
    seconds pass until the media thread has counted what it is asked for."""

    def __init__(
        self,
        street: Street,
        host: str,
        config: PhoneConfig | None = None,
        *,
        hertz: int = 440,
        seed: int = 0,
        sound: bool = True,
        counting: float = 0.0,
    ) -> None:
        self.street = street
        self.host = host
        self.sip = Address(host, SIP_PORT)
        self.events: list[tuple[float, Event]] = []
        self.orders: list[Order] = []
        self.rooms: dict[int, Room] = {}
        self.names: dict[str, tuple[Address, ...]] = {}
        self.sockets_free = True
        self.stopped = False
        self._hertz = hertz
        self._sound = sound
        self._counting = counting
        self._counted: list[tuple[float, int, MediaStatistics]] = []
        self._random = random.Random(f"{host}/{seed}")
        self._next_port = 20000
        config = config or PhoneConfig(other_addresses=True)
        self.phone = Phone(config, self._random, lambda _: host)
        self.phone.bound(self.sip, street.now)
        street.residents[host] = self

    # --- what a test does and asks

    def do(self, command: Command) -> None:
        self.phone.handle(command, self.street.now)
        self.collect()

    def seen(self, kind: type[Event]) -> list[Event]:
        return [event for _, event in self.events if type(event) is kind]

    def states(self) -> list[CallState]:
        return [event.state for _, event in self.events if isinstance(event, CallStateChanged)]

    def state(self) -> CallState | None:
        states = self.states()
        return states[-1] if states else None

    def last(self, kind: type[Event]) -> Event:
        return self.seen(kind)[-1]

    def is_empty(self) -> bool:
        """Nothing is left of any call, in the phone, its endpoint and its rooms."""
        return not self.rooms and self.phone.idle

    # --- the street's side

    def receive(self, data: bytes, source: Address, target: Address, now: float) -> None:
        if target.port == SIP_PORT:
            self.phone.receive_datagram(data, source, now)
        for room in self.rooms.values():
            if target == room.rtp:
                room.session.receive_datagram(data, source, now)
            elif target == room.rtcp:
                room.session.receive_control(data, source, now)
        self.collect()

    def next_timer(self) -> float | None:
        times = [self.phone.next_timer()]
        for room in self.rooms.values():
            times += [room.tick_at if self._sound else None, room.session.next_timer()]
        times += [at for at, _, _ in self._counted]
        return min((time for time in times if time is not None), default=None)

    def handle_timers(self, now: float) -> None:
        self.phone.handle_timers(now)
        while self._counted and self._counted[0][0] <= now:
            _, number, statistics = self._counted.pop(0)
            self.phone.media_statistics(number, statistics, False, now)
        for room in self.rooms.values():
            if self._sound and room.tick_at <= now:
                room.tick_at += 0.02
                room.heard.append(room.session.playout(now))
                room.session.capture(room.speak(), now)
            room.session.handle_timers(now)
        self.collect()

    def collect(self) -> None:
        """Hand on everything that the phone and its sessions want, until they want nothing."""
        street, now = self.street, self.street.now
        while True:
            for datagram in self.phone.datagrams_to_send():
                if datagram.hop.transport is Transport.UDP:
                    street.send(datagram.data, self.sip, datagram.hop.address)
                else:  # there is nothing else on this street
                    self.phone.connection_failed(datagram.hop, now)
            for number, room in list(self.rooms.items()):
                for out in room.session.datagrams_to_send():
                    source = room.rtcp if out.control else room.rtp
                    street.send(out.data, source, out.destination)
                for event in room.session.events():
                    self.phone.media_event(number, event, now)
            self.events += [(now, event) for event in self.phone.events()]
            orders = self.phone.orders()
            if not orders:
                return
            self.orders += [order for order in orders if not isinstance(order, TraceMessage)]
            for order in orders:
                self._carry_out(order, now)

    def _carry_out(self, order: Order, now: float) -> None:
        if isinstance(order, OpenMedia):
            self._open(order.call, now)
        elif isinstance(order, LookUp):
            self.phone.looked_up(order.question, self._known(order.question), now)
        elif isinstance(order, Stop):
            self.stopped = True
        elif room := self.rooms.get(getattr(order, "call", 0)):
            self._in_room(room, order, now)

    def _known(self, question: Question) -> tuple[str, ...]:
        if question.kind is not Record.ADDRESS:
            return ()
        return tuple(address.host for address in self.names.get(question.name, ()))

    def _open(self, call: int, now: float) -> None:
        if not self.sockets_free:
            self.phone.media_opened(call, None, now)
            return
        rtp = Address(self.host, self._next_port)
        self._next_port += 2
        session = MediaSession(self._random, f"{call}@{self.host}")
        self.rooms[call] = Room(session, rtp, now + 0.02, self._hertz)
        self.phone.media_opened(call, OpenedWay(DIRECT, rtp, Address(rtp.host, rtp.port + 1)), now)

    def _in_room(self, room: Room, order: Order, now: float) -> None:
        session = room.session
        match order:
            case UpdateMedia(parameters=parameters):
                session.update(parameters, now)
            case OpenMicrophone():
                session.open_microphone()
            case HoldMedia(on=on):
                session.hold_locally(on)
            case MuteMedia(on=on):
                session.mute(on)
            case PlayTone(tone=tone):
                session.play_tone(tone)
            case SendMediaDigits(digits=digits, as_tones=as_tones):
                session.send_digits(digits, now, as_tones)
            case RequestMediaStatistics(call=call):
                counted = session.statistics(now)
                if self._counting:
                    self._counted.append((now + self._counting, call, counted))
                else:
                    self.phone.media_statistics(call, counted, False, now)
            case CloseMedia(call=call):
                session.close(now)
                for out in session.datagrams_to_send():
                    source = room.rtcp if out.control else room.rtp
                    self.street.send(out.data, source, out.destination)
                del self.rooms[call]
