"""One request of ours from its URI to its final answer (RFC 3261 sections 8.1 and 22.2).

Between the user and the transactions: it finds the next hop, sends the request over TCP when it
is too large for a datagram (and over UDP all the same when TCP cannot be had, section 18.1.1),
and sends it once more with credentials when it is challenged. A request can so become several
transactions; its user sees one answer.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from applet.sip.authenticator import Authenticator, Exchange
from applet.sip.core import Core
from applet.sip.events import EndedBy
from applet.sip.hop import Hop, Transport
from applet.sip.message import Request, Response
from applet.sip.transaction import ClientTransaction
from applet.sip.transport import MAX_UDP_REQUEST
from applet.sip.uri import Uri

CONNECT_LIMIT = 4.0
"""Seconds after which a connection that does not come about counts as failed."""


class RequestUser(Protocol):
    """`on_final` comes again for every further 2xx to an INVITE; else exactly one of `on_final`
    and `on_failed` comes, once."""

    def next_sequence(self) -> int: ...

    def on_sent(self, now: float) -> None: ...

    def on_provisional(self, response: Response, now: float) -> None: ...

    def on_final(self, response: Response, now: float) -> None: ...

    def on_failed(self, by: EndedBy, now: float) -> None: ...


class Way(NamedTuple):
    """How to get there: the URI of the next hop, the transport where the URI names none, and an
    open connection to be used rather than any other."""

    uri: Uri
    preferred: Transport | None = None
    flow: int | None = None


class ClientRequest:
    """`sent` is the request as it went out last; before that, as it was given."""

    __slots__ = (
        "_contact_user",
        "_core",
        "_exchange",
        "_over",
        "_request",
        "_transaction",
        "_udp_hop",
        "_user",
        "_way",
        "hop",
        "sent",
    )

    def __init__(
        self,
        core: Core,
        request: Request,
        way: Way,
        user: RequestUser,
        authenticator: Authenticator | None = None,
        contact_user: str | None = None,
    ) -> None:
        """`request` has neither Via nor Contact; `contact_user` None sends no Contact."""
        self._core = core
        self._request = request
        self._way = way
        self._user = user
        self._exchange = None if authenticator is None else Exchange(authenticator)
        self._contact_user = contact_user
        self._transaction: ClientTransaction | None = None
        self._udp_hop: Hop | None = None
        self._over = False
        self.hop: Hop | None = None
        self.sent = request

    def start(self, now: float) -> None:
        self._core.busy.add(self)
        self._core.locator.locate(self._way.uri, self._way.preferred, self._located, now)

    def give_up(self) -> None:
        """The answer does not matter any more: no further attempt. If nothing was sent yet,
        nothing will be, and the user hears no more."""
        self._exchange = None
        self._udp_hop = None
        if self._transaction is None:
            self._finish()

    def abandon(self, now: float) -> None:
        """Wait no longer for an answer to what was sent; the user hears no more."""
        assert self._transaction is not None
        self._finish()
        self._transaction.abandon(now)

    # --- on the way out

    def _located(self, hop: Hop | None, now: float) -> None:
        if self._over:
            return
        if hop is None:
            self._fail(EndedBy.LOOKUP, now)
            return
        if hop.transport is Transport.TLS and not self._core.transport.has(Transport.TLS):
            self._fail(EndedBy.TRANSPORT, now)
            return
        self._send(self._core.transport.over_flow(hop, self._way.flow), now)

    def _send(self, hop: Hop, now: float) -> None:
        """Begin a transaction: every attempt has a branch of its own."""
        branch = self._core.new_branch()
        request, data = self._printed(hop, branch)
        if self._is_too_large(hop, data):
            self._udp_hop = hop
            hop = Hop(Transport.TCP, hop.address)
            request, data = self._printed(hop, branch)
        self.hop = hop
        self.sent = request
        self._core.timers.cancel(self, "connect")
        if hop.transport.reliable and not self._core.transport.is_connected(hop):
            self._core.timers.set(self, "connect", now + CONNECT_LIMIT)
        send = self._core.transport.sender(hop)
        self._transaction = self._core.transactions.send_request(
            request, data, hop, send, self, now
        )
        self._user.on_sent(now)

    def _printed(self, hop: Hop, branch: str) -> tuple[Request, bytes]:
        """The request as it goes to `hop`. Contact does not change with the size of a request."""
        request = self._core.transport.with_via(self._request, hop, branch)
        if self._contact_user is not None:
            contact = self._core.transport.contact(self._contact_user, self._udp_hop or hop)
            request.headers.append(("Contact", f"<{contact}>"))
        return request, request.encode()

    def _is_too_large(self, hop: Hop, data: bytes) -> bool:
        return (
            hop.transport is Transport.UDP
            and len(data) > MAX_UDP_REQUEST
            and self._udp_hop is None
            and self._core.transport.has(Transport.TCP)
        )

    def handle_timer(self, name: str, now: float) -> None:
        """The connection does not come about."""
        assert self._transaction is not None and self.hop is not None  # it was set by `_send`
        if not self._core.transport.is_connected(self.hop):
            self._transaction.fail(now)

    # --- from the transaction

    def on_response(self, response: Response, now: float) -> None:
        if response.status < 200:
            self._user.on_provisional(response, now)
            return
        if response.status in (401, 407) and self._exchange is not None:
            authorized = self._exchange.answer(self._request, response)
            if authorized is not None and self.hop is not None:
                cseq = f"{self._user.next_sequence()} {authorized.method}"
                self._request = authorized.with_header("CSeq", cseq)
                self._send(self.hop, now)
                return
        self._finish()
        self._user.on_final(response, now)

    def on_timeout(self, now: float) -> None:
        self._fail(EndedBy.TIMEOUT, now)

    def on_transport_error(self, now: float) -> None:
        """Also after a refusal, when its ACK cannot be sent: that changes nothing any more."""
        if self._over:
            return
        if self._udp_hop is not None and self.hop != self._udp_hop:
            self._send(self._udp_hop, now)
        else:
            self._fail(EndedBy.TRANSPORT, now)

    def _fail(self, by: EndedBy, now: float) -> None:
        self._finish()
        self._user.on_failed(by, now)

    def _finish(self) -> None:
        self._over = True
        self._core.busy.discard(self)
        self._core.timers.cancel(self, "connect")
