"""The names that type hints are made of, without `typing`: importing it took 3 ms of the start, and
only type checkers read what it makes. To them these names are those of `typing`.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import IO as IO
    from typing import Any as Any
    from typing import Literal as Literal
    from typing import Protocol as Protocol
    from typing import Self as Self
    from typing import TextIO as TextIO
    from typing import TypeAlias as TypeAlias
    from typing import TypeVar as TypeVar
    from typing import cast as cast
else:

    class Protocol:
        """A base that adds nothing."""

        __slots__ = ()

    Any = Literal = IO = Self = TextIO = TypeAlias = object

    def cast(_, value):
        return value
