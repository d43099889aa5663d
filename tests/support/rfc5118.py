"""The IPv6 messages of RFC 5118, for the parser and for the whole phone."""

import json
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[1] / "data/rfc5118"


class Case(NamedTuple):
    """`status`: the final answer of a phone that refuses calls with 486."""

    file: str
    section: str
    status: int
    about: str

    @property
    def data(self) -> bytes:
        return (FOLDER / self.file).read_bytes()


CASES = {
    each["file"].removesuffix(".dat"): Case(**each)
    for each in json.loads((FOLDER / "expectations.json").read_text("utf-8"))
}
