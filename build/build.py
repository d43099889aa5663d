"""One Windows program out of one brand file: `python build/build.py brand.toml`.

On Windows (`py -3.13 build\\build.py brand.toml`) it makes the release; on Debian it makes the
same program through Wine, for tests. Beside `dist/<Product>.exe` it leaves the SHA-256 and the
bill of materials.
"""

import argparse
import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import brand_check
import signing
import windows_python
from applet.brand import BrandError
from job import Job

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        checked = brand_check.check(options.brand)
    except BrandError as error:
        print("\n".join(error.mistakes), file=sys.stderr)
        return 2
    pystray = changed_pystray(options.with_pystray)
    for warning in checked.warnings:
        print(f"Warning: {warning}", file=sys.stderr, flush=True)
    program = package(options.brand, checked.brand.product, options.out, pystray)
    if options.certificate:
        signing.sign(program, options.certificate, options.timestamp)
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    Path(f"{program}.sha256").write_text(f"{digest}  {program.name}\n", "utf-8")
    print(f"{program}: {program.stat().st_size / 1e6:.1f} MB, SHA-256 {digest}")
    return 0


def package(brand: Path, product: str, out: Path, pystray: Path | None = None) -> Path:
    """Build the program of a checked brand into the folder `out`; returns its path."""
    python = windows_python.provide()
    work = ROOT / "dist/windows/work" / product
    program = out / f"{product}.exe"
    program.unlink(missing_ok=True)
    job = work.with_suffix(".json")
    Job(
        brand=python.path(brand),
        out=python.path(out),
        work=python.path(work),
        made_on=python.made_on,
        pystray=python.path(pystray) if pystray else "",
    ).write(job)
    print(f"Building {program.name}", flush=True)
    python.run(python.path(HERE / "bundle.py"), python.path(job))
    if not program.is_file():
        sys.exit(f"PyInstaller ended without making {program}.")
    return program


def changed_pystray(given: Path | None) -> Path | None:
    """The folder that holds the package `pystray`, which may have been named itself."""
    if given is None:
        return None
    folder = given.resolve()
    if (folder / "pystray/__init__.py").is_file():
        return folder
    if folder.name == "pystray" and (folder / "__init__.py").is_file():
        return folder.parent
    sys.exit(f"There is no package pystray in {given}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="build/build.py", description="Build one Windows program out of one brand file."
    )
    add = parser.add_argument
    add("brand", type=Path, help="the brand file; the README explains its keys")
    add("--out", type=Path, default=ROOT / "dist", help="folder for the program (dist)")
    add("--with-pystray", type=Path, metavar="PATH", help="a changed pystray to put in")
    add("--certificate", type=Path, metavar="FILE.pfx", help="sign the program with it; the "
        f"password is read from the environment, {signing.PASSWORD}")  # fmt: skip
    add("--timestamp", default="", metavar="URL", help="RFC 3161 server for the signature")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
