"""MESSAGE: a few words of text (RFC 3428), in and out."""

from __future__ import annotations

import re

from applet.hints import TYPE_CHECKING
from applet.pattern import pattern
from applet.sip.client_request import ClientRequest, Way
from applet.sip.events import EndedBy, MessageAnswered, MessageReceived

if TYPE_CHECKING:
    from applet.sip.authenticator import Authenticator
    from applet.sip.core import Core, Incoming
    from applet.sip.invite import InviteSession
    from applet.sip.message import Request, Response

CONTENT_TYPE = "text/plain"
MOST_BYTES = 1300
"""Section 8: no larger ones, unless congestion is controlled all the way."""
_charset = pattern(r';[ \t]*charset[ \t]*=[ \t]*"?([A-Za-z0-9._\-]{1,40})', re.I)


def receive_message(
    core: Core, session: InviteSession | None, incoming: Incoming, now: float
) -> None:
    """415 to what is no plain text, 413 to what is too long; else the phone answers by
    `incoming`."""
    request = incoming.request
    encoding = (request.header("Content-Encoding") or "identity").strip().lower()
    if request.content_type != CONTENT_TYPE or encoding != "identity":
        incoming.respond(415, now, headers=(("Accept", CONTENT_TYPE),))
    elif len(request.body) > MOST_BYTES:
        incoming.respond(413, now)
    else:
        core.emit(MessageReceived(session, incoming, _text(request)))


def _text(request: Request) -> str:
    """UTF-8, or what Content-Type says if that is Latin; what cannot be read becomes marks."""
    found = _charset.search(request.header("Content-Type") or "")
    latin = found is not None and found[1].lower() in ("iso-8859-1", "latin1", "windows-1252")
    return request.body.decode("cp1252" if latin else "utf-8", "replace")


class SentMessage:
    """RequestUser of one MESSAGE outside every dialog."""

    __slots__ = ("_core", "_name", "_sequence")

    def __init__(self, core: Core, name: int) -> None:
        self._core = core
        self._name = name
        self._sequence = 0

    def send(
        self, request: Request, way: Way, authenticator: Authenticator | None, now: float
    ) -> None:
        self._sequence = request.cseq.number
        ClientRequest(self._core, request, way, self, authenticator).start(now)

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def on_sent(self, now: float) -> None:
        """Nothing changes by it."""

    def on_provisional(self, response: Response, now: float) -> None:
        """It tells nothing."""

    def on_final(self, response: Response, now: float) -> None:
        self._core.emit(MessageAnswered(self._name, response.status))

    def on_failed(self, by: EndedBy, now: float) -> None:
        self._core.emit(MessageAnswered(self._name, 408 if by is EndedBy.TIMEOUT else 0))
