"""Asking the local router for a port: NAT-PMP (RFC 6886) and PCP (RFC 6887), as bytes.

Both live on UDP port 5351 of the router; the first byte is the version: 0 for NAT-PMP, 2 for PCP.
Parsing gives None for whatever is not the answer to the question, and `PortMappingError` for a
refusal.
"""

from __future__ import annotations

import struct

from applet.address import Address
from applet.value import NamedTuple

PORT = 5351
LEASE = 600
"""Seconds; a crash leaves a port open no longer, where the router takes leases at all."""
_UDP = 17
_MAPPED_PREFIX = bytes(10) + b"\xff\xff"
_NAT_PMP_REASONS = {
    1: "it knows only another version",
    2: "it does not allow it",
    3: "it has no Internet address",
    4: "it has no room",
    5: "it does not know the request",
}


class PortMappingError(Exception):
    """The router refuses; `str()` is one plain line."""


class Granted(NamedTuple):
    """`external` is reached from the world for `lifetime` seconds (0: it is taken away)."""

    external: Address
    lifetime: int


# --- NAT-PMP --------------------------------------------------------------------------------


def external_address_request() -> bytes:
    return b"\x00\x00"


def parse_external_address(data: bytes) -> str | None:
    """The router's outer IPv4 address (RFC 6886 section 3.2)."""
    if len(data) < 12 or data[0] != 0 or data[1] != 128:
        return None
    _check(struct.unpack_from("!H", data, 2)[0])
    return _dotted(data[8:12])


def nat_pmp_request(internal: int, external: int, lifetime: int) -> bytes:
    """Map UDP port `internal`, at `external` if it can be; lifetime 0 takes it away (section
    3.3, 3.4)."""
    return struct.pack("!BBHHHI", 0, 1, 0, internal, external if lifetime else 0, lifetime)


def parse_nat_pmp(data: bytes, internal: int, host: str) -> Granted | None:
    """`host`: the router's outer address, which the answer does not repeat."""
    if len(data) < 16 or data[0] != 0 or data[1] != 129:
        return None
    result, _, port, external, lifetime = struct.unpack_from("!HIHHI", data, 2)
    if port != internal:
        return None
    _check(result)
    return Granted(Address(host, external), lifetime)


def _check(result: int) -> None:
    if result:
        reason = _NAT_PMP_REASONS.get(result, f"error {result}")
        raise PortMappingError(f"The router refuses a port: {reason}.")


# --- PCP ------------------------------------------------------------------------------------


def pcp_map_request(
    client: str, nonce: bytes, internal: int, external: int, lifetime: int
) -> bytes:
    """The MAP request (sections 7.1 and 11.1) of `client`, our own IPv4 address. `nonce`: twelve
    bytes, the same for the whole life of a mapping."""
    header = struct.pack("!BBHI", 2, 1, 0, lifetime) + _MAPPED_PREFIX + _packed(client)
    wanted = struct.pack("!12sBxxxHH", nonce, _UDP, internal, external)
    return header + wanted + _MAPPED_PREFIX + bytes(4)


def parse_pcp_map(data: bytes, nonce: bytes, internal: int) -> Granted | None:
    """Sections 7.2 and 11.1. An external IPv6 address is none of ours."""
    if len(data) < 24 or data[0] != 2 or data[1] != 0x81:
        return None
    if len(data) < 60 or data[24:36] != nonce or data[36] != _UDP:
        return None
    port, external = struct.unpack_from("!HH", data, 40)
    if port != internal:
        return None
    if data[3]:
        raise PortMappingError(f"The router refuses a port: PCP error {data[3]}.")
    if data[44:56] != _MAPPED_PREFIX:
        return None
    lifetime = struct.unpack_from("!I", data, 4)[0]
    return Granted(Address(_dotted(data[56:60]), external), lifetime)


def _packed(host: str) -> bytes:
    return bytes(int(part) for part in host.split("."))


def _dotted(data: bytes) -> str:
    return ".".join(str(byte) for byte in data)
