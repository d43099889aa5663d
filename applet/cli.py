"""The command line: which of the programs is started, each imported only then."""

from __future__ import annotations

import gc
import sys

USAGE = """\
python -m applet              the phone: tray icon and window, or one of the switches below
python -m applet demo         the phone and a support desk to call; as text without a display
python -m applet desk         the support desk alone: [--bind IP:PORT] [--max-calls N]
python -m applet headless     the phone without screen and sound card: lines in, JSON out
python -m applet check        looks at the network, tries the sound: [URI] [--json]

"""


def main(arguments: list[str], started: float) -> int:
    """Returns the exit code. `started` is the `time.perf_counter()` of the program's start."""
    # Nothing that is made while importing is garbage: `threads.media` has some looked for.
    gc.disable()
    word, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if word == "headless":
        from applet.headless.run import run

        return run(rest, started)
    if word == "check":
        from applet.check import run_check

        return run_check(rest)
    if word == "desk":
        from applet.headless.desk import run_desk

        return run_desk(rest, started)
    if arguments == ["demo"]:
        from applet.demo import TextDemo, has_display

        return _start([]) if has_display() else TextDemo().run()
    return _start(arguments)


def _start(arguments: list[str]) -> int:
    """The phone, or one of its switches."""
    from applet.windows.command_line import Run, Wrong, parse

    start = parse(arguments)
    if isinstance(start, Run):
        from applet.start import run_app

        return run_app(start)
    if isinstance(start, Wrong):
        return _explain(start.why, asked=arguments[:1] in (["-h"], ["--help"], ["help"]))
    from applet.switches import obey

    return obey(start)


def _explain(why: str, *, asked: bool) -> int:
    from applet.windows import message
    from applet.windows.command_line import USAGE as SWITCHES

    if asked and sys.stdout is not None:
        sys.stdout.write(USAGE + SWITCHES)
    else:
        message.tell("", f"{USAGE}{SWITCHES}" if asked else f"{why}\n\n{USAGE}{SWITCHES}")
    return 0 if asked else 2
