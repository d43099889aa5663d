"""`python -m applet desk`: the embedded support desk as a program of its own."""

from __future__ import annotations

import json
import os
import sys
import time

from applet.desk.server import MAX_CALLS, DeskServer
from applet.headless.arguments import OptionError, read_arguments
from applet.headless.lines import ready_json
from applet.headless.options import parse_address
from applet.hints import TYPE_CHECKING
from applet.threads.sockets import BindError

if TYPE_CHECKING:
    from applet.address import Address


def run_desk(arguments: list[str], started: float) -> int:
    """Answers until standard input ends or says `quit`. Returns the exit code."""
    try:
        bind, max_calls = _parse(arguments)
        desk = DeskServer(bind, _say, _log, max_calls)
        address = desk.start()
    except (OptionError, BindError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _print(ready_json(str(address), int((time.perf_counter() - started) * 1000)))
    try:
        for line in sys.stdin:
            if line.strip() == "quit":
                break
    except KeyboardInterrupt:
        _log("interrupted")
    desk.stop()
    return 0


def _parse(arguments: list[str]) -> tuple[Address, int]:
    given = dict(read_arguments(arguments, ("bind", "max-calls")))
    calls = given.get("max-calls", str(MAX_CALLS))
    if not (calls.isdecimal() and 0 < int(calls) < 10000):
        raise OptionError(f"--max-calls: {calls!r} is not a number from 1 to 9999")
    return parse_address(given.get("bind", "127.0.0.1"), "bind"), int(calls)


def _say(text: str) -> None:
    _print(json.dumps({"ev": "desk", "text": text}))


def _print(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _log(line: str) -> None:
    os.write(2, f"{line}\n".encode())
