"""From what offer/answer agreed to what the media session needs, and from what it counted to what
is told."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.media.parameters import MediaParameters
from applet.phone.messages import Statistics

if TYPE_CHECKING:
    from applet.media.events import MediaStatistics
    from applet.sdp.offer_answer import Negotiated


def media_parameters(agreed: Negotiated) -> MediaParameters:
    """`agreed.codecs` has at least one codec: offer/answer refuses the stream otherwise."""
    codec = agreed.codecs[0]
    return MediaParameters(
        remote_rtp=agreed.remote_rtp,
        remote_rtcp=agreed.remote_rtcp,
        codec=codec.name,
        payload_type=codec.payload_type,
        receive=agreed.receive_payload_types,
        dtmf_payload_type=agreed.dtmf_payload_type,
        dtmf_receive=agreed.dtmf_receive_payload_type,
        comfort_noise=agreed.comfort_noise_payload_type,
        direction=agreed.direction.value,
        ptime_ms=agreed.ptime_ms,
        rtcp_mux=agreed.rtcp_mux,
    )


def statistics(call: int, counted: MediaStatistics) -> Statistics:
    return Statistics(
        call,
        counted.received,
        counted.sent,
        counted.lost,
        counted.late,
        counted.jitter_ms,
        counted.delay_ms,
        counted.mos,
    )
