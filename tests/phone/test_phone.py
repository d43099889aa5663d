"""What the phone does with each command and each answer of the threads."""

import random

import pytest

from applet.address import Address
from applet.media.events import InjectionEnded, Latched, MediaStatistics
from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    Command,
    Dial,
    FilePlaying,
    HangUp,
    HeldBy,
    Hold,
    HoldChanged,
    ListDevices,
    Logged,
    Mute,
    PlayFile,
    Quit,
    Reason,
    Register,
    Reinvite,
    Reject,
    RequestStatistics,
    Resume,
    SelectDevices,
    SendDigits,
    SetVolume,
    Trouble,
    TrySound,
)
from applet.phone.orders import (
    CloseMedia,
    InjectFile,
    ListAudio,
    OpenMedia,
    SelectAudio,
    SetGains,
    TryAudio,
)
from applet.phone.phone import Phone
from applet.sip.hop import Hop, Transport
from applet.sip.records import Question, Record
from tests.nat.facts import as_bound
from tests.support.pbx import Pbx
from tests.support.street import House, Street

PBX = "10.0.0.2"
NUMBERS = MediaStatistics(1, 2, 0, 0, 0, 0, 0, 1.0, 20.0, 4.3, None, None, None)


def _phone(config: PhoneConfig | None = None) -> Phone:
    config = config or PhoneConfig(other_addresses=True)
    phone = Phone(config, random.Random(1), lambda _: "10.0.0.1")
    phone.bound(Address("10.0.0.1", 5060), 0.0)
    return phone


def _connected() -> tuple[Street, House, Pbx]:
    street = Street()
    phone, pbx = House(street, "10.0.0.1"), Pbx(street, PBX)
    phone.do(Dial(f"sip:desk@{PBX}", confirmed=True))
    pbx.answer(pbx.wait_for("INVITE"), 200, pbx.sdp())
    pbx.wait_for("ACK")
    street.run(0.1)
    return street, phone, pbx


def _held(house: House) -> tuple[HeldBy, bool]:
    last = house.last(HoldChanged)
    assert isinstance(last, HoldChanged)
    return last.by, last.pending


@pytest.mark.parametrize(
    "command",
    [
        Answer(7), Reject(7), HangUp(7), Hold(7), Resume(7), Reinvite(7), SendDigits(7, "1"),
        Mute(7, True), PlayFile(7, "x.wav"), RequestStatistics(7), HangUp(0),
    ],
)  # fmt: skip
def test_a_command_for_a_call_that_is_not_there_is_told(command: Command) -> None:
    phone = _phone()
    phone.handle(command, 0.0)
    assert phone.events() == [Trouble(0, Reason.NO_SUCH_CALL, "")]


@pytest.mark.parametrize("command", [Hold(1), Resume(1), Reinvite(1), PlayFile(1, "x.wav"),
                                     Answer(1), Reject(1), RequestStatistics(1)])  # fmt: skip
def test_a_command_that_makes_no_sense_yet_changes_nothing(command: Command) -> None:
    phone = _phone()
    phone.handle(Dial("sip:desk@10.0.0.2", confirmed=True), 0.0)
    before = (phone.events(), phone.orders())
    assert isinstance(before[1][0], OpenMedia)
    phone.handle(command, 0.0)
    assert (phone.events(), phone.orders()) == ([], [])


def test_a_call_hung_up_before_its_sockets_are_there_ends_and_they_are_closed() -> None:
    phone = _phone()
    phone.handle(Dial("sip:desk@10.0.0.2", confirmed=True), 0.0)
    phone.handle(HangUp(1), 0.1)
    ended = phone.events()[-1]
    assert isinstance(ended, CallStateChanged)
    assert ended.reason is Reason.CANCELLED_HERE
    phone.orders()
    phone.media_opened(1, as_bound("10.0.0.1"), 0.3)
    assert phone.orders() == [CloseMedia(1)]
    assert phone.idle


def test_devices_and_volumes_are_for_the_threads() -> None:
    phone = _phone()
    for command in (
        SelectDevices("mic", "speaker"),
        SetVolume(-3.0, 6.0),
        ListDevices(),
        TrySound(),
    ):
        phone.handle(command, 0.0)
    assert phone.orders() == [
        SelectAudio("mic", "speaker"),
        SetGains(-3.0, 6.0),
        ListAudio(),
        TryAudio(),
    ]
    phone.audio_event(Trouble(1, Reason.NO_MICROPHONE, ""), 0.0)
    assert phone.events() == [Trouble(1, Reason.NO_MICROPHONE, "")]


def test_fault_01_rtcp_is_announced_at_the_phones_own_mapped_port() -> None:
    phone = _phone()
    phone.handle(Dial("sip:desk@10.0.0.2", confirmed=True), 0.0)
    phone.media_opened(1, as_bound("192.0.2.7", 31002, 40001), 0.0)
    (invite,) = phone.datagrams_to_send()
    assert b"a=rtcp:40001" in invite.data


def test_answers_for_calls_that_are_gone_are_ignored() -> None:
    phone = _phone()
    phone.media_event(3, InjectionEnded(), 0.0)
    phone.media_statistics(3, NUMBERS, True, 0.0)
    assert phone.events() == []


def test_latching_is_logged_and_the_end_of_a_file_is_told() -> None:
    _, house, _ = _connected()
    house.phone.media_event(1, Latched(Address("192.0.2.9", 4000)), 0.0)
    house.phone.media_event(1, InjectionEnded(), 0.0)
    logged, ended = house.phone.events()
    assert isinstance(logged, Logged)
    assert "192.0.2.9:4000" in logged.line
    assert ended == FilePlaying(1, "", False)


def test_a_file_is_played_into_a_call() -> None:
    _, house, _ = _connected()
    house.do(PlayFile(0, "hello.wav"))
    assert house.orders[-1] == InjectFile(1, "hello.wav")


def test_tcp_answers_tcp() -> None:
    phone = _phone()
    phone.connection_opened(Hop(Transport.TCP, Address(PBX, 30000), 5), 0.0)
    phone.receive_stream(
        5,
        b"OPTIONS sip:x@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.2;branch=z9hG4bK1\r\n"
        b"Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@10.0.0.1>\r\nCall-ID: 1\r\n"
        b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        0.0,
    )
    (answer,) = phone.datagrams_to_send()
    assert answer.data.startswith(b"SIP/2.0 200")
    assert answer.hop.flow == 5
    assert phone.flows_to_close() == []
    phone.connection_closed(5, 1.0)


def test_a_server_that_refuses_the_connection_is_unreachable() -> None:
    phone = _phone(PhoneConfig(transport="tcp", other_addresses=True))
    phone.handle(Dial("sip:desk@10.0.0.2", confirmed=True), 0.0)
    phone.media_opened(1, as_bound("10.0.0.1"), 0.0)
    phone.datagrams_to_send()
    phone.connection_failed(Hop(Transport.TCP, Address(PBX, 5060)), 0.1)
    phone.media_statistics(1, NUMBERS, False, 0.2)
    ended = phone.events()[-1]
    assert isinstance(ended, CallStateChanged)
    assert (ended.state, ended.reason) == (CallState.ENDED, Reason.UNREACHABLE)
    phone.media_statistics(1, NUMBERS, False, 0.3)
    assert phone.events() == [], "the numbers of a call come once"


def test_a_new_call_ends_the_busy_tone_of_the_last_and_leaves_living_calls_alone() -> None:
    street = Street()
    phone = House(street, "10.0.0.1", PhoneConfig(other_addresses=True, max_calls=3))
    pbx = Pbx(street, PBX)
    phone.do(Dial(f"sip:one@{PBX}", confirmed=True))
    pbx.answer(pbx.wait_for("INVITE"), 200, pbx.sdp())
    street.run(0.1)
    phone.do(Dial(f"sip:two@{PBX}", confirmed=True))
    pbx.answer(pbx.wait_for("INVITE", 2), 486)
    street.run(0.1)
    assert set(phone.rooms) == {1, 2}
    phone.do(Dial(f"sip:three@{PBX}", confirmed=True))
    assert set(phone.rooms) == {1, 3}


def test_an_address_that_is_not_allowed_is_told_and_nothing_is_sent() -> None:
    phone = _phone(PhoneConfig(desk="sip:desk@company.example"))
    phone.handle(Dial("sip:a@elsewhere.example"), 0.0)
    assert phone.events() == [Trouble(0, Reason.OTHER_ADDRESS_NOT_ALLOWED, "")]
    assert phone.orders() == []


def test_a_call_that_has_ended_cannot_be_muted() -> None:
    street = Street()
    phone, pbx = House(street, "10.0.0.1"), Pbx(street, PBX)
    phone.do(Dial(f"sip:desk@{PBX}", confirmed=True))
    pbx.answer(pbx.wait_for("INVITE"), 486)
    street.run(0.1)
    told = len(phone.events)
    phone.do(Mute(1, True))
    assert len(phone.events) == told


def test_pressing_twice_is_pressing_once() -> None:
    street, phone, pbx = _connected()
    phone.do(Resume(0))
    phone.do(Hold(0))
    phone.do(Hold(0))
    pbx.answer(pbx.wait_for("INVITE", 2), 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    assert len(pbx.requests("INVITE")) == 2
    phone.do(Quit())
    phone.do(Quit())
    street.run(0.3)
    assert phone.stopped
    phone.do(Dial(f"sip:desk@{PBX}", confirmed=True))
    assert len(phone.states()) == phone.states().index(CallState.ENDED) + 1


def test_hold_pressed_while_their_offer_is_open_waits_for_their_ack() -> None:
    street, phone, pbx = _connected()
    invite = pbx.requests("INVITE")[0]
    pbx.ask("INVITE", invite, 10, pbx.sdp("a=sendonly"))
    street.run(0.05)
    phone.do(Hold(0))
    street.run(0.05)
    assert len(pbx.requests("INVITE")) == 1
    pbx.ask("ACK", invite, 10)
    pbx.answer(pbx.wait_for("INVITE", 2), 200, pbx.sdp("a=inactive"))
    street.run(0.2)
    assert _held(phone) == (HeldBy.BOTH, False)


def test_a_refused_hold_is_told_once_however_often_the_offer_is_repeated() -> None:
    street, phone, pbx = _connected()
    phone.do(Hold(0))
    for number in (2, 3, 4):
        pbx.answer(pbx.wait_for("INVITE", number), 488)
    street.run(0.2)
    phone.do(Reinvite(0))
    pbx.answer(pbx.wait_for("INVITE", 5), 488)
    street.run(0.2)
    assert len(phone.seen(Trouble)) == 1
    assert _held(phone) == (HeldBy.US, False)


@pytest.mark.parametrize(
    "config",
    [PhoneConfig(desk="tel:1"), PhoneConfig(proxy="mailto:a@b"), PhoneConfig(registrar="sip")],
)
def test_a_configured_address_that_is_no_sip_address_is_refused_at_once(
    config: PhoneConfig,
) -> None:
    with pytest.raises(ValueError, match=r"is not a sip: address|cannot be read"):
        _phone(config)


def test_requests_take_the_way_through_the_proxy_and_a_guest_hides_behind_a_name() -> None:
    for proxy in ("sip:10.0.0.9", "sip:10.0.0.9;lr"):
        phone = _phone(PhoneConfig(proxy=proxy, desk="sip:desk@company.example"))
        phone.handle(Dial(), 0.0)
        phone.media_opened(1, as_bound("10.0.0.1"), 0.0)
        (invite,) = phone.datagrams_to_send()
        assert invite.hop.address == Address("10.0.0.9", 5060)
        assert b"Route: <sip:10.0.0.9;lr>" in invite.data


@pytest.mark.parametrize(("towards", "host"), [("10.0.0.2", "10.0.0.1"),
                                               ("pbx.example", "anonymous.invalid")])  # fmt: skip
def test_a_guest_on_a_wildcard_shows_the_address_that_faces_the_desk(
    towards: str, host: str
) -> None:
    phone = Phone(PhoneConfig(other_addresses=True), random.Random(1), lambda _: "10.0.0.1")
    phone.bound(Address("0.0.0.0", 5060), 0.0)
    phone.handle(Dial(f"sip:desk@{towards}", confirmed=True), 0.0)
    phone.media_opened(1, as_bound("10.0.0.1"), 0.0)
    phone.orders()
    for kind in Record:  # whatever it asks
        for name in (
            towards,
            f"_sip._udp.{towards}",
            f"_sip._tcp.{towards}",
            f"_sips._tcp.{towards}",
        ):
            found = ("10.0.0.2",) if kind is Record.ADDRESS else ()
            phone.looked_up(Question(kind, name), found, 0.0)
    (invite,) = phone.datagrams_to_send()
    assert f"From: <sip:caller@{host}>".encode() in invite.data


def test_register_without_a_registrar_and_unregister_before_an_answer_do_no_harm() -> None:
    phone = _phone(PhoneConfig(registrar="sip:10.0.0.2", identity="sip:u@10.0.0.2", user="u"))
    phone.handle(Register(), 0.0)
    assert phone.datagrams_to_send()[0].data.startswith(b"REGISTER sip:10.0.0.2 ")
    phone.handle(Quit(), 0.1)
    phone.handle_timers(5.0)
