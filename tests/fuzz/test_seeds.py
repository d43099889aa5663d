"""Every seed of the fuzzer, and with them every finding of the past, does no harm."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, seed_folders

SEEDS = [
    (name, path)
    for name in TARGETS
    for folder in seed_folders(name)
    for path in sorted(folder.iterdir())
]


@pytest.mark.parametrize(
    ("target", "path"), SEEDS, ids=[f"{name}-{path.name}" for name, path in SEEDS]
)
def test_no_seed_does_harm(target: str, path: Path) -> None:
    TARGETS[target](path.read_bytes())
