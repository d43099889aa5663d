"""An authority of the lab's own, and the certificate that its servers show."""

from pathlib import Path
from typing import NamedTuple

from tests.netlab.namespaces import run
from tests.netlab.network import DESK, MOVED_DESK, SERVERS


class Certificates(NamedTuple):
    """PEM files; `authority` is what the phone trusts."""

    authority: Path
    certificate: Path
    key: Path


def issue(folder: Path) -> Certificates:
    """New ones in `folder`, valid for the addresses of the servers and of the far end."""
    made = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    authority_key, request = folder / "authority.key", folder / "server.csr"
    extensions = folder / "extensions"
    names = ",".join(f"IP:{address}" for address in (*SERVERS, DESK, MOVED_DESK))
    extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run(
        *("openssl", "req", "-x509", *new_key, "-days", "30", "-subj", "/CN=Lab authority"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        *("-keyout", str(authority_key), "-out", str(made.authority)),
    )
    run(
        *("openssl", "req", *new_key, "-subj", f"/CN={DESK}"),
        *("-keyout", str(made.key), "-out", str(request)),
    )
    run(
        *("openssl", "x509", "-req", "-days", "30", "-in", str(request)),
        *("-CA", str(made.authority), "-CAkey", str(authority_key), "-CAcreateserial"),
        *("-extfile", str(extensions), "-out", str(made.certificate)),
    )
    return made
