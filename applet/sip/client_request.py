"""One request of ours from its URI to its final answer (RFC 3261 sections 8.1 and 22.2, RFC 3263
section 4.3).

Between the user and the transactions: it finds the servers, and goes on to the next one when one
refuses with 503, does not answer or cannot be reached; it sends the request over TCP when it is
too large for a datagram (and over UDP all the same when TCP cannot be had, section 18.1.1), and
once more with credentials when it is challenged. A request can so become several transactions;
its user sees one answer.
"""

from __future__ import annotations

from functools import partial

from applet.hints import TYPE_CHECKING, Protocol
from applet.sip.authenticator import Authenticator, Exchange
from applet.sip.events import EndedBy
from applet.sip.hop import Hop, Transport
from applet.sip.penalty import DEFAULT
from applet.sip.timers import T1
from applet.sip.transport import MAX_UDP_REQUEST
from applet.sip.uri import Uri, is_secure, secured
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.sip.core import Core
    from applet.sip.message import Request, Response
    from applet.sip.transaction import ClientTransaction

CONNECT_LIMIT = 4.0
"""Seconds after which a connection that does not come about counts as failed."""
SILENCE_LIMIT = 4.0
"""Seconds without any answer, and after four datagrams, until the next server is asked. The last
one has the full 64*T1: somebody who waits for a call does not wait so long for each."""
MOST_TRIES = 8
_BAD_CERTIFICATE = (EndedBy.UNTRUSTED, EndedBy.EXPIRED, EndedBy.WRONG_NAME, EndedBy.NOT_SECURE)


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
        "_core",
        "_exchange",
        "_others",
        "_over",
        "_request",
        "_transaction",
        "_udp_hop",
        "_user",
        "_way",
        "_write_contact",
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
        write_contact: Callable[[Hop], str] | None = None,
    ) -> None:
        """`request` has neither Via nor Contact. Contact is ours for `contact_user` at the hop
        where it goes, or what `write_contact` says for that hop; else there is none."""
        self._core = core
        self._request = request
        self._way = way
        self._user = user
        self._exchange = None if authenticator is None else Exchange(authenticator)
        self._write_contact = write_contact
        if contact_user is not None:
            self._write_contact = partial(self._contact, contact_user)
        self._transaction: ClientTransaction | None = None
        self._udp_hop: Hop | None = None
        self._others: list[Hop] = []
        self._over = False
        self.hop: Hop | None = None
        self.sent = request

    def start(self, now: float) -> None:
        self._core.busy.add(self)
        uri, preferred, _ = self._way
        if is_secure(self._request.uri):
            uri = secured(uri)
        self._core.locator.locate(uri, preferred, self._located, now)

    def give_up(self) -> None:
        """The answer does not matter any more: no further attempt. If nothing was sent yet,
        nothing will be, and the user hears no more."""
        self._exchange = None
        self._udp_hop = None
        self._others.clear()
        self._core.timers.cancel(self, "silent")
        if self._transaction is None:
            self._finish()

    def forget(self, now: float) -> None:
        """Neither the answer nor a further attempt matters any more, sent or not."""
        self.give_up()
        if self._transaction is not None:
            self.abandon(now)

    def abandon(self, now: float) -> None:
        """Wait no longer for an answer to what was sent; the user hears no more."""
        assert self._transaction is not None
        self._finish()
        self._transaction.abandon(now)

    # --- on the way out

    def _located(self, hops: tuple[Hop, ...], now: float) -> None:
        if self._over:
            return
        transport = self._core.transport
        wanted = [transport.over_flow(hop, self._way.flow) for hop in hops]
        usable = [hop for hop in dict.fromkeys(wanted) if transport.has(hop.transport)]
        if not usable:
            self._fail(EndedBy.TRANSPORT if hops else EndedBy.LOOKUP, now)
            return
        first, *self._others = self._core.in_turn(usable, now)[:MOST_TRIES]
        self._send(first, now)

    def _unanswered(self, now: float) -> bool:
        """Whoever is registered over this way must know, too. Then the next server."""
        assert self.hop is not None  # it was sent in vain
        self._core.keep_alive.lost(self.hop, now)
        return self._try_next(now)

    def _try_next(self, now: float, penalty: int | None = None) -> bool:
        """Go on to the next server, if there is one. This one is not asked first again for
        `penalty` seconds, if it named them."""
        assert self.hop is not None  # it was sent in vain
        self._core.penalties.add(self.hop, now, DEFAULT if penalty is None else penalty)
        if not self._others:
            return False
        self._udp_hop = None
        self._send(self._others.pop(0), now)
        return True

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
        self._stop_waiting()
        if hop.transport.reliable and not self._core.transport.is_connected(hop):
            self._core.timers.set(self, "connect", now + CONNECT_LIMIT)
        elif self._others:
            self._core.timers.set(self, "silent", now + SILENCE_LIMIT)
        send = self._core.transport.sender(hop)
        self._transaction = self._core.transactions.send_request(
            branch, request, data, hop, send, self, now
        )
        self._user.on_sent(now)

    def _printed(self, hop: Hop, branch: str) -> tuple[Request, bytes]:
        """The request as it goes to `hop`. Contact does not change with the size of a request."""
        request = self._core.transport.with_via(self._request, hop, branch)
        if self._write_contact is not None:
            request.headers.append(("Contact", self._write_contact(self._udp_hop or hop)))
        return request, request.encode()

    def _contact(self, user: str, hop: Hop) -> str:
        return f"<{self._core.transport.contact(user, hop, is_secure(self._request.uri))}>"

    def _is_too_large(self, hop: Hop, data: bytes) -> bool:
        return (
            hop.transport is Transport.UDP
            and len(data) > MAX_UDP_REQUEST
            and self._udp_hop is None
            and self._core.transport.has(Transport.TCP)
        )

    def handle_timer(self, name: str, now: float) -> None:
        """The connection does not come about, or nobody answers."""
        assert self._transaction is not None and self.hop is not None  # it was set by `_send`
        if name == "silent":
            left = self._transaction
            if self._request.method == "INVITE":
                left.attach(_TooLate(self._core, self.sent, self.hop, left, self._user))
            else:
                left.abandon(now)
            self._unanswered(now)
        elif not self._core.transport.is_connected(self.hop):
            self._transaction.fail(now)
        elif self._others:
            self._core.timers.set(self, "silent", now + SILENCE_LIMIT)

    def _stop_waiting(self) -> None:
        for name in ("connect", "silent"):
            self._core.timers.cancel(self, name)

    # --- from the transaction

    def on_response(self, response: Response, now: float) -> None:
        assert self.hop is not None  # it was sent
        self._stop_waiting()
        if response.status < 200:
            self._user.on_provisional(response, now)
            return
        if response.status in (401, 407) and self._exchange is not None:
            authorized = self._exchange.answer(self._request, response)
            if authorized is not None:
                cseq = f"{self._user.next_sequence()} {authorized.method}"
                self._request = authorized.with_header("CSeq", cseq)
                self._send(self.hop, now)
                return
        if response.status != 503:
            self._core.penalties.forgive(self.hop)
        elif self._try_next(now, response.retry_after):
            return
        self._finish()
        self._user.on_final(response, now)

    def on_timeout(self, now: float) -> None:
        if not self._unanswered(now):
            self._fail(EndedBy.TIMEOUT, now)

    def on_transport_error(self, now: float) -> None:
        """Also after a refusal, when its ACK cannot be sent: that changes nothing any more. A
        certificate that is wrong is no reason to try somebody else: it is told."""
        if self._over:
            return
        assert self._transaction is not None  # it has failed
        by = self._transaction.failed_by
        if by in _BAD_CERTIFICATE:
            self._fail(by, now)
        elif self._udp_hop is not None and self.hop != self._udp_hop:
            self._send(self._udp_hop, now)
        elif not self._unanswered(now):
            self._fail(by, now)

    def _fail(self, by: EndedBy, now: float) -> None:
        self._finish()
        self._user.on_failed(by, now)

    def _finish(self) -> None:
        self._over = True
        self._core.busy.discard(self)
        self._stop_waiting()


class _TooLate:
    """The user of an INVITE that was left for another server's sake. If that server lives after
    all, whoever rings there is called off; if somebody has answered, it is one fork of the call
    like any other."""

    __slots__ = ("_core", "_hop", "_request", "_transaction", "_user")

    def __init__(
        self,
        core: Core,
        request: Request,
        hop: Hop,
        transaction: ClientTransaction,
        user: RequestUser,
    ) -> None:
        self._core = core
        self._request = request
        self._hop = hop
        self._transaction = transaction
        self._user = user

    def on_response(self, response: Response, now: float) -> None:
        timers = self._core.timers
        if response.status >= 200:
            timers.cancel(self, "cancel")
            if response.status < 300:
                self._user.on_final(response, now)
        elif not timers.is_set(self, "cancel"):
            timers.set(self, "cancel", now + 64 * T1)
            send = self._core.transport.sender(self._hop)
            self._core.transactions.send_cancel(self._request, self._hop, send, now)

    def handle_timer(self, name: str, now: float) -> None:
        """Section 9.1: a CANCEL that had no effect ends it all the same."""
        self._transaction.abandon(now)

    def on_timeout(self, now: float) -> None:
        """As expected."""

    def on_transport_error(self, now: float) -> None:
        """As expected."""
