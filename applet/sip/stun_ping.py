"""The STUN of SIP's keep-alive (RFC 5626 sections 4.4.2 and 8): one question, one answer.

It goes to a SIP server on the port of SIP itself, and only to one that asked for it; STUN servers
and what they tell about a NAT are not the business of this file.
"""

from __future__ import annotations

from applet.stun_frame import COOKIE, HEADER

IDENTIFIER_BITS = 96
_REQUEST, _SUCCESS = b"\x00\x01", b"\x01\x01"
_XOR_MAPPED_ADDRESS = b"\x00\x20"


def binding_request(identifier: bytes) -> bytes:
    """`identifier`: 12 random bytes."""
    return _REQUEST + b"\0\0" + COOKIE + identifier


def identifier_of(data: bytes) -> bytes:
    return data[8:HEADER]


def mapped_address(data: bytes) -> bytes | None:
    """Port and IP of ours as they see it, to be compared with another one; None: it is no success,
    or does not say."""
    if data[:2] != _SUCCESS:
        return None
    at = HEADER
    while at + 4 <= len(data):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        value = data[at + 4 : at + 4 + length]
        if data[at : at + 2] == _XOR_MAPPED_ADDRESS and len(value) == length >= 8:
            # Port and address are masked, each with the start of the header's cookie.
            mask = COOKIE[:2] + data[4:HEADER]
            return bytes(one ^ other for one, other in zip(value[2:], mask, strict=False))
        at += 4 + length + -length % 4
    return None
