"""Our parser in the shape in which the parsing benchmark compares libraries."""

from collections.abc import Callable

from applet.sip.message import Message, Request
from applet.sip.parser import parse


def factory() -> tuple[Callable[[bytes], Message], Callable[[Message], bytes]]:
    """-> (bytes -> message, with everything read that an eager parser reads; message -> bytes)."""
    from applet.sdp.description import parse_sdp

    def parse_and_touch(data: bytes) -> Message:
        message = parse(data)
        _ = (
            message.method if isinstance(message, Request) else message.status,
            message.uri if isinstance(message, Request) else message.reason,
            message.call_id,
            message.cseq.number,
            message.from_.tag,
            message.to.tag,
            message.top_via.branch,
            message.contacts[0].uri,
            parse_sdp(message.body).media[0].port if message.body else None,
        )
        return message

    return parse_and_touch, Message.encode
