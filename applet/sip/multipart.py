"""Bodies of several parts (RFC 2046 section 5.1, RFC 5621): a gateway sends what the telephone
network said beside the session description, others a location or a picture. One part is for us.
"""

from __future__ import annotations

import re

from applet.pattern import pattern
from applet.sip.grammar import find_param, read_params, unquoted
from applet.value import NamedTuple

SDP = "application/sdp"
MIXED = "multipart/mixed"
MOST_PARTS = 16
MOST_DEPTH = 3
"""Parts in one body, and bodies within bodies, that are looked at."""
_LONGEST_BOUNDARY = 70
_PLAIN = ("", "7bit", "8bit", "binary")
_header_end = pattern(rb"\r?\n\r?\n")


class Part(NamedTuple):
    """`kind` is its Content-Type as it stands; the others are in lower case and "" if missing."""

    kind: str
    disposition: str
    encoding: str
    body: bytes


def description_in(kind: str, body: bytes, depth: int = MOST_DEPTH) -> bytes | None:
    """The session description that a body of this Content-Type is or holds; None if there is none.
    Of alternatives the last is the best (RFC 2046 section 5.1.4)."""
    media_type = type_of(kind)
    if media_type == SDP:
        return body
    if not media_type.startswith("multipart/") or not depth:
        return None
    found = [
        inside
        for part in parts_of(kind, body)
        if _is_for_the_session(part)
        and (inside := description_in(part.kind, part.body, depth - 1)) is not None
    ]
    if not found:
        return None
    return found[-1 if media_type == "multipart/alternative" else 0]


def demands_more(kind: str, body: bytes) -> bool:
    """Whether a part that we cannot read has to be understood (RFC 3261 section 20.11). Only what
    says so counts, though this is the default: hardly anybody who leaves it out means it."""
    return type_of(kind).startswith("multipart/") and any(
        "handling=required" in part.disposition and description_in(part.kind, part.body) is None
        for part in parts_of(kind, body)
    )


def type_of(kind: str) -> str:
    """Type and subtype of a Content-Type in lower case, without parameters."""
    return "".join(kind.partition(";")[0].split()).lower()


def parts_of(kind: str, body: bytes) -> list[Part]:
    """Empty if no boundary is named; what stands before the first and after the last is left
    out."""
    _, semicolon, rest = kind.partition(";")
    boundary = unquoted(find_param(read_params(semicolon + rest), "boundary") or "")
    if not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        return []
    line = rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*+(?=\r?\n|\Z)"
    found: list[Part] = []
    start: int | None = None
    for mark in re.finditer(line, body):
        if start is not None:
            found.append(_part(body[start : mark.start()]))
        if mark[1] or len(found) == MOST_PARTS:
            return found
        start = mark.end()
    return found if start is None else [*found, _part(body[start:])]


def _part(data: bytes) -> Part:
    """`data` begins with the line break after the boundary; the headers may be missing."""
    end = _header_end.search(data)
    head, body = (data, b"") if end is None else (data[: end.start()], data[end.end() :])
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    return Part(
        headers.get("content-type", headers.get("c", "text/plain")),
        "".join(headers.get("content-disposition", "").split()).lower(),
        headers.get("content-transfer-encoding", "").lower()
        or headers.get("content-encoding", "").lower().replace("identity", ""),
        body,
    )


def _is_for_the_session(part: Part) -> bool:
    """A description may be for something else, such as early media of its own (RFC 3959)."""
    meant = part.disposition.partition(";")[0]
    return meant in ("", "session", "render") and part.encoding in _PLAIN
