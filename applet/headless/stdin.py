"""Lines of standard input as commands, wherever they are read."""

from __future__ import annotations

import os

from applet.headless.lines import LineError, error_json, parse_line
from applet.hints import TYPE_CHECKING
from applet.phone.messages import Quit

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.phone.messages import Command

_PIECE = 65536


class CommandLines:
    """`over`: everything has been read; the last command was Quit. `tell` gets what is to be said
    about a line that is none."""

    def __init__(self, descriptor: int, tell: Callable[[str], None]) -> None:
        self.over = False
        self._descriptor = descriptor
        self._tell = tell
        self._begun = b""

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> list[Command]:
        """What has come by now; waits until there is something. What cannot be read is at its
        end."""
        try:
            piece = os.read(self._descriptor, _PIECE)
        except OSError:
            piece = b""
        *lines, self._begun = (self._begun + piece).split(b"\n")
        if piece:
            return [command for line in lines if (command := self._command(line)) is not None]
        self.over = True
        last = self._command(self._begun)
        return [Quit()] if last is None else [last, Quit()]

    def _command(self, line: bytes) -> Command | None:
        try:
            return parse_line(line.decode("utf-8", "replace"))
        except LineError as error:
            self._tell(error_json(str(error)))
            return None
