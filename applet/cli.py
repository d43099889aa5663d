"""The command line: which of the programs is started, each imported only then."""

import sys

USAGE = """\
python -m applet              the phone: tray icon and window [--brand FILE]
python -m applet demo         the phone and a support desk to call; as text without a display
python -m applet desk         the support desk alone: [--bind IP:PORT] [--max-calls N]
python -m applet headless     the phone without screen and sound card: lines in, JSON out
"""


def main(arguments: list[str], started: float) -> int:
    """Returns the exit code. `started` is the `time.perf_counter()` of the program's start."""
    word, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if word == "headless":
        from applet.headless.run import run

        return run(rest, started)
    if word == "desk":
        from applet.headless.desk import run_desk

        return run_desk(rest, started)
    if word == "demo" and not rest:
        from applet.demo import TextDemo, has_display

        if not has_display():
            return TextDemo().run()
    if not word or (word == "demo" and not rest) or (word == "--brand" and len(rest) == 1):
        from applet.app import run_app

        return run_app(*rest)
    asked = word in ("-h", "--help", "help")
    (sys.stdout if asked else sys.stderr).write(USAGE)
    return 0 if asked else 2
