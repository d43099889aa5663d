"""Tests of several workers: most beside each other, some alone."""

import fcntl
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.turns import turn


def is_free(run: str, name: str) -> bool:
    with (Path(tempfile.gettempdir()) / f"tests-{run}.{name}").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@pytest.mark.parametrize("alone", [False, True])
def test_others_may_run_beside_a_test_unless_it_is_to_be_alone(alone: bool) -> None:
    run = uuid4().hex
    with turn(run, alone=alone):
        assert is_free(run, "room") is not alone
        assert is_free(run, "door")
    assert is_free(run, "room")
