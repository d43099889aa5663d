"""One INVITE or re-INVITE of theirs (RFC 3261 sections 13.3 and 14.2).

Its transaction repeats what is below 200 and above 299. A 2xx is repeated here, end to end, until
the ACK comes (section 13.3.1.4): T1, doubling up to T2, for 64*T1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from applet.sip.core import Core, Incoming
from applet.sip.hop import Hop
from applet.sip.message import Request
from applet.sip.timers import T1, T2
from applet.sip.uas import ALLOW, Headers, offer_in
from applet.sip.uri import is_secure

PROVISIONAL_REFRESH = 60.0
"""Section 13.3.1.1: a provisional response each minute, or proxies give the call up."""


class ServerInviteUser(Protocol):
    """Who decides about the INVITE."""

    def on_acknowledged(self, invite: ServerInvite, body: bytes | None, now: float) -> None: ...

    def on_never_acknowledged(self, invite: ServerInvite, now: float) -> None: ...

    def on_cancelled(self, invite: ServerInvite, cancel: Request, now: float) -> None: ...

    def on_unreachable(self, invite: ServerInvite, now: float) -> None:
        """A response to it cannot be sent."""


class ServerInvite:
    """`offer` is theirs, None if the INVITE had none."""

    __slots__ = (
        "_contact_user",
        "_core",
        "_incoming",
        "_interval",
        "_repeat",
        "_user",
        "offer",
    )

    def __init__(
        self,
        core: Core,
        incoming: Incoming,
        user: ServerInviteUser,
        contact_user: str,
    ) -> None:
        self.offer = offer_in(incoming.request)
        self._core = core
        self._incoming = incoming
        self._user = user
        self._contact_user = contact_user
        self._repeat: Callable[[float], None] = partial(incoming.respond, 100)
        self._interval = T1
        incoming.transaction.attach(self)

    @property
    def request(self) -> Request:
        return self._incoming.request

    @property
    def source(self) -> Hop:
        """Where it came from."""
        return self._incoming.source

    @property
    def waiting(self) -> bool:
        """No final response was sent."""
        return not self._incoming.transaction.answered

    @property
    def unacknowledged(self) -> bool:
        """A 2xx was sent and its ACK is awaited."""
        return self._core.timers.is_set(self, "ack")

    # --- responses

    def progress(self, status: int, body: bytes | None, now: float) -> None:
        """101-199, with a tag: an early dialog."""
        self._send(status, body, now)
        self._core.timers.set(self, "progress", now + PROVISIONAL_REFRESH)

    def accept(self, body: bytes, now: float) -> None:
        self._send(200, body, now)
        self._core.timers.cancel(self, "progress")
        self._core.timers.set(self, "success", now + self._interval)
        self._core.timers.set(self, "ack", now + 64 * T1)

    def refuse(self, status: int, now: float, reason: str = "", headers: Headers = ()) -> None:
        self._incoming.respond(status, now, reason, headers)
        self.close()

    def _send(self, status: int, body: bytes | None, now: float) -> None:
        """Section 12.1.1: what begins a dialog carries the routes and our Contact."""
        secure = is_secure(self.request.uri)
        source = self._incoming.source
        contact = self._core.transport.contact(self._contact_user, source, secure)
        headers = [("Record-Route", value) for value in self.request.lines("Record-Route")]
        headers += [("Contact", f"<{contact}>"), ALLOW]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        self._repeat = partial(self._incoming.respond, status, headers=headers, body=body or b"")
        self._repeat(now)

    # --- what comes back

    def on_ack(self, ack: Request, now: float) -> None:
        """The ACK to our 2xx."""
        self.acknowledged(offer_in(ack), now)

    def acknowledged(self, body: bytes | None, now: float) -> None:
        """They have our 2xx; the second time this means nothing."""
        if self.unacknowledged:
            self.close()
            self._user.on_acknowledged(self, body, now)

    def on_cancel(self, cancel: Request, now: float) -> None:
        self._user.on_cancelled(self, cancel, now)

    def on_transport_error(self, now: float) -> None:
        """What was sent in vain is not the end of an accepted call: ACK may come all the same."""
        if self.waiting:
            self._user.on_unreachable(self, now)

    def handle_timer(self, name: str, now: float) -> None:
        match name:
            case "ack":
                self.close()
                self._user.on_never_acknowledged(self, now)
            case "success":
                self._repeat(now)
                self._interval = min(2 * self._interval, T2)
                self._core.timers.set(self, "success", now + self._interval)
            case _:
                self._repeat(now)
                self._core.timers.set(self, "progress", now + PROVISIONAL_REFRESH)

    def close(self) -> None:
        """Send nothing more, and let go of what the transaction does not need."""
        for name in ("progress", "success", "ack"):
            self._core.timers.cancel(self, name)
        self._incoming.transaction.attach(None)
