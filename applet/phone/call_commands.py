"""What each command about one call does to it."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import (
    Answer,
    Command,
    HangUp,
    Hold,
    Mute,
    PlayFile,
    Reinvite,
    Reject,
    Resume,
    Update,
)

if TYPE_CHECKING:
    from applet.phone.call import Call


def carry_out(command: Command, call: Call, now: float) -> None:
    match command:
        case Answer(status=status):
            call.answer(status, now)
        case Reject(status=status):
            call.reject(status, now)
        case HangUp():
            call.hang_up(now)
        case Hold(with_music=with_music):
            call.hold(with_music, now)
        case Resume():
            call.resume(now)
        case Reinvite():
            call.reinvite(now)
        case Update():
            call.update(now)
        case Mute(on=on):
            call.mute(on)
        case PlayFile(path=path):
            call.play_file(path)
        case _:  # RequestStatistics
            call.request_statistics()
