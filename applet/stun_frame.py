"""What tells a STUN message from everything else on a socket: the header of RFC 8489 section 5."""

from __future__ import annotations

COOKIE = b"\x21\x12\xa4\x42"
HEADER = 20
"""Bytes."""


def is_stun(data: bytes) -> bool:
    """No SIP message, RTP or RTCP packet looks like this (RFC 5626 section 8, RFC 7983)."""
    return len(data) >= HEADER and data[0] < 4 and data[4:8] == COOKIE
