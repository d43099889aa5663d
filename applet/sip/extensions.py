"""Extensions that a call may use or not (RFC 3262, RFC 4028) and their option tags."""

from __future__ import annotations

from applet.enums import Enum
from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from applet.sip.message import Message

RELIABLE = "100rel"
TIMER = "timer"


class Use(Enum):
    """REQUIRED refuses, and is refused by, whoever does not know the extension."""

    OFF = "off"
    ON = "on"
    REQUIRED = "required"


def knows(message: Message, tag: str) -> bool:
    """Whether the sender of `message` says that it understands the extension."""
    return tag in message.supported or demands(message, tag)


def demands(message: Message, tag: str) -> bool:
    return tag in [found.lower() for found in message.require]
