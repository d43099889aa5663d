"""Where the program's pictures are: beside the package, also in the executable."""

from __future__ import annotations

from pathlib import Path

ICONS = Path(__file__).parent.parent.parent / "icons"
