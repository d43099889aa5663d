"""STUN Binding messages as ICE sends them: RFC 8489, with the attributes of RFC 8445 section 16.1.

Every message of ours carries MESSAGE-INTEGRITY and FINGERPRINT; one without a right
MESSAGE-INTEGRITY is none.
"""

from __future__ import annotations

import struct
import zlib

from applet.hints import TYPE_CHECKING
from applet.stun_frame import COOKIE, HEADER, is_stun
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address

REQUEST, SUCCESS, ERROR = 0x0001, 0x0101, 0x0111
USERNAME, INTEGRITY, ERROR_CODE, XOR_MAPPED = 0x0006, 0x0008, 0x0009, 0x0020
PRIORITY, USE_CANDIDATE, FINGERPRINT = 0x0024, 0x0025, 0x8028
CONTROLLED, CONTROLLING = 0x8029, 0x802A
ROLE_CONFLICT = b"\x00\x00\x04\x57Role Conflict"
"""The value of ERROR-CODE 487."""
_LARGEST = 1280
_XOR = 0x5354554E
_INTEGRITY_BYTES = 20

Attributes = tuple[tuple[int, bytes], ...]


class Binding(NamedTuple):
    """`kind`: REQUEST, SUCCESS or ERROR; `signed` is what MESSAGE-INTEGRITY covers, and `mac` its
    value. Of an attribute that comes twice the first counts."""

    kind: int
    transaction: bytes
    attributes: dict[int, bytes]
    signed: bytes
    mac: bytes

    def is_by(self, password: str) -> bool:
        from hmac import compare_digest  # see `_mac`

        return compare_digest(_mac(password, self.signed), self.mac)


def read_binding(data: bytes) -> Binding | None:
    """None if it is no Binding message, or carries no MESSAGE-INTEGRITY."""
    if not is_stun(data) or len(data) > _LARGEST:
        return None
    kind, length = struct.unpack("!HH", data[:4])
    if kind not in (REQUEST, SUCCESS, ERROR) or length != len(data) - HEADER:
        return None
    attributes: dict[int, bytes] = {}
    at = HEADER
    while at + 4 <= len(data):
        name, size = struct.unpack("!HH", data[at : at + 4])
        value = data[at + 4 : at + 4 + size]
        if len(value) != size:
            return None
        if name == INTEGRITY:
            covered = at - HEADER + 4 + _INTEGRITY_BYTES
            signed = data[:2] + struct.pack("!H", covered) + data[4:at]
            return Binding(kind, data[8:HEADER], attributes, signed, value)
        attributes.setdefault(name, value)
        at += 4 + size + -size % 4
    return None


def write_binding(kind: int, transaction: bytes, attributes: Attributes, password: str) -> bytes:
    """`transaction` has 12 bytes."""
    body = b"".join(_attribute(name, value) for name, value in attributes)
    rest = COOKIE + transaction + body
    signed = struct.pack("!HH", kind, len(body) + 4 + _INTEGRITY_BYTES) + rest
    body_with_mac = rest + _attribute(INTEGRITY, _mac(password, signed))
    printed = struct.pack("!HH", kind, len(body_with_mac) - 16 + 8) + body_with_mac
    return printed + _attribute(FINGERPRINT, struct.pack("!I", zlib.crc32(printed) ^ _XOR))


def xor_mapped(source: Address, transaction: bytes) -> bytes:
    """The value of XOR-MAPPED-ADDRESS (RFC 8489 section 14.2)."""
    family, plain = _packed(source.host)
    mask = COOKIE + transaction
    hidden = bytes(one ^ other for one, other in zip(plain, mask, strict=False))
    return struct.pack("!BBH", 0, family, source.port ^ 0x2112) + hidden


def _mac(password: str, data: bytes) -> bytes:
    from hmac import digest  # here: OpenSSL costs the start 4 ms, and only calls with ICE need it

    return digest(password.encode(), data, "sha1")


def _packed(host: str) -> tuple[int, bytes]:
    from ipaddress import ip_address  # as in `hosts`

    address = ip_address(host.partition("%")[0])
    return (1 if address.version == 4 else 2), address.packed


def _attribute(name: int, value: bytes) -> bytes:
    return struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4)
