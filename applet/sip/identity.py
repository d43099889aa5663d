"""Whom a certificate names, and whether that is whom we meant (RFC 5922 section 7, RFC 5280
section 4.2.1.6).

Only subjectAltName counts, the common name does not. Read here and not by `ssl`, because `ssl`
knows no SIP URIs in it, and shows nothing of it where Windows did the checking.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUBJECT_ALT_NAME = b"\x55\x1d\x11"
"""The object identifier 2.5.29.17."""
_OBJECT, _OCTET_STRING, _SEQUENCE, _EXTENSIONS = 0x06, 0x04, 0x30, 0xA3
_DNS, _URI, _IP = 0x82, 0x86, 0x87
MOST_NAMES = 1000


class Names(NamedTuple):
    """DNS names and the hosts of SIP URIs in lower case, IP addresses as bytes."""

    dns: tuple[str, ...] = ()
    sip: tuple[str, ...] = ()
    ips: tuple[bytes, ...] = ()


def subject_names(certificate: bytes) -> Names:
    """What subjectAltName of a certificate (DER) says; nothing if it has none or is damaged."""
    dns, sip, ips = [], [], []
    for tag, value in _values(_inside(_extension(certificate), _SEQUENCE)):
        if tag == _DNS:
            dns.append(value.decode("latin-1").lower())
        elif tag == _URI and (host := _sip_host(value.decode("latin-1"))):
            sip.append(host)
        elif tag == _IP:
            ips.append(value)
    return Names(tuple(dns), tuple(sip), tuple(ips))


def proves(names: Names, identity: str, ip: bytes | None) -> bool:
    """Whether they stand for `identity`: the domain of a SIP URI in lower case, or an IP literal,
    whose packed form is `ip`. A star stands for the first label of a DNS name."""
    if ip is not None:
        return ip in names.ips
    if identity in names.sip or identity in names.dns:
        return True
    _, dot, rest = identity.partition(".")
    return bool(dot) and "." in rest and f"*.{rest}" in names.dns


def _sip_host(uri: str) -> str:
    """Section 7.1: a SIP URI without a user part stands for its domain; "" for other URIs."""
    scheme, _, rest = uri.lower().partition(":")
    host = rest.partition(";")[0].partition("?")[0]
    return host if scheme == "sip" and "@" not in host else ""


def _extension(certificate: bytes) -> bytes:
    """The value of subjectAltName: Certificate, TBSCertificate, extensions, and there the one."""
    signed = _inside(_inside(certificate, _SEQUENCE), _SEQUENCE)
    for _, extension in _values(_inside(_inside(signed, _EXTENSIONS), _SEQUENCE)):
        if _inside(extension, _OBJECT) == _SUBJECT_ALT_NAME:
            return _inside(extension, _OCTET_STRING)
    return b""


def _inside(data: bytes, tag: int) -> bytes:
    """The value of the first element of `data`, if it has this tag."""
    return next((value for found, value in _values(data) if found == tag), b"")


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of DER one after the other, until the end or the first damage."""
    at = 0
    for _ in range(MOST_NAMES):
        if len(data) < at + 2:
            return
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            more = length & 0x7F
            length = int.from_bytes(data[at : at + more], "big")
            at += more
        if length > len(data) - at:
            return
        yield tag, data[at : at + length]
        at += length
