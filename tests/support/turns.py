"""Who may run when several workers test at once: most tests beside each other, some alone.

Two locks: everybody passes through the door, where whoever is to be alone waits for the room to
empty, so that nobody new goes in before him.
"""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(run: str, *, alone: bool) -> Iterator[None]:
    """A test of one of the workers that share `run`; if it is to be `alone`, the others wait."""
    locks = Path(tempfile.gettempdir())
    with (
        (locks / f"tests-{run}.door").open("w") as door,
        (locks / f"tests-{run}.room").open("w") as room,
    ):
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
