"""The results of a run, for people and for programs."""

import json
from collections import Counter
from collections.abc import Collection

from tests.netlab.expectation import expected
from tests.netlab.story import DIST, Result


def write(results: Collection[Result]) -> str:
    """Write dist/nat-matrix.json and .md; the summary."""
    DIST.mkdir(exist_ok=True)
    rows = [_row(result) for result in results]
    (DIST / "nat-matrix.json").write_text(json.dumps(rows, indent=1) + "\n")
    text = summary(results)
    lines = [f"# {text.splitlines()[0]}", "", *text.splitlines()[1:], "", *_table(results)]
    (DIST / "nat-matrix.md").write_text("\n".join(lines) + "\n")
    return text


def summary(results: Collection[Result]) -> str:
    """How many cells brought what was expected, and by which ways."""
    passed = sum(result.passed for result in results)
    lines = [f"{passed} of {len(results)} cells are as expected"]
    for name in ("way", "signalling", "address"):
        counted = Counter(str(getattr(result, name)) or "none" for result in results)
        lines.append(f"by {name}: " + ", ".join(f"{n} {key}" for key, n in counted.most_common()))
    times = sorted(result.slowest_s for result in results if result.slowest_s is not None)
    if times:
        lines.append(
            f"answer to sound both ways: median {times[len(times) // 2]:.2f} s, "
            f"longest {times[-1]:.2f} s"
        )
    return "\n".join(lines)


def _row(result: Result) -> dict[str, object]:
    wanted = expected(result.cell)
    return {
        "cell": result.cell.name,
        "expected": "two-way" if wanted.two_way else "no path",
        "because": wanted.reason,
        "passed": result.passed,
        "problem": result.problem,
        "way": result.way,
        "signalling": result.signalling,
        "address": result.address,
        "heard_by_desk_s": result.heard_by_desk_s,
        "heard_by_phone_s": result.heard_by_phone_s,
        "took_s": result.took_s,
    }


def _table(results: Collection[Result]) -> list[str]:
    names = "cell | result | way | signalling | address | desk hears after | phone hears after"
    lines = [f"| {names} |", "|---" * 7 + "|"]
    for result in results:
        times = (result.heard_by_desk_s, result.heard_by_phone_s)
        told = ["never" if time is None else f"{time:.2f} s" for time in times]
        values = [
            result.cell.name,
            result.problem or "two-way",
            *(result.way, result.signalling, result.address),
            *told,
        ]
        lines.append(f"| {' | '.join(values)} |")
    return lines
