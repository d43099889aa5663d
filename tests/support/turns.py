"""Who may run when several workers test at once: most tests beside each other, some parts alone.

Two locks: everybody passes through the door, where whoever is to be alone waits for the room to
empty, so that nobody new goes in before him.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """Those of one of the workers that share `run`, until it ends."""

    def __init__(self, run: str) -> None:
        locks = Path(tempfile.gettempdir()) / f"tests-{run}"
        self._door = os.open(locks.with_suffix(".door"), os.O_CREAT | os.O_WRONLY)
        self._room = os.open(locks.with_suffix(".room"), os.O_CREAT | os.O_WRONLY)

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        """A test; whoever is alone in the room is waited for."""
        self._go_in(fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Part of a test; the others wait."""
        self._go_in(fcntl.LOCK_EX)
        try:
            yield
        finally:
            self._go_in(fcntl.LOCK_SH)

    def open_door(self) -> bool:
        """Whether nobody waits at the door to be alone."""
        try:
            fcntl.flock(self._door, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._door, fcntl.LOCK_UN)
        return True

    def _go_in(self, how: int) -> None:
        fcntl.flock(self._room, fcntl.LOCK_UN)
        fcntl.flock(self._door, fcntl.LOCK_EX)
        fcntl.flock(self._room, how)
        fcntl.flock(self._door, fcntl.LOCK_UN)
