"""The texts of the help window: the connection in numbers, and what this program is."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.ui.sound_report import Row, sound_rows
from applet.ui.strings import Speaker, Word
from applet.ui.view import HelpText

if TYPE_CHECKING:
    from applet.ui.screen_state import ScreenState
    from applet.ui.shown_call import ShownCall


def help_text(state: ScreenState) -> HelpText:
    word = state.speaker.word
    return HelpText(
        connection=_connection(state.call, state.speaker, state.network),
        check=tuple(
            (name, f"{found}. {meaning}" if meaning else found)
            for name, found, meaning in (*state.findings, *_sound(state))
        ),
        about=(
            (word(Word.PRODUCT), state.brand.product),
            (word(Word.VERSION), state.brand.version),
            (word(Word.COMPANY), state.brand.company),
            (word(Word.OWN_ADDRESS), _own_address(state)),
            *(((word(Word.REGISTERED_AT), state.registrar),) if state.registrar else ()),
            *(((word(Word.BUILD), word(Word.TEST_BUILD)),) if state.test_build else ()),
        ),
        notice="\n\n".join(filter(None, (state.brand.texts.about, word(Word.LICENCE_NOTICE)))),
        log_lines=state.log_lines,
        checks=state.checks,
    )


def _sound(state: ScreenState) -> tuple[Row, ...]:
    if state.sound is None:
        return ()
    return sound_rows(state.speaker.word, state.devices, *state.sound)


def _own_address(state: ScreenState) -> str:
    return f"sip:{state.address}" if state.address else state.speaker.word(Word.UNKNOWN)


def _connection(
    call: ShownCall | None, speaker: Speaker, network: str
) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[Word, str]] = [(Word.NETWORK, network)] if network else []
    if call is not None:
        rows.append((Word.OTHER_SIDE, call.address or call.who))
        rows += _media_rows(call, speaker) + _statistics_rows(call)
    return tuple((speaker.word(word), text) for word, text in rows)


def _media_rows(call: ShownCall, speaker: Speaker) -> list[tuple[Word, str]]:
    media = call.media
    if media is None:
        return []
    return [
        (Word.VOICE_CODING, media.codec),
        (Word.DIRECTION, media.direction),
        (Word.OUR_END, media.local),
        (Word.THEIR_END, media.remote),
        (Word.ENCRYPTION, media.srtp or speaker.word(Word.NO_ENCRYPTION)),
    ]


def _statistics_rows(call: ShownCall) -> list[tuple[Word, str]]:
    numbers = call.statistics
    if numbers is None:
        return []
    expected = numbers.received + numbers.lost
    share = 100 * numbers.lost / expected if expected else 0.0
    return [
        (Word.SENT, str(numbers.sent)),
        (Word.RECEIVED, str(numbers.received)),
        (Word.LOST, f"{numbers.lost} ({share:.1f} %)"),
        (Word.LATE, str(numbers.late)),
        (Word.JITTER, f"{numbers.jitter_ms:.0f} ms"),
        (Word.DELAY, f"{numbers.delay_ms:.0f} ms"),
        (Word.QUALITY, f"{numbers.mos:.1f}"),
    ]
