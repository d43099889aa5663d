"""Which URI a request names, and by which servers it goes (RFC 3261 sections 8.1.2, 12.2.1.1)."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.headers import NameAddr
from applet.sip.uri import SipUri

if TYPE_CHECKING:
    from applet.sip.uri import Uri


def routing(target: Uri, route_set: tuple[NameAddr, ...]) -> tuple[Uri, tuple[NameAddr, ...]]:
    """Request-URI and Route. A first route without `lr` is a strict router: it wants to find itself
    in the Request-URI, and the target at the end of Route."""
    if not route_set:
        return target, ()
    first = route_set[0].uri
    if not isinstance(first, SipUri) or first.has_param("lr"):
        return target, route_set
    return first.address_only(), (*route_set[1:], NameAddr("", target))
