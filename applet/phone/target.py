"""From what a person types, clicks or is sent to the SIP URI that is called."""

from __future__ import annotations

from applet.pattern import pattern
from applet.phone.emergency import is_emergency
from applet.phone.messages import Reason
from applet.sip.grammar import MessageError
from applet.sip.hop import Transport
from applet.sip.uri import OtherUri, SipUri, is_secure, parse_uri

_SEPARATORS = pattern(r"[\s().\-]")
_NUMBER = pattern(r"\+?[0-9*#A-Da-d]+")


class RefusedError(ValueError):
    """The target is not called; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class DialPolicy:
    """What may be called: the desk always, other addresses when the brand allows them and the
    person has confirmed the address, emergency numbers only when the brand sends them."""

    __slots__ = (
        "_desk",
        "_emergency_allowed",
        "_emergency_numbers",
        "_other_addresses",
        "_transport",
    )

    def __init__(
        self,
        desk: SipUri | None,
        other_addresses: bool,
        emergency_allowed: bool,
        emergency_numbers: tuple[str, ...],
        transport: Transport | None = None,
    ) -> None:
        """`transport` is taken to a URI that names none; None: DNS decides."""
        self._desk = desk
        self._other_addresses = other_addresses
        self._emergency_allowed = emergency_allowed
        self._emergency_numbers = emergency_numbers
        self._transport = transport

    def target(self, text: str, confirmed: bool) -> SipUri:
        """The URI to call for `text`; empty means the desk.

        Raises RefusedError with BAD_ADDRESS, EMERGENCY_NOT_SENT or OTHER_ADDRESS_NOT_ALLOWED.
        """
        if not text.strip():
            if self._desk is None:
                raise RefusedError(Reason.BAD_ADDRESS)
            uri = self._desk
        else:
            uri = self._parse(text.strip())
        if not self._emergency_allowed and is_emergency(
            uri.user_unescaped, self._emergency_numbers
        ):
            raise RefusedError(Reason.EMERGENCY_NOT_SENT)
        if not self._in_domain(uri) and not (self._other_addresses and confirmed):
            raise RefusedError(Reason.OTHER_ADDRESS_NOT_ALLOWED)
        return uri

    def referred(self, text: str, peers: tuple[str, ...]) -> tuple[SipUri, bool]:
        """The URI to call because the other side of a call asks for it, and whether the person
        must confirm it first: all but what is in the desk's domain. A phone that has no desk, and
        may call others at all, takes the hosts `peers`, at which that other side is known to
        live, for it. Nobody leads us past the host that the address names, or to an open line.

        Raises RefusedError as `target` does.
        """
        try:
            return self.target(text, confirmed=False), False
        except RefusedError as error:
            if error.reason is not Reason.OTHER_ADDRESS_NOT_ALLOWED:
                raise
        target = self.target(text, confirmed=True)
        known = target.host.lower() in peers and not target.has_param("maddr")
        return target, self._desk is not None or not known

    def as_good(self, uri: SipUri, known: SipUri) -> bool:
        """Whether `uri` leads to where `known` does, and over no less safe a line."""
        return leads_to(uri, known) and self._safety(uri) >= self._safety(known)

    def _in_domain(self, uri: SipUri) -> bool:
        return self._desk is not None and self.as_good(uri, self._desk)

    def _safety(self, uri: SipUri) -> int:
        """2: TLS all the way; 1: TLS as far as the next server; 0: anything."""
        if is_secure(uri):
            return 2
        named = uri.param("transport")
        return int(self._transport is Transport.TLS if named is None else named.lower() == "tls")

    def _parse(self, text: str) -> SipUri:
        """A `sip:` or `tel:` URI, `user@host`, or a number at the desk's domain."""
        bare = False
        if ":" not in text.partition("@")[0] or text.lower().startswith("tel:"):
            number = _SEPARATORS.sub("", text[4:] if text.lower().startswith("tel:") else text)
            number = number.partition(";")[0]
            if _NUMBER.fullmatch(number):
                return self._at_desk(number)
            text, bare = f"sip:{text}", True
        try:
            uri = parse_uri(text)
        except MessageError as error:
            raise RefusedError(Reason.BAD_ADDRESS) from error
        if isinstance(uri, OtherUri) or not uri.host:
            raise RefusedError(Reason.BAD_ADDRESS)
        if uri.headers or uri.password is not None:
            uri = uri._replace(headers="", password=None)
        return self._as_the_desk(uri, bare)

    def _as_the_desk(self, uri: SipUri, bare: bool) -> SipUri:
        """An address at the desk's host goes there over TLS as the desk does, where it leaves that
        open: it was `bare`, without a scheme, or names no transport."""
        desk = self._desk
        if desk is None or not leads_to(uri, desk):
            return uri
        if bare:
            uri = uri._replace(scheme=desk.scheme)
        if self._safety(uri) < self._safety(desk) == 1 and not uri.has_param("transport"):
            return uri._replace(params=(*uri.params, ("transport", "tls")))
        return uri

    def _at_desk(self, number: str) -> SipUri:
        if self._desk is None:
            if is_emergency(number, self._emergency_numbers) and not self._emergency_allowed:
                raise RefusedError(Reason.EMERGENCY_NOT_SENT)
            raise RefusedError(Reason.BAD_ADDRESS)
        return self._desk._replace(user=number.replace("#", "%23"))


def leads_to(uri: SipUri, known: SipUri) -> bool:
    """Whether `uri` is at the host of `known`, and no parameter sends it elsewhere (`maddr`, RFC
    3261 section 19.1.1)."""
    direct = not uri.has_param("maddr") or uri.params == known.params
    return direct and uri.host.lower() == known.host.lower()
