"""`python -m applet demo` without a display: one whole call with the embedded desk, as text.

It tells what happens: dial, greeting, voice there and back, the quality, hold, resume, hang up.
The exit code is 0 only if every step really happened. (With a display the demonstration is the
applet itself, whose desk is the embedded one unless the brand names another.)
"""

from __future__ import annotations

import os
import sys

from applet.address import Address
from applet.desk.caller import HOST, caller, is_state, next_event
from applet.desk.server import DeskServer
from applet.hints import TYPE_CHECKING
from applet.phone.messages import (
    CallState,
    CallStateChanged,
    Command,
    Dial,
    Event,
    HangUp,
    HeldBy,
    Hold,
    HoldChanged,
    Levels,
    RequestStatistics,
    Resume,
    SendDigits,
    Statistics,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_HEARD_DB = -45.0
_SILENT_DB = -60.0


def has_display() -> bool:
    """Whether a window can be opened here."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        import tkinter

        tkinter.Tk().destroy()
    except (ImportError, tkinter.TclError):
        return False
    return True


class DemoError(Exception):
    """A step did not happen; `str()` is one plain sentence."""


class TextDemo:
    """One call to a desk of our own, on loopback."""

    def __init__(self) -> None:
        self._desk = DeskServer(Address(HOST, 0), lambda text: _tell(f"   desk: {text}"))
        self._core = caller()

    def run(self) -> int:
        try:
            desk = self._desk.start()
            self._core.start()
            self._story(desk)
        except (DemoError, OSError) as error:
            _tell(f"The demonstration failed: {error}")
            return 1
        finally:
            self._core.stop()
            self._desk.stop()
        _tell("Everything worked.")
        return 0

    def _story(self, desk: Address) -> None:
        _tell("There is no display, so this is one call to the embedded support desk as text.")
        self._do("call the support desk", Dial(f"sip:desk@{desk}", confirmed=True))
        self._wait("it is ringing", is_state(CallState.RINGING))
        self._wait("the desk answers", is_state(CallState.CONNECTED))
        self._wait("its greeting is heard", _hears)
        self._wait("levels: our tone of 440 Hz is on its way", _says)
        self._listen(2.5)
        self._wait("the desk's echo of it is heard", _hears)
        self._do("ask the desk for the quality of the line (key 3)", SendDigits(0, "3"))
        self._do("ask for our own numbers", RequestStatistics(0))
        self._wait("the quality", lambda event: isinstance(event, Statistics))
        self._do("hold", Hold(0))
        self._wait("the desk agrees to the hold", _is_held(HeldBy.US))
        self._wait("nobody hears anything", _is_silent)
        self._do("resume", Resume(0))
        self._wait("the desk agrees to go on", _is_held(HeldBy.NONE))
        self._wait("the desk is heard again", _hears)
        self._do("hang up", HangUp(0))
        self._wait("the call has ended", is_state(CallState.ENDED))

    def _do(self, words: str, command: Command) -> None:
        _tell(f"-> {words}")
        self._core.submit(command)

    def _wait(self, words: str, wanted: Callable[[Event], bool]) -> None:
        """Tell what happens until `wanted`; 5 s at most."""
        event = next_event(self._core, wanted, 5)
        if event is None:
            raise DemoError(f"{words}: this did not happen.")
        detail = _shown(event)
        _tell(f"<- {words}{f' ({detail})' if detail else ''}")

    def _listen(self, seconds: float) -> None:
        """Let the call go on for a while."""
        next_event(self._core, lambda _: False, seconds)


def _is_held(by: HeldBy) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, HoldChanged) and event[1:] == (by, False)


def _hears(event: Event) -> bool:
    return isinstance(event, Levels) and event.speaker > _HEARD_DB


def _says(event: Event) -> bool:
    return isinstance(event, Levels) and event.microphone > _HEARD_DB


def _is_silent(event: Event) -> bool:
    return isinstance(event, Levels) and max(event.microphone, event.speaker) < _SILENT_DB


def _shown(event: Event) -> str:
    match event:
        case Levels():
            return f"microphone {event.microphone:.0f} dB, loudspeaker {event.speaker:.0f} dB"
        case Statistics():
            return (
                f"MOS {event.mos:.1f}, {event.received} packets received, {event.sent} sent, "
                f"{event.lost} lost, jitter {event.jitter_ms:.1f} ms, delay {event.delay_ms:.0f} ms"
            )
        case CallStateChanged():
            return event.peer
    return ""


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
