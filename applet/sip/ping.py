"""An OPTIONS outside a dialog (RFC 3261 section 11), sent to see what the way does to it.

Whatever the answer is, its topmost Via tells where the request came from (`received` and `rport`,
RFC 3581), and whether what we wrote into it has come back as it was.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.client_request import ClientRequest, Way
from applet.sip.events import EndedBy, Pinged
from applet.sip.grammar import LocalProtocolError

if TYPE_CHECKING:
    from applet.sip.core import Core
    from applet.sip.message import Request, Response


class Ping:
    """`Pinged` follows, `limit` seconds from now at the latest."""

    __slots__ = ("_client", "_core", "_limit", "name")

    def __init__(
        self, core: Core, request: Request, way: Way, contact_user: str, name: str
    ) -> None:
        """`request` has neither Via nor Contact; `name` comes back with the event."""
        self.name = name
        self._core = core
        self._client = ClientRequest(core, request, way, self, None, contact_user)

    def send(self, limit: float, now: float) -> None:
        self._core.timers.set(self, "limit", now + limit)
        self._client.start(now)
        self._core.busy.discard(self._client)  # nobody has to wait for it before stopping

    def handle_timer(self, name: str, now: float) -> None:
        """Nobody has answered in time. A late answer is not for us any more."""
        self._client.forget(now)
        self._tell(None)

    def _tell(self, response: Response | None) -> None:
        self._core.timers.cancel(self, "limit")
        self._core.emit(Pinged(self.name, self._client.sent, self._client.hop, response))

    # --- from the request (RequestUser)

    def next_sequence(self) -> int:
        raise LocalProtocolError("without credentials nothing is sent twice")

    def on_sent(self, now: float) -> None:
        """Nothing changes by it."""

    def on_provisional(self, response: Response, now: float) -> None:
        """The final answer follows."""

    def on_final(self, response: Response, now: float) -> None:
        self._tell(response)

    def on_failed(self, by: EndedBy, now: float) -> None:
        self._tell(None)
