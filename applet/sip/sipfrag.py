"""The first line of a message as a body, `message/sipfrag` (RFC 3420): how a call went."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.reasons import reason_phrase

if TYPE_CHECKING:
    from applet.sip.message import Message

CONTENT_TYPE = "message/sipfrag;version=2.0"


def sipfrag(status: int) -> bytes:
    return f"SIP/2.0 {status} {reason_phrase(status)}\r\n".encode()


def status_in(message: Message) -> int:
    """The status in the body, 100-699; 0 if there is none that can be read."""
    if message.content_type != "message/sipfrag":
        return 0
    words = message.body[:80].split(None, 2)
    if len(words) < 2 or words[0].upper() != b"SIP/2.0" or not words[1].isdigit():
        return 0
    status = int(words[1][:4])
    return status if 100 <= status <= 699 else 0
