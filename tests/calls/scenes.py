"""How the stories of a phone and a scripted peer begin, and what they ask."""

from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    CallState,
    CallStateChanged,
    Dial,
    HeldBy,
    HoldChanged,
    MediaChanged,
    Reason,
)
from applet.sdp.description import parse_sdp
from applet.sip.message import Request, Response
from tests.support.pbx import Pbx
from tests.support.street import House, Street

PHONE, PBX = "10.0.0.1", "10.0.0.2"


def dialled(config: PhoneConfig | None = None) -> tuple[Street, House, Pbx, Request]:
    street = Street()
    phone = House(street, PHONE, config)
    pbx = Pbx(street, PBX)
    phone.do(Dial(f"sip:desk@{PBX}", confirmed=True))
    return street, phone, pbx, pbx.wait_for("INVITE")


def connected() -> tuple[Street, House, Pbx, Request]:
    street, phone, pbx, invite = dialled()
    pbx.answer(invite, 200, pbx.sdp())
    pbx.wait_for("ACK")
    street.run(0.3)
    assert phone.state() is CallState.CONNECTED
    return street, phone, pbx, invite


def rang_in(body: bytes | None = None) -> tuple[Street, House, Pbx]:
    street = Street()
    phone = House(street, PHONE)
    pbx = Pbx(street, PBX)
    pbx.invite(phone.sip, pbx.sdp() if body is None else body)
    street.run(0.2)
    return street, phone, pbx


def ended(phone: House) -> tuple[Reason, int]:
    last = phone.last(CallStateChanged)
    assert isinstance(last, CallStateChanged)
    assert last.state is CallState.ENDED
    return last.reason, last.code


def held(phone: House) -> tuple[HeldBy, bool]:
    told = [event for _, event in phone.events if isinstance(event, HoldChanged)]
    return (told[-1].by, told[-1].pending) if told else (HeldBy.NONE, False)


def direction(message: Request | Response) -> str:
    description = parse_sdp(message.body)
    return description.direction(description.media[0]).value


def media(phone: House) -> MediaChanged:
    event = phone.last(MediaChanged)
    assert isinstance(event, MediaChanged)
    return event
