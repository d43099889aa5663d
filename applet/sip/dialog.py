"""Dialogs (RFC 3261 section 12): what two user agents know of each other during a call."""

from __future__ import annotations

from applet.enums import Enum
from applet.sip.headers import ANY_CONTACT, NameAddr
from applet.sip.message import Message, Request, Response
from applet.sip.routing import routing
from applet.sip.session_table import OfferState
from applet.sip.uri import SipUri, Uri, is_secure, secured

DialogId = tuple[str, str, str]
"""Call-ID, our tag, their tag ("" for an RFC 2543 peer that has none)."""


class DialogState(Enum):
    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Dialog:
    """One dialog from our side. `secure`: a sips: URI began it, so its requests go over TLS even
    to somebody who then names a sip: one. `flow` is the connection on which the peer last spoke
    to us directly, if it was one. `offer_state` is that of the call in it; every early dialog of a
    fork has its own. `methods` are what the peer takes, as far as it has said so (Allow).
    """

    __slots__ = (
        "call_id",
        "flow",
        "local",
        "local_sequence",
        "methods",
        "offer_state",
        "remote",
        "remote_sequence",
        "remote_target",
        "route_set",
        "secure",
        "state",
    )

    def __init__(
        self,
        call_id: str,
        local: NameAddr,
        remote: NameAddr,
        *,
        local_sequence: int,
        remote_sequence: int | None,
        remote_target: Uri,
        route_set: tuple[NameAddr, ...],
        confirmed: bool = False,
        flow: int | None = None,
        secure: bool = False,
    ) -> None:
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self.local_sequence = local_sequence
        self.remote_sequence = remote_sequence
        self.remote_target = remote_target
        self.route_set = route_set
        self.state = DialogState.CONFIRMED if confirmed else DialogState.EARLY
        self.flow = flow
        self.secure = secure
        self.offer_state = OfferState.STABLE
        self.methods: frozenset[str] = frozenset()

    @classmethod
    def of_uac(cls, request: Request, response: Response) -> Dialog:
        """Section 12.1.2: the dialog that a response to our request begins."""
        dialog = cls(
            request.call_id,
            request.from_,
            response.to,
            local_sequence=request.cseq.number,
            remote_sequence=None,
            remote_target=_target(response, bool(response.record_routes)) or request.uri,
            route_set=tuple(reversed(response.record_routes)),
            confirmed=response.status >= 200,
            secure=is_secure(request.uri),
        )
        dialog.note_methods(response)
        return dialog

    @classmethod
    def of_uas(cls, request: Request, local_tag: str, first_sequence: int) -> Dialog:
        """Section 12.1.1: the dialog that our response to their request begins. Our own requests
        in it are numbered from `first_sequence`."""
        dialog = cls(
            request.call_id,
            request.to.with_tag(local_tag),
            request.from_,
            local_sequence=first_sequence - 1,
            remote_sequence=request.cseq.number,
            remote_target=_target(request, bool(request.record_routes)) or request.from_.uri,
            route_set=request.record_routes,
            secure=is_secure(request.uri),
        )
        dialog.note_methods(request)
        return dialog

    @property
    def id(self) -> DialogId:
        return (self.call_id, self.local.tag or "", self.remote.tag or "")

    def confirm(self, response: Response | None = None) -> None:
        """A 2xx was sent, or came: the early dialog becomes a confirmed one, and its route set
        and remote target are those of the 2xx (section 13.2.2.4)."""
        self.state = DialogState.CONFIRMED
        if response is not None:
            self.route_set = tuple(reversed(response.record_routes))
            self.refresh_target(response)

    def terminate(self) -> None:
        self.state = DialogState.TERMINATED

    def refresh_target(self, message: Message) -> None:
        """INVITE, UPDATE and their 2xx may move the other end (section 12.2)."""
        target = _target(message, bool(self.route_set))
        if target is not None:
            self.remote_target = target
        self.note_methods(message)

    def note_methods(self, message: Message) -> None:
        allowed = message.values("Allow")
        if allowed:
            self.methods = frozenset(method.upper() for method in allowed)

    def accept_sequence(self, number: int) -> bool:
        """Section 12.2.2: False for a request that is older than one we have seen; 500."""
        if self.remote_sequence is not None and number <= self.remote_sequence:
            return False
        self.remote_sequence = number
        return True

    def next_sequence(self) -> int:
        self.local_sequence += 1
        return self.local_sequence

    def request(
        self,
        method: str,
        sequence: int,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Request:
        """Section 12.2.1.1: a request inside the dialog, without Via."""
        uri, routes = routing(self.remote_target, self.route_set)
        lines = [
            ("Max-Forwards", "70"),
            *[("Route", str(route)) for route in routes],
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.call_id),
            ("CSeq", f"{sequence} {method}"),
            *headers,
        ]
        return Request(method, uri, lines, body)

    @property
    def next_hop(self) -> Uri:
        """The URI from which the next hop is found (section 8.1.2)."""
        uri = self.route_set[0].uri if self.route_set else self.remote_target
        return secured(uri) if self.secure else uri


def _target(message: Message, routed: bool) -> Uri | None:
    """The URI of Contact, without what must not stand in a Request-URI. `Contact: *` says nothing
    here; a URI that is no SIP one leads somewhere only by a route (`routed`)."""
    for contact in message.contacts:
        if isinstance(contact.uri, SipUri):
            return contact.uri.address_only()
        if routed and contact != ANY_CONTACT:
            return contact.uri
    return None
