"""TLS of the signalling (RFC 3261 section 26.3, RFC 5922), as bytes in and bytes out: the socket
stays with `flows`.

A certificate is believed when the machine's own trust store vouches for it (or the file given in
its place) and when its subjectAltName names the domain that was called. Nothing is sent before
that, and there is no way around it. This module costs 20 ms to import: load it when needed.
"""

from __future__ import annotations

import ssl

from applet.hints import TYPE_CHECKING
from applet.sip.events import EndedBy
from applet.sip.identity import proves, subject_names
from applet.threads.sockets import packed_ip
from applet.threads.tls_files import TlsFiles, TlsFilesError

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 16384
_EXPIRED = (9, 10, 0x800B0101)
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED, Windows' CERT_E_EXPIRED
as truststore hands it on."""


class TlsError(Exception):
    """No protected connection comes about; `by` says why."""

    def __init__(self, by: EndedBy) -> None:
        super().__init__(by.value)
        self.by = by


class TlsContexts:
    """Made once, before the first connection. Raises TlsFilesError."""

    def __init__(self, files: TlsFiles) -> None:
        self._client = _client_context(files)
        self._server = _server_context(files) if files.certificate else None

    def client(self, identity: str) -> TlsStream:
        return TlsStream(self._client, identity)

    def server(self) -> TlsStream:
        assert self._server is not None  # without a certificate nobody listens
        return TlsStream(self._server, None)


class TlsStream:
    """One connection. Feed it with what came over TCP, send what `to_send` says; `established`
    once both sides have proved what they must. Plain text goes through `write` and `feed`."""

    def __init__(self, context: ssl.SSLContext, identity: str | None) -> None:
        """`identity` None: the server's side."""
        self.established = False
        self._identity = identity
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._in, self._out, server_side=identity is None, server_hostname=identity
        )

    def to_send(self) -> bytes:
        return self._out.read()

    def write(self, data: bytes) -> None:
        """Only once it is established. Raises TlsError, also when they want to agree anew first:
        nobody does that any more."""
        if self._carefully(lambda: self._tls.write(data)) is _WAITING:
            raise TlsError(EndedBy.NOT_SECURE)

    def feed(self, data: bytes) -> bytes:
        """What came, as plain text. Raises TlsError; `to_send` may then hold an alert."""
        self._in.write(data)
        if not self.established and not self.handshake():
            return b""
        return b"".join(iter(self._read, b""))

    def handshake(self) -> bool:
        """Go on with it as far as possible; whether it is done. Raises TlsError."""
        if self._carefully(self._tls.do_handshake) is _WAITING:
            return False
        self._check_identity()
        self.established = True
        return True

    def _read(self) -> bytes:
        data = self._carefully(lambda: self._tls.read(CHUNK))
        return data if isinstance(data, bytes) else b""

    def _carefully(self, do: Callable[[], object]) -> object:
        """The result; `_WAITING` when more has to come first."""
        try:
            return do()
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            return _WAITING
        except ssl.SSLCertVerificationError as error:
            expired = getattr(error, "verify_code", 0) in _EXPIRED
            raise TlsError(EndedBy.EXPIRED if expired else EndedBy.UNTRUSTED) from error
        except (ssl.SSLError, ValueError) as error:
            raise TlsError(EndedBy.NOT_SECURE) from error

    def _check_identity(self) -> None:
        if self._identity is None:
            return
        certificate = self._tls.getpeercert(binary_form=True) or b""
        names = subject_names(certificate)
        if not proves(names, self._identity, packed_ip(self._identity)):
            raise TlsError(EndedBy.WRONG_NAME)


_WAITING = object()


def _client_context(files: TlsFiles) -> ssl.SSLContext:
    """The names are checked by us, see `sip.identity`."""
    if files.ca:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(files.ca)
        except (OSError, ssl.SSLError) as error:
            raise TlsFilesError(f"{files.ca}: no certificates can be read from it") from error
    else:
        import truststore

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.certificate:
        _load_own(context, files)
    return context


def _server_context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_own(context, files)
    return context


def _load_own(context: ssl.SSLContext, files: TlsFiles) -> None:
    try:
        context.load_cert_chain(files.certificate, files.key or None, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        named = files.certificate + (f" and {files.key}" if files.key else "")
        raise TlsFilesError(f"{named}: no certificate with its key can be read") from error


def _no_password() -> str:
    """For a key that is encrypted: nobody is there to be asked."""
    raise ValueError("the key is encrypted")
