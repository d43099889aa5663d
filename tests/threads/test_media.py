"""The real media thread on loopback, against an RTP peer that is not ours."""

import gc
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import numpy as np
import pytest

from applet.address import Address
from applet.audio.device import (
    SILENCE,
    AudioDevice,
    AudioReport,
    ClockedDevice,
    LiveDevice,
    Playout,
    SoundControl,
)
from applet.audio.file import FileDevice, NullDevice, parse_source
from applet.audio.wav import open_header, parse_wav
from applet.media.events import DigitReceived, MediaStatistics
from applet.media.parameters import MediaParameters
from applet.media.rtcp import ReceiverReport, encode_rtcp, is_rtcp
from applet.media.tones import Tone
from applet.nat.strategy import DIRECT, Kind, OpenedWay, Way
from applet.phone.messages import (
    DevicesListed,
    FilePlaying,
    Levels,
    Logged,
    Reason,
    SoundTried,
    Trouble,
)
from applet.phone.orders import (
    CloseMedia,
    HoldMedia,
    InjectFile,
    ListAudio,
    MuteMedia,
    OpenMicrophone,
    OpenWay,
    PlayTone,
    RequestMediaStatistics,
    SelectAudio,
    SendMediaDigits,
    SetGains,
    TryAudio,
    UpdateMedia,
)
from applet.threads.core_inbox import (
    AudioHappened,
    MediaAnswer,
    MediaCounted,
    MediaHappened,
    WayOpened,
)
from applet.threads.media import MediaThread
from tests.support.descriptors import open_files
from tests.support.ports import free_port
from tests.support.process import wait_until
from tests.support.rtp_peer import RtpPeer
from tests.support.speech import Samples, level_dbfs, synthetic_speech
from tests.support.stun_server import good, lab

T = TypeVar("T")


class Media:
    """A media thread, its devices and its answers."""

    def __init__(self, make: Callable[[int], AudioDevice] | None = None, **options: object) -> None:
        self.answers: SimpleQueue[MediaAnswer] = SimpleQueue()
        self.devices: list[AudioDevice] = []
        self._make = make or (lambda call: FileDevice(parse_source("tone:440")))
        self.thread = MediaThread(
            self._device,
            random.SystemRandom(),
            bind_host=str(options.pop("bind_host", "127.0.0.1")),
            **options,  # type: ignore[arg-type]
        )
        self.thread.start(self.answers.put)

    def _device(self, call: int) -> AudioDevice:
        device = self._make(call)
        self.devices.append(device)
        return device

    def open(self, call: int = 1) -> tuple[Address, Address]:
        opened = self.thread.open(call, "127.0.0.1")
        self.thread.adopt(opened)
        return opened.sockets.rtp_address, opened.sockets.rtcp_address

    def agree(self, peer_port: int, call: int = 1, **changes: Any) -> None:
        self.thread.submit(UpdateMedia(call, parameters(peer_port)._replace(**changes)))

    def wait_for(self, kind: type[T]) -> T:
        """The next answer of this kind; others are dropped."""
        while True:
            answer = self.answers.get(timeout=10)
            if isinstance(answer, kind):
                return answer

    def all(self, kind: type[T]) -> list[T]:
        found: list[T] = []
        while True:
            try:
                answer = self.answers.get_nowait()
            except Empty:
                return found
            if isinstance(answer, kind):
                found.append(answer)


def parameters(peer_port: int, host: str = "127.0.0.1") -> MediaParameters:
    return MediaParameters(
        remote_rtp=Address(host, peer_port),
        remote_rtcp=Address(host, peer_port + 1),
        codec="PCMU",
        payload_type=0,
        receive=((0, "PCMU"),),
        dtmf_payload_type=101,
        dtmf_receive=101,
        comfort_noise=None,
        direction="sendrecv",
    )


@pytest.fixture
def start() -> Iterator[Callable[..., Media]]:
    started: list[Media] = []

    def start(*arguments: object, **options: object) -> Media:
        started.append(Media(*arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for media in started:
        media.thread.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "media"]


@pytest.fixture
def peer() -> Iterator[RtpPeer]:
    with RtpPeer(synthetic_speech(3)) as peer:
        yield peer


def talk(media: Media, peer: RtpPeer, call: int = 1) -> Address:
    """A call in which both sides talk. Where our RTP is."""
    rtp, _ = media.open(call)
    media.agree(peer.port, call)
    media.thread.submit(OpenMicrophone(call))
    peer.talk_to(str(rtp))
    return rtp


def test_garbage_is_looked_for_again_once_the_start_is_over(
    start: Callable[..., Media],
) -> None:
    gc.disable()  # as `cli.main` does while everything is imported
    start().thread.prepare()
    wait_until(gc.isenabled, 5, "the collector")


def test_both_directions_are_heard(
    start: Callable[..., Media], peer: RtpPeer, tmp_path: Path
) -> None:
    path = tmp_path / "heard.wav"
    media = start(lambda call: FileDevice(parse_source("tone:440"), str(path)))
    talk(media, peer)
    peer.wait_for_sound(1.5)
    media.thread.submit(CloseMedia(1))
    counted = media.wait_for(MediaCounted)
    assert counted.final
    assert counted.statistics.sent >= 70
    assert counted.statistics.received >= 70
    assert counted.statistics.lost == 0
    assert frequency(peer.heard()[800:]) == pytest.approx(440, abs=2)
    heard = np.frombuffer(parse_wav(path.read_bytes()).data, "<i2").astype(float)
    assert level_dbfs(heard[4000:]) == pytest.approx(-22, abs=4)


def frequency(wave: Samples) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(wave)))) * 8000 / len(wave)


def test_the_first_packet_leaves_at_once_and_the_others_every_20_ms(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start()
    waits = []
    for call in range(1, 6):
        media.open(call)
        media.thread.submit(PlayTone(call, Tone.RINGBACK))
        peer.packets.clear()
        begin = time.monotonic()
        media.agree(peer.port, call)
        peer.wait_for_sound(0.2)
        waits.append(peer.packets[0].at - begin)
        if call < 5:
            media.thread.submit(CloseMedia(call))
    # A busy machine is late now and then, but a clock that goes on would be late every time.
    assert sorted(waits)[1] < 0.005
    peer.wait_for_sound(1.0)
    times = np.array([packet.at for packet in peer.packets])
    assert np.median(np.diff(times)) == pytest.approx(0.02, abs=0.0005)
    assert times[-1] - times[0] == pytest.approx(0.02 * (len(times) - 1), abs=0.01)
    assert set(np.diff([packet.timestamp for packet in peer.packets])) == {160}


def test_nothing_of_the_microphone_is_sent_before_it_may_open(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    asked: list[int] = []

    def tone(samples: int) -> bytes:
        asked.append(samples)
        return b"\x00\x10" * samples

    media = start(lambda call: FileDevice(tone))
    media.open()
    media.agree(peer.port)
    peer.wait_for_sound(0.3)
    assert asked == []
    assert level_dbfs(peer.heard()) < -60
    media.thread.submit(OpenMicrophone(1))
    wait_until(lambda: level_dbfs(peer.heard()[-160:]) > -20, 5, "the microphone")
    assert set(asked) == {160}


def test_hold_mute_and_digits_are_carried_out(start: Callable[..., Media], peer: RtpPeer) -> None:
    media = start()
    talk(media, peer)
    wait_until(lambda: level_dbfs(peer.heard()[-160:]) > -20, 5, "the microphone")
    for order in (HoldMedia, MuteMedia):
        media.thread.submit(order(1, True))
        wait_until(lambda: level_dbfs(peer.heard()[-160:]) < -60, 5, "silence")
        media.thread.submit(order(1, False))
        wait_until(lambda: level_dbfs(peer.heard()[-160:]) > -20, 5, "the microphone again")
    media.thread.submit(SendMediaDigits(1, "5#"))
    wait_until(lambda: peer.digits() == "5#", 5, "our digits")
    peer.send_digits("7")
    while not isinstance(media.wait_for(MediaHappened).event, DigitReceived):
        pass


def test_gains_hold_for_calls_that_run_and_for_new_ones(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start()
    talk(media, peer)
    wait_until(lambda: level_dbfs(peer.heard()[-160:]) > -16, 5, "the microphone")
    media.thread.submit(SetGains(-20.0, 0.0))
    wait_until(lambda: -37 < level_dbfs(peer.heard()[-160:]) < -33, 5, "a softer microphone")
    media.thread.submit(CloseMedia(1))
    with RtpPeer(synthetic_speech(4)) as other:
        talk(media, other, call=2)
        wait_until(lambda: -37 < level_dbfs(other.heard()[-160:]) < -33, 5, "the same again")


def test_a_looped_device_sends_back_what_it_hears(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start(lambda call: FileDevice(parse_source("silence"), loop=True))
    talk(media, peer)
    wait_until(lambda: level_dbfs(peer.heard()[-8000:]) > -30, 5, "our own speech")


def test_the_end_is_told_by_rtcp_and_leaves_no_socket(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start()
    media.open(9)
    media.thread.submit(RequestMediaStatistics(9))
    assert not media.wait_for(MediaCounted).final
    before = open_files()
    talk(media, peer)
    peer.wait_for_sound(0.1)
    media.thread.submit(CloseMedia(1))
    wait_until(lambda: any(is_goodbye(report) for _, report in peer.reports), 5, "RTCP BYE")
    wait_until(lambda: open_files() == before, 5, "the sockets to be closed")
    media.thread.submit(CloseMedia(1))
    media.thread.submit(MuteMedia(1, True))
    media.thread.submit(RequestMediaStatistics(9))
    assert media.wait_for(MediaCounted).call == 1
    assert media.wait_for(MediaCounted).call == 9


def is_goodbye(report: bytes) -> bool:
    while len(report) >= 4:
        if report[1] == 203:
            return True
        report = report[4 * (struct.unpack_from("!H", report, 2)[0] + 1) :]
    return False


def test_a_file_is_played_in_place_of_the_microphone(
    start: Callable[..., Media], peer: RtpPeer, tmp_path: Path
) -> None:
    path = tmp_path / "melody.wav"
    wave = (8000 * np.sin(2 * np.pi * 1000 * np.arange(24000) / 48000)).astype("<i2")
    path.write_bytes(open_header(48000) + wave.tobytes())
    media = start(lambda call: NullDevice())
    talk(media, peer)
    media.thread.submit(InjectFile(1, str(path)))
    assert media.wait_for(AudioHappened).event == FilePlaying(1, str(path), on=True)
    media.wait_for(MediaHappened)
    sound = peer.heard()
    loud = sound[np.flatnonzero(np.abs(sound) > 500)[0] :][:3800]
    assert frequency(loud) == pytest.approx(1000, abs=4)
    media.thread.submit(InjectFile(1, str(path)))
    media.thread.submit(InjectFile(1, ""))


@pytest.mark.parametrize(
    ("name", "data", "detail"),
    [
        ("none.wav", None, "none.wav No such file or directory"),
        ("text.wav", b"hello", "text.wav is not a WAV file"),
    ],
)
def test_a_file_that_cannot_be_played_is_told_precisely(
    start: Callable[..., Media], tmp_path: Path, name: str, data: bytes | None, detail: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    media = start()
    media.open()
    media.thread.submit(InjectFile(1, str(path)))
    told = media.wait_for(AudioHappened).event
    assert told == Trouble(1, Reason.FILE_NOT_PLAYABLE, detail)


def test_levels_are_told_ten_times_a_second_when_they_are_wanted(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start(levels=True)
    talk(media, peer)
    peer.wait_for_sound(1.0)
    levels = media.all(Levels)
    assert 8 <= len(levels) <= 13
    assert levels[-1].microphone == pytest.approx(-15, abs=1)
    quiet = start()
    talk(quiet, peer)
    peer.wait_for_sound(0.3)
    assert quiet.all(Levels) == []


class Clumsy(ClockedDevice):
    """Makes a mistake, or takes its time, once."""

    def __init__(self, sleep: float = 0.0) -> None:
        self.frames = 0
        self.closed = False
        self._sleep = sleep

    def write(self, pcm: bytes) -> None:
        self.frames += 1
        if self.frames == 5:
            if not self._sleep:
                raise ZeroDivisionError
            time.sleep(self._sleep)

    def read(self, samples: int) -> bytes:
        return bytes(2 * samples)

    def close(self) -> None:
        self.closed = True


def test_a_mistake_is_told_once_and_the_call_goes_on(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start(lambda call: Clumsy())
    talk(media, peer)
    peer.wait_for_sound(0.5)
    media.thread.stop()
    answers = media.all(object)
    (logged,) = [answer for answer in answers if isinstance(answer, Logged)]
    assert "ZeroDivisionError in the media thread" in logged.line
    assert "in write" in logged.detail
    assert Trouble(0, Reason.INTERNAL, "ZeroDivisionError") in answers
    (device,) = media.devices
    assert isinstance(device, Clumsy)
    assert device.closed


def test_a_device_that_cannot_be_made_is_told_and_the_call_goes_on_in_silence(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start(lambda call: FileDevice(parse_source("tone:440"), "/nowhere/out.wav"))
    talk(media, peer)
    assert media.wait_for(Trouble) == Trouble(0, Reason.INTERNAL, "FileNotFoundError")
    peer.wait_for_sound(0.2)
    assert level_dbfs(peer.heard()) < -60


def test_after_a_stall_the_ticks_go_on_without_a_flood(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start(lambda call: Clumsy(sleep=0.5))
    talk(media, peer)
    peer.wait_for_sound(0.6)
    times = np.array([packet.at for packet in peer.packets])
    stall = int(np.argmax(np.diff(times)))
    assert np.diff(times)[stall] > 0.4
    assert np.count_nonzero(times[stall + 1 :] < times[stall + 1] + 0.01) <= 6
    # The time stamps go on with the clock: the silence is not made up for.
    stamps = [packet.timestamp for packet in peer.packets]
    assert stamps[-1] - stamps[0] == pytest.approx(8000 * (times[-1] - times[0]), abs=1000)


def test_a_flood_on_one_call_does_not_starve_the_others(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start()
    flooded, _ = media.open(2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stop = threading.Event()

        def flood() -> None:
            while not stop.is_set():
                for _ in range(20):
                    stranger.sendto(b"\x80\0" + bytes(170), flooded)
                stop.wait(0.002)

        thread = threading.Thread(target=flood)
        thread.start()
        talk(media, peer)
        peer.wait_for_sound(1.0)
        stop.set()
        thread.join()
    times = np.diff([packet.at for packet in peer.packets])
    assert np.median(times) == pytest.approx(0.02, abs=0.001)
    assert np.percentile(times, 90) < 0.03


def test_many_calls_share_their_wakes(start: Callable[..., Media]) -> None:
    media = start(lambda call: NullDevice())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", free_port()))
        for call in range(30):
            media.open(call)
            media.agree(far.getsockname()[1], call)
        media.thread.submit(RequestMediaStatistics(0))
        media.wait_for(MediaCounted)
        phases = {round(call.due % 0.02, 5) for call in media.thread._calls.values()}
    assert len(phases) <= 8 + 9


class SoundCard(LiveDevice):
    """A sound card that runs when the test says so."""

    def __init__(self) -> None:
        self.playout: Playout | None = None
        self.wake: Callable[[], None] = lambda: None
        self.frames: list[bytes] = []
        self.closed = False

    def open_speaker(self, playout: Playout) -> None:
        self.playout = playout

    def open_microphone(self, wake: Callable[[], None]) -> None:
        self.wake = wake

    def take(self) -> bytes | None:
        return self.frames.pop(0) if self.frames else None

    def record(self, frame: bytes) -> None:
        self.frames.append(frame)
        self.wake()

    def close(self) -> None:
        self.closed = True


def test_a_sound_card_is_its_own_clock(start: Callable[..., Media], peer: RtpPeer) -> None:
    card = SoundCard()
    media = start(lambda call: card)
    talk(media, peer)
    wait_until(lambda: card.playout is not None, 5, "the loudspeaker to open")
    assert card.playout is not None
    loud = b"\x00\x10" * 160
    heard = b""
    begin = time.monotonic()
    for number in range(50):
        heard += card.playout()
        card.record(loud)
        time.sleep(max(0.0, begin + 0.02 * (number + 1) - time.monotonic()))
    wait_until(lambda: level_dbfs(peer.heard()[-1600:]) > -20, 5, "the microphone")
    assert len(heard) == 50 * 320
    assert level_dbfs(np.frombuffer(heard, "<i2")[4000:].astype(float)) > -30
    media.thread.submit(CloseMedia(1))
    wait_until(lambda: card.closed, 5, "the card to be closed")
    assert card.playout() == SILENCE
    card.record(loud)


def test_fault_15_without_a_running_card_the_call_sends_silence_and_goes_on(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start(lambda call: SoundCard())
    talk(media, peer)
    peer.wait_for_sound(1.0)
    assert level_dbfs(peer.heard()) < -60
    media.thread.submit(RequestMediaStatistics(1))
    statistics = media.wait_for(MediaCounted).statistics
    assert statistics.received > 30
    assert statistics.late < 10


def test_a_card_opens_its_speaker_with_the_first_tone_and_its_microphone_when_it_may(
    start: Callable[..., Media],
) -> None:
    card = SoundCard()
    media = start(lambda call: card)
    media.open()
    media.thread.submit(RequestMediaStatistics(1))
    media.wait_for(MediaCounted)
    assert card.playout is None
    media.thread.submit(PlayTone(1, Tone.INCOMING))
    wait_until(lambda: card.playout is not None, 5, "the loudspeaker to open")
    assert card.playout is not None
    played = b"".join(card.playout() for _ in range(10))
    assert any(played)


class Mixer(SoundControl):
    """The devices of a machine, and what was asked of them."""

    def __init__(self) -> None:
        self.selected = ("", "")
        self.stopped = False

    def select(self, microphone: str, speaker: str) -> None:
        self.selected = (microphone, speaker)

    def list(self) -> None:
        self.report(DevicesListed(("mic",), ("speaker",), *self.selected))

    def try_out(self) -> None:
        self.report(SoundTried(-20.0, speaker=True))

    def report_to(self, report: Callable[[AudioReport], None]) -> None:
        self.report = report

    def stop(self) -> None:
        self.stopped = True


def test_devices_are_chosen_listed_and_tried_out(start: Callable[..., Media]) -> None:
    mixer = Mixer()
    media = start(sound=mixer)
    media.thread.submit(SelectAudio("mic", "speaker"))
    media.thread.submit(ListAudio())
    listed = media.wait_for(AudioHappened).event
    assert listed == DevicesListed(("mic",), ("speaker",), "mic", "speaker")
    media.thread.submit(TryAudio())
    assert media.wait_for(AudioHappened).event == SoundTried(-20.0, speaker=True)
    media.thread.stop()
    assert mixer.stopped
    without = start()
    without.thread.submit(ListAudio())


def test_fault_01_rtp_and_rtcp_each_get_their_own_mapped_address(
    start: Callable[..., Media], peer: RtpPeer
) -> None:
    media = start()
    with lab(good) as server:
        rtp, rtcp = media.open()
        way = Way(Kind.STUN, stun=server.server)
        media.thread.submit(OpenWay(1, (way,)))
        assert media.wait_for(WayOpened).opened == OpenedWay(
            way, rtp, rtcp, (rtp, rtcp), (OpenedWay(DIRECT, rtp, rtcp),)
        )
        assert len(server.requests) == 2
    media.agree(peer.port)
    media.thread.submit(OpenMicrophone(1))
    peer.talk_to(str(rtp))
    peer.wait_for_sound(0.3)


def test_fault_02_without_an_answer_of_stun_the_bound_addresses_are_used(
    start: Callable[..., Media],
) -> None:
    media = start()
    with lab(lambda data, source: []) as server:
        rtp, rtcp = media.open()
        begin = time.monotonic()
        media.thread.submit(OpenWay(1, (Way(Kind.STUN, stun=server.server),)))
        assert media.wait_for(WayOpened).opened == OpenedWay(DIRECT, rtp, rtcp)
        assert time.monotonic() - begin < 1.0


def test_ipv6_works_as_ipv4_does(start: Callable[..., Media]) -> None:
    media = start(bind_host="::1")
    opened = media.thread.open(1, "::1")
    media.thread.adopt(opened)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as far:
        far.bind(("::1", free_port()))
        far.settimeout(5)
        media.thread.submit(UpdateMedia(1, parameters(far.getsockname()[1], "::1")))
        assert len(far.recv(2000)) == 172


def test_a_stranger_that_cannot_be_reached_does_not_matter(start: Callable[..., Media]) -> None:
    media = start()
    media.open()
    media.agree(9, remote_rtp=Address("no address", 9), remote_rtcp=Address("x", 0))
    media.agree(9, remote_rtp=Address("::1", 9))
    media.agree(9, remote_rtp=Address("127.0.0.1", 0))
    media.thread.submit(RequestMediaStatistics(1))
    media.wait_for(MediaCounted)
    media.thread.submit(CloseMedia(1))
    assert media.wait_for(MediaCounted).final
    assert media.all(Trouble) == []


def test_the_end_is_quick_and_may_come_twice_or_before_the_start() -> None:
    before = open_files()
    never = MediaThread(lambda call: NullDevice(), random.SystemRandom())
    never.stop()
    media = Media()
    for call in range(5):
        media.open(call)
    begin = time.monotonic()
    media.thread.stop()
    media.thread.stop()
    assert time.monotonic() - begin < 1.0
    assert open_files() == before
    assert [answer.final for answer in media.all(MediaCounted)] == [True] * 5


def test_sound_and_reports_share_one_port_when_agreed(start: Callable[..., Media]) -> None:
    media = start()
    rtp, rtcp = media.open()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", free_port()))
        peer.settimeout(10)
        port = peer.getsockname()[1]
        media.agree(port, remote_rtcp=Address("127.0.0.1", port), rtcp_mux=True)
        sources: dict[str, Address] = {}
        while len(sources) < 2:  # the first report comes within five seconds
            data, source = peer.recvfrom(2048)
            sources["report" if is_rtcp(data) else "sound"] = Address(*source)
        assert sources == {"sound": rtp, "report": rtp}
        peer.sendto(encode_rtcp([ReceiverReport(77)]), rtp)
        peer.sendto(b"\x80\xdf", rtp)

        def counted() -> MediaStatistics:
            media.thread.submit(RequestMediaStatistics(1))
            return media.wait_for(MediaCounted).statistics

        wait_until(lambda: counted().invalid == 1, 5, "what is no report")
        media.agree(port)
        peer.sendto(encode_rtcp([ReceiverReport(77)]), rtp)
        wait_until(lambda: counted().invalid == 2, 5, "a report on the port of the sound")
