"""The real phone in real homes: the cells of the cover, played once and judged one by one."""

import pytest

from tests.netlab.cell import Cell
from tests.netlab.cover import pairwise_cover
from tests.netlab.matrix import run
from tests.netlab.report import write
from tests.netlab.router import DIRECT_MEDIA
from tests.netlab.story import Result

pytestmark = [pytest.mark.netns, pytest.mark.timeout(900)]
COVER = pairwise_cover()


@pytest.fixture(scope="module")
def results(possible: None) -> dict[Cell, Result]:
    played = run(COVER, lambda result: None)
    write(played.values())
    return played


@pytest.mark.parametrize("cell", COVER, ids=lambda cell: cell.name)
def test_where_a_path_exists_both_are_heard(cell: Cell, results: dict[Cell, Result]) -> None:
    assert cell in results, "it did not run"
    assert results[cell].passed, results[cell].line


def test_the_kernel_is_left_as_it_was(results: dict[Cell, Result]) -> None:
    assert DIRECT_MEDIA.read_text().strip() == "1"
