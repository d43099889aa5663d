"""Words of strangers, made fit to be shown: short, printable, and nothing that only looks like
text."""

from __future__ import annotations

import unicodedata

MOST = 120
"""Characters of one remark."""


def plain(text: str, most: int = MOST) -> str:
    """One line of `text`, at most `most` characters: without control and format characters (line
    breaks, escape sequences, marks that reverse the direction of writing)."""
    if len(text) > 8 * most:
        text = text[: 8 * most]  # the rest would be cut anyway
    kept = (" " if character.isspace() else character for character in text if _shows(character))
    line = " ".join("".join(kept).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def remark(text: str) -> str:
    """`plain`, and empty if no words are left: a bare code tells nobody anything."""
    line = plain(text)
    return line if any(character.isalpha() for character in line) else ""


def _shows(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[0] != "C"
