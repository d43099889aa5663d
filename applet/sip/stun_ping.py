"""The STUN of SIP's keep-alive (RFC 5626 sections 4.4.2 and 8): one question, one answer.

It goes to a SIP server on the port of SIP itself, and only to one that asked for it; STUN servers
and what they tell about a NAT are not the business of this file.
"""

from __future__ import annotations

COOKIE = b"\x21\x12\xa4\x42"
IDENTIFIER_BITS = 96
_HEADER = 20
_REQUEST, _SUCCESS = b"\x00\x01", b"\x01\x01"
_XOR_MAPPED_ADDRESS = b"\x00\x20"


def is_stun(data: bytes) -> bool:
    """No SIP message looks like this (RFC 5626 section 8)."""
    return len(data) >= _HEADER and data[0] < 4 and data[4:8] == COOKIE


def binding_request(identifier: bytes) -> bytes:
    """`identifier`: 12 random bytes."""
    return _REQUEST + b"\0\0" + COOKIE + identifier


def identifier_of(data: bytes) -> bytes:
    return data[8:_HEADER]


def mapped_address(data: bytes) -> bytes | None:
    """Port and IP of ours as they see it, to be compared with another one; None: it is no success,
    or does not say."""
    if data[:2] != _SUCCESS:
        return None
    at = _HEADER
    while at + 4 <= len(data):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        value = data[at + 4 : at + 4 + length]
        if data[at : at + 2] == _XOR_MAPPED_ADDRESS and len(value) == length >= 8:
            # Port and address are masked, each with the start of the header's cookie.
            mask = COOKIE[:2] + data[4:_HEADER]
            return bytes(one ^ other for one, other in zip(value[2:], mask, strict=False))
        at += 4 + length + -length % 4
    return None
