"""A certificate authority of the test's own, made by `openssl`: for whom it vouches is said in the
words of subjectAltName, such as `DNS:pbx.example` or `URI:sip:example.com`."""

import subprocess
from pathlib import Path
from typing import NamedTuple

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Certificate(NamedTuple):
    """PEM files. `der`: the certificate as it goes over the wire."""

    file: Path
    key: Path

    @property
    def der(self) -> bytes:
        done = subprocess.run(
            ["openssl", "x509", "-in", self.file, "-outform", "DER"],
            capture_output=True,
            check=True,
        )
        return done.stdout


class Authority:
    """Its own certificate is `ca`."""

    def __init__(self, folder: Path, name: str = "Test CA") -> None:
        self._folder = folder
        self._issued = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._own = Certificate(folder / "ca.pem", folder / "ca.key")
        self._run("req", "-x509", *CURVE, "-days", "30", "-subj", f"/CN={name}",
                  "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                  "-keyout", self._own.key, "-out", self._own.file)  # fmt: skip

    @property
    def ca(self) -> Path:
        return self._own.file

    def issue(self, *names: str, common_name: str = "x", expired: bool = False) -> Certificate:
        """A certificate for `names`; with none it has no subjectAltName at all."""
        self._issued += 1
        stem = self._folder / f"{self._issued}"
        made = Certificate(stem.with_suffix(".pem"), stem.with_suffix(".key"))
        request, extensions = stem.with_suffix(".csr"), stem.with_suffix(".ext")
        named = f"subjectAltName={','.join(names)}\n" if names else ""
        extensions.write_text(f"authorityKeyIdentifier=keyid\n{named}")  # Python 3.13 wants it
        self._run("req", *CURVE, "-subj", f"/CN={common_name}",
                  "-keyout", made.key, "-out", request)  # fmt: skip
        days = ("-1",) if expired else ("30",)
        self._run("x509", "-req", "-in", request, "-CA", self._own.file, "-CAkey", self._own.key,
                  "-set_serial", str(1000 + self._issued), "-days", *days,
                  "-extfile", extensions, "-out", made.file)  # fmt: skip
        return made

    def _run(self, *arguments: str | Path) -> None:
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
