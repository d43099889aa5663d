"""Whom to trust and who we are, as files: apart from `tls`, which is loaded only when needed."""

from __future__ import annotations

from applet.value import NamedTuple


class TlsFiles(NamedTuple):
    """PEM files. `ca`: whom to trust in place of the machine's trust store. `certificate` with
    `key` (empty: in the same file): who we are; with them we can be called by TLS."""

    ca: str = ""
    certificate: str = ""
    key: str = ""


NO_FILES = TlsFiles()
"""The machine's trust store, and nobody can call us by TLS."""


class TlsFilesError(ValueError):
    """A file cannot be used; `str()` is one plain line."""
