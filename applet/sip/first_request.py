"""What every request of ours outside a dialog looks like (RFC 3261 section 8.1.1), and who sends
it."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.authenticator import Authenticator
from applet.sip.client_request import Way
from applet.sip.headers import CSeq, NameAddr
from applet.sip.message import Request
from applet.sip.routing import routing
from applet.sip.uri import SipUri, Uri
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.sip.core import Core
    from applet.sip.digest import Credentials
    from applet.sip.hop import Transport


class Sender(NamedTuple):
    """Who sends a request, and by which way. `local` is From; `contact_user` the user part of
    Contact, where there is one; `route` a pre-loaded route set (an outbound proxy). `credentials`
    answer a challenge. `transport` is used where the URI of the next hop names none."""

    local: NameAddr
    contact_user: str
    route: tuple[SipUri, ...] = ()
    credentials: Credentials | None = None
    transport: Transport | None = None

    def way(self, target: SipUri) -> Way:
        return Way(self.route[0] if self.route else target, self.transport)

    def authenticator(self, core: Core) -> Authenticator | None:
        return None if self.credentials is None else Authenticator(self.credentials, core.random)


def first_request(
    method: str,
    uri: SipUri,
    to: Uri,
    sender: Sender,
    core: Core,
    lines: list[tuple[str, str]],
    body: bytes = b"",
) -> Request:
    """Without Via and Contact. What we write ourselves need not be read again."""
    name, address, params = sender.local
    local = NameAddr(name, address, (*params, ("tag", core.new_tag())))
    remote = NameAddr("", to.address_only() if isinstance(to, SipUri) else to)
    call_id, cseq = core.new_call_id(), CSeq(core.new_sequence(), method)
    request_uri, routes = routing(uri, tuple(NameAddr("", hop) for hop in sender.route))
    headers = [
        ("Max-Forwards", "70"),
        *[("Route", str(hop)) for hop in routes],
        ("From", str(local)),
        ("To", str(remote)),
        ("Call-ID", call_id),
        ("CSeq", str(cseq)),
        *lines,
    ]
    request = Request(method, request_uri, headers, body)
    request.from_, request.to, request.call_id, request.cseq = local, remote, call_id, cseq
    return request
