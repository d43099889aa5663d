"""Two voices for the calls, ours and theirs, which say different things, and a phone that speaks
with ours."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.support.exe import Build, Builds
from tests.support.headless import Headless
from tests.support.recording import Recording
from tests.support.speech import Samples, read_wav, speech, write_wav

Alone = Callable[[], AbstractContextManager[None]]
"""The fixture `alone`: nothing else runs beside what is inside `with alone():`."""


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


@pytest.fixture
def heard(tmp_path: Path) -> Recording:
    """What our person hears in the first call of `phone`."""
    return Recording(tmp_path / "heard.wav")


@pytest.fixture
def phone(ours: Voice, heard: Recording) -> Iterator[Headless]:
    """It picks up, speaks with our voice and records what it hears."""
    sound = ("--audio-in", ours.file, "--audio-out", heard.path)
    with Headless("--answer", "auto", "--accept-any-user", *sound) as phone:
        yield phone


def _voice(factory: pytest.TempPathFactory, who: str) -> Voice:
    folder = factory.mktemp(who)
    file = speech(folder, who)
    sound = read_wav(file)
    long_file = folder / "long.wav"
    write_wav(long_file, np.tile(sound, 12))
    return Voice(sound, file, long_file)


@pytest.fixture(scope="session")
def builds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Builds]:
    """The Windows programs that the tests of this run ask for."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    builds = Builds(tmp_path_factory.mktemp("builds"), wanted)
    yield builds
    builds.close()


@pytest.fixture(scope="session")
def acme(builds: Builds) -> Build:
    """The Windows program of `tests/data/brands/acme.toml`; it calls 127.0.0.1:27606."""
    return builds.acme


@pytest.fixture(scope="session")
def globex(builds: Builds) -> Build:
    """That of `globex.toml`, with a changed pystray."""
    return builds.other("globex")


@pytest.fixture(scope="session")
def again(builds: Builds) -> Build:
    """Acme's once more, from another checkout with empty caches, two days later."""
    return builds.other("again")


@pytest.fixture(scope="session")
def bare(builds: Builds) -> Build:
    """The bare program that ours is measured against."""
    return builds.other("bare")
