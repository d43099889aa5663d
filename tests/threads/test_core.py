"""The real core and media threads on loopback: two phones, and the ways a phone may be ended."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty
from typing import TypeVar

import pytest

from applet.address import Address
from applet.audio.file import FileDevice, parse_source
from applet.phone.config import NatConfig, PhoneConfig
from applet.phone.messages import (
    CallState,
    CallStateChanged,
    Command,
    Dial,
    Event,
    HangUp,
    Hold,
    HoldChanged,
    IncomingCall,
    Logged,
    MediaChanged,
    NatFound,
    PlayFile,
    Quit,
    Ready,
    Reason,
    RequestStatistics,
    SetVolume,
    Statistics,
    Stopped,
    Trouble,
)
from applet.phone.orders import LookUp, Order
from applet.phone.phone import Phone
from applet.sip.lookup import LIMIT
from applet.threads.core import BindError, CoreThread
from applet.threads.media import MediaThread
from applet.threads.resolver import LOOK_UP_LIMIT
from applet.threads.sockets import local_ip_for
from tests.support.descriptors import bound_sockets, open_files
from tests.support.dns_server import DnsServer
from tests.support.ports import free_port, free_ports
from tests.support.process import wait_until
from tests.support.stun_server import good, lab

T = TypeVar("T", bound=Event)
OURS = ("core", "media", "look-up", "stun", "sound", "file", "relay", "mappings", "router")


class Clumsy(Phone):
    """A phone with a mistake in it, of the kind that should never be."""

    fails_at = ""

    def handle(self, command: Command, now: float) -> None:
        if isinstance(command, HangUp) and command.call == 99:
            raise ZeroDivisionError("ours")
        super().handle(command, now)

    def next_timer(self) -> float | None:
        if self.fails_at == "next_timer":
            raise ZeroDivisionError("ours")
        return 0.0 if self.fails_at == "handle_timers" else super().next_timer()

    def handle_timers(self, now: float) -> None:
        if self.fails_at == "handle_timers":
            raise ZeroDivisionError("ours")
        super().handle_timers(now)

    def orders(self) -> list[Order]:
        orders = super().orders()
        if self.fails_at == "orders":
            # An order of a kind that nobody can carry out.
            return [LookUp(None), *orders]  # type: ignore[arg-type]
        return orders


class Running:
    """A phone on its threads, and what it told."""

    def __init__(self, bind: Address, config: PhoneConfig, **options: object) -> None:
        system = random.SystemRandom()
        media = MediaThread(
            lambda call: FileDevice(parse_source("tone:440")), system, bind_host=bind.host
        )
        self.phone = Clumsy(config, system, local_ip_for(bind.host))
        self.core = CoreThread(self.phone, media, bind, **options)  # type: ignore[arg-type]
        self.address = self.core.start()
        self.uri = f"sip:phone@{self.address}"

    def wait_for(self, kind: type[T], timeout_s: float = 10, **fields: object) -> T:
        """The next event of this kind with these fields; others are dropped."""
        limit = time.monotonic() + timeout_s
        while True:
            event = self.core.events.get(timeout=max(0.0, limit - time.monotonic()))
            if isinstance(event, kind) and all(
                getattr(event, name) == value for name, value in fields.items()
            ):
                return event

    def wait_for_state(self, state: CallState, timeout_s: float = 10) -> CallStateChanged:
        return self.wait_for(CallStateChanged, timeout_s, state=state)

    def call(self, other: "Running", parameters: str = "") -> None:
        self.core.submit(Dial(other.uri + parameters, confirmed=True))
        self.wait_for_state(CallState.CONNECTED)

    def told(self) -> list[Event]:
        events: list[Event] = []
        while True:
            try:
                events.append(self.core.events.get_nowait())
            except Empty:
                return events


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    before = open_files()
    started: list[Running] = []

    def start(host: str = "127.0.0.1", answer: int = 200, **options: object) -> Running:
        port = options.pop("port", free_port())
        config = PhoneConfig(
            answer=answer,
            other_addresses=True,
            max_calls=5,
            transport=str(options.pop("transport", "udp")),
            nat=NatConfig("auto", options.pop("stun", ())),  # type: ignore[arg-type]
        )
        started.append(Running(Address(host, int(str(port))), config, **options))
        return started[-1]

    yield start
    for running in started:
        running.core.stop()
        assert not [event for event in running.told() if isinstance(event, Trouble)]
    assert not [thread for thread in threading.enumerate() if thread.name in OURS]
    assert open_files() == before


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_two_phones_talk_and_hang_up(
    start: Callable[..., Running], host: str, transport: str
) -> None:
    ours, theirs = start(host, transport=transport), start(host)
    assert ours.wait_for(Ready).address == str(ours.address)
    ours.call(theirs)
    theirs.wait_for_state(CallState.CONNECTED)
    wait_until(lambda: statistics(ours).received > 10, 5, "their sound")
    wait_until(lambda: statistics(theirs).received > 10, 5, "our sound")
    theirs.core.submit(HangUp(0))
    assert ours.wait_for_state(CallState.ENDED).reason is Reason.HUNG_UP_THERE


def test_a_phone_that_binds_late_binds_nothing_before_its_first_call(
    start: Callable[..., Running],
) -> None:
    theirs = start()
    before = bound_sockets()
    ours = start(port=0, bind_late=True)
    assert ours.address.port == 0
    assert ours.wait_for(Ready).address == ""
    ours.core.submit(HangUp(0))
    ours.wait_for(Trouble, reason=Reason.NO_SUCH_CALL)
    assert bound_sockets() == before
    ours.call(theirs)
    assert bound_sockets() > before
    ours.core.submit(HangUp(0))
    ours.wait_for_state(CallState.ENDED)


def test_a_phone_that_binds_late_tells_its_address_when_it_has_one(
    start: Callable[..., Running],
) -> None:
    theirs, ours = start(), start(port=0, bind_late=True)
    ours.wait_for(Ready, address="")
    ours.core.submit(Dial(theirs.uri, confirmed=True))
    assert ours.wait_for(Ready).address.startswith("127.0.0.1:")


def test_a_late_phone_that_cannot_bind_says_so(start: Callable[..., Running]) -> None:
    theirs = start()
    ours = start(port=theirs.address.port, bind_late=True)
    ours.core.submit(Dial(theirs.uri, confirmed=True))
    ours.wait_for(Trouble, reason=Reason.MEDIA_FAILED)


def statistics(running: Running) -> Statistics:
    running.core.submit(RequestStatistics(0))
    return running.wait_for(Statistics)


def test_the_media_is_there_when_the_call_is(start: Callable[..., Running]) -> None:
    ours, theirs = start(), start()
    ours.core.submit(Dial(theirs.uri, confirmed=True))
    changed = ours.wait_for(MediaChanged)
    assert changed.direction == "sendrecv"
    assert int(changed.local.rpartition(":")[2]) < 32768
    ours.core.submit(Hold(0))
    ours.wait_for(HoldChanged, pending=False)


def test_a_taken_port_is_an_error_with_a_plain_sentence_and_leaves_nothing(
    start: Callable[..., Running],
) -> None:
    port = free_ports(4)
    start(port=port)
    before = open_files(), threading.active_count()
    with pytest.raises(BindError, match=f"127.0.0.1:{port} is in use by another program"):
        start(port=port)
    assert (open_files(), threading.active_count()) == before
    assert start(port=port, next_free_port=True).address.port == port + 1


def test_stopping_ends_the_calls_at_both_sides_and_comes_last(
    start: Callable[..., Running],
) -> None:
    ours, theirs = start(), start()
    ours.call(theirs)
    begin = time.monotonic()
    ours.core.stop()
    assert time.monotonic() - begin < 1.5
    events = ours.told()
    assert isinstance(events[-1], Stopped)
    assert any(isinstance(e, CallStateChanged) and e.state is CallState.ENDED for e in events)
    theirs.wait_for_state(CallState.ENDED)
    ours.core.stop()
    ours.core.submit(Dial(theirs.uri))
    assert ours.told() == []


def test_quit_as_a_command_ends_the_threads_too(start: Callable[..., Running]) -> None:
    ours = start()
    ours.core.submit(Quit())
    ours.core.submit(Quit())
    ours.wait_for(Stopped)


def test_stopping_does_not_wait_for_a_peer_that_is_gone(start: Callable[..., Running]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", free_port()))
        ours = start()
        ours.core.submit(Dial(f"sip:x@127.0.0.1:{silent.getsockname()[1]}", confirmed=True))
        silent.settimeout(5)
        invite = silent.recv(4000)
        headers = [
            line
            for line in invite.split(b"\r\n\r\n")[0].split(b"\r\n")
            if line.startswith((b"Via", b"From", b"To", b"Call-ID", b"CSeq"))
        ]
        ringing = b"\r\n".join([b"SIP/2.0 180 Ringing", *headers]) + b"\r\n\r\n"
        silent.sendto(ringing, ours.address)
        ours.wait_for(CallStateChanged)
        begin = time.monotonic()
        ours.core.stop()
        assert time.monotonic() - begin < 4


def test_a_phone_that_was_never_started_can_be_stopped() -> None:
    system = random.SystemRandom()
    media = MediaThread(lambda call: FileDevice(parse_source("silence")), system)
    core = CoreThread(
        Phone(PhoneConfig(), system, local_ip_for("127.0.0.1")), media, Address("127.0.0.1", 0)
    )
    core.submit(Dial("sip:x@127.0.0.1"))
    core.stop()


def test_an_unexpected_exception_is_told_and_the_phone_goes_on(
    start: Callable[..., Running],
) -> None:
    ours, theirs = start(), start()
    ours.core.submit(HangUp(99))
    logged = ours.wait_for(Logged)
    assert "unexpected ZeroDivisionError in the core thread" in logged.line
    assert "Traceback" in logged.detail
    assert "in handle" in logged.detail
    assert ours.wait_for(Trouble) == Trouble(0, Reason.INTERNAL, "ZeroDivisionError")
    for _ in range(100):
        ours.core.submit(HangUp(99))
    ours.call(theirs)
    assert len([event for event in ours.told() if isinstance(event, Trouble)]) <= 1


@pytest.mark.parametrize("where", ["next_timer", "handle_timers", "orders"])
def test_a_mistake_that_stays_does_not_spin_nor_keep_the_phone_from_stopping(
    start: Callable[..., Running], where: str
) -> None:
    ours = start()
    ours.phone.fails_at = where
    ours.core.submit(SetVolume(0, 0))
    assert ours.wait_for(Trouble).reason is Reason.INTERNAL
    before = time.process_time()
    with pytest.raises(Empty):
        ours.wait_for(Stopped, timeout_s=0.5)
    assert time.process_time() - before < 0.25
    begin = time.monotonic()
    ours.core.stop()
    assert time.monotonic() - begin < 4
    ours.wait_for(Stopped)
    assert ours.told() == []


def test_a_closed_port_is_not_fatal(start: Callable[..., Running]) -> None:
    ours, theirs = start(), start()
    ours.core.submit(Dial(f"sip:x@127.0.0.1:{free_port()}", confirmed=True))
    ours.wait_for_state(CallState.DIALLING)
    ours.call(theirs)


def test_what_cannot_be_sent_ends_the_call_at_once(start: Callable[..., Running]) -> None:
    ours = start("::1")
    ours.core.submit(Dial("sip:x@127.0.0.1:9", confirmed=True))
    ended = ours.wait_for_state(CallState.ENDED, timeout_s=5)
    assert ended.reason is Reason.UNREACHABLE


def test_a_name_is_looked_up_and_called(start: Callable[..., Running]) -> None:
    ours, theirs = start(), start()
    ours.core.submit(Dial(f"sip:phone@localhost:{theirs.address.port}", confirmed=True))
    ours.wait_for_state(CallState.CONNECTED)


def test_an_unknown_name_ends_the_call_with_its_reason(start: Callable[..., Running]) -> None:
    ours = start()
    ours.core.submit(Dial("sip:x@no-such-name.invalid:5060", confirmed=True))
    ended = ours.wait_for_state(CallState.ENDED)
    assert ended.reason is Reason.NAME_NOT_FOUND


def test_noise_on_both_sockets_does_no_harm(start: Callable[..., Running]) -> None:
    ours, theirs = start(), start()
    noise = random.Random(1)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.create_connection(ours.address) as tcp,
    ):
        for _ in range(300):
            junk = noise.randbytes(noise.randrange(0, 1400))
            udp.sendto(junk, ours.address)
        tcp.sendall(noise.randbytes(4000) + b"\r\n\r\n")
    theirs.call(ours)


def test_a_connection_that_is_closed_for_its_noise_is_forgotten_by_the_phone_too(
    start: Callable[..., Running],
) -> None:
    ours = start()
    with socket.create_connection(ours.address) as tcp:
        tcp.sendall(b"OPTIONS sip:x@y SIP/2.0\r\nNo length\r\n\r\n")
        tcp.settimeout(5)
        while tcp.recv(4096):
            pass
    flows = ours.phone._endpoint._core.transport._flows
    wait_until(lambda: not flows, 5, "the phone to forget it")


def test_more_datagrams_than_a_wake_reads_are_all_answered(
    start: Callable[..., Running],
) -> None:
    ours = start()
    request = (
        "OPTIONS sip:{0} SIP/2.0\r\nVia: SIP/2.0/UDP {1};branch=z9hG4bK{2};rport\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:a@{1}>;tag=1\r\nTo: <sip:{0}>\r\nCall-ID: {2}\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", free_port()))
        peer.settimeout(5)
        own = Address(*peer.getsockname())
        for number in range(100):
            peer.sendto(request.format(ours.address, own, number).encode(), ours.address)
        answers = [peer.recv(4000) for _ in range(100)]
    assert all(answer.startswith(b"SIP/2.0 200 ") for answer in answers)


def test_messages_are_logged_redacted(start: Callable[..., Running]) -> None:
    ours, theirs = start(), start()
    ours.call(theirs)
    lines = [""]
    while not lines[-1].startswith("> 200 OK"):
        lines.append(theirs.wait_for(Logged).line)
    assert any(line.startswith("< INVITE ") for line in lines)
    assert not any("phone@" in line for line in lines)


def test_a_mistake_is_logged_behind_the_messages_before_it(start: Callable[..., Running]) -> None:
    ours, theirs = start(), start()
    ours.core.submit(Dial(theirs.uri, confirmed=True))
    lines = [""]
    troubles = 0
    while not troubles or not lines[-1].startswith("! "):
        event = ours.core.events.get(timeout=10)
        if isinstance(event, Logged):
            lines.append(event.line)
        elif isinstance(event, CallStateChanged) and event.state is CallState.CONNECTED:
            ours.core.submit(HangUp(99))  # the ACK has left and is not written down yet
        troubles += isinstance(event, Trouble)
    assert any(line.startswith("> ACK ") for line in lines)


def test_a_line_of_the_log_has_the_age_that_it_has_when_it_is_told(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the writing takes."""
    logged: list[float] = []

    def slow(message: str) -> str:
        time.sleep(0.1)
        return message

    monkeypatch.setattr("applet.redaction.redact_message", slow)
    theirs = start()
    ours = start(log=lambda event: logged.append(time.perf_counter() - event.age))
    before = time.perf_counter()
    ours.core.submit(Dial(theirs.uri, confirmed=True))
    ours.wait_for_state(CallState.CONNECTED)
    after = time.perf_counter()
    ours.core.submit(HangUp(0))
    wait_until(lambda: len(logged) >= 4, 10, "INVITE, 100, 200 and ACK in the log")
    assert logged[:4] == pytest.approx(sorted(logged[:4]), abs=0.01)
    assert before <= logged[0] and logged[3] <= after + 0.01


def test_a_file_that_cannot_be_played_is_told(start: Callable[..., Running]) -> None:
    ours, theirs = start(), start()
    ours.call(theirs)
    ours.core.submit(PlayFile(0, "/nowhere/melody.wav"))
    assert ours.wait_for(Trouble).reason is Reason.FILE_NOT_PLAYABLE


def test_stun_tells_the_phone_what_the_world_sees(start: Callable[..., Running]) -> None:
    with lab(good) as server:
        ours, theirs = start(stun=(server.server,)), start()
        assert str(ours.address) in ours.wait_for(NatFound).proof
        ours.call(theirs)
        wait_until(lambda: statistics(theirs).received > 5, 5, "our sound")
        assert len(server.requests) == 1  # a peer on this machine needs no mapped address


def test_fault_02_a_silent_stun_server_does_not_stop_a_call(
    start: Callable[..., Running],
) -> None:
    with lab(lambda data, source: []) as server:
        ours, theirs = start(stun=(server.server,)), start()
        ours.call(theirs)
        assert ours.wait_for(Trouble).reason is Reason.STUN_FAILED


def test_dns_that_hangs_delays_a_call_by_its_deadline_at_most(
    start: Callable[..., Running],
) -> None:
    names = DnsServer()
    theirs = start()
    ours = start(name_server=names.address)
    names.unanswered = ("A dead.lab.example",)
    port = theirs.address.port
    targets = (f"0 0 {port} dead.lab.example.", f"1 0 {port} pbx.lab.example.")
    names.add("_sip._udp.desk.lab.example", "SRV", *targets)
    names.add("pbx.lab.example", "A", theirs.address.host)
    clicked = time.monotonic()
    ours.core.submit(Dial("sip:desk@desk.lab.example", confirmed=True))
    theirs.wait_for(IncomingCall, timeout_s=20)
    assert "A dead.lab.example" in names.asked
    assert time.monotonic() - clicked < LOOK_UP_LIMIT + 1.0
    ours.wait_for_state(CallState.CONNECTED)
    hung(names)


def test_dns_that_hangs_altogether_ends_the_call_in_time_and_stops_nobody_else(
    start: Callable[..., Running],
) -> None:
    names = DnsServer()
    names.silent = True
    theirs = start()
    ours = start(name_server=names.address)
    clicked = time.monotonic()
    ours.core.submit(Dial("sip:desk@desk.lab.example", confirmed=True))
    ours.call(theirs)
    assert time.monotonic() - clicked < LOOK_UP_LIMIT
    ended = ours.wait_for_state(CallState.ENDED, timeout_s=20)
    assert ended.reason is Reason.NAME_NOT_FOUND
    assert time.monotonic() - clicked < LIMIT + 2.0
    hung(names)


def hung(names: DnsServer) -> None:
    """The end of a name server, once nobody waits for it any more."""
    wait_until(
        lambda: not [thread for thread in threading.enumerate() if thread.name == "look-up"],
        15,
        "the end of the look-ups",
    )
    names.close()
