"""What a call out tries one after the other, and no more often than a person would: the address
that was dialled, where a 3xx says the desk has gone (RFC 3261 section 8.1.3.4), and each of them
once more with a plainer offer when the first was not acceptable (488, 606)."""

from __future__ import annotations

from collections.abc import Callable

from applet.hints import TYPE_CHECKING
from applet.phone.messages import Reason
from applet.phone.target import DialPolicy, RefusedError
from applet.sip.events import EndedBy, SessionEnded
from applet.sip.grammar import MessageError
from applet.sip.headers import NameAddr
from applet.sip.invite import InviteSession
from applet.sip.uri import SipUri

if TYPE_CHECKING:
    from applet.sip.message import Message

MOST = 5
"""Addresses that are tried because a 3xx names them."""
_FOLLOWED = (300, 301, 302)
_NOT_ACCEPTABLE = (488, 606)
_NOT_SENT = (EndedBy.TIMEOUT, EndedBy.TRANSPORT, EndedBy.LOOKUP)

Place = Callable[[SipUri, bytes, float], InviteSession]
"""Sends an INVITE with this offer."""


class Attempts:
    """`ask`: an address outside the desk's domain that a 3xx named; it is called only when the
    person has seen and confirmed it."""

    __slots__ = ("_left", "_place", "_plain", "_policy", "_seen", "_waiting", "ask", "target")

    def __init__(self, target: SipUri, policy: DialPolicy, place: Place) -> None:
        self.target = target
        self.ask: SipUri | None = None
        self._policy = policy
        self._place = place
        self._plain = False
        self._left = MOST
        self._seen = {target}
        self._waiting: list[SipUri] = []

    def send(self, offer: bytes, now: float) -> InviteSession:
        return self._place(self.target, offer, now)

    def wants_plainer(self, event: SessionEnded) -> bool:
        """Whether the same address may take a plainer offer; asked once."""
        if self._plain or event.by is not EndedBy.REMOTE or event.status not in _NOT_ACCEPTABLE:
            return False
        self._plain = True
        return True

    def next_target(self, event: SessionEnded) -> bool:
        """After an INVITE that failed: whether there is another `target` to try. Who was refused
        for good (6xx) is not looked for elsewhere."""
        if event.by is EndedBy.REMOTE and event.status in _FOLLOWED and event.message is not None:
            self._waiting = self._followed(event.message) + self._waiting
        elif event.status >= 600 or not (event.by is EndedBy.REMOTE or event.by in _NOT_SENT):
            return False
        if not self._waiting or not self._left:
            return False
        self._left -= 1
        self.target = self._waiting.pop(0)
        return True

    def _followed(self, message: Message) -> list[SipUri]:
        """The addresses that may be called, the most wanted first; none twice."""
        found = []
        for contact in sorted(_contacts(message), key=_wanted, reverse=True):
            uri = self._judged(contact)
            if uri is not None and uri not in self._seen:
                self._seen.add(uri)
                found.append(uri)
        return found[:MOST]

    def _judged(self, contact: NameAddr) -> SipUri | None:
        """An address at the host that was dialled is as good as that; another one has to be the
        desk's, or the person is to be asked. A secure call is not led to an open line."""
        uri = contact.uri
        if not isinstance(uri, SipUri) or (self.target.scheme, uri.scheme) == ("sips", "sip"):
            return None
        as_good = self._policy.as_good(uri, self.target)
        try:
            return self._policy.target(str(uri), confirmed=as_good)
        except RefusedError as error:
            if error.reason is Reason.OTHER_ADDRESS_NOT_ALLOWED and self.ask is None:
                self.ask = self._askable(uri)
            return None

    def _askable(self, uri: SipUri) -> SipUri | None:
        try:
            return self._policy.target(str(uri), confirmed=True)
        except RefusedError:
            return None


def _contacts(message: Message) -> list[NameAddr]:
    """Those that can be read, and no more than anybody needs."""
    found = []
    for value in message.values("Contact")[: 4 * MOST]:
        try:
            found.append(NameAddr.parse(value))
        except MessageError:
            continue
    return found


def _wanted(contact: NameAddr) -> float:
    """Its `q` (section 20.10), 0 to 1."""
    try:
        return min(1.0, max(0.0, float(contact.param("q") or 1)))
    except ValueError:
        return 0.0
