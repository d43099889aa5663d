"""From what a person types, clicks or is sent to the SIP URI that is called."""

import re

from applet.phone.emergency import is_emergency
from applet.phone.messages import Reason
from applet.sip.grammar import MessageError
from applet.sip.uri import OtherUri, SipUri, parse_uri

_SEPARATORS = re.compile(r"[\s().\-]")
_NUMBER = re.compile(r"\+?[0-9*#A-Da-d]+")


class RefusedError(ValueError):
    """The target is not called; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class DialPolicy:
    """What may be called: the desk always, other addresses when the brand allows them and the
    person has confirmed the address, emergency numbers only when the brand sends them."""

    __slots__ = ("_desk", "_emergency_allowed", "_emergency_numbers", "_other_addresses")

    def __init__(
        self,
        desk: SipUri | None,
        other_addresses: bool,
        emergency_allowed: bool,
        emergency_numbers: tuple[str, ...],
    ) -> None:
        self._desk = desk
        self._other_addresses = other_addresses
        self._emergency_allowed = emergency_allowed
        self._emergency_numbers = emergency_numbers

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
        live, for it.

        Raises RefusedError as `target` does.
        """
        try:
            return self.target(text, confirmed=False), False
        except RefusedError as error:
            if error.reason is not Reason.OTHER_ADDRESS_NOT_ALLOWED:
                raise
        target = self.target(text, confirmed=True)
        return target, self._desk is not None or target.host.lower() not in peers

    def _in_domain(self, uri: SipUri) -> bool:
        return self._desk is not None and uri.host.lower() == self._desk.host.lower()

    def _parse(self, text: str) -> SipUri:
        """A `sip:` or `tel:` URI, `user@host`, or a number at the desk's domain."""
        if ":" not in text.partition("@")[0] or text.lower().startswith("tel:"):
            number = _SEPARATORS.sub("", text[4:] if text.lower().startswith("tel:") else text)
            number = number.partition(";")[0]
            if _NUMBER.fullmatch(number):
                return self._at_desk(number)
            text = f"sip:{text}"
        try:
            uri = parse_uri(text)
        except MessageError as error:
            raise RefusedError(Reason.BAD_ADDRESS) from error
        if isinstance(uri, OtherUri) or not uri.host:
            raise RefusedError(Reason.BAD_ADDRESS)
        return uri._replace(headers="", password=None)

    def _at_desk(self, number: str) -> SipUri:
        if self._desk is None:
            if is_emergency(number, self._emergency_numbers) and not self._emergency_allowed:
                raise RefusedError(Reason.EMERGENCY_NOT_SENT)
            raise RefusedError(Reason.BAD_ADDRESS)
        return self._desk._replace(user=number.replace("#", "%23"))
