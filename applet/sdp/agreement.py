"""What two descriptions agree on: codecs, addresses, direction, time per packet (RFC 3264
sections 5 and 6, RFC 3605, RFC 5761)."""

from __future__ import annotations

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.sdp.description import (
    Codec,
    Direction,
    Media,
    SdpError,
    as_sockets_write,
    is_ip_literal,
    is_unspecified,
    whole_number,
)
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.sdp.ice import AgreedIce

TELEPHONE_EVENT = Codec("telephone-event", 101, fmtp="0-15")
COMFORT_NOISE = Codec("CN", 13)
_NOT_SPEECH = (TELEPHONE_EVENT.name, COMFORT_NOISE.name)


class NoCommonCodec(SdpError):  # noqa: N818 - a reason, named as one
    """Nothing in the description can be used for a call: 488 is the answer it deserves."""


class Negotiated(NamedTuple):
    """What both sides agreed on, from our side.

    `codecs` are the common ones in the answer's order of preference, with the payload types that
    we must send; `receive_payload_types` are the (payload type, name) that they may send.
    `dtmf_payload_type` is for sending, `dtmf_receive_payload_type` and
    `comfort_noise_payload_type` for receiving. `remote_rtp` is None when nothing may be sent
    there (address 0.0.0.0, or the stream is switched off by port 0), `remote_rtcp` also when it
    is not known. `ptime_ms`, the sound in one packet we send, is 10, 20, 40 or 60. `rtcp_mux`:
    reports go by the ports of the sound. `ice`: checks may find a better address than
    `remote_rtp`. `local_rtp`: where they were told that we hear.
    """

    remote_rtp: Address | None
    remote_rtcp: Address | None
    codecs: tuple[Codec, ...]
    receive_payload_types: tuple[tuple[int, str], ...]
    dtmf_payload_type: int | None
    dtmf_receive_payload_type: int | None
    comfort_noise_payload_type: int | None
    direction: Direction
    ptime_ms: int
    held_by_them: bool
    rtcp_mux: bool = False
    ice: AgreedIce | None = None
    local_rtp: Address | None = None


def in_common(theirs: tuple[Codec, ...], ours: tuple[Codec, ...]) -> tuple[Codec, ...]:
    """Our formats in their order and with their numbers, each once, speech first: some take the
    first for the codec whatever it is. Empty without speech.

    Telephone events only with the clock rate of the codec that will be used (RFC 4733 section
    2.1): they share its timestamps.
    """
    common: dict[Codec, Codec] = {}
    for their in theirs:
        for our in ours:
            if our.same_format(their):
                common.setdefault(our, our._replace(payload_type=their.payload_type))
    words = speech(tuple(common.values()))
    if not words:
        return ()
    signs = (codec for codec in common.values() if codec not in words)
    return (*words, *(codec for codec in signs if codec.clock_rate == words[0].clock_rate))


def speech(codecs: tuple[Codec, ...]) -> tuple[Codec, ...]:
    return tuple(codec for codec in codecs if codec.name not in _NOT_SPEECH)


def _number_of(name: str, codecs: tuple[Codec, ...]) -> int | None:
    return next((codec.payload_type for codec in codecs if codec.name == name), None)


def what_they_allow(media: Media, direction: Direction) -> Direction:
    """Their direction from our side; to address 0.0.0.0 nothing is sent whatever it says."""
    if is_unspecified(media.connection or ""):
        return direction.reversed() & Direction.RECVONLY
    return direction.reversed()


def agree(
    media: Media,
    send: tuple[Codec, ...],
    receive: tuple[Codec, ...],
    direction: Direction,
    held: bool,
    rtcp_mux: bool,
) -> Negotiated:
    """`rtcp_mux`: we can; it counts if they say it too."""
    host = media.connection or ""
    remote_rtp = None if is_unspecified(host) else Address(host, media.port)
    rtcp_mux = rtcp_mux and any(attribute.name == "rtcp-mux" for attribute in media.attributes)
    return Negotiated(
        remote_rtp=remote_rtp,
        remote_rtcp=remote_rtp if rtcp_mux else _rtcp_address(media, host),
        codecs=speech(send),
        receive_payload_types=tuple((c.payload_type, c.name) for c in speech(receive)),
        dtmf_payload_type=_number_of(TELEPHONE_EVENT.name, send),
        dtmf_receive_payload_type=_number_of(TELEPHONE_EVENT.name, receive),
        comfort_noise_payload_type=_number_of(COMFORT_NOISE.name, receive),
        direction=direction,
        ptime_ms=_packet_time(media),
        held_by_them=held,
        rtcp_mux=rtcp_mux,
    )


def nothing_yet(ours: tuple[Codec, ...], ptime: int) -> Negotiated:
    """Both know that they talk, and on nothing yet: as on hold."""
    codecs = speech(ours)
    numbers = tuple((codec.payload_type, codec.name) for codec in codecs)
    return Negotiated(
        None, None, codecs, numbers, None, None, None, Direction.INACTIVE, ptime, held_by_them=True
    )


def _rtcp_address(media: Media, host: str) -> Address | None:
    """From `a=rtcp:PORT [IN IP4 ADDRESS]`, else the port above RTP's (RFC 3605)."""
    words = (media.value("rtcp") or "").split()
    port = whole_number(words[0], 65_535) if words else None
    if port is None:
        port = media.port + 1
    elif len(words) == 4 and is_ip_literal(words[3]):
        host = as_sockets_write(words[3])
    return None if is_unspecified(host) or not 0 < port <= 65_535 else Address(host, port)


def _packet_time(media: Media) -> int:
    """Their wish within their limit, in steps that suit frames of 20 ms."""
    wish = min(media.number("ptime") or 20, media.number("maxptime") or 60, 60)
    return 10 if wish < 20 else wish // 20 * 20
