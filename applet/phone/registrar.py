"""Our binding at the registrar, if the phone has one."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import Registered, RegistrationFailed, Unregistered
from applet.sip import events as sip

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.phone.account import Account
    from applet.phone.outbox import Outbox
    from applet.sip.registration import Registration


class Registrar:
    """The person is told when the phone is registered and when it is not any more, not of each
    refresh and of each attempt in between. `begin` makes the registration and sends the first
    REGISTER; it needs a registrar in the account. `steer` sends it to where the server answers."""

    __slots__ = (
        "_account",
        "_again",
        "_begin",
        "_outbox",
        "_registration",
        "_steer",
        "_told",
    )

    def __init__(
        self,
        account: Account,
        begin: Callable[[float], Registration],
        steer: Callable[[Registration, float], None],
        outbox: Outbox,
    ) -> None:
        self._account = account
        self._begin = begin
        self._steer = steer
        self._outbox = outbox
        self._registration: Registration | None = None
        self._told: Registered | RegistrationFailed | None = None
        self._again = False

    def register(self, now: float) -> None:
        """Also while it waits for another attempt: now. Who is just leaving leaves first."""
        registration = self._registration
        self._again = registration is not None and registration.leaving
        if registration is not None:
            if not registration.leaving and not isinstance(self._told, Registered):
                self._told = None
                registration.register(now)
        else:
            self._registration = self._begin(now)

    def move(self, now: float) -> None:
        """The network is another one: whoever calls us must know."""
        if self._registration is not None:
            self._registration.move(now)

    def reroute(self, now: float) -> None:
        """The server answers elsewhere than expected."""
        if self._registration is not None:
            self._steer(self._registration, now)

    def check_address(self, now: float) -> None:
        """More may be known of our own address."""
        if self._registration is not None:
            self._registration.check_address(now)

    def unregister(self, now: float) -> None:
        self._again = False
        if self._registration is not None:
            self._registration.unregister(now)

    def happened(
        self, event: sip.Registered | sip.RegistrationFailed | sip.Unregistered, now: float
    ) -> None:
        registrar = str(self._account.registrar)
        match event:
            case sip.Registered(service_route=route):
                self._account.service_route = route
                self._tell(Registered(registrar))
            case sip.RegistrationFailed(by=by, status=status):
                from applet.phone.reasons import NOT_ANSWERED, reason_for_status  # on a bad day

                reason = NOT_ANSWERED.get(by) or reason_for_status(status)
                self._tell(RegistrationFailed(status, reason))
            case _:  # Unregistered
                self._registration = None
                self._told = None
                self._account.service_route = ()
                self._outbox.tell(Unregistered(registrar))
                if self._again:
                    self.register(now)

    def _tell(self, news: Registered | RegistrationFailed) -> None:
        if type(news) is not type(self._told) or news != self._told:
            self._told = news
            self._outbox.tell(news)
