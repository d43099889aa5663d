"""What one build is asked for: written by `build.py`, read by `bundle.py` in the Windows Python."""

import json
from pathlib import Path
from typing import NamedTuple


class Job(NamedTuple):
    """Paths as the Windows Python names them. `made_on`: `windows` or `wine`; `pystray`: the
    folder of a changed pystray, or empty."""

    brand: str
    out: str
    work: str
    made_on: str
    pystray: str = ""

    @classmethod
    def read(cls, path: Path) -> "Job":
        return cls(**json.loads(path.read_text("utf-8")))

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self._asdict()), "utf-8")
