"""Regular expressions that are compiled when they are first used.

A start compiles the few that it needs: all of them together took a tenth of it. To type checkers
`pattern` is `re.compile`, and to everybody else what it makes behaves like a compiled one.
"""

from __future__ import annotations

import re

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    pattern = re.compile
else:

    class _Pattern:
        """A method, once looked up, is an attribute: from then on it costs what it costs on a
        compiled one."""

        def __init__(self, source, flags=0):
            self.pattern = source
            self._flags = flags

        def __getattr__(self, name):
            method = getattr(re.compile(self.pattern, self._flags), name)
            setattr(self, name, method)
            return method

    pattern = _Pattern
