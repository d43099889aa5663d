"""What every request of theirs goes through first (RFC 3261 section 8.2), and what we can do."""

from __future__ import annotations

from functools import lru_cache

from applet.hints import TYPE_CHECKING
from applet.sip.extensions import RELIABLE, TIMER, Use, knows
from applet.sip.grammar import MessageError, clamped
from applet.sip.message import METHODS, Request, Response, check_request, salvaged
from applet.sip.multipart import MIXED, SDP, demands_more, description_in
from applet.sip.uri import SipUri

if TYPE_CHECKING:
    from applet.sip.core import EndpointConfig

Headers = tuple[tuple[str, str], ...]

METHODS_BUILT = (
    ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK", "UPDATE")
    + ("REFER", "NOTIFY", "SUBSCRIBE", "INFO", "MESSAGE")
)  # fmt: skip
ALLOW = ("Allow", ", ".join(METHODS_BUILT))
ACCEPT = ("Accept", f"{SDP}, {MIXED}")
_MAY_OFFER = ("INVITE", "PRACK", "UPDATE")
EXTENSIONS: tuple[str, ...] = ("replaces", "norefersub")
"""The option tags that we always understand."""
ALLOW_EVENTS = ("Allow-Events", "refer, message-summary")
"""The event packages that we understand, in either role (RFC 6665 section 8.2.2)."""
_BODIES = (
    (SDP, MIXED, "message/sipfrag", "application/simple-message-summary")
    + ("application/dtmf-relay", "application/dtmf", "text/plain")
)  # fmt: skip


def option_tags(config: EndpointConfig) -> tuple[str, ...]:
    """All that we understand."""
    optional = ((RELIABLE, config.reliable), (TIMER, config.session_timer))
    return (*EXTENSIONS, *(tag for tag, use in optional if use is not Use.OFF))


def supported(config: EndpointConfig) -> tuple[str, str]:
    return ("Supported", ", ".join(option_tags(config)))


@lru_cache(maxsize=8)
def insisted(config: EndpointConfig, offers: bool) -> Headers:
    """What a first INVITE of ours says of extensions. One without an offer does not ask for
    reliable provisional responses: the first of them would have to bring the offer, and PRACK our
    answer, before the person on the other side has picked up."""
    wanted = [(TIMER, config.session_timer)]
    if offers:
        wanted.append((RELIABLE, config.reliable))
    known = [*EXTENSIONS, *(tag for tag, use in wanted if use is not Use.OFF)]
    required = [tag for tag, use in wanted if use is Use.REQUIRED]
    lines: Headers = (("Supported", ", ".join(known)),)
    if required:
        lines += (("Require", ", ".join(required)),)
    if config.session_timer is not Use.OFF:
        lines += (("Session-Expires", str(config.session_expires)),)
    return lines


def why_not_acceptable(status: int) -> Headers:
    """Section 21.4.26: 488 and 606 should say what is wrong."""
    if status not in (488, 606):
        return ()
    return (("Warning", '305 call-support "Incompatible media format"'),)


def capabilities(config: EndpointConfig) -> Headers:
    """Section 11.2: what an answer to OPTIONS tells."""
    return (
        ALLOW,
        ("Accept", ", ".join(_BODIES)),
        ("Accept-Encoding", "identity"),
        ("Accept-Language", "en"),
        supported(config),
        ALLOW_EVENTS,
    )


class RefusedError(MessageError):
    """A request that is well formed and yet not to be served; `headers` go into the answer."""

    def __init__(self, status: int, headers: Headers = (), partial: Request | None = None) -> None:
        super().__init__("", status, partial)
        self.headers = headers


def inspect(request: Request, config: EndpointConfig) -> None:
    """Sections 8.2.1 to 8.2.3, in their order. Raises RefusedError, or MessageError (400), with
    `partial` set to what can be answered.

    An unknown method is refused before the rest of the request is looked at: nobody can say what
    it should look like (RFC 4475 section 3.1.2.18).
    """
    if request.method not in METHODS:
        raise RefusedError(501, (ALLOW,), salvaged(request))
    check_request(request)
    try:
        _inspect_readable(request, config)
    except RefusedError as refusal:
        refusal.partial = request
        raise


def _inspect_readable(request: Request, config: EndpointConfig) -> None:
    if request.method not in METHODS_BUILT:
        raise RefusedError(405, (ALLOW,))
    if not isinstance(request.uri, SipUri):
        raise RefusedError(416)
    if request.method == "INVITE" and request.to.tag is None:
        _check_user(request.uri, config)
    known = option_tags(config)
    unknown = [tag for tag in request.require if tag.lower() not in known]
    if unknown and request.method != "CANCEL":  # section 8.2.2.3: there it is ignored
        raise RefusedError(420, (("Unsupported", ", ".join(unknown)),))
    if request.method == "INVITE" and request.to.tag is None:
        _check_required(request, config)
        if too_short(request, config, config.min_se):
            raise RefusedError(422, (min_se(config),))
    if request.method in _MAY_OFFER:
        _check_content(request)
    if request.method != "INVITE" and request.header("Replaces") is not None:
        raise RefusedError(400)  # RFC 3891 section 3


def _check_user(uri: SipUri, config: EndpointConfig) -> None:
    """Whoever has no name is meant by every name."""
    if config.allow_any_user or not config.users:
        return
    if uri.user and uri.user_unescaped not in config.users:
        raise RefusedError(404)


def _check_required(request: Request, config: EndpointConfig) -> None:
    """Section 21.4.15: what we insist on has to be known to the caller."""
    wanted = ((RELIABLE, config.reliable), (TIMER, config.session_timer))
    for tag, use in wanted:
        if use is Use.REQUIRED and not knows(request, tag):
            raise RefusedError(421, (("Require", tag),))


def too_short(request: Request, config: EndpointConfig, shortest: int) -> bool:
    """RFC 4028 section 9: whether a session is refused for its interval, in seconds; only to
    whoever understands why."""
    words = (request.header("Session-Expires") or "").partition(";")[0]
    seconds = clamped(words, shortest)
    used = config.session_timer is not Use.OFF and TIMER in request.supported
    return used and seconds is not None and seconds < shortest


def min_se(config: EndpointConfig) -> tuple[str, str]:
    return ("Min-SE", str(config.min_se))


def _check_content(request: Request) -> None:
    """Section 8.2.3: a body that we cannot read is refused, unless it is optional."""
    accept = [value.partition(";")[0].strip().lower() for value in request.values("Accept")]
    if accept and not {SDP, "application/*", "*/*"} & set(accept):
        warning = ("Warning", '399 - "only session descriptions in SDP can be answered with"')
        raise RefusedError(406, (warning,))
    if not request.body:
        return
    kind = request.header("Content-Type") or ""
    if offer_in(request) is not None and not demands_more(kind, request.body):
        return
    if "handling=optional" not in (request.header("Content-Disposition") or "").lower():
        raise RefusedError(415, (ACCEPT, ("Accept-Encoding", "identity")))


def offer_in(message: Request | Response) -> bytes | None:
    """The session description that the body is or holds, if it can be read; else None."""
    encoding = (message.header("Content-Encoding") or "identity").strip().lower()
    if not message.body or encoding != "identity":
        return None
    return description_in(message.header("Content-Type") or "", message.body) or None
