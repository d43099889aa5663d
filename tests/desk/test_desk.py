"""What the desk does with each key, and what its voice says."""

import audioop

from applet.desk import melody
from applet.desk.desk import HOLD_SECONDS, RING_SECONDS, Desk
from applet.desk.voice import DeskVoice
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    DigitReceived,
    HangUp,
    Hold,
    IncomingCall,
    Reason,
    RequestStatistics,
    Resume,
    Statistics,
)

FRAME = 160
NUMBERS = Statistics(1, 490, 500, 10, 0, 2.4, 40.0, 4.1)


def _desk() -> tuple[Desk, list[str]]:
    said: list[str] = []
    return Desk(said.append), said


def test_key_1_holds_for_five_seconds_with_music() -> None:
    desk, _ = _desk()
    assert desk.handle(DigitReceived(1, "1"), 100.0) == [Hold(1, with_music=True)]
    assert desk.voice(1).holding
    assert desk.next_timer() == 100.0 + HOLD_SECONDS
    assert desk.handle_timers(104.9) == []
    assert desk.handle_timers(105.0) == [Resume(1)]
    assert not desk.voice(1).holding
    assert desk.next_timer() is None


def test_key_2_hangs_up() -> None:
    desk, _ = _desk()
    (command,) = desk.handle(DigitReceived(7, "2"), 0.0)
    assert isinstance(command, HangUp)
    assert command.call == 7


def test_key_3_tells_the_quality_as_text() -> None:
    desk, said = _desk()
    (command,) = desk.handle(DigitReceived(1, "3"), 0.0)
    assert isinstance(command, RequestStatistics)
    assert desk.handle(NUMBERS, 0.1) == []
    assert said == [
        "line quality of call 1: MOS 4.1, 10 of 500 packets lost, jitter 2 ms, delay 40 ms"
    ]


def test_other_keys_and_unasked_numbers_do_nothing() -> None:
    desk, said = _desk()
    assert desk.handle(DigitReceived(1, "9"), 0.0) == []
    assert desk.handle(NUMBERS, 0.0) == []
    assert said == []


def test_a_call_is_told_and_forgotten_with_its_timers() -> None:
    desk, said = _desk()
    voice = desk.voice(1)
    desk.handle(IncomingCall(1, "A", "sip:a@b", "sip:desk@c"), 0.0)
    assert said == ["call 1 from sip:a@b"]
    assert desk.handle_timers(RING_SECONDS - 0.1) == []
    assert desk.handle_timers(RING_SECONDS) == [Answer(1)]
    desk.handle(DigitReceived(1, "1"), 0.0)
    desk.handle(CallStateChanged(1, CallState.ENDED, 0, Reason.NONE, "sip:a@b", False), 1.0)
    assert desk.next_timer() is None
    assert desk.voice(1) is not voice


def test_the_greeting_is_short_and_then_the_callers_voice_comes_back_300_ms_later() -> None:
    voice = DeskVoice()
    assert len(melody.greeting()) / 2 / melody.SAMPLE_RATE <= 3.0
    for _ in range(len(melody.greeting()) // (2 * FRAME) + 1):
        voice.write(bytes(2 * FRAME))
        voice.read(FRAME)
    said = []
    for number in range(1, 40):
        voice.write(bytes([number, 0]) * FRAME)
        said.append(voice.read(FRAME)[0])
    delay_frames = said.index(1)
    assert delay_frames * 20 == 300
    assert said[delay_frames:] == list(range(1, 40 - delay_frames))


def test_the_greeting_is_loud_enough_and_never_clips() -> None:
    assert audioop.rms(melody.greeting(), 2) > 1000
    assert audioop.max(melody.music(), 2) < 20000


def test_the_music_repeats_without_a_gap() -> None:
    voice = DeskVoice()
    voice.holding = True
    tune = melody.music()
    heard = b"".join(voice.read(FRAME) for _ in range(2 * len(tune) // (2 * FRAME)))
    assert heard == (tune + tune)[: len(heard)]


def test_silence_goes_out_while_nothing_was_said() -> None:
    voice = DeskVoice()
    voice.read(len(melody.greeting()) // 2)
    assert voice.read(FRAME) == bytes(2 * FRAME)
    voice.close()


def test_a_caller_who_sends_too_fast_does_not_fill_the_memory() -> None:
    voice = DeskVoice()
    for _ in range(1000):
        voice.write(bytes(2 * FRAME))
    assert len(voice._echo) <= 2 * 2 * melody.SAMPLE_RATE
