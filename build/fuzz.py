"""Coverage-guided fuzzing (atheris, libFuzzer) of what reads bytes from the network.

    python3 build/dev.py fuzz [TARGET ...] [--seconds N] [--seed N]

`tests/fuzz/targets.py` has the targets, `tests/data/fuzz` their seeds. What is found interesting
is kept under `dist/fuzz`, so that the next run goes on from there. An input that breaks a target,
takes longer than ten seconds or more than half a gigabyte is a finding: its file is named, and
belongs into the seeds once it is mended. With the same seed and no kept inputs the same bytes
come: so it is in the tests' half minute, where a finding shall mean that something has changed.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from environment import ROOT

SEEDS = ROOT / "tests/data/fuzz"
CORPUS = ROOT / "dist/fuzz"
AT_ONCE = 2
LIMITS = ("-timeout=10", "-rss_limit_mb=512", "-max_len=8192", "-print_final_stats=1")


def main(arguments: list[str]) -> int:
    """Run the targets that are named, or all; 1 if there is a finding."""
    if sys.platform != "linux":
        print("The fuzzer runs on Linux only.", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(prog="dev.py fuzz", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=600, help="for each target; default 600")
    parser.add_argument("--seed", type=int, default=0, help="of the chance; default 0: a new one")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--replay", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        _fuzz_one(given.one, given.seconds, given.seed)
        return 0
    from tests.fuzz.targets import TARGETS

    if given.replay:
        return _replay(given.replay)
    unknown = [name for name in given.targets if name not in TARGETS]
    if unknown:
        parser.error(f"{unknown[0]} is no target; there are {', '.join(TARGETS)}")
    names = given.targets or list(TARGETS)
    failed = False
    for start in range(0, len(names), AT_ONCE):
        running = {
            name: _start(name, given.seconds, given.seed) for name in names[start : start + AT_ONCE]
        }
        for name, process in running.items():
            failed |= _report(name, process, given.seconds)
    return int(failed)


def _start(name: str, seconds: int, seed: int) -> "subprocess.Popen[str]":
    (CORPUS / name).mkdir(parents=True, exist_ok=True)
    numbers = ("--seconds", str(seconds), "--seed", str(seed))
    return subprocess.Popen(
        [sys.executable, __file__, "--one", name, *numbers],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _report(name: str, process: "subprocess.Popen[str]", seconds: int) -> bool:
    """Wait for one target and tell how it went; True if there is a finding."""
    said, _ = process.communicate()
    if process.returncode != 0:
        print(f"{name}: a finding; its input belongs into {SEEDS.relative_to(ROOT) / name}")
        told = [line for line in said.splitlines() if line and not line.startswith("INFO")]
        print("\n".join(told[-60:]), flush=True)
        return True
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    edges = re.findall(r"cov: (\d+)", said)
    replayed = subprocess.run(
        [sys.executable, __file__, "--replay", name], cwd=ROOT, text=True, stdout=subprocess.PIPE
    )
    print(
        f"{name}: {int(runs[1]) if runs else 0:,} inputs in {seconds} s, no finding; "
        f"{edges[-1] if edges else 0} branches of applet; {replayed.stdout.strip()}",
        flush=True,
    )
    return replayed.returncode != 0


def _fuzz_one(name: str, seconds: int, seed: int) -> None:
    """In a process of its own: libFuzzer never returns."""
    import atheris

    with atheris.instrument_imports(include=["applet"]):
        from tests.fuzz.targets import TARGETS, seed_folders
    folders = [CORPUS / name, *seed_folders(name)]
    options = [*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={CORPUS / name}-"]
    options.append(f"-seed={seed}")
    words = SEEDS / f"{name}.dict"
    if words.exists():
        options.append(f"-dict={words}")
    atheris.Setup([sys.argv[0], *options, *map(str, folders)], TARGETS[name])
    atheris.Fuzz()


def _replay(name: str) -> int:
    """Print how many of the lines that a target is about its inputs have reached."""
    import coverage

    from tests.fuzz.targets import MODULES, TARGETS, seed_folders

    measured = coverage.Coverage(
        data_file=None, config_file=False, include=[str(ROOT / each) for each in MODULES[name]]
    )
    measured.start()
    for folder in (CORPUS / name, *seed_folders(name)):
        for path in folder.iterdir():
            TARGETS[name](path.read_bytes())
    measured.stop()
    parts = []
    for module in MODULES[name]:
        analysed = measured.analysis2(str(ROOT / module))
        lines = _lines_of_functions(ROOT / module, analysed[1])
        missed = len(lines & set(analysed[3]))
        parts.append(f"{module} {100 - 100 * missed // max(1, len(lines))} %")
    print(", ".join(parts))
    return 0


def _lines_of_functions(path: Path, statements: list[int]) -> set[int]:
    """Without those that run when the module is imported."""
    import ast

    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {n for f in functions for n in range(f.body[0].lineno, (f.end_lineno or 0) + 1)}
    return inside & set(statements)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
