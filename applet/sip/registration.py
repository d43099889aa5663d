"""A plain registration: REGISTER and un-REGISTER (RFC 3261 section 10.2)."""

from __future__ import annotations

from enum import Enum

from applet.sip.authenticator import Authenticator
from applet.sip.client_request import ClientRequest, Way
from applet.sip.core import Core
from applet.sip.events import EndedBy, Registered, RegistrationFailed, Unregistered
from applet.sip.grammar import MAX_SECONDS, clamped
from applet.sip.message import Request, Response
from applet.sip.uri import SipUri


class RegistrationState(Enum):
    UNREGISTERED = "unregistered"
    REGISTERING = "registering"
    REGISTERED = "registered"
    UNREGISTERING = "unregistering"


class Registration:
    """One binding of our Contact to an address of record; made by `Endpoint.register`. All its
    requests share a Call-ID, and their CSeq counts on (section 10.2)."""

    __slots__ = (
        "_authenticator",
        "_client",
        "_contact_user",
        "_core",
        "_expires",
        "_leaving",
        "_request",
        "_sequence",
        "_way",
        "state",
    )

    def __init__(
        self,
        core: Core,
        request: Request,
        way: Way,
        *,
        contact_user: str,
        expires: int,
        authenticator: Authenticator | None,
    ) -> None:
        """`request` has neither Via nor Contact nor Expires."""
        self.state = RegistrationState.UNREGISTERED
        self._core = core
        self._request = request
        self._way = way
        self._contact_user = contact_user
        self._expires = expires
        self._authenticator = authenticator
        self._sequence = request.cseq.number
        self._leaving = False
        self._client: ClientRequest | None = None

    def register(self, now: float) -> None:
        """Ask for the binding; `Registered` or `RegistrationFailed` follows."""
        self.state = RegistrationState.REGISTERING
        self._send(self._expires, now)

    def unregister(self, now: float) -> None:
        """Take the binding away; `Unregistered` follows. While it is still being asked for, this
        waits for the answer (section 10.2: one REGISTER at a time)."""
        if self.state is RegistrationState.REGISTERING:
            self._leaving = True
        elif self.state is RegistrationState.REGISTERED:
            self.state = RegistrationState.UNREGISTERING
            self._send(0, now)

    def _send(self, expires: int, now: float) -> None:
        request = self._request.with_header("CSeq", f"{self._sequence} REGISTER")
        request = request.with_header("Expires", str(expires))
        self._client = ClientRequest(
            self._core, request, self._way, self, self._authenticator, self._contact_user
        )
        self._sequence += 1
        self._client.start(now)

    # --- from the request (RequestUser)

    def next_sequence(self) -> int:
        number = self._sequence
        self._sequence += 1
        return number

    def on_sent(self, now: float) -> None:
        """Nothing changes by it."""

    def on_provisional(self, response: Response, now: float) -> None:
        """A registrar that takes its time."""

    def on_final(self, response: Response, now: float) -> None:
        if self.state is RegistrationState.UNREGISTERING:
            self._gone()
        elif response.status >= 300:
            self._failed(EndedBy.REMOTE, response.status, response.reason)
        else:
            self.state = RegistrationState.REGISTERED
            contact = self._own_contact()
            self._core.emit(Registered(self, self._granted(response, contact), str(contact)))
            if self._leaving:
                self.unregister(now)

    def on_failed(self, by: EndedBy, now: float) -> None:
        if self.state is RegistrationState.UNREGISTERING:
            self._gone()
        else:
            self._failed(by, 408 if by is EndedBy.TIMEOUT else 0, "")

    def _gone(self) -> None:
        self.state = RegistrationState.UNREGISTERED
        self._core.emit(Unregistered(self))

    def _failed(self, by: EndedBy, status: int, reason: str) -> None:
        self.state = RegistrationState.UNREGISTERED
        self._core.emit(RegistrationFailed(self, by, status, reason))

    def _own_contact(self) -> SipUri:
        assert self._client is not None  # it was answered, so it was sent
        uri = self._client.sent.contacts[0].uri
        assert isinstance(uri, SipUri)
        return uri

    def _granted(self, response: Response, contact: SipUri) -> int:
        """Section 10.2.4: `expires` of our own Contact in the 2xx, else Expires, else what we
        asked for."""
        for binding in response.contacts:
            if contact.matches(binding.uri):
                granted = clamped(binding.param("expires") or "", MAX_SECONDS)
                if granted is not None:
                    return granted
        return self._expires if response.expires is None else response.expires
