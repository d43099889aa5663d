"""Sound is made shorter and longer so that nobody hears the seam."""

import audioop

from applet.media.time_stretch import TimeStretch
from tests.support.streams import noise, tone

STRETCH = TimeStretch(8000)


def test_the_period_of_a_voice_is_found() -> None:
    period = STRETCH.find_period(tone(40, 100), 160, 0.9)
    assert period is not None and period % 80 in (0, 1, 79)


def test_noise_has_no_period() -> None:
    assert STRETCH.find_period(noise(40), 160, 0.85) is None


def test_too_little_sound_has_no_period() -> None:
    assert STRETCH.find_period(tone(9), 160, 0.0) is None
    assert STRETCH.find_period(bytes(640), 160, 0.0) is None


def test_leaving_out_a_period_leaves_the_voice_as_it_is() -> None:
    voice = tone(40, 100)
    shorter = STRETCH.leave_out(voice, 80)
    assert len(shorter) == len(voice) - 160
    assert audioop.rms(audioop.add(shorter, audioop.mul(voice[160:], 2, -1), 2), 2) < 300


def test_repeating_a_period_leaves_the_voice_as_it_is() -> None:
    voice = tone(80, 100)
    longer = STRETCH.repeat(voice[:640], voice[640:], 160)
    assert len(longer) == 640 + 320
    expected = tone(120, 100)[640 : 640 + 960]
    assert audioop.rms(audioop.add(longer, audioop.mul(expected, 2, -1), 2), 2) < 300
