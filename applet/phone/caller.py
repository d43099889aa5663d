"""Who calls, as far as it may be believed (RFC 3325, and Remote-Party-ID, its forerunner), and
what a caller wishes our phone to do by itself (RFC 5373, and what is in use beside it).

Diversion and History-Info tell of other people's phones; nothing here looks at them.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.words import plain
from applet.sip.grammar import MessageError, find_param
from applet.sip.headers import NameAddr
from applet.sip.uri import OtherUri, SipUri

if TYPE_CHECKING:
    from applet.sip.message import Request

_PRIVATE = ("id", "user", "header")
_AT_ONCE = ("auto", "auto answer", "auto-answer", "alert-autoanswer", "autoanswer", "intercom")
_NAME = 60


def shown_caller(request: Request, trusted: bool) -> NameAddr:
    """From, or what the server asserts in its place when the INVITE comes from a server that is
    `trusted`: anybody may write these headers. A caller who wishes to stay unknown does."""
    asserted = _asserted(request) or _remote_party(request) if trusted else None
    caller = asserted or request.from_
    return caller._replace(display=plain(caller.display, _NAME))


def _asserted(request: Request) -> NameAddr | None:
    """The SIP URI of P-Asserted-Identity rather than its tel URI (RFC 3325 section 9.1)."""
    privacy = ";".join(request.lines("Privacy")).lower().split(";")
    if any(wish.strip() in _PRIVATE for wish in privacy):
        return None
    named = [_name_addr(value) for value in request.values("P-Asserted-Identity")]
    usable = [one for one in named if one is not None and _has_person(one)]
    usable.sort(key=lambda one: isinstance(one.uri, OtherUri))
    return usable[0] if usable else None


def _remote_party(request: Request) -> NameAddr | None:
    for value in request.lines("Remote-Party-ID"):
        found = _name_addr(value)
        if found is None or not _has_person(found):
            continue
        party = (find_param(found.params, "party") or "calling").lower()
        privacy = (find_param(found.params, "privacy") or "off").lower()
        if party == "calling" and privacy == "off":
            return found._replace(params=())
    return None


def _has_person(one: NameAddr) -> bool:
    """A SIP URI or a telephone number, not anything else that has the form of a URI."""
    return isinstance(one.uri, SipUri) or one.uri.scheme == "tel"


def _name_addr(text: str) -> NameAddr | None:
    try:
        return NameAddr.parse(text.strip())
    except MessageError:
        return None


def wants_auto_answer(request: Request) -> bool:
    """Whether the caller wishes that this phone picks up by itself: Answer-Mode and
    Priv-Answer-Mode (RFC 5373), Call-Info and Alert-Info as phones and exchanges use them."""
    modes = [*request.lines("Answer-Mode"), *request.lines("Priv-Answer-Mode")]
    if any(mode.partition(";")[0].strip().lower() == "auto" for mode in modes):
        return True
    if any("answer-after" in value.lower() for value in request.lines("Call-Info")):
        return True
    for value in request.lines("Alert-Info"):
        info = value.partition("info=")[2].partition(";")[0] if "info=" in value else value
        if info.strip(' <>"').lower() in _AT_ONCE:
            return True
    return False
