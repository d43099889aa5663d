"""From packets to the loudspeaker, 20 ms at a time.

    push -> jitter buffer -> decoder ----------------.
                 |                                    v
                 '- nothing there -> concealment -> frame -> time-stretch -> 20 ms
                                  '> comfort noise

The loudspeaker is the clock. Whatever is missing, `frame` gives 20 ms: bounded work, no waiting.
On the clean path a frame costs one look-up and one decoding.
"""

from collections import deque

from applet.media.codec import AudioCodec
from applet.media.comfort_noise import ComfortNoise, level_of
from applet.media.concealment import Concealer
from applet.media.jitter_buffer import Buffered, JitterBuffer
from applet.media.quality import QualityStatistics
from applet.media.time_stretch import TimeStretch

_HISTORY_FRAMES = 3
_REVIEW_FRAMES = 25
"""The delay is judged every half second."""
_LONGEST_LOSS_FRAMES = 250
_NEGLIGIBLE_MS = 3
_LIKENESS = 0.9
"""What a place must have to be stretched ..."""
_HURRIED_LIKENESS = 0.5
_HURRY_MS = 60
"""... and what it must have when the delay is this far from the best."""


class Playout:
    """One incoming stream; all codecs of a session have the same sample rate."""

    __slots__ = (
        "_change",
        "_clock_rate",
        "_comfort_noise",
        "_concealer",
        "_decoders",
        "_frame_bytes",
        "_frames",
        "_history",
        "_noise_type",
        "_pcm",
        "_pending_gap",
        "_sample_rate",
        "_sequence",
        "_spare",
        "_stretch",
        "buffer",
        "quality",
    )

    def __init__(self, sample_rate: int = 8000, clock_rate: int = 8000) -> None:
        self._sample_rate = sample_rate
        self._clock_rate = clock_rate
        self._frame_bytes = sample_rate // 50 * 2
        self.buffer = JitterBuffer(clock_rate)
        self.quality = QualityStatistics()
        self._concealer = Concealer(sample_rate)
        self._comfort_noise = ComfortNoise()
        self._stretch = TimeStretch(sample_rate)
        self._decoders: dict[int, AudioCodec] = {}
        self._noise_type: int | None = None
        self._history: deque[bytes] = deque(maxlen=_HISTORY_FRAMES)
        self._pcm = b""  # decoded, and not yet played
        self._spare = sample_rate  # the least of it left after a frame since the last review
        self._change = 0  # samples by which the delay should grow (or, negative, shrink)
        self._frames = 0
        self._sequence = 0  # of the packet decoded last
        self._pending_gap = 0  # frames made up since then

    def use(self, decoders: dict[int, AudioCodec], comfort_noise: int | None) -> None:
        """Payload types that may come from now on."""
        self._decoders = decoders
        self._noise_type = comfort_noise

    def restart(self) -> None:
        """What waits is not wanted any more."""
        self.buffer.restart()
        self._pcm = b""
        self._change = self._pending_gap = 0

    def frame(self, now: float) -> bytes:
        """The next 20 ms, always exactly that."""
        size = self._frame_bytes
        pcm = self._pcm
        while len(pcm) < size:
            packet = self.buffer.pop(now)
            pcm += self._fill(pcm) if packet is None else self._decode(packet)
        if self._change and not (self._concealer.active or self.buffer.in_pause):
            pcm = self._adjusted(pcm, now)
        frame, self._pcm = pcm[:size], pcm[size:]
        self._history.append(frame)
        self._spare = min(self._spare, len(self._pcm) // 2)
        self._frames += 1
        if self._frames == _REVIEW_FRAMES:
            self._review()
        return frame

    def _fill(self, pcm: bytes) -> bytes:
        """What stands in for the rest of a frame that begins with `pcm`."""
        samples = (self._frame_bytes - len(pcm)) // 2
        self.buffer.advance(samples * self._clock_rate // self._sample_rate, heard=False)
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
        pcm = decoder.decode(packet.payload)
        if packet.skip:
            pcm = pcm[2 * (packet.skip * self._sample_rate // self._clock_rate) :]
        self.buffer.advance(len(pcm) // 2 * self._clock_rate // self._sample_rate, heard=True)
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

    # --- the delay --------------------------------------------------------------------------

    def _review(self) -> None:
        """What is left over after every frame is delay without a use, whatever the buffer says."""
        change = self.buffer.review() * self._sample_rate // self._clock_rate - self._spare
        negligible = _NEGLIGIBLE_MS * self._sample_rate // 1000
        self._change = change if abs(change) >= negligible else 0
        self._spare = self._sample_rate
        self._frames = 0

    def _adjusted(self, pcm: bytes, now: float) -> bytes:
        """Towards the wanted delay by at most one frame, where the sound allows it."""
        hurry = abs(self._change) >= _HURRY_MS * self._sample_rate // 1000
        likeness = _HURRIED_LIKENESS if hurry else _LIKENESS
        frame = self._frame_bytes // 2
        if self._change > 0:
            before = b"".join(self._history)
            changed = self._stretch.lengthen(before, pcm, min(self._change, frame), likeness)
        else:
            wanted = min(-self._change, frame)
            if len(pcm) // 2 - frame < wanted:
                packet = self.buffer.pop(now)
                if packet is not None:
                    pcm += self._decode(packet)
            possible = min(wanted, len(pcm) // 2 - frame)
            changed = self._stretch.shorten(pcm, possible, likeness)
        if changed is None:
            return pcm
        self._change += (len(changed) - len(pcm)) // 2
        return changed
