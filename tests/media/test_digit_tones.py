"""Keys as tones in our own stream, as far as a receiver could tell them (ITU-T Q.23, Q.24)."""

import array
import math
import random

import pytest

from applet.address import Address
from applet.media.digit_tones import DigitTones
from applet.media.dtmf import DIGITS
from applet.media.events import DigitSent
from applet.media.parameters import MediaParameters
from applet.media.rtp import parse_rtp
from applet.media.session import MediaSession
from tests.support.streams import CODEC

LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
PAIRS = dict(zip("123A456B789C*0#D", [(low, high) for low in LOW for high in HIGH], strict=True))


def _power(samples: "array.array[int]", hertz: int, rate: int) -> float:
    """How strong one frequency is (Goertzel), as a share of all power."""
    turn = 2 * math.pi * hertz / rate
    real = sum(x * math.cos(turn * n) for n, x in enumerate(samples))
    imaginary = sum(x * math.sin(turn * n) for n, x in enumerate(samples))
    total = sum(x * x for x in samples) or 1
    return 2 * (real**2 + imaginary**2) / (len(samples) * total)


def _heard(samples: "array.array[int]", rate: int) -> str:
    low = max(LOW, key=lambda hertz: _power(samples, hertz, rate))
    high = max(HIGH, key=lambda hertz: _power(samples, hertz, rate))
    assert _power(samples, low, rate) + _power(samples, high, rate) > 0.9
    return next(digit for digit, pair in PAIRS.items() if pair == (low, high))


def _played(tones: DigitTones, samples: int) -> tuple[bytes, str]:
    sound, finished = b"", ""
    while (frame := tones.frame(samples)) is not None:
        assert len(frame) == 2 * samples
        sound += frame
        finished += tones.finished
        tones.finished = ""
    return sound, finished


@pytest.mark.parametrize("rate", [8000, 16000])
def test_every_key_is_its_two_tones_for_100_ms_and_then_silence(rate: int) -> None:
    for digit in DIGITS:
        tones = DigitTones(rate)
        tones.queue(digit)
        sound, finished = _played(tones, rate // 50)
        assert finished == digit
        samples = array.array("h", sound)
        assert _heard(samples[: rate // 10], rate) == digit
        assert len(samples) == 9 * rate // 50 and not any(samples[rate // 10 :])
        assert max(samples) < 20_000, "far from clipping"


def test_keys_follow_one_another_in_frames_of_any_length() -> None:
    tones = DigitTones(8000)
    tones.queue("1")
    tones.queue("2#")
    sound, finished = _played(tones, 100)
    assert finished == "12#"
    assert tones.frame(160) is None and len(sound) >= 3 * 2 * 1440


def test_what_is_forgotten_is_not_played() -> None:
    tones = DigitTones(8000)
    tones.queue("12")
    tones.frame(160)
    tones.clear()
    assert tones.frame(160) is None
    tones.queue("3")
    assert _played(tones, 160)[1] == "3"


# --- in a call

AGREED = MediaParameters(
    Address("192.0.2.9", 6000), None, "PCMU", 0, ((0, "PCMU"),), None, None, None, "sendrecv"
)


def _sent(session: MediaSession, frames: int) -> bytes:
    """What the other side hears of us while the microphone is at full voice."""
    sound = b""
    for number in range(frames):
        session.capture(b"\x00\x20" * 160, 10 + number / 50)
        for out in session.datagrams_to_send():
            packet = parse_rtp(out.data)
            sound += CODEC.decode(packet.payload)
    return sound


def _session(agreed: MediaParameters = AGREED) -> MediaSession:
    session = MediaSession(random.Random(1), "me@here")
    session.update(agreed, 10.0)
    session.open_microphone()
    return session


@pytest.mark.parametrize("muted", [False, True])
def test_a_key_takes_the_place_of_the_microphone_muted_or_not(muted: bool) -> None:
    session = _session()
    session.mute(muted)
    assert session.send_digits("7", 10.0, as_tones=True)
    assert not session.send_digits("7", 10.0), "telephone events were not agreed on"
    samples = array.array("h", _sent(session, 5))
    assert _heard(samples, 8000) == "7"
    after = array.array("h", _sent(session, 10)[-320:])
    assert max(after) == (0 if muted else max(after)) and (muted or max(after) > 8000)
    assert session.events() == [DigitSent("7")]


def test_no_tone_leaves_a_call_that_is_held() -> None:
    session = _session()
    session.send_digits("7", 10.0, as_tones=True)
    session.hold_locally(True)
    assert not any(array.array("h", _sent(session, 5)))
    session.update(AGREED._replace(direction="inactive"), 10.0)
    assert not session.send_digits("7", 10.0, as_tones=True)
    session.hold_locally(False)
    session.update(AGREED, 10.0)
    assert session.events() == [] and max(array.array("h", _sent(session, 1))) > 8000
