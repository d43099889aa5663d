"""Regular expressions that are compiled when they are first used.

A start compiles the few that it needs: all of them together took a tenth of it. Behind the start
`compile_all` does the rest. To type checkers `pattern` is `re.compile`, and to everybody else what
it makes behaves like a compiled one.
"""

from __future__ import annotations

import re

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_waiting: list[Callable[[], object]] = []


def compile_all() -> None:
    """Have every pattern ready that was made up to now. Any thread."""
    while True:
        try:
            compile_one = _waiting.pop()
        except IndexError:  # nothing is left, or another thread was faster
            return
        compile_one()


if TYPE_CHECKING:
    pattern = re.compile
else:

    class _Pattern:
        """A method, once looked up, is an attribute: from then on it costs what it costs on a
        compiled one."""

        def __init__(self, source, flags=0):
            self.pattern = source
            self._flags = flags
            _waiting.append(self._compile)

        def _compile(self):
            return re.compile(self.pattern, self._flags)  # remembers those that it has compiled

        def __getattr__(self, name):
            method = getattr(self._compile(), name)
            setattr(self, name, method)
            return method

    pattern = _Pattern
