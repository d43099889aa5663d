"""RTP and RTCP on one port (RFC 5761), between a whole phone and a scripted peer."""

from applet.media.rtcp import ReceiverReport, encode_rtcp, is_rtcp
from applet.phone.messages import Answer, CallState, Hold, IncomingCall
from applet.sip.message import Request, Response
from tests.calls.scenes import rang_in
from tests.support.pbx import RTP_PORT, Pbx
from tests.support.street import House, Street


def answered() -> tuple[Street, House, Pbx, Response]:
    """A call of a peer that offers one port."""
    street, phone, pbx = rang_in(Pbx(Street(), "10.0.0.2").sdp("a=rtcp-mux"))
    call = phone.last(IncomingCall)
    assert isinstance(call, IncomingCall)
    phone.do(Answer(call.call))
    street.run(0.3)
    (answer,) = pbx.responses(200)
    pbx.follow_up("ACK", answer, 1)
    street.run(0.3)
    assert phone.state() is CallState.CONNECTED
    return street, phone, pbx, answer


def muxes(message: Request | Response) -> bool:
    return b"a=rtcp-mux\r\n" in message.body


def test_a_call_on_one_port_has_its_reports_there_until_the_end() -> None:
    street, phone, pbx, answer = answered()
    assert muxes(answer)
    (room,) = phone.rooms.values()
    street.send(encode_rtcp([ReceiverReport(7)]), pbx.sip._replace(port=RTP_PORT), room.rtp)
    street.run(10)
    assert room.session.statistics(street.now).invalid == 0
    assert room.session.statistics(street.now).strangers == 0
    pbx.follow_up("BYE", answer, 2)
    street.run(1)
    assert phone.is_empty()
    kinds = [data[1] for _, data in pbx.rtp if is_rtcp(data)]
    assert len(kinds) >= 3
    assert not [target for _, _, _, target in street.sent if target.port == RTP_PORT + 1]


def test_our_hold_asks_for_one_port_again_and_an_answer_without_it_gives_two() -> None:
    street, phone, pbx, _ = answered()
    (number,) = phone.rooms
    phone.do(Hold(number))
    hold = pbx.wait_for("INVITE")
    assert muxes(hold)
    pbx.answer(hold, 200, pbx.sdp("a=recvonly"), tag="p1")
    street.run(0.3)
    before = len(pbx.rtp)
    street.run(10)
    assert not [data for _, data in pbx.rtp[before:] if is_rtcp(data)]
    assert [target for _, _, _, target in street.sent if target.port == RTP_PORT + 1]
