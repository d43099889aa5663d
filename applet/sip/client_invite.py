"""One INVITE or re-INVITE of ours (RFC 3261 sections 9.1, 13.2 and 14.1).

It knows what a 2xx needs beyond its transaction: an ACK of its own for each dialog that it makes,
sent again whenever that 2xx comes again; and an ACK and a BYE for a dialog that nobody wants.
"""

from __future__ import annotations

from functools import partial

from applet.hints import TYPE_CHECKING, Protocol
from applet.sip.bye import send_bye
from applet.sip.client_request import ClientRequest, Way
from applet.sip.dialog import Dialog
from applet.sip.events import EndedBy
from applet.sip.timers import T1

if TYPE_CHECKING:
    from applet.sip.authenticator import Authenticator
    from applet.sip.core import Core
    from applet.sip.hop import Hop
    from applet.sip.message import Request, Response

MAX_FORKS = 16
_CREDENTIALS = ("Authorization", "Proxy-Authorization")


class InviteUser(Protocol):
    """`on_answered` comes once for each dialog that a 2xx makes; the user then acknowledges or
    refuses it. `on_refused` comes at most once; `response` is None if there was none."""

    def next_sequence(self) -> int: ...

    def on_sent(self, invite: ClientInvite, now: float) -> None: ...

    def on_progress(self, invite: ClientInvite, response: Response, now: float) -> None: ...

    def on_answered(self, invite: ClientInvite, response: Response, now: float) -> None: ...

    def on_refused(
        self, invite: ClientInvite, by: EndedBy, response: Response | None, now: float
    ) -> None: ...


class ClientInvite:
    """`request` is the INVITE on its way. `preferred` is the transport for requests inside the
    dialogs that it makes."""

    __slots__ = (
        "_acks",
        "_authenticator",
        "_cancelled",
        "_core",
        "_heard",
        "_preferred",
        "_user",
        "request",
    )

    def __init__(
        self,
        core: Core,
        request: Request,
        way: Way,
        user: InviteUser,
        authenticator: Authenticator | None,
        contact_user: str,
    ) -> None:
        self._core = core
        self._user = user
        self._preferred = way.preferred
        self._authenticator = authenticator
        self._acks: dict[str, tuple[Hop, bytes] | None] = {}
        self._heard = False
        self._cancelled = False
        self.request = ClientRequest(
            core, request, way, self, authenticator, contact_user=contact_user
        )

    def start(self, now: float) -> None:
        self.request.start(now)

    # --- CANCEL

    def cancel(self, now: float) -> None:
        """Section 9.1: not before a provisional response, which shows where the INVITE went."""
        self._cancelled = True
        self.request.give_up()
        if self._heard:
            self._send_cancel(now)

    def _send_cancel(self, now: float) -> None:
        hop = self.request.hop
        assert hop is not None  # it was answered, so it was sent
        send = self._core.transport.sender(hop)
        self._core.transactions.send_cancel(self.request.sent, hop, send, now)
        self._core.timers.set(self, "cancel", now + 64 * T1)

    def handle_timer(self, name: str, now: float) -> None:
        """The CANCEL had no effect: without 487 the INVITE ends here (section 9.1)."""
        self.request.abandon(now)
        self._user.on_refused(self, EndedBy.TIMEOUT, None, now)

    # --- ACK

    def acknowledge(self, dialog: Dialog, body: bytes | None, now: float) -> None:
        """Section 13.2.2.4. The ACK has the INVITE's credentials, each in its own header."""
        sent = self.request.sent
        headers = [(name, value) for name in _CREDENTIALS for value in sent.lines(name)]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        ack = dialog.request("ACK", sent.cseq.number, tuple(headers), body or b"")
        then = partial(self._send_ack, dialog, ack)
        self._core.locator.locate(dialog.next_hop, self._preferred, then, now)

    def _send_ack(self, dialog: Dialog, ack: Request, hops: tuple[Hop, ...], now: float) -> None:
        if not hops:
            return  # the peer's address cannot be found: it will end the dialog for want of ACK
        best = self._core.in_turn(hops, now)[0]
        hop = self._core.transport.over_flow(best, dialog.flow)
        data = self._core.transport.with_via(ack, hop, self._core.new_branch()).encode()
        self._acks[dialog.remote.tag or ""] = (hop, data)
        self._core.transport.send(hop, data)

    def refuse(self, response: Response, early: Dialog | None, now: float) -> None:
        """End the dialog that this 2xx made: another branch of a fork, or too late. `early` is the
        one that it confirms, in which PRACKs may have been counted."""
        dialog = early or Dialog.of_uac(self.request.sent, response)
        dialog.confirm(response)
        self.acknowledge(dialog, None, now)
        send_bye(self._core, dialog, self._preferred, self._authenticator, None, now)

    # --- from the request

    def next_sequence(self) -> int:
        return self._user.next_sequence()

    def on_sent(self, now: float) -> None:
        self._user.on_sent(self, now)

    def on_provisional(self, response: Response, now: float) -> None:
        first = not self._heard
        self._heard = True
        if first and self._cancelled:
            self._send_cancel(now)
        self._user.on_progress(self, response, now)

    def on_final(self, response: Response, now: float) -> None:
        self._core.timers.cancel(self, "cancel")
        if response.status >= 300:
            self._user.on_refused(self, EndedBy.REMOTE, response, now)
            return
        tag = response.to.tag or ""
        if tag not in self._acks:
            if len(self._acks) < MAX_FORKS:
                self._acks[tag] = None
                self._user.on_answered(self, response, now)
        elif (ack := self._acks[tag]) is not None:
            self._core.transport.send(*ack)

    def on_failed(self, by: EndedBy, now: float) -> None:
        self._user.on_refused(self, by, None, now)
