"""What a media session is told after each agreement of offer and answer."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address


class MediaParameters(NamedTuple):
    """What offer/answer agreed on, seen from our side.

    `codec` and `payload_type` are what we send; `receive` maps every payload type the other side
    may send to its codec's name. `direction` is SDP's word from our side (`sendrecv`, `sendonly`,
    `recvonly`, `inactive`). None as an address or a payload type: not offered, or on hold by
    address 0.0.0.0 (nothing is sent there). `rtcp_mux`: RTCP goes by the RTP ports (RFC 5761).
    """

    remote_rtp: Address | None
    remote_rtcp: Address | None
    codec: str
    payload_type: int
    receive: tuple[tuple[int, str], ...]
    dtmf_payload_type: int | None
    dtmf_receive: int | None
    comfort_noise: int | None
    direction: str
    ptime_ms: int = 20
    rtcp_mux: bool = False
