"""What every request of ours outside a dialog looks like (RFC 3261 section 8.1.1)."""

from __future__ import annotations

from applet.sip.authenticator import Authenticator
from applet.sip.core import Core
from applet.sip.dialog import routing
from applet.sip.digest import Credentials
from applet.sip.headers import NameAddr
from applet.sip.message import Request
from applet.sip.uri import SipUri, Uri


def first_request(
    method: str,
    uri: SipUri,
    to: Uri,
    local: NameAddr,
    route: tuple[SipUri, ...],
    core: Core,
    lines: list[tuple[str, str]],
) -> Request:
    """Without Via and Contact."""
    address = to.address_only() if isinstance(to, SipUri) else to
    request_uri, routes = routing(uri, tuple(NameAddr("", hop) for hop in route))
    headers = [
        ("Max-Forwards", "70"),
        *[("Route", str(hop)) for hop in routes],
        ("From", str(local.with_tag(core.new_tag()))),
        ("To", str(NameAddr("", address))),
        ("Call-ID", core.new_call_id()),
        ("CSeq", f"{core.new_sequence()} {method}"),
        *lines,
    ]
    return Request(method, request_uri, headers)


def authenticator(credentials: Credentials | None, core: Core) -> Authenticator | None:
    return None if credentials is None else Authenticator(credentials, core.random)
