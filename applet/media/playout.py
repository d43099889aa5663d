"""From packets to the loudspeaker, 20 ms at a time.

    push -> jitter buffer -> decoder ---------------.
                 |                                   v
                 '- nothing there -> concealment -> sound -> time-stretch -> 20 ms
                                '--> comfort noise --^

The loudspeaker is the clock. Whatever is missing, `frame` gives 20 ms: bounded work, no waiting.
While packets come in time a frame costs one look-up and one decoding.
"""

from __future__ import annotations

import audioop
from collections import deque

from applet.hints import TYPE_CHECKING
from applet.media.comfort_noise import ComfortNoise, level_of
from applet.media.concealment import Concealer
from applet.media.jitter_buffer import Buffered, JitterBuffer
from applet.media.quality import QualityStatistics
from applet.media.time_stretch import TimeStretch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from applet.media.codec import AudioCodec

_HISTORY_FRAMES = 3
_LONGEST_PACKET_FRAMES = 10
"""200 ms: nobody sends more, and what is decoded must be played."""
_LONGEST_LOSS_FRAMES = 250
"""A longer gap counts as this much loss; the rest of it is somebody's decision."""

_REVIEW_FRAMES = 25
"""The delay is judged every half second."""
_NEGLIGIBLE_MS = 3
_HURRY_MS = 60
"""A delay this much too long is shortened wherever a voice allows it ..."""
_PATIENCE = 8
"""... a smaller one after so many reviews in which no silence came."""
_LIKENESS = 0.85
_SILENCE_RMS = 40
"""-58 dBFS: there a cut is not heard; neither ..."""
_QUIET_RATIO = 40
"""... when it is 32 dB quieter than the loudest of the last seconds."""
_LOUDNESS_DECAY = 0.998


class Playout:
    """One incoming stream; all codecs of a session have the same sample rate."""

    __slots__ = (
        "_change",
        "_clock_rate",
        "_comfort_noise",
        "_concealer",
        "_decoders",
        "_frame",
        "_frames",
        "_history",
        "_loudness",
        "_noise_type",
        "_pcm",
        "_pending_gap",
        "_sample_rate",
        "_sequence",
        "_spare",
        "_stretch",
        "_waited",
        "buffer",
        "level",
        "quality",
    )

    def __init__(self, sample_rate: int = 8000, clock_rate: int = 8000) -> None:
        """`sample_rate` of the sound and `clock_rate` of the timestamps in Hz."""
        self._sample_rate = sample_rate
        self._clock_rate = clock_rate
        self._frame = sample_rate // 50
        self.buffer = JitterBuffer(clock_rate)
        self.quality = QualityStatistics()
        self.level = 0
        """RMS of the last frame, 0-32767."""
        self._concealer = Concealer(sample_rate)
        self._comfort_noise = ComfortNoise()
        self._stretch = TimeStretch(sample_rate)
        self._decoders: Mapping[int, AudioCodec] = {}
        self._noise_type: int | None = None
        self._history: deque[bytes] = deque(maxlen=_HISTORY_FRAMES)
        self._pcm = b""  # decoded, and not yet played
        self._loudness = 0.0  # the largest level of the last seconds
        self._sequence = 0  # of the packet decoded last
        self._pending_gap = 0  # frames made up since then
        self._frames = 0  # since the last review
        self._spare = self._frame  # the least that was left over after a frame since then
        self._change = 0  # samples by which the delay should grow or (negative) shrink
        self._waited = 0  # reviews that wished for a change

    def use(self, decoders: Mapping[int, AudioCodec], comfort_noise: int | None) -> None:
        """The payload types that may come from now on."""
        self._decoders = decoders
        self._noise_type = comfort_noise

    def restart(self) -> None:
        """What waits is not wanted any more, and nothing is missing."""
        self.buffer.restart()
        self._concealer.stop()
        self._pcm = b""
        self._change = self._pending_gap = 0

    def frame(self, now: float) -> bytes:
        """The next 20 ms, always exactly that."""
        size = 2 * self._frame
        pcm = self._pcm
        while len(pcm) < size:
            packet = self.buffer.pop(now)
            pcm += self._fill(pcm) if packet is None else self._decode(packet)
        if self._change and not (self._concealer.active or self.buffer.in_pause):
            pcm = self._adjusted(pcm, now)
        frame, self._pcm = pcm[:size], pcm[size:]
        self._history.append(frame)
        self.level = audioop.rms(frame, 2)
        self._loudness = max(self._loudness * _LOUDNESS_DECAY, self.level)
        self._spare = min(self._spare, len(self._pcm) // 2)
        self._frames += 1
        if self._frames >= _REVIEW_FRAMES:
            self._review()
        return frame

    # --- sound ------------------------------------------------------------------------------

    def _fill(self, pcm: bytes) -> bytes:
        """What stands in for the rest of a frame that begins with `pcm`, or for what is missing
        up to the next packet."""
        samples = self._frame - len(pcm) // 2
        ahead = self.buffer.ahead
        if ahead is not None:
            samples = min(samples, self._samples(ahead))
        self.buffer.advance(self._clock_units(samples), heard=False)
        if self.buffer.in_pause:
            return self._comfort_noise.frame(samples)
        self._pending_gap += 1
        return self._concealer.conceal(b"".join(self._history) + pcm, samples)

    def _decode(self, packet: Buffered) -> bytes:
        self._count(packet.sequence)
        if packet.pause:
            self._concealer.stop()
            if packet.payload_type == self._noise_type:
                self._comfort_noise.set_level(level_of(packet.payload))
            return b""
        decoder = self._decoders.get(packet.payload_type)
        if decoder is None:
            return b""
        pcm = decoder.decode(packet.payload)[: 2 * self._frame * _LONGEST_PACKET_FRAMES]
        if packet.skip:
            pcm = pcm[2 * self._samples(packet.skip) :]
        self.buffer.advance(self._clock_units(len(pcm) // 2), heard=True)
        return self._concealer.resume(pcm) if self._concealer.active else pcm

    def _count(self, sequence: int) -> None:
        """A gap was a loss if numbers are missing too; else the sender was silent, or late."""
        if self._pending_gap:
            if sequence != self._sequence + 1:
                for _ in range(min(self._pending_gap, _LONGEST_LOSS_FRAMES)):
                    self.quality.frame(heard=False)
            self._pending_gap = 0
        self._sequence = sequence
        self.quality.frame(heard=True)

    def _samples(self, clock_units: int) -> int:
        return clock_units * self._sample_rate // self._clock_rate

    def _clock_units(self, samples: int) -> int:
        return samples * self._clock_rate // self._sample_rate

    # --- the delay --------------------------------------------------------------------------

    def _review(self) -> None:
        """What is left over after every frame is delay without a use, whatever the buffer says."""
        change = self._samples(self.buffer.review()) - self._spare
        self._change = change if self._matters(change) else 0
        self._waited = self._waited + 1 if self._change else 0
        self._observe_anew()

    def _observe_anew(self) -> None:
        self._frames = 0
        self._spare = self._frame

    def _matters(self, samples: int) -> bool:
        return abs(samples) * 1000 >= _NEGLIGIBLE_MS * self._sample_rate

    def _adjusted(self, pcm: bytes, now: float) -> bytes:
        """Towards the wanted delay by at most one frame: in silence; or by periods of a voice,
        when much is wanted or no silence came for some time."""
        quiet = audioop.rms(pcm, 2) < max(_SILENCE_RMS, self._loudness / _QUIET_RATIO)
        if not (quiet or self._waited > _PATIENCE or self._hurries()):
            return pcm
        if self._change < 0:
            pcm = self._with_next(pcm, now)
        samples = self._fitting(pcm, quiet)
        if not samples:
            return pcm
        if self._change > 0:
            pcm = self._stretch.repeat(b"".join(self._history), pcm, samples)
            self._change -= samples
        else:
            pcm = self._stretch.leave_out(pcm, samples)
            self._change += samples
        if not self._matters(self._change):
            self._change = 0
            self.buffer.review()
            self._observe_anew()
        return pcm

    def _hurries(self) -> bool:
        return abs(self._change) * 1000 >= _HURRY_MS * self._sample_rate

    def _with_next(self, pcm: bytes, now: float) -> bytes:
        """With the next packet too, if it is there: what is left out must come from somewhere."""
        if len(pcm) // 2 - self._frame < min(-self._change, self._frame):
            packet = self.buffer.pop(now)
            if packet is not None:
                return pcm + self._decode(packet)
        return pcm

    def _fitting(self, pcm: bytes, quiet: bool) -> int:
        """How much of this sound can be left out or repeated; 0 if it does not fit."""
        most = min(abs(self._change), self._frame)
        if self._change < 0:
            most = min(most, len(pcm) // 2 - self._frame)
        return most if quiet else self._stretch.find_period(pcm, most, _LIKENESS) or 0
