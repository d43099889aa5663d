"""Emergency numbers, which this phone must not pretend to be able to call."""

from __future__ import annotations

from applet.pattern import pattern

NUMBERS = ("112", "911", "999", "110")

_SEPARATORS = pattern(r"[\s().\-/]")
_PREFIX = pattern(
    r"(?:[*#]{1,2}\d{1,4}[*#])*"  # service codes such as *31#
    r"(?:\+\d{1,3}|00\d{0,3}|[089])?"  # a country, or an outside line
)


def is_emergency(user: str, numbers: tuple[str, ...]) -> bool:
    """Whether `user` (the user part of a SIP URI, or the number of a tel URI) dials one of
    `numbers`: alone, or behind an outside-line digit, a country code or service codes."""
    dialled = _SEPARATORS.sub("", user.partition(";")[0])
    for number in numbers:
        if dialled.endswith(number) and _PREFIX.fullmatch(dialled[: -len(number)]):
            return True
    return False
