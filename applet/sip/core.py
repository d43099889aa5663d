"""What the parts of one endpoint share: the layers below the user agent's core (RFC 3261
section 5), the dialogs, and the way for events out."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING, Protocol
from applet.randomness import Randomness, token
from applet.sip.extensions import Use
from applet.sip.keep_alive import KeepAlive
from applet.sip.locate import Locator
from applet.sip.penalty import PenaltyBox
from applet.sip.timers import Timers
from applet.sip.transactions import MAGIC_COOKIE, Transactions
from applet.sip.transport import TransportLayer
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from applet.sip.dialog import DialogId
    from applet.sip.events import Event
    from applet.sip.hop import Hop
    from applet.sip.in_dialog import Receiver
    from applet.sip.message import Request
    from applet.sip.transaction import ServerTransaction

CALL_ID_BITS = 128
TAG_BITS = 64


class EndpointConfig(NamedTuple):
    """`users`: the user parts we answer to, when not `allow_any_user` (an empty user part in the
    Request-URI is always ours). `ring_limit`: seconds an INVITE may stay without a final answer.
    `max_transactions`, and `max_held` bytes of their headers: beyond it new requests get 503
    without any memory being kept. `reliable` and `session_timer`: whether RFC 3262 and RFC 4028
    are used; `session_expires` is the interval we ask for and `min_se` the shortest we grant, both
    in seconds."""

    user_agent: str = "Call Support"
    users: tuple[str, ...] = ()
    allow_any_user: bool = True
    ring_limit: float = 180.0
    max_transactions: int = 4000
    max_held: int = 4_000_000
    reliable: Use = Use.ON
    session_timer: Use = Use.ON
    session_expires: int = 1800
    min_se: int = 90


class Incoming(NamedTuple):
    """A request of theirs that wants an answer, with what is needed to give it."""

    request: Request
    transaction: ServerTransaction
    source: Hop

    def respond(
        self,
        status: int,
        now: float,
        reason: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        reply = self.request.reply(
            status, reason, to_tag=self.transaction.to_tag, headers=headers, body=body
        )
        self.transaction.respond(reply, now)


class DialogUser(Protocol):
    """A dialog usage (RFC 5057): who gets the requests of a dialog."""

    def on_request(self, incoming: Incoming, now: float) -> None: ...

    def on_ack(self, ack: Request, now: float) -> None: ...


class Core:
    """`busy` holds what still waits for an answer of the network, so that the phone can stop
    politely: sessions, registrations and requests. `in_dialog` names who takes the requests of a
    method inside a call that are not the session's own. `subscriptions` are ours, by Call-ID and
    our tag: their dialogs begin with what comes."""

    __slots__ = (
        "_events",
        "_sessions",
        "busy",
        "config",
        "dialogs",
        "in_dialog",
        "keep_alive",
        "locator",
        "penalties",
        "random",
        "subscriptions",
        "timers",
        "transactions",
        "transport",
    )

    def __init__(
        self, config: EndpointConfig, random: Randomness, local_ip_for: Callable[[str], str]
    ) -> None:
        self._events: list[Event] = []
        self.config = config
        self.random = random
        self.timers = Timers()
        self.transport = TransportLayer(local_ip_for, self.timers, self.emit)
        self.transactions = Transactions(self.timers)
        self.locator = Locator(self.timers, self.emit, random, self.transport.has)
        self.penalties = PenaltyBox()
        self.keep_alive = KeepAlive(self.transport, self.timers, random)
        self.dialogs: dict[DialogId, DialogUser] = {}
        self.in_dialog: dict[str, Receiver] = {}
        self.subscriptions: dict[tuple[str, str], DialogUser] = {}
        self.busy: set[object] = set()
        self._sessions = 0

    def emit(self, event: Event) -> None:
        self._events.append(event)

    def take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def in_turn(self, hops: Sequence[Hop], now: float) -> Sequence[Hop]:
        """The servers of a name as they are to be tried: the dead ones last, and before the others
        the one where we are registered, which is known to live."""
        if len(hops) < 2:
            return hops
        ours = self.transport.called_over
        preferred = sorted(hops, key=lambda hop: hop.end not in ours)
        return self.penalties.ordered(preferred, now)

    def new_session_id(self) -> int:
        self._sessions += 1
        return self._sessions

    def new_branch(self) -> str:
        return MAGIC_COOKIE + token(self.random)

    def new_tag(self) -> str:
        return token(self.random, TAG_BITS)

    def new_call_id(self) -> str:
        return token(self.random, CALL_ID_BITS)

    def new_sequence(self) -> int:
        """A first CSeq number; below 2**31 as section 8.1.1.5 wants, with room to count on."""
        return 1 + self.random.getrandbits(16)
