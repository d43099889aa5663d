"""What the fuzzer (`build/dev.py fuzz`) throws bytes at, and what must hold whatever they are.

Each target is a function of bytes. Only the error that is documented may come out of what it
calls; anything else, a failed assertion too, is a finding. `test_seeds` runs every target over the
seeds of `tests/data/fuzz`, to which each finding is added.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from applet.address import Address
from applet.media.dtmf import DtmfReceiver
from applet.media.parameters import MediaParameters
from applet.media.rtcp import RtcpError, encode_rtcp, parse_rtcp
from applet.media.rtp import RtpError, RtpPacket, parse_rtp
from applet.media.session import MediaSession
from applet.phone.config import PhoneConfig
from applet.phone.messages import CallStateChanged, HangUp
from applet.redaction import redact_message
from applet.sdp.description import Direction, SdpError, parse_sdp
from applet.sdp.offer_answer import OfferAnswer
from applet.sip.digest import parse_auth
from applet.sip.grammar import MessageError
from applet.sip.message import Request, Response, check_request, check_response
from applet.sip.parser import KeepAlive, Received, StreamParser, parse
from tests.calls.test_any_story import (
    test_whatever_is_said_and_pressed_everything_ends_once_and_is_quiet as any_story,
)
from tests.support.street import House, Street

PEER = Address("192.0.2.9", 6000)
STRANGER = Address("198.51.100.1", 6000)
AGREED = MediaParameters(
    PEER, PEER, "PCMU", 0, ((0, "PCMU"), (8, "PCMA")), 101, 101, 13, "sendrecv"
)
CUT = b"\n%%\n"
"""Stands between the datagrams of one input of `phone`."""


def message(data: bytes) -> None:
    """A datagram and a stream: what can be read is printed and read again as the same."""
    try:
        read = parse(data)
    except MessageError as error:
        if error.partial is not None:
            parse(error.partial.reply(error.status, error.text, to_tag="t").encode())
    else:
        _reads_as_printed(read)
    redact_message(data.decode("utf-8", "replace"))
    assert _cut_at(data, 7) == _cut_at(data, len(data))


def _reads_as_printed(read: Request | Response) -> None:
    with suppress(MessageError):
        if isinstance(read, Response):
            check_response(read)
        else:
            check_request(read)
            parse(read.reply(200, to_tag="t").encode())
    for name in ("WWW-Authenticate", "Proxy-Authenticate", "Authorization"):
        for line in read.lines(name):
            with suppress(MessageError):
                parse_auth(line)
    again = parse(read.encode())
    assert again == read, (again.encode(), read.encode())


def _cut_at(data: bytes, size: int) -> list[object]:
    """What a stream parser makes of `data` that comes in pieces; errors by their words."""
    parser = StreamParser()
    found: list[Received] = []
    for start in range(0, len(data), max(1, size)):
        found += parser.feed(data[start : start + size])
    # How many pings are answered depends on the pieces that they come in.
    return [
        str(item) if isinstance(item, MessageError) else item
        for item in found
        if not isinstance(item, KeepAlive)
    ]


def sdp(data: bytes) -> None:
    """A description, an offer and an answer."""
    with suppress(SdpError):
        described = parse_sdp(data)
        again = parse_sdp(described.encode())
        assert [media.port for media in again.media] == [media.port for media in described.media]
        for media in described.media:
            media.codecs()
    caller, called = _negotiator(), _negotiator()
    caller.create_offer(Direction.SENDRECV)
    with suppress(SdpError):
        caller.receive_answer(data)
    for wanted in (Direction.SENDRECV, Direction.INACTIVE):
        with suppress(SdpError):
            called.receive_offer(data)
            answer, _ = called.create_answer(wanted)
            parse_sdp(answer)
    parse_sdp(called.create_offer(Direction.SENDRECV))


def _negotiator() -> OfferAnswer:
    return OfferAnswer(Address("192.0.2.1", 20_000), 20_001, ("PCMU", "PCMA"), session_id=1)


def rtp(data: bytes) -> None:
    """Packets that stand behind a byte with their length, from the peer and from a stranger."""
    session = _session()
    now = 0.0
    for number, packet in enumerate(_pieces(data)):
        with suppress(RtpError):
            read = parse_rtp(packet)
            assert parse_rtp(read.encode()) == read
        session.receive_datagram(packet, STRANGER if len(packet) % 5 == 4 else PEER, now)
        now += 0.02
        if number % 4 == 0:
            _play(session, now)


def rtcp(data: bytes) -> None:
    with suppress(RtcpError):
        read = parse_rtcp(data)
        assert parse_rtcp(encode_rtcp(read)) == read if read else True
    session = _session()
    session.receive_control(data, PEER, 1.0)
    session.receive_control(data, STRANGER, 1.0)
    _play(session, 10.0)


def dtmf(data: bytes) -> None:
    """Payloads of telephone events; every eighth byte tells how the timestamp goes on."""
    session, receiver = _session(), DtmfReceiver()
    timestamp = told = 0
    for number, start in enumerate(range(0, len(data), 6)):
        piece = data[start : start + 6]
        timestamp = (timestamp + 80 * (piece[0] & 15)) % 2**32
        packet = RtpPacket(101, number % 65_536, timestamp, 1, piece[0] > 127, piece[1:])
        digit = receiver.receive(packet)
        assert digit is None or digit in "0123456789*#ABCD"
        told += digit is not None
        session.receive_datagram(packet.encode(), PEER, 0.02 * number)
    _play(session, 1.0)
    assert len(receiver._seen) <= 32 and told <= len(data)


def _session() -> MediaSession:
    session = MediaSession(random.Random(1), "x")
    session.update(AGREED, 0.0)
    session.open_microphone()
    return session


def _play(session: MediaSession, now: float) -> None:
    assert len(session.playout(now)) == 320
    session.capture(bytes(320), now)
    session.handle_timers(now)
    session.datagrams_to_send()
    session.events()
    assert 1.0 <= session.statistics(now).mos <= 4.5


def _pieces(data: bytes) -> list[bytes]:
    pieces = []
    while data:
        pieces.append(data[1 : 1 + data[0]])
        data = data[1 + data[0] :]
    return pieces[:100]


def phone(data: bytes) -> None:
    """Datagrams at a whole phone with a call; when they are over, everything ends by itself."""
    street = Street(delay=0.0)
    house = House(street, "192.0.2.1", PhoneConfig(answer=200, max_calls=2), sound=False)
    house.receive(CALL, PEER, house.sip, 0.0)
    tag = parse(street.sent[-1][1]).to.tag or ""
    for number, datagram in enumerate(data.split(CUT)[:20]):
        source = STRANGER if number % 7 == 6 else PEER
        house.receive(datagram.replace(b"[tag]", tag.encode()), source, house.sip, street.now)
        street.run(0.1)
    for event in house.seen(CallStateChanged):
        assert isinstance(event, CallStateChanged)
        house.do(HangUp(event.call))
    street.run(400.0)
    assert house.is_empty() and house.phone.next_timer() is None


def story(data: bytes) -> None:
    """What the other side says and the person presses, drawn from the bytes by hypothesis."""
    any_story.hypothesis.fuzz_one_input(data)  # type: ignore[attr-defined]


BODY = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
    b"m=audio 6000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)
CALL = (
    b"INVITE sip:phone@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:6000;branch=z9hG4bK1\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:them@192.0.2.9>;tag=theirs\r\nTo: <sip:phone@192.0.2.1>\r\n"
    b"Call-ID: call\r\nCSeq: 1 INVITE\r\nContact: <sip:them@192.0.2.9:6000>\r\n"
    b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)

TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (message, sdp, rtp, rtcp, dtmf, phone, story)
}
MODULES = {
    "message": ("applet/sip/parser.py", "applet/sip/message.py", "applet/sip/grammar.py"),
    "sdp": ("applet/sdp/description.py", "applet/sdp/offer_answer.py"),
    "rtp": ("applet/media/rtp.py", "applet/media/session.py"),
    "rtcp": ("applet/media/rtcp.py",),
    "dtmf": ("applet/media/dtmf.py",),
    "phone": ("applet/sip/endpoint.py", "applet/sip/invite.py", "applet/phone/phone.py"),
    "story": ("applet/sip/invite.py", "applet/sip/reinvite.py", "applet/phone/negotiation.py"),
}
"""Whose coverage each target prints."""


def seed_folders(target: str) -> list[Path]:
    """The folders with what a target begins from."""
    data = Path(__file__).parents[1] / "data"
    more = {"message": [data / "rfc4475", data / "rfc5118"], "sdp": [data / "sdp"]}
    return [data / "fuzz" / target, *more.get(target, [])]
