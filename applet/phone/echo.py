"""What the answer to our OPTIONS says of the way: read from two SIP messages for `nat.alg`."""

from __future__ import annotations

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.nat.alg import Answered
from applet.sip.grammar import MessageError
from applet.sip.parser import parse
from applet.sip.uri import SipUri

if TYPE_CHECKING:
    from applet.sip.message import Request, Response


def what_came_back(sent: Request, response: Response) -> Answered:
    """What the answer's topmost Via and an echo of our request tell."""
    ours, theirs = sent.top_via, response.top_via
    changed, echoed = _echoed(sent, response)
    return Answered(
        sent=Address(ours.host, ours.port or 0),
        via=Address(theirs.host, theirs.port or 0),
        received=theirs.received,
        rport=theirs.rport,
        changed=changed,
        echoed=echoed,
    )


def _echoed(sent: Request, response: Response) -> tuple[tuple[str, ...], str]:
    """Which of our headers the server saw changed, if it returns the request (RFC 3420)."""
    if response.content_type != "message/sipfrag":
        return (), ""
    try:
        got = parse(response.body)
        via = got.top_via
        contact = got.contacts[0].uri if got.contacts else None
    except MessageError:
        return (), ""
    changed = []
    if (via.host, via.port) != (sent.top_via.host, sent.top_via.port):
        changed.append("Via")
    if contact is not None and contact != sent.contacts[0].uri:
        changed.append("Contact")
    return tuple(changed), contact.host if isinstance(contact, SipUri) else ""
