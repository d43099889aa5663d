"""How this program was built, and the terms of all its parts.

The build puts both beside this file; a phone that runs from its source has neither.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def is_test_build(folder: Path = _HERE) -> bool:
    """Whether it was made through Wine: good for tests, not for customers."""
    return _text(folder / "built.txt").strip() == "wine"


def licences(folder: Path = _HERE) -> str:
    """The licences of all parts, in full; empty when it runs from its source."""
    return _text(folder / "licences.txt")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
