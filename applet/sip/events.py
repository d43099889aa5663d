"""What an endpoint tells its user. Immutable, in the order in which it happened.

Tell events apart by type (`match`), never by `==`: NamedTuples of different types compare equal
when their contents do. Bodies are bytes as received, None when a message had none.
"""

from __future__ import annotations

from applet.enums import Enum
from applet.hints import TYPE_CHECKING
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.address import Address
    from applet.sip.core import Incoming
    from applet.sip.headers import NameAddr
    from applet.sip.hop import Hop, Transport
    from applet.sip.invite import InviteSession
    from applet.sip.message import Request, Response
    from applet.sip.records import Question
    from applet.sip.refer import SentRefer
    from applet.sip.refer_received import ReceivedRefer, Referral
    from applet.sip.registration import Registration
    from applet.sip.subscription import Subscription


class EndedBy(Enum):
    """Who or what ended a session."""

    LOCAL = "local"  # hang_up() or reject()
    REMOTE = "remote"  # BYE, CANCEL, or a final failure response
    TIMEOUT = "timeout"  # no answer to our request, or no ACK to our 2xx, within 64*T1
    NO_ANSWER = "no_answer"  # it rang until EndpointConfig.ring_limit
    TRANSPORT = "transport"  # connection refused or broken, network unreachable
    UNTRUSTED = "untrusted"  # nobody whom this machine trusts vouches for the certificate
    EXPIRED = "expired"  # the certificate is not valid now
    WRONG_NAME = "wrong_name"  # the certificate belongs to somebody else
    NOT_SECURE = "not_secure"  # they speak no TLS that we could agree on
    LOOKUP = "lookup"  # the host's name could not be found


class IncomingInvite(NamedTuple):
    """Someone calls. Nothing but 100 has been sent: use `ring`, `progress`, `answer`, `reject`.
    `body` is their offer, or None: then `answer` carries ours and `Confirmed` their answer."""

    session: InviteSession
    request: Request
    body: bytes | None


class Provisional(NamedTuple):
    """101-199 to our INVITE (100 is not told). `branch` is the To tag of the early dialog: with
    forking there may be several, each with its own body; empty if there was no tag. `final`: it
    came reliably, so that `body` is the answer of this branch and not only a preview of it."""

    session: InviteSession
    response: Response
    status: int
    reason: str
    body: bytes | None
    branch: str
    final: bool = False


class Answered(NamedTuple):
    """The first 2xx to our INVITE. Its ACK is already sent if the INVITE carried the offer (also
    if `body` is None by the peer's fault); else `acknowledge` sends it with our answer."""

    session: InviteSession
    response: Response
    body: bytes | None
    branch: str


class Confirmed(NamedTuple):
    """The ACK to our 2xx came. `body` is their answer if our 2xx carried the offer."""

    session: InviteSession
    body: bytes | None


class AnswerReceived(NamedTuple):
    """The PRACK to our reliable provisional response came. `body` is their answer to our offer in
    it, None by their fault."""

    session: InviteSession
    body: bytes | None


class OfferReceived(NamedTuple):
    """Their UPDATE or PRACK has an offer: answer it with `answer_offer` or `reject_offer`, at
    once. `branch`: in which dialog, as in `Provisional`."""

    session: InviteSession
    request: Request
    body: bytes
    branch: str


class RefreshDue(NamedTuple):
    """The session wants a sign of life (RFC 4028), and the other side takes no UPDATE: send a
    re-INVITE with what is agreed."""

    session: InviteSession


class ReinviteReceived(NamedTuple):
    """Answer it with `answer_reinvite` or `reject_reinvite`; `body` None: put our offer there."""

    session: InviteSession
    request: Request
    body: bytes | None


class ReinviteConfirmed(NamedTuple):
    """The ACK to our 2xx of a re-INVITE; `body` is their answer if our 2xx carried the offer."""

    session: InviteSession
    body: bytes | None


class ReinviteAnswered(NamedTuple):
    """The 2xx to our re-INVITE, or to our UPDATE with an offer; as with `Answered`, an offerless
    re-INVITE wants `acknowledge`."""

    session: InviteSession
    response: Response
    body: bytes | None


class ReinviteFailed(NamedTuple):
    """Our re-INVITE, or our UPDATE with an offer, got a final failure; the session goes on as it
    was before. `status` 408 when nobody answered, 0 when it could not be sent. `retry_after` in
    seconds, if they named it. `will_retry`: after the back-off of RFC 3261 section 14.1 (or their
    Retry-After) `ReinviteRetryDue` follows, unless the session ends before."""

    session: InviteSession
    response: Response | None
    status: int
    reason: str
    retry_after: int | None
    will_retry: bool


class ReinviteRetryDue(NamedTuple):
    """Now `reinvite` may be tried again with a fresh body, if it is still wanted."""

    session: InviteSession


class SessionEnded(NamedTuple):
    """The last event of a session, exactly once. After `hang_up` it comes at once, while CANCEL
    or BYE are still under way. `status` and `reason` are those of the final response (487 when
    the caller cancelled; 408 for TIMEOUT; 0 for BYE and where there was none), `message` is the
    peer's BYE, CANCEL or final response, if any: for Reason, Warning, Retry-After."""

    session: InviteSession
    by: EndedBy
    status: int
    reason: str
    message: Request | Response | None


class Registered(NamedTuple):
    """The binding stands, for the first time or again: `expires` seconds are left, by the
    registrar's word; `contact` is it as a URI. `service_route` is the way for our requests from
    now on (RFC 3608), empty if none was named."""

    registration: Registration
    expires: int
    contact: str
    service_route: tuple[NameAddr, ...]


class RegistrationFailed(NamedTuple):
    """`status` as in `SessionEnded`; `by` is REMOTE, TIMEOUT, TRANSPORT, LOOKUP or what was wrong
    with a certificate. It is tried again in `retry_in` seconds."""

    registration: Registration
    by: EndedBy
    status: int
    reason: str
    retry_in: float


class Unregistered(NamedTuple):
    """The registrar has taken the binding away, or cannot be asked any more."""

    registration: Registration


class ReferReceived(NamedTuple):
    """The other side of a confirmed call asks us to call somebody: `refer.accept` it or
    `refer.refuse` it, now."""

    session: InviteSession
    refer: ReceivedRefer
    wish: Referral


class ReferProgress(NamedTuple):
    """How a REFER of ours goes. `status`: 202 when it was accepted (`final`: they will tell no
    more), else that of the new call by their word, or of their refusal."""

    session: InviteSession
    refer: SentRefer
    status: int
    final: bool


class InfoDigit(NamedTuple):
    """A key that they pressed, by INFO: one of `0-9 * # A-D`."""

    session: InviteSession
    digit: str


class InfoAnswered(NamedTuple):
    """The fate of an INFO of ours; `status` 0 or 408: nobody answered."""

    session: InviteSession
    status: int


class Notified(NamedTuple):
    """A NOTIFY to a subscription of ours; it has its answer already."""

    subscription: Subscription
    request: Request


SUMMARY = "message-summary"
"""The event package of waiting messages (RFC 3842), of which servers tell without being asked."""


class UnsolicitedNotify(NamedTuple):
    """A NOTIFY of it that nobody subscribed to: `incoming.respond` is wanted."""

    incoming: Incoming


class SubscriptionEnded(NamedTuple):
    """`status` of the refusal, 408 for silence, 0 for the notifier's own wish; `again_after`:
    seconds until another try makes sense, None: it does not."""

    subscription: Subscription
    status: int
    again_after: float | None


class MessageReceived(NamedTuple):
    """Text for the person (RFC 3428): `incoming.respond` is wanted. `session`: the call it came
    in, if it did."""

    session: InviteSession | None
    incoming: Incoming
    text: str


class MessageAnswered(NamedTuple):
    """The fate of a MESSAGE of ours, told with the name that it was given; `status` 0 or 408:
    nobody answered."""

    name: int
    status: int


class SeenElsewhere(NamedTuple):
    """Who is at `remote` sees us at another address than before: what it knows as our Contact
    leads nowhere any more."""

    transport: Transport
    remote: Address
    seen: Address


class Pinged(NamedTuple):
    """What came of an OPTIONS of ours: `sent` as it went out to `hop` (None: nothing did), and
    its final response (None: none came in time)."""

    name: str
    sent: Request
    hop: Hop | None
    response: Response | None


class LookupNeeded(NamedTuple):
    """Ask DNS (addresses: the system, so that its own names work) and tell `Endpoint.looked_up`."""

    question: Question


class Trace(NamedTuple):
    """One message as it went over the wire, not redacted: for the log."""

    sent: bool
    data: bytes
    hop: Hop


ServiceEvent = (
    ReferReceived
    | ReferProgress
    | InfoDigit
    | InfoAnswered
    | Notified
    | UnsolicitedNotify
    | SubscriptionEnded
    | MessageReceived
    | MessageAnswered
)
"""What goes on beside calls and registration (`sip.services`)."""

Event = (
    IncomingInvite
    | Provisional
    | Answered
    | Confirmed
    | AnswerReceived
    | OfferReceived
    | RefreshDue
    | ReinviteReceived
    | ReinviteConfirmed
    | ReinviteAnswered
    | ReinviteFailed
    | ReinviteRetryDue
    | SessionEnded
    | Registered
    | RegistrationFailed
    | Unregistered
    | SeenElsewhere
    | Pinged
    | LookupNeeded
    | Trace
    | ServiceEvent
)
