"""The table of expected results, and the part of it that every run covers."""

from itertools import combinations
from pathlib import Path

import pytest

from tests.netlab.cell import (
    ALL_CELLS,
    Alg,
    Cell,
    Firewall,
    Mapper,
    Nat,
    Server,
    cell_named,
)
from tests.netlab.cover import REQUIRED, pairs, pairwise_cover
from tests.netlab.expectation import Signalling, Way, expected, row

TABLE = Path(__file__).parent.parent / "data" / "nat_matrix_expected.txt"


def test_there_are_576_cells_and_each_has_a_name_of_its_own() -> None:
    assert len({cell.name for cell in ALL_CELLS}) == 576
    assert all(cell_named(cell.name) == cell for cell in ALL_CELLS)


def test_the_table_on_paper_is_the_table_in_use() -> None:
    assert TABLE.read_text().splitlines() == [row(cell) for cell in ALL_CELLS]


def test_with_a_relay_behind_tls_every_cell_has_a_path() -> None:
    for cell in ALL_CELLS:
        assert (Signalling.TLS, Way.RELAY) in expected(cell).pairs
        assert expected(cell).two_way


def test_a_symmetric_nat_and_a_strict_server_leave_only_the_relay() -> None:
    cell = Cell(Nat.SYMMETRIC, Alg.NONE, Mapper.NONE, Server.STRICT, Firewall.OPEN)
    assert {way for _, way in expected(cell).pairs} == {Way.RELAY}


def test_without_udp_no_sound_goes_but_by_relay() -> None:
    for cell in ALL_CELLS:
        if not cell.passes_udp:
            assert {way for _, way in expected(cell).pairs} == {Way.RELAY}
            assert Signalling.UDP not in {by for by, _ in expected(cell).pairs}


def test_no_mapped_address_goes_through_an_alg_that_translates_every_one() -> None:
    cell = Cell(Nat.PORT, Alg.ANY_HOST, Mapper.UPNP, Server.STRICT, Firewall.OPEN)
    by_udp = {way for by, way in expected(cell).pairs if by is Signalling.UDP}
    assert by_udp == {Way.ALG}


@pytest.mark.parametrize("places", [*combinations(range(5), 2)], ids=str)
def test_the_cover_holds_every_pair_of_values(places: tuple[int, int]) -> None:
    first, second = places
    covered = {(cell[first], cell[second]) for cell in pairwise_cover()}
    assert covered == {(cell[first], cell[second]) for cell in ALL_CELLS}


def test_the_cover_is_small_without_doubles_and_always_the_same() -> None:
    cover = pairwise_cover()
    assert cover == pairwise_cover()
    assert len(set(cover)) == len(cover) <= 32
    assert cover[: len(REQUIRED)] == REQUIRED
    assert all(pairs(cell) for cell in cover)
