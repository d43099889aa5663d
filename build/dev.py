"""The one door for developers: `python3 build/dev.py COMMAND`; without one it says which there are.

Each command does the set-up it needs by itself; only the standard library is used, so any
supported Python can open it. On Windows: `py -3.13 build\\dev.py run`.
"""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(f"Call Support needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}.")

import os
import subprocess
from pathlib import Path

import environment

ROOT = environment.ROOT
# Most tests wait for calls to go by, so two can at once. On Windows there are only short ones.
LANES = () if os.name == "nt" else ("-n", "2", "--dist=loadgroup", "--no-loadscope-reorder")


def setup(arguments: list[str]) -> int:
    """Make .venv with everything that running and testing need."""
    environment.setup(tests=True)
    return 0


def run(arguments: list[str]) -> int:
    """Start the demo: the support desk and the phone that calls it."""
    python = environment.setup(tests=False)
    return _call(python, "-m", "applet", "demo", *arguments, stdin=None)


def lint(arguments: list[str]) -> int:
    """Check style, types and who imports whom."""
    return _lint(environment.setup(tests=True))


def test(arguments: list[str]) -> int:
    """Lint, then all tests; with arguments: only pytest, with these arguments."""
    python = environment.setup(tests=True)
    if arguments:
        return _call(python, "-m", "pytest", *arguments)
    return (
        _lint(python)
        or _test_other_pythons()
        or (
            _call(python, "build/fuzz.py", "--seconds", "30", "--seed", "1")
            if sys.platform == "linux"
            else 0
        )
        or _call(python, "-m", "pytest", "--cov", *LANES)
    )


def icons(arguments: list[str]) -> int:
    """Draw the icons again, into icons/."""
    return _call(environment.setup(tests=False), "build/icons.py", *arguments)


def fuzz(arguments: list[str]) -> int:
    """Throw ever new bytes at what reads the network: [TARGET ...] [--seconds N]."""
    return _call(environment.setup(tests=True), "build/fuzz.py", *arguments)


def matrix(arguments: list[str]) -> int:
    """Play calls in all 576 homes of the NAT lab, as root: [CELL ...] [--cover] [--hands N]."""
    return _call(environment.setup(tests=True), "-m", "tests.netlab.matrix", *arguments)


def soak(arguments: list[str]) -> int:
    """Five thousand calls in a row (or as many as said) that leave nothing behind."""
    calls = arguments[0] if arguments else "5000"
    python = environment.setup(tests=True)
    test = ("-m", "pytest", "-s", "tests/system/test_soak.py")
    return _call(python, *test, variables={"SOAK_CALLS": calls})


def bench(arguments: list[str]) -> int:
    """Parser and start; with BENCH_DIR: its scripts (m1 ... m7) with the phones named."""
    python = environment.setup(tests=True)
    harness = os.environ.get("BENCH_DIR")
    variables = {
        "BENCH_OWN": f"{python} -m applet headless",
        "BENCH_OWN_PARSER": "bench_parser:factory",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "build")]),
    }
    if not harness:
        return _call(python, "build/bench_own.py", variables=variables)
    scripts = [name for name in arguments if name[:1] == "m" and name[1:2].isdigit()]
    phones = [name for name in arguments if name not in scripts] or ["own"]
    bench_python = os.environ.get("BENCH_PY", python)
    results = [
        _call(bench_python, str(script), *phones, variables=variables, folder=Path(harness))
        for name in scripts or ["m1", "m2", "m3", "m4", "m5", "m6", "m7"]
        for script in sorted(Path(harness).glob(f"{name}_*.py"))
    ]
    return max(results, default=0)


def exe(arguments: list[str]) -> int:
    """Build the Windows program: [BRAND] and the options of build/build.py."""
    named = bool(arguments) and not arguments[0].startswith("-")
    return _call(
        sys.executable, "build/build.py", *([] if named else ["applet/brand.toml"]), *arguments
    )


def exe_bench(arguments: list[str]) -> int:
    """Measure the Windows program beside a bare bundle of the same libraries."""
    return _call(environment.setup(tests=True), "build/exe_bench.py", *arguments)


def lock(arguments: list[str]) -> int:
    """Choose the versions that the Windows program is built of, into build/windows.txt."""
    python = environment.make_tools(ROOT / ".venv-lock", sys.executable, "lock")
    what = ("pyproject.toml", "--group", "pyproject.toml:build", "--output-file")
    target = ("--python-platform", "x86_64-pc-windows-msvc", "--python-version", "3.13")
    how = ("--generate-hashes", "--no-header", "--no-annotate", "--no-python-downloads", "--quiet")
    uv = python.with_name("uv")
    return _call(uv, "pip", "compile", *what, "build/windows.txt", *target, *how, *arguments)


def _lint(python: Path) -> int:
    """Run every check, so that one run shows all there is to mend; not 0 if one failed."""
    return max(
        _call(python, "-m", "ruff", "check", "--quiet", "--output-format=concise"),
        _call(python, "-m", "ruff", "format", "--check", "--quiet"),
        _call(python, "-m", "mypy"),
        _call(python.with_name("lint-imports"), "--no-logo"),
    )


def _test_other_pythons() -> int:
    """The unit tests on the other versions we promise, where they are installed."""
    for version, interpreter in environment.other_pythons().items():
        if interpreter is None:
            print(f"Python {version} is not installed here: the unit tests run without it.")
            continue
        python = environment.make(ROOT / f".venv-{version}", interpreter, "dev")
        print(f"The unit tests on Python {version}:", flush=True)
        if failed := _call(python, "-m", "pytest", "--units", "-q", *LANES):
            return failed
    return 0


def _call(
    program: Path | str,
    *arguments: str,
    stdin: int | None = subprocess.DEVNULL,
    variables: dict[str, str] | None = None,
    folder: Path = ROOT,
) -> int:
    """Run `program` in `folder` and return its exit code."""
    command = [str(program), *arguments]
    changed = os.environ | (variables or {})
    try:
        return subprocess.run(command, stdin=stdin, cwd=folder, env=changed).returncode
    except KeyboardInterrupt:
        return 130


COMMANDS = {
    command.__name__.replace("_", "-"): command
    for command in (setup, run, test, lint, icons, fuzz, soak, matrix, bench, exe, exe_bench, lock)
}


def main(arguments: list[str]) -> int:
    """Run the command named first; without one, say which there are."""
    if not arguments or arguments[0] not in COMMANDS:
        print("python3 build/dev.py COMMAND, where COMMAND is one of", file=sys.stderr)
        for name, command in COMMANDS.items():
            print(f"  {name:9} {command.__doc__}", file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
