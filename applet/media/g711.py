"""G.711, both laws, as the codecs PCMU and PCMA: RFC 3551 section 4.5.14."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class G711:
    """One byte per sample; `pcm` is 16-bit little-endian mono at 8000 Hz, of any length.

    An odd last byte of `pcm` is not a sample and is left out. Every payload decodes.
    """

    sample_rate = 8000
    clock_rate = 8000
    frame_samples = 160

    __slots__ = ("_compress", "_expand", "name")

    def __init__(
        self,
        name: str,
        compress: Callable[[bytes, int], bytes],
        expand: Callable[[bytes, int], bytes],
    ) -> None:
        self.name = name
        self._compress = compress
        self._expand = expand

    def encode(self, pcm: bytes) -> bytes:
        return self._compress(pcm[:-1] if len(pcm) & 1 else pcm, 2)

    def decode(self, payload: bytes) -> bytes:
        return self._expand(payload, 2)


def pcmu() -> G711:
    """mu-law, payload type 0."""
    import audioop  # not by those who only ask for the names of codecs

    return G711("PCMU", audioop.lin2ulaw, audioop.ulaw2lin)


def pcma() -> G711:
    """A-law, payload type 8."""
    import audioop

    return G711("PCMA", audioop.lin2alaw, audioop.alaw2lin)
