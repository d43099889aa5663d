"""Two voices for the calls: ours and theirs say different things."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.support.exe import BRANDS, Build, Building
from tests.support.speech import Samples, read_wav, speech, write_wav


class Voice(NamedTuple):
    """One person's speech: as samples, as a file, and as a file that lasts some minutes."""

    sound: Samples
    file: Path
    long_file: Path


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Voice:
    return _voice(tmp_path_factory, "caller")


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Voice:
    return _voice(tmp_path_factory, "desk")


def _voice(factory: pytest.TempPathFactory, who: str) -> Voice:
    folder = factory.mktemp(who)
    file = speech(folder, who)
    sound = read_wav(file)
    long_file = folder / "long.wav"
    write_wav(long_file, np.tile(sound, 12))
    return Voice(sound, file, long_file)


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The Windows program of `tests/data/brands/acme.toml`; it calls 127.0.0.1:27606."""
    return Building(BRANDS / "acme.toml", tmp_path_factory.mktemp("acme")).result()
