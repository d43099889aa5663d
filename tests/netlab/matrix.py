"""Runs cells side by side, each pair of hands in a set of namespaces of its own.

`python -m tests.netlab.matrix` runs all 576, `--cover` those of every test run, and names of cells
run just these. The results go into dist/nat-matrix.json and dist/nat-matrix.md, what each phone
said into dist/nat-matrix.
"""

import argparse
import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from queue import SimpleQueue

from tests.netlab.cell import ALL_CELLS, Alg, Cell, cell_named
from tests.netlab.cover import pairwise_cover
from tests.netlab.house import House
from tests.netlab.namespaces import must_be_possible, remove_orphans
from tests.netlab.report import write
from tests.netlab.router import DIRECT_MEDIA
from tests.netlab.story import Result, play

HANDS = 2
TRIES = 3
"""A cell whose sender was starved proves nothing, so it is played again."""
Tell = Callable[[Result], None]
_houses = count()


@contextmanager
def direct_media(value: int) -> Iterator[None]:
    """The kernel's `sip_direct_media` has this value, and no other run changes it meanwhile.

    It is one for all namespaces, so its file is the lock too: many may need its usual value 1 at
    the same time, one alone another. At the end it is 1.
    """
    with DIRECT_MEDIA.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if value == 1 else fcntl.LOCK_EX)
        DIRECT_MEDIA.write_text(str(value))
        try:
            yield
        finally:
            DIRECT_MEDIA.write_text("1")


@contextmanager
def houses(how_many: int) -> Iterator[SimpleQueue[House]]:
    """Houses that wait to be used."""
    must_be_possible()
    remove_orphans()
    free: SimpleQueue[House] = SimpleQueue()
    made: list[House] = []
    with tempfile.TemporaryDirectory(prefix="netlab-") as folder:
        try:
            for _ in range(how_many):
                number = next(_houses)
                letters = chr(97 + number // 26 % 26) + chr(97 + number % 26)
                made.append(House(f"t{os.getpid()}{letters}", Path(folder, letters)))
                free.put(made[-1])
            yield free
        finally:
            for house in made:
                house.close()


def run(cells: Iterable[Cell], tell: Tell, hands: int = HANDS) -> dict[Cell, Result]:
    """A result for each cell. What differs in `sip_direct_media` runs one after the other."""
    wanted = list(cells)
    results: dict[Cell, Result] = {}
    with houses(hands) as free:
        for value in (1, 0):
            part = [cell for cell in wanted if (cell.alg is Alg.ANY_HOST) == (value == 0)]
            if not part:
                continue
            with direct_media(value), ThreadPoolExecutor(hands) as pool:
                played = {cell: pool.submit(_play, free, cell, tell) for cell in part}
                results |= {cell: future.result() for cell, future in played.items()}
    return {cell: results[cell] for cell in wanted}


def _play(free: "SimpleQueue[House]", cell: Cell, tell: Tell) -> Result:
    """Whatever happens there is a result: a cell that could not be played has failed."""
    house = free.get()
    try:
        for _ in range(TRIES):
            result = play(house, cell)
            if result.passed or not result.starved:
                break
        else:
            result = result._replace(problem=f"invalid, a sender was starved: {result.problem}")
    except Exception as error:
        result = Result(cell, f"it did not run: {error}".replace("\n", " "))
    finally:
        free.put(house)
    tell(result)
    return result


def main(arguments: list[str]) -> int:
    """0 if every cell brought what was expected of it."""
    parser = argparse.ArgumentParser(prog="matrix", description="Plays calls in homes of all kinds")
    parser.add_argument("cells", nargs="*", help="such as port/no-alg/upnp/strict/open; else all")
    parser.add_argument("--cover", action="store_true", help="those of every test run")
    parser.add_argument("--hands", type=int, default=HANDS, help="cells side by side")
    options = parser.parse_args(arguments)
    named = [cell_named(name) for name in options.cells]
    cells = named or (pairwise_cover() if options.cover else ALL_CELLS)
    done = count(1)

    def tell(result: Result) -> None:
        print(f"{next(done):4}/{len(cells)} {result.line}", flush=True)

    results = run(cells, tell, options.hands)
    print(write(results.values()))
    return 0 if all(result.passed for result in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
