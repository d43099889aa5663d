"""Lines of standard input as commands, in whatever thread they are read."""

from __future__ import annotations

import os

from applet.headless.lines import LineError, parse_line
from applet.hints import TYPE_CHECKING
from applet.phone.messages import NotUnderstood, Quit

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.phone.messages import Command

_PIECE = 65536


class CommandLines:
    """`over`: everything has been read; the last command was Quit. `tell` gets what is wrong with
    a line that is none."""

    def __init__(self, descriptor: int, tell: Callable[[NotUnderstood], None]) -> None:
        self.over = False
        self._descriptor = descriptor
        self._tell = tell
        self._begun = bytearray()

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> list[Command]:
        """What has come by now; waits until there is something, unless the descriptor is one
        that does not wait. What cannot be read is at its end."""
        try:
            piece = os.read(self._descriptor, _PIECE)
        except BlockingIOError:  # whoever shares it with us has made it so, and was faster
            return []
        except OSError:
            piece = b""
        self._begun += piece
        if piece:
            if b"\n" not in piece:  # a long line is looked through once, not with every piece
                return []
            *lines, self._begun = self._begun.split(b"\n")
            return [command for line in lines if (command := self._command(line)) is not None]
        self.over = True
        last = self._command(self._begun)
        return [Quit()] if last is None else [last, Quit()]

    def _command(self, line: bytearray) -> Command | None:
        try:
            return parse_line(line.decode("utf-8", "replace"))
        except LineError as error:
            self._tell(NotUnderstood(str(error)))
            return None
