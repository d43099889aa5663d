"""What the trial of the sound found, in the rows of the self-test's report."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.ui.vocabulary import Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.phone.messages import DevicesListed, SoundTried

Row = tuple[str, str, str]
"""What was looked at, what was found, what it means."""

_PURE_ZEROS = -90.0  # dBFS, as `SoundTried` tells them


def sound_rows(
    word: Callable[..., str], devices: DevicesListed, hears: str, plays: str
) -> tuple[Row, Row]:
    """`word` as in `Speaker`; `hears` and `plays`: what is to be said of either end."""
    none = word(Word.NO_DEVICE)
    return (
        (word(Word.MICROPHONE), ", ".join(devices.microphones) or none, hears),
        (word(Word.SPEAKER), ", ".join(devices.speakers) or none, plays),
    )


def heard_and_played(word: Callable[..., str], tried: SoundTried) -> tuple[str, str]:
    """What the trial means, for either end."""
    if tried.microphone is None:
        hears = word(Word.MICROPHONE_SHUT)
    elif tried.microphone <= _PURE_ZEROS:
        hears = word(Word.MICROPHONE_SILENT)
    else:
        hears = word(Word.MICROPHONE_HEARS, f"{tried.microphone:.0f}")
    return hears, word(Word.SPEAKER_PLAYED if tried.speaker else Word.SPEAKER_SHUT)
