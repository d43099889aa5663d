"""Signing the executable, for a company that has a certificate.

On Windows by signtool (of the Windows SDK), elsewhere by osslsigncode. The certificate is a
.pfx file; its password comes from the environment, so that it stands in no command history.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PASSWORD = "SIGNING_PASSWORD"
_ON_WINDOWS = sys.platform == "win32"


def sign(program: Path, certificate: Path, timestamp: str = "") -> None:
    """Sign `program` in its place. `timestamp`: URL of an RFC 3161 server; with it the signature
    outlives the certificate. Ends the build with one plain line if it cannot be done."""
    if not certificate.is_file():
        sys.exit(f"There is no certificate {certificate}.")
    tool = "signtool" if _ON_WINDOWS else "osslsigncode"
    if shutil.which(tool) is None:
        sys.exit(f"Signing needs {tool}, which is not on the path.")
    print(f"Signing {program.name}", flush=True)
    password = os.environ.get(PASSWORD, "")
    if _ON_WINDOWS:
        failed = _signtool(program, certificate, password, timestamp)
    else:
        failed = _osslsigncode(program, certificate, password, timestamp)
    if failed:
        sys.exit(f"{program.name} is not signed: {failed}")


def _signtool(program: Path, certificate: Path, password: str, timestamp: str) -> str:
    command = ["signtool", "sign", "/fd", "SHA256", "/f", str(certificate)]
    command += ["/p", password] if password else []
    command += ["/tr", timestamp, "/td", "SHA256"] if timestamp else []
    return _failure([*command, str(program)])


def _osslsigncode(program: Path, certificate: Path, password: str, timestamp: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        secret, signed = Path(folder, "password"), Path(folder, program.name)
        secret.touch(0o600)
        secret.write_text(password, "utf-8")
        command = ["osslsigncode", "sign", "-pkcs12", str(certificate), "-readpass", str(secret)]
        command += ["-h", "sha256", *(["-ts", timestamp] if timestamp else [])]
        failed = _failure([*command, "-in", str(program), "-out", str(signed)])
        if not failed:
            shutil.move(signed, program)
        return failed


def _failure(command: list[str]) -> str:
    """What the tool says if it fails, on one line; empty if it does not."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return "" if done.returncode == 0 else " ".join(done.stdout.split()) or "no reason is given"
