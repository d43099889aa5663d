"""One call's sound: microphone frames in, RTP out; RTP in, loudspeaker frames out.

Sans-IO: datagrams, PCM frames and `now` go in; datagrams, PCM frames, deadlines and events come
out. PCM is 16-bit little-endian mono at `MediaSession.sample_rate`; `now` is monotonic seconds.
Nothing here blocks, and nothing a peer sends raises: bad packets are counted and dropped.
"""

from __future__ import annotations

import audioop

from applet.hints import TYPE_CHECKING, Protocol
from applet.media.codec import create
from applet.media.control import ControlChannel
from applet.media.digit_tones import DigitTones
from applet.media.dtmf import DtmfReceiver
from applet.media.events import (
    DigitReceived,
    DigitSent,
    InjectionEnded,
    Latched,
    MediaEvent,
    MediaStatistics,
    SoundBack,
    SoundMissing,
)
from applet.media.levels import decibels, factor
from applet.media.liveness import Liveness
from applet.media.playout import Playout
from applet.media.reception import ReceptionStatistics
from applet.media.rtcp import is_rtcp
from applet.media.rtp import RtpError, RtpPacket, parse_rtp
from applet.media.sender import RtpSender
from applet.media.source import RtpSource
from applet.media.tones import Tone, ToneSource
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address
    from applet.media.parameters import MediaParameters
    from applet.randomness import Randomness

_CLOCK_RATE = 8000
"""Hz, of the RTP timestamps; the seam for codecs with another one is `AudioCodec.clock_rate`."""
_SENDS = ("sendrecv", "sendonly")
_RECEIVES = ("sendrecv", "recvonly")
_KEEP_ALIVE_EVERY = 15.0
"""Seconds; RFC 6263 section 6. RTCP's own reports keep the other port's binding."""


class PcmSource(Protocol):
    """Sound that replaces the microphone: `read` gives at most `samples` samples; nothing = end."""

    def read(self, samples: int) -> bytes: ...


class Outgoing(NamedTuple):
    """A datagram to send: from the RTCP socket if `control`, else from the RTP socket."""

    data: bytes
    destination: Address
    control: bool


class MediaSession:
    """The media of one call. Two doors may be used from different threads, `playout` and the
    rest: the caller holds its session lock around each."""

    __slots__ = (
        "_agreed",
        "_agreed_at",
        "_answered",
        "_closed",
        "_control",
        "_digit_tones",
        "_digits_in",
        "_earlier",
        "_events",
        "_held",
        "_injected",
        "_invalid",
        "_keep_alive_at",
        "_latest",
        "_levels",
        "_liveness",
        "_microphone_gain",
        "_muted",
        "_outgoing",
        "_payload_types",
        "_playout",
        "_reception",
        "_rtcp_mux",
        "_sender",
        "_silence",
        "_source",
        "_speaker_gain",
        "_strangers",
        "_tone",
        "sample_rate",
    )

    def __init__(self, random: Randomness, cname: str, sample_rate: int = 8000) -> None:
        self.sample_rate = sample_rate
        self._silence = bytes(2 * sample_rate // 50)
        self._agreed: MediaParameters | None = None
        self._payload_types: frozenset[int] = frozenset()  # all that may come
        self._answered = self._held = self._muted = self._closed = self._rtcp_mux = False
        self._microphone_gain = self._speaker_gain = 1.0
        self._source = RtpSource()
        self._reception: ReceptionStatistics | None = None
        self._earlier = (0, 0)
        self._playout = Playout(sample_rate, _CLOCK_RATE)
        self._digits_in = DtmfReceiver()
        self._digit_tones = DigitTones(sample_rate)
        self._sender = RtpSender(random, _CLOCK_RATE)
        self._control = ControlChannel(random, cname, self._sender)
        self._tone: ToneSource | None = None
        self._injected: PcmSource | None = None
        self._liveness = Liveness()
        self._agreed_at = self._latest = 0.0
        self._keep_alive_at: float | None = None
        self._levels = [0, 0]  # the loudest frame of each direction, as RMS
        self._strangers = self._invalid = 0
        self._outgoing: list[Outgoing] = []
        self._events: list[MediaEvent] = []

    # --- what the call decides

    def update(self, parameters: MediaParameters, now: float) -> None:
        """Offer/answer is complete, for the first time or again."""
        before, self._agreed = self._agreed, parameters
        self._agreed_at = now
        if self._liveness.missing or parameters != before:
            self._listen()
        self._source.agree(parameters.remote_rtp)
        self._rtcp_mux = parameters.rtcp_mux
        if parameters.remote_rtcp is not None:
            self._control.address = parameters.remote_rtcp
        self._control.begin(now)
        codecs = {number: create(name) for number, name in parameters.receive}
        self._playout.use(codecs, parameters.comfort_noise)
        others = (parameters.comfort_noise, parameters.dtmf_receive)
        self._payload_types = frozenset([*codecs, *(n for n in others if n is not None)])
        codec = create(parameters.codec)
        self._sender.use(codec, parameters.payload_type, parameters.ptime_ms)
        if parameters.direction not in _SENDS or parameters.dtmf_payload_type is None:
            self._sender.digits.clear()
        if parameters.direction not in _SENDS:
            self._digit_tones.clear()
        if before is None or before.direction not in _RECEIVES:
            self._playout.restart()

    def open_microphone(self) -> None:
        """The call is answered (by us or by them): from now on `capture` sends what it is given.
        Before that it sends silence only (early media), whatever it is given."""
        self._answered = True
        self._listen()

    def _listen(self) -> None:
        """From now on the other side should be heard, or not."""
        both = self._agreed is not None and self._agreed.direction == "sendrecv"
        since = max(self._agreed_at, self._latest)
        self._liveness.listen(both and self._answered and not self._held, since)

    def hold_locally(self, on: bool) -> None:
        """Silence (or give back) microphone and loudspeaker at once, before any answer."""
        if self._held and not on:
            self._playout.restart()
        self._held = on
        self._listen()

    def mute(self, on: bool) -> None:
        """Send silence in place of the microphone; at once."""
        self._muted = on

    def set_gain(self, microphone_db: float, speaker_db: float) -> None:
        """Gains in dB, clipped to -40..+12; 0 costs nothing."""
        self._microphone_gain = factor(microphone_db)
        self._speaker_gain = factor(speaker_db)

    def play_tone(self, tone: Tone | None) -> None:
        """Mix a tone into the loudspeaker until the next call of this; None ends it."""
        self._tone = None if tone is None else ToneSource(tone, self.sample_rate)

    def inject(self, source: PcmSource | None) -> None:
        """Send this sound in place of the microphone until it ends (`InjectionEnded`). It waits
        while the call is silent here."""
        if self._injected is not None:
            self._events.append(InjectionEnded())
        self._injected = source

    def send_digits(self, digits: str, now: float, as_tones: bool = False) -> bool:
        """Queue digits (RFC 4733, or tones in the sound); False if the other side takes none."""
        agreed = self._agreed
        if agreed is None or agreed.direction not in _SENDS:
            return False
        if as_tones:
            self._digit_tones.queue(digits)
        elif agreed.dtmf_payload_type is not None:
            self._sender.digits.queue(digits)
        return as_tones or agreed.dtmf_payload_type is not None

    # --- the network's side

    def receive_datagram(self, data: bytes, source: Address, now: float) -> None:
        """A datagram on the RTP socket."""
        if self._rtcp_mux and is_rtcp(data):
            self.receive_control(data, source, now)
            return
        agreed = self._agreed
        if agreed is None or self._closed:
            return
        try:
            packet = parse_rtp(data)
        except RtpError:
            self._invalid += 1
            return
        if packet.payload_type not in self._payload_types:
            self._invalid += 1
            return
        was = self._source.peer
        if not self._source.admits(source, packet.ssrc, packet.sequence, now):
            self._strangers += 1
            return
        if self._source.peer != was:
            self._events.append(Latched(source))
            self._control.address = source._replace(port=source.port + (not self._rtcp_mux))
        if agreed.direction in _RECEIVES:
            self._take(packet, agreed, now)

    def _take(self, packet: RtpPacket, agreed: MediaParameters, now: float) -> None:
        """A packet of our peer, while we listen."""
        reception = self._reception
        if reception is None or reception.ssrc != packet.ssrc:
            if reception is not None:
                self._earlier = self._counted()
                self._playout.restart()
            reception = self._reception = ReceptionStatistics(packet.ssrc, _CLOCK_RATE)
        sequence = reception.packet(packet.sequence, packet.timestamp, now)
        if sequence is None:
            return
        kind = packet.payload_type
        is_event = kind == agreed.dtmf_receive
        if is_event and (digit := self._digits_in.receive(packet)) is not None:
            self._events.append(DigitReceived(digit))
        comfort_noise = kind == agreed.comfort_noise
        if self._liveness.rtp(comfort_noise, now):
            self._events.append(SoundBack())
        pause = is_event or comfort_noise
        self._playout.buffer.push(
            sequence, packet.timestamp, kind, packet.payload, now, pause=pause
        )

    def receive_control(self, data: bytes, source: Address, now: float) -> None:
        """A datagram on the RTCP socket. A report of our peer's host shows where ours go."""
        peer, known = self._source.peer, self._control.address
        hosts = {address.host for address in (peer, known) if address is not None}
        if self._closed or source.host not in hosts:
            self._strangers += 1
        elif not self._control.receive(data, self._reception, now):
            self._invalid += 1
        else:
            self._liveness.rtcp(self._control.peer_sends, now)
            if self._source.latched:
                self._control.address = source

    def consented(self, now: float) -> None:
        """They have answered a check (RFC 7675): the way is open."""
        self._liveness.rtcp(False, now)

    # --- the person's side

    def capture(self, pcm: bytes, now: float) -> None:
        """20 ms of microphone: queues an RTP packet if the direction allows sending."""
        agreed, peer = self._agreed, self._source.peer
        self._latest = now
        if agreed is None or self._closed:
            return
        if agreed.direction not in _SENDS or agreed.remote_rtp is None or peer is None:
            self._sender.skip(now)
            if agreed.remote_rtp is not None:
                self._keep_alive(agreed.remote_rtp, now)
            return
        self._keep_alive_at = None
        sender = self._sender
        for data in sender.frame(self._said(pcm), now, agreed.dtmf_payload_type):
            self._outgoing.append(Outgoing(data, peer, False))
        if finished := sender.finished_digit or self._digit_tones.finished:
            self._events.append(DigitSent(finished))
            sender.finished_digit = self._digit_tones.finished = ""

    def _keep_alive(self, agreed: Address, now: float) -> None:
        """No sound is sent (a hold): an empty datagram keeps the NAT's binding (RFC 6263 section
        4.1), and opens it if we only listen from the beginning."""
        if self._keep_alive_at is None:
            self._keep_alive_at = now + (_KEEP_ALIVE_EVERY if self._sender.packets else 0.0)
        if now >= self._keep_alive_at:
            self._keep_alive_at = now + _KEEP_ALIVE_EVERY
            self._outgoing.append(Outgoing(b"", self._source.peer or agreed, False))

    def _said(self, pcm: bytes) -> bytes:
        """What goes out in place of this frame of the microphone."""
        if self._held or not self._answered:
            return self._silence
        tones = self._digit_tones.frame(len(pcm) // 2)
        if tones is not None or self._muted:
            return tones or self._silence
        if self._injected is not None:
            injected = self._injected.read(len(pcm) // 2)
            if injected:
                pcm = injected.ljust(len(pcm), b"\0")
            else:
                self.inject(None)
        if self._microphone_gain != 1.0:
            pcm = audioop.mul(pcm, 2, self._microphone_gain)
        self._levels[0] = max(self._levels[0], audioop.rms(pcm, 2))
        return pcm

    def playout(self, now: float) -> bytes:
        """The next 20 ms for the loudspeaker, always exactly that much; never raises."""
        agreed = self._agreed
        listening = agreed is not None and agreed.direction in _RECEIVES
        pcm = self._silence
        if listening and not self._held and not self._closed:
            pcm = self._playout.frame(now)
        if self._tone is not None and not self._held:
            pcm = audioop.add(pcm, self._tone.frame(len(pcm) // 2), 2)
        if pcm is self._silence:
            return pcm
        if self._speaker_gain != 1.0:
            pcm = audioop.mul(pcm, 2, self._speaker_gain)
        self._levels[1] = max(self._levels[1], audioop.rms(pcm, 2))
        return pcm

    # --- what comes out

    def datagrams_to_send(self) -> list[Outgoing]:
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def next_timer(self) -> float | None:
        """When `handle_timers` must be called next."""
        reports, sound = self._control.due, self._liveness.due
        if reports is None or sound is None:
            return sound if reports is None else reports
        return min(reports, sound)

    def handle_timers(self, now: float) -> None:
        """RTCP reports that are due, and a look whether sound comes at all."""
        if self._liveness.look(now):
            self._events.append(SoundMissing(self._liveness.heard))
        due, address = self._control.due, self._control.address
        if due is not None and due <= now:
            report = self._control.report(self._reception, now)
            if address is not None:
                self._outgoing.append(Outgoing(report, address, not self._rtcp_mux))

    def events(self) -> list[MediaEvent]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    def levels(self) -> tuple[float, float]:
        """(microphone, loudspeaker) in dBFS since the last call, -90 (silence) to 0: what the
        other side hears of us, and what we hear of it."""
        microphone, speaker = self._levels
        self._levels = [0, 0]
        return decibels(microphone), decibels(speaker)

    def _counted(self) -> tuple[int, int]:
        """Packets received and lost of all the streams that came one after the other."""
        received, lost = self._earlier
        if self._reception is not None:
            received += self._reception.received
            lost += max(0, self._reception.lost)
        return received, lost

    def statistics(self, now: float) -> MediaStatistics:
        received, lost = self._counted()
        reception, control, buffer = self._reception, self._control, self._playout.buffer
        delay_ms = buffer.delay * 1000 / _CLOCK_RATE
        jitter = control.remote_jitter
        trip = control.round_trip
        return MediaStatistics(
            received=received,
            sent=self._sender.packets,
            lost=lost,
            late=buffer.late,
            duplicates=buffer.duplicates,
            strangers=self._strangers,
            invalid=self._invalid,
            jitter_ms=reception.jitter_ms if reception is not None else 0.0,
            delay_ms=delay_ms,
            mos=self._playout.quality.mean_opinion(delay_ms + 500 * (trip or 0.0)),
            round_trip_ms=None if trip is None else 1000 * trip,
            remote_loss=control.remote_loss,
            remote_jitter_ms=None if jitter is None else jitter * 1000 / _CLOCK_RATE,
        )

    def close(self, now: float) -> None:
        """Queue an RTCP BYE; after that nothing is sent or played."""
        address = self._control.address
        if not self._closed and self._agreed is not None and address is not None:
            goodbye = self._control.goodbye(self._reception, now)
            self._outgoing.append(Outgoing(goodbye, address, not self._rtcp_mux))
        self._control.due = None
        self._liveness.listen(False, now)
        self._closed = True
