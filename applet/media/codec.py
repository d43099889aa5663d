"""What every audio codec looks like, and the ones that are built in.

The seam for further codecs: a class that satisfies `AudioCodec`, and one line in `_CODECS`.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING, Protocol
from applet.media import g711

if TYPE_CHECKING:
    from collections.abc import Callable


class AudioCodec(Protocol):
    """One direction's state of a codec: make one for sending and one for receiving.

    PCM is 16-bit little-endian mono at `sample_rate`.
    """

    @property
    def name(self) -> str:
        """The encoding name of SDP's rtpmap."""

    @property
    def sample_rate(self) -> int:
        """Of the sound, in Hz."""

    @property
    def clock_rate(self) -> int:
        """Of the RTP timestamps, in Hz; not the same for every codec (RFC 3551 section 4.5.2)."""

    @property
    def frame_samples(self) -> int:
        """Samples of one 20 ms frame at `sample_rate`."""

    def encode(self, pcm: bytes) -> bytes: ...

    def decode(self, payload: bytes) -> bytes: ...


_CODECS: dict[str, Callable[[], AudioCodec]] = {"PCMU": g711.pcmu, "PCMA": g711.pcma}

CODEC_NAMES = tuple(_CODECS)
"""Every codec that can be created, in the order in which we like them."""


def create(name: str) -> AudioCodec:
    """A fresh codec for an encoding name, in any case; KeyError if it is not built in."""
    return _CODECS[name.upper()]()
