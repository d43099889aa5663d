"""One INVITE or re-INVITE of theirs (RFC 3261 sections 13.3 and 14.2).

Its transaction repeats what is below 200 and above 299. A 2xx is repeated here, end to end, until
the ACK comes (section 13.3.1.4): T1, doubling up to T2, for 64*T1. What they asked to be sent
reliably is repeated by `reliable`.
"""

from __future__ import annotations

from functools import partial

from applet.hints import TYPE_CHECKING, Protocol
from applet.sip.extensions import RELIABLE, Use, demands, knows
from applet.sip.reliable import Numbered, ReliableProvisionals
from applet.sip.timers import T1, T2
from applet.sip.uas import ALLOW, Headers, offer_in, supported
from applet.sip.uri import is_secure

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.sip.core import Core, Incoming
    from applet.sip.hop import Hop
    from applet.sip.message import Request

PROVISIONAL_REFRESH = 60.0
"""Section 13.3.1.1: a provisional response each minute, or proxies give the call up."""


class ServerInviteUser(Protocol):
    """Who decides about the INVITE."""

    def on_acknowledged(self, invite: ServerInvite, body: bytes | None, now: float) -> None: ...

    def on_never_acknowledged(self, invite: ServerInvite, now: float) -> None: ...

    def on_never_proved(self, invite: ServerInvite, now: float) -> None:
        """No PRACK came for what was sent reliably."""

    def on_cancelled(self, invite: ServerInvite, cancel: Request, now: float) -> None: ...

    def on_unreachable(self, invite: ServerInvite, now: float) -> None:
        """A response to it cannot be sent."""


class ServerInvite:
    """`offer` is theirs, None if the INVITE had none. `exchanged`: our description went out in a
    reliable provisional response, and so the 2xx must not carry one (RFC 6337 section 3.1.1).
    `reliable` is None where they do not know PRACK."""

    __slots__ = (
        "_contact_user",
        "_core",
        "_incoming",
        "_interval",
        "_repeat",
        "_user",
        "exchanged",
        "offer",
        "reliable",
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
        self.exchanged = False
        self.reliable: ReliableProvisionals | None = None
        if core.config.reliable is not Use.OFF and knows(incoming.request, RELIABLE):
            self.reliable = ReliableProvisionals(core, incoming, self._never_proved)
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

    @property
    def unproved(self) -> bool:
        """A description was sent reliably and its PRACK is awaited."""
        return self.reliable is not None and self.reliable.body_open

    @property
    def wants_offer_to_ring(self) -> bool:
        """What goes out first, if it has to be reliable, has to carry the offer that their INVITE
        did not (RFC 3261 section 13.2.1)."""
        required = self.reliable is not None and demands(self.request, RELIABLE)
        return required and self.offer is None and not self.exchanged

    # --- responses

    def progress(self, status: int, body: bytes | None, now: float) -> bool:
        """101-199, with a tag: an early dialog. True if this was the description's own way, by a
        reliable response; elsewhere it is a preview."""
        if self.exchanged:
            body = None
        self._core.timers.set(self, "progress", now + PROVISIONAL_REFRESH)
        if self.reliable is None or (self.offer is None and not (body or self.exchanged)):
            self._send(status, body, now)
            return False
        headers = self._headers(body)
        self.reliable.send(status, headers, body or b"", now)
        self._repeat = partial(self.reliable.send, status, self._headers(None), b"")
        self.exchanged = self.exchanged or bool(body)
        return bool(body)

    def accept(self, body: bytes, now: float, headers: Headers = ()) -> None:
        if self.reliable is not None:
            self.reliable.close()
        self._send(200, None if self.exchanged else body, now, headers)
        self._core.timers.cancel(self, "progress")
        self._core.timers.set(self, "success", now + self._interval)
        self._core.timers.set(self, "ack", now + 64 * T1)

    def refuse(self, status: int, now: float, reason: str = "", headers: Headers = ()) -> None:
        self._incoming.respond(status, now, reason, headers)
        self.close()

    def _send(self, status: int, body: bytes | None, now: float, headers: Headers = ()) -> None:
        headers = (*self._headers(body), *headers)
        self._repeat = partial(self._incoming.respond, status, headers=headers, body=body or b"")
        self._repeat(now)

    def _headers(self, body: bytes | None) -> Headers:
        """Section 12.1.1: what begins a dialog carries the routes and our Contact."""
        secure = is_secure(self.request.uri)
        source = self._incoming.source
        contact = self._core.transport.contact(self._contact_user, source, secure)
        headers = [("Record-Route", value) for value in self.request.lines("Record-Route")]
        headers += [("Contact", f"<{contact}>"), ALLOW, supported(self._core.config)]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        return tuple(headers)

    # --- what comes back

    def prove(self, prack: Request, now: float) -> Numbered | None:
        """A PRACK came; None if nothing waits for it."""
        return None if self.reliable is None else self.reliable.prove(prack, now)

    def go_on(self, now: float) -> None:
        """The PRACK is answered: the next provisional response may follow."""
        if self.reliable is not None:
            self.reliable.go_on(now)

    def _never_proved(self, now: float) -> None:
        self._user.on_never_proved(self, now)

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
        if self.reliable is not None:
            self.reliable.close()
        for name in ("progress", "success", "ack"):
            self._core.timers.cancel(self, name)
        self._incoming.transaction.attach(None)
