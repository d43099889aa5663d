"""Which transaction a message belongs to (RFC 3261 sections 17.1.3, 17.2.3 and 8.2.2.2)."""

from __future__ import annotations

from functools import partial

from applet.hints import TYPE_CHECKING
from applet.sip.grammar import print_host
from applet.sip.transaction import (
    ClientTransaction,
    ClientUser,
    Send,
    ServerTransaction,
    hop_by_hop,
    origin_of,
)

if TYPE_CHECKING:
    from applet.sip.events import EndedBy
    from applet.sip.hop import Hop
    from applet.sip.message import Request, Response
    from applet.sip.timers import Timers

MAGIC_COOKIE = "z9hG4bK"

Key = tuple[str, ...]
MergeKey = tuple[str | int, ...]


class Transactions:
    """All transactions of an endpoint. An ended one is gone as soon as it has ended. `held`: how
    many bytes of headers the server transactions keep."""

    __slots__ = ("_clients", "_merging", "_servers", "_timers", "held")

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._clients: dict[Key, ClientTransaction] = {}
        self._servers: dict[Key, ServerTransaction] = {}
        self._merging: dict[MergeKey, Key] = {}
        self.held = 0

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    def send_request(
        self,
        branch: str,
        request: Request,
        data: bytes,
        hop: Hop,
        send: Send,
        user: ClientUser,
        now: float,
    ) -> ClientTransaction:
        """Begin a client transaction: `branch` is that of its Via, `data` is `request` printed,
        `send` puts it on the wire."""
        key = (branch, request.method, str(request.cseq.number))
        forget = partial(self._clients.pop, key, None)
        transaction = ClientTransaction(request, data, hop, send, self._timers, forget, user)
        self._clients[key] = transaction
        transaction.start(now)
        return transaction

    def send_cancel(self, invite: Request, hop: Hop, send: Send, now: float) -> None:
        """Call `invite` off, which went to `hop` (section 9.1); nobody waits for the answer."""
        cancel = hop_by_hop("CANCEL", invite)
        branch = cancel.top_via.branch
        self.send_request(branch, cancel, cancel.encode(), hop, send, _Nobody(), now)

    def client_of(self, response: Response) -> ClientTransaction | None:
        """The request of ours that it answers; None: to be dropped. Section 17.1.3 compares branch
        and method; a number that is not the request's is a mistake or a guess."""
        number, method = response.cseq
        return self._clients.get((response.top_via.branch, method, str(number)))

    def begin_server(
        self, request: Request, hop: Hop, send: Send, to_tag: str, now: float
    ) -> ServerTransaction:
        """A request that is new."""
        key = _server_key(request, request.method)
        merge_key = _merge_key(request)
        size = sum([len(value) for _, value in request.headers])
        self.held += size
        forget = _Forget(self, key, merge_key, size)
        transaction = ServerTransaction(request, hop, send, self._timers, forget, to_tag, now)
        self._servers[key] = transaction
        if merge_key:
            self._merging[merge_key] = key
        return transaction

    def server_of(self, request: Request) -> ServerTransaction | None:
        """The transaction of which `request` is a repetition, or which an ACK is for."""
        method = "INVITE" if request.method == "ACK" else request.method
        return self._servers.get(_server_key(request, method))

    def cancelled_by(self, cancel: Request) -> ServerTransaction | None:
        """The INVITE that a CANCEL means (section 9.2). Who guesses its branch and does not know
        the rest is not the one who sent it (section 9.1)."""
        invite = self._servers.get(_server_key(cancel, "INVITE"))
        return invite if invite is not None and invite.origin == origin_of(cancel) else None

    def is_merged(self, request: Request) -> bool:
        """Whether the same request came on another way before (section 8.2.2.2)."""
        return _merge_key(request) in self._merging

    def hop_failed(self, hop: Hop, by: EndedBy, now: float) -> None:
        """Nothing can be sent to this address."""
        for transaction in [*self._clients.values(), *self._servers.values()]:
            if transaction.hop.end == hop.end:
                transaction.fail(now, by)

    def flow_lost(self, hop: Hop, now: float) -> None:
        """A connection is gone: requests that nobody has answered are lost with it. Responses
        are not: they go where Via says (section 18.2.2)."""
        for transaction in list(self._clients.values()):
            if transaction.hop.end == hop.end:
                transaction.fail(now)

    def forget_server(self, key: Key, merge_key: MergeKey, size: int) -> None:
        self._servers.pop(key, None)
        self.held -= size
        if self._merging.get(merge_key) == key:
            del self._merging[merge_key]


class _Nobody:
    """The user of a CANCEL: what matters is the answer to the INVITE."""

    def on_response(self, response: Response, now: float) -> None:
        pass

    def on_timeout(self, now: float) -> None:
        pass

    def on_transport_error(self, now: float) -> None:
        pass


class _Forget:
    """What a server transaction calls at its end. There are thousands of them: a quarter of the
    memory of a `partial`."""

    __slots__ = ("_key", "_merge_key", "_size", "_transactions")

    def __init__(
        self, transactions: Transactions, key: Key, merge_key: MergeKey, size: int
    ) -> None:
        self._transactions = transactions
        self._key = key
        self._merge_key = merge_key
        self._size = size

    def __call__(self) -> None:
        self._transactions.forget_server(self._key, self._merge_key, self._size)


def _server_key(request: Request, method: str) -> Key:
    """Section 17.2.3. Without a branch of our times it is RFC 2543's rule: what must be equal is
    everything that a repeated request has in common with the first, and its ACK or CANCEL too."""
    via = request.top_via
    branch = via.branch
    if branch.startswith(MAGIC_COOKIE) and branch != MAGIC_COOKIE:
        return (branch, print_host(via.host.lower(), via.port), method)
    return (
        str(request.uri),
        request.from_.tag or "",
        request.call_id,
        str(request.cseq.number),
        str(via),
        method,
    )


def _merge_key(request: Request) -> MergeKey:
    """Empty for a request inside a dialog, which cannot be merged."""
    return () if request.to.tag is not None else (*origin_of(request), request.method)
