"""A registration, kept up until it is not wanted any more (RFC 3261 section 10.2).

Refreshed before it expires; tried again after a failure, later each time (RFC 5626 section 4.5);
made anew when the connection it went over is gone, or when our address turns out to be another
one. The states are in `registration_table`.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sip.client_request import ClientRequest, Way
from applet.sip.events import EndedBy, Registered, RegistrationFailed, Unregistered
from applet.sip.grammar import MAX_SECONDS, MessageError, clamped
from applet.sip.headers import NameAddr
from applet.sip.registration_table import NEXT, RegistrationState, Step
from applet.sip.uri import SipUri, is_secure
from applet.token_bucket import TokenBucket

if TYPE_CHECKING:
    from applet.address import Address
    from applet.sip.authenticator import Authenticator
    from applet.sip.core import Core
    from applet.sip.hop import Hop
    from applet.sip.message import Request, Response

__all__ = ["Registration", "RegistrationState"]

REFRESH_AHEAD = 600.0
"""Seconds before the end of a long binding; a short one is refreshed at half its time."""
SHORTEST_REFRESH = 5.0
RECONNECT_WITHIN = 2.0
"""Seconds: where a connection broke that stood until now, the first attempt comes soon."""
FIRST_RETRY = 30.0
LONGEST_RETRY = 1800.0
"""Seconds, doubled for each failure in a row up to the longest, and less by up to a half, so that
not all phones come back at once (RFC 5626 section 4.5)."""
LONGEST_EXPIRES = 7 * 24 * 3600
"""Seconds that we let a registrar's Min-Expires ask of us."""
MOST_TURNS = 3
"""How often in a row a registrar may send us elsewhere, or want another expiry or Contact."""
MOST_ROUTES = 8
ADDRESSES_AT_ONCE = 4
ADDRESS_EVERY = 20.0
"""So many new addresses of ours are bound within a round trip, as after a router's restart; where
each answer shows another one, one in so many seconds."""
_PASSING = (408, 480, 503, 504, 500, 502)
"""Refusals that tell of a trouble and not of a decision."""


class Registration:
    """One binding of our Contact to an address of record; made by `Endpoint.register`. All its
    requests share a Call-ID, and their CSeq counts on (section 10.2). `leaving`: it is not wanted
    any more."""

    __slots__ = (
        "_addresses",
        "_authenticator",
        "_bound",
        "_client",
        "_contact_user",
        "_core",
        "_expires",
        "_failures",
        "_refresh_in",
        "_request",
        "_retry_in",
        "_sequence",
        "_turns",
        "_way",
        "leaving",
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
        self.leaving = False
        self._failures = 0
        self._turns = 0
        self._refresh_in = 0.0
        self._retry_in = 0.0
        self._addresses = TokenBucket(ADDRESSES_AT_ONCE, ADDRESS_EVERY)
        self._bound: SipUri | None = None
        self._client: ClientRequest | None = None

    @property
    def server(self) -> Address | None:
        """Where the last REGISTER went; None before that is known."""
        hop = None if self._client is None else self._client.hop
        return None if hop is None else hop.address

    # --- verbs

    def register(self, now: float) -> None:
        """Ask for the binding, or refresh it, now; `Registered` or `RegistrationFailed` follows,
        each time that something is decided."""
        self.leaving = False
        self._turns = 0
        self._step(Step.WANTED, now)

    def unregister(self, now: float) -> None:
        """Take the binding away; `Unregistered` follows. While it is still being asked for, this
        waits for the answer (section 10.2: one REGISTER at a time)."""
        self.leaving = True
        self._step(Step.UNWANTED, now)

    def move(self, now: float) -> None:
        """The network is another one: register from there at once. What is under way in the old
        one will not be answered."""
        if self.leaving:
            return
        if self.state in (RegistrationState.REGISTERING, RegistrationState.REFRESHING):
            assert self._client is not None  # it was begun
            self._client.forget(now)
            self._send(self._expires, now)
        else:
            self._step(Step.WANTED, now)

    def reroute(self, uri: SipUri, now: float) -> None:
        """The first server on the way answers at `uri`, and not where REGISTERs went until now."""
        if uri == self._way.uri:
            return
        first, *rest = self._request.values("Route") or [""]
        if first:
            self._request = self._request.with_header("Route", ", ".join([f"<{uri}>", *rest]))
        self._way = self._way._replace(uri=uri)
        self.move(now)

    def check_address(self, now: float) -> None:
        """Our address may have turned out to be another one: then that is to be bound, at once or,
        if this goes on and on, soon."""
        hop = None if self._client is None else self._client.hop
        if self.leaving or hop is None or self._bound in (None, self._contact(hop)):
            return
        if (self.state, Step.WANTED) not in NEXT:
            return  # a REGISTER is under way: its answer will show it
        if self._addresses.take(now):
            self._step(Step.WANTED, now)
        else:
            self._core.timers.set(self, "look", self._addresses.next())

    # --- the table

    def _step(self, step: Step, now: float) -> None:
        state = NEXT.get((self.state, step))
        if state is None:
            return
        self.state = state
        for name in ("due", "look"):
            self._core.timers.cancel(self, name)
        match state:
            case RegistrationState.REGISTERING | RegistrationState.REFRESHING:
                self._send(self._expires, now)
            case RegistrationState.REGISTERED:
                self._core.timers.set(self, "due", now + self._refresh_in)
            case RegistrationState.WAITING:
                self._core.timers.set(self, "due", now + self._retry_in)
            case RegistrationState.UNREGISTERING if self._bound is not None:
                self._send(0, now)
            case _:  # nothing is bound, or not any more
                self.state = RegistrationState.UNREGISTERED
                self._core.keep_alive.release(self)
                self._core.emit(Unregistered(self))

    def handle_timer(self, name: str, now: float) -> None:
        """Time for a refresh, for another attempt, or to look again where we are."""
        self._turns = 0
        if name == "look":
            self.check_address(now)
        else:
            self._step(Step.DUE, now)

    def on_flow_lost(self, now: float) -> None:
        """Who wants to reach us cannot any more."""
        self._retry_in = self._less(RECONNECT_WITHIN)
        self._step(Step.FLOW_LOST, now)

    # --- REGISTER

    def _send(self, expires: int, now: float) -> None:
        request = self._request.with_header("CSeq", f"{self._sequence} REGISTER")
        request = request.with_header("Expires", str(expires))
        if self._authenticator is not None:
            request = self._authenticator.in_advance(request)
        write = self._write_contact if expires else self._write_bound
        self._client = ClientRequest(
            self._core, request, self._way, self, self._authenticator, write_contact=write
        )
        self._sequence += 1
        self._client.start(now)

    def _contact(self, hop: Hop) -> SipUri:
        secure = is_secure(self._request.uri)
        return self._core.transport.contact(self._contact_user, hop, secure)

    def _write_contact(self, hop: Hop) -> str:
        """Where we are reached; and no longer where we were reached before."""
        contact = self._contact(hop)
        if self._bound is None or self._bound == contact:
            return f"<{contact}>"
        return f"<{contact}>, <{self._bound}>;expires=0"

    def _write_bound(self, hop: Hop) -> str:
        return f"<{self._bound}>"

    def _turn(self, now: float) -> bool:
        """Ask again at once in another way; False when that was done too often in a row."""
        self._turns += 1
        if self._turns > MOST_TURNS or self.leaving:
            return False
        self._send(self._expires, now)
        return True

    # --- from the request (RequestUser)

    def next_sequence(self) -> int:
        number = self._sequence
        self._sequence += 1
        return number

    def on_sent(self, now: float) -> None:
        assert self._client is not None and self._client.hop is not None  # it was sent
        self._core.keep_alive.keep(self, self._client.hop, now, called_over=True)

    def on_provisional(self, response: Response, now: float) -> None:
        """A registrar that takes its time."""

    def on_final(self, response: Response, now: float) -> None:
        if self.state is RegistrationState.UNREGISTERING:
            self._step(Step.GRANTED, now)
        elif response.status < 300:
            self._granted(response, now)
        elif not (self._asks_for_more(response) or self._redirects(response)) or not (
            self._turn(now)
        ):
            self._failed(EndedBy.REMOTE, response, now)

    def on_failed(self, by: EndedBy, now: float) -> None:
        if self.state is RegistrationState.UNREGISTERING:
            self._step(Step.FAILED, now)
        else:
            self._failed(by, None, now)

    # --- granted

    def _granted(self, response: Response, now: float) -> None:
        assert self._client is not None and self._client.hop is not None  # it was answered
        contact = self._client.sent.contacts[0].uri
        assert isinstance(contact, SipUri)  # we wrote it
        expires = self._time_granted(response, contact)
        if self._authenticator is not None:
            self._authenticator.note_next(response)
        self._bound = contact
        self._failures = 0
        elsewhere = self._contact(self._client.hop) != contact
        if elsewhere and not self.leaving and self._addresses.take(now):
            self._send(self._expires, now)
            return  # their answer shows where we are reached in truth: that is to be bound
        long = expires >= 2 * REFRESH_AHEAD
        ahead = REFRESH_AHEAD if long else expires / 2
        self._refresh_in = max(expires - ahead, SHORTEST_REFRESH)
        self._step(Step.GRANTED, now)
        routes = _service_route(response)
        self._core.emit(Registered(self, expires, str(contact), routes))
        if self.leaving:
            self._step(Step.UNWANTED, now)
        else:
            self.check_address(now)

    def _time_granted(self, response: Response, contact: SipUri) -> int:
        """Section 10.2.4: `expires` of our own Contact in the 2xx, else Expires, else what we
        asked for. There may be Contacts of other phones."""
        for binding in response.contacts:
            if contact.matches(binding.uri):
                granted = clamped(binding.param("expires") or "", MAX_SECONDS)
                if granted is not None:
                    return granted
        return self._expires if response.expires is None else response.expires

    # --- not granted

    def _asks_for_more(self, response: Response) -> bool:
        """423: section 10.2.8."""
        least = clamped(response.header("Min-Expires") or "", MAX_SECONDS)
        if response.status != 423 or least is None:
            return False
        if not self._expires < least <= LONGEST_EXPIRES:
            return False
        self._expires = least
        return True

    def _redirects(self, response: Response) -> bool:
        """3xx to another server of the same domain; our password is for nobody else."""
        if not 300 <= response.status < 400:
            return False
        for binding in response.contacts:
            uri = binding.uri
            if isinstance(uri, SipUri) and self._is_of_our_domain(uri):
                there = uri.address_only()._replace(user="", password=None)
                self._request = self._request.replaced(uri=there)
                self._way = self._way._replace(uri=there)
                return True
        return False

    def _is_of_our_domain(self, uri: SipUri) -> bool:
        asked = self._request.uri
        assert isinstance(asked, SipUri)  # a registrar has a SIP URI
        domain, host = asked.host.lower(), uri.host.lower()
        safe = is_secure(uri) or not is_secure(asked)
        return safe and (host == domain or host.endswith(f".{domain}"))

    def _failed(self, by: EndedBy, response: Response | None, now: float) -> None:
        status, reason, pause = 408 if by is EndedBy.TIMEOUT else 0, "", 0
        passing = by in (EndedBy.TIMEOUT, EndedBy.TRANSPORT, EndedBy.LOOKUP)
        if response is not None:
            status, reason, pause = response.status, response.reason, response.retry_after or 0
            passing = status in _PASSING or pause > 0
            if self._authenticator is not None and not passing:
                self._authenticator.last = {}  # they may have been what was refused
        self._retry_in = self._time_to_wait(passing, pause)
        self._step(Step.FAILED, now)
        self._core.emit(RegistrationFailed(self, by, status, reason, self._retry_in))
        if self.leaving:
            self._step(Step.UNWANTED, now)

    def _time_to_wait(self, passing: bool, pause: float) -> float:
        """RFC 5626 section 4.5. Who has decided against us is asked again very seldom."""
        if not passing:
            return self._less(LONGEST_RETRY)
        wait = min(FIRST_RETRY * 2 ** min(self._failures, 10), LONGEST_RETRY)
        self._failures += 1
        return max(self._less(wait), min(pause, LONGEST_RETRY))

    def _less(self, wait: float) -> float:
        return wait * (0.5 + 0.5 * self._core.random.random())


def _service_route(response: Response) -> tuple[NameAddr, ...]:
    """RFC 3608: the way that requests of ours are to take from now on; none if it cannot be
    followed."""
    try:
        routes = [NameAddr.parse(value) for value in response.values("Service-Route")]
    except MessageError:
        return ()
    usable = all(isinstance(r.uri, SipUri) and r.uri.has_param("lr") for r in routes)
    return tuple(routes) if usable and len(routes) <= MOST_ROUTES else ()
