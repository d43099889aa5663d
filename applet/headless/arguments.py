"""The arguments of a command line, before anybody asks what they mean.

Fifteen lines instead of `getopt`, which begins with `gettext`: that took a fiftieth of the start.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class OptionError(ValueError):
    """A wrong option; `str()` is one plain line."""


def read_arguments(
    arguments: list[str], with_value: Collection[str], flags: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Names and values, in their order: `--name value`, `--name=value`, and `--flag` with an empty
    value. Raises OptionError."""
    pairs = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if not name.startswith("--"):
            raise OptionError(f"unexpected argument {argument!r}")
        name = name.removeprefix("--")
        if name in with_value:
            given = value if equals else next(rest, None)
            if given is None:
                raise OptionError(f"--{name}: a value is missing")
            pairs.append((name, given))
        elif name in flags and not equals:
            pairs.append((name, ""))
        elif name in flags:
            raise OptionError(f"--{name}: takes no value")
        else:
            raise OptionError(f"--{name}: there is no such option")
    return pairs
