"""What a NOTIFY about a mailbox says: `application/simple-message-summary` (RFC 3842)."""

from __future__ import annotations

from applet.pattern import pattern
from applet.value import NamedTuple

_line = pattern(r"([A-Za-z-]+)[ \t]*:[ \t]*(.*)")
_counts = pattern(r"([0-9]{1,6})[ \t]*/[ \t]*([0-9]{1,6})")


class Summary(NamedTuple):
    """Messages not yet heard, and heard ones."""

    new: int
    old: int


def parse_summary(body: bytes) -> Summary | None:
    """None if it says nothing that can be read. Voice messages count; a mailbox without them
    (fax, text) is counted as a whole; one that has messages but does not say how many has one."""
    waiting, voice, others = None, None, []
    for raw in body[:4096].decode("utf-8", "replace").splitlines():
        found = _line.fullmatch(raw.strip())
        if found is None:
            continue
        name, value = found[1].lower(), found[2].strip()
        if name == "messages-waiting":
            waiting = value.lower() == "yes"
        elif name.endswith("-message") and (counts := _counts.match(value)):
            summary = Summary(int(counts[1]), int(counts[2]))
            if name == "voice-message":
                voice = summary
            else:
                others.append(summary)
    if voice is not None:
        return voice
    if others:
        return Summary(sum(one.new for one in others), sum(one.old for one in others))
    return None if waiting is None else Summary(int(waiting), 0)
