"""Our binding at the registrar, if the phone has one."""

from applet.phone.messages import Registered, RegistrationFailed, Unregistered
from applet.phone.outbox import Outbox
from applet.phone.reasons import NOT_ANSWERED, reason_for_status
from applet.sip import events as sip
from applet.sip.registration import Registration
from applet.sip.uri import SipUri


class Registrar:
    """`uri` None: the phone works without one. `registration` is set by who sends REGISTER."""

    __slots__ = ("_outbox", "registration", "uri")

    def __init__(self, uri: SipUri | None, outbox: Outbox) -> None:
        self.uri = uri
        self.registration: Registration | None = None
        self._outbox = outbox

    @property
    def active(self) -> bool:
        return self.registration is not None

    def unregister(self, now: float) -> None:
        if self.registration is not None:
            self.registration.unregister(now)

    def happened(self, event: sip.Registered | sip.RegistrationFailed | sip.Unregistered) -> None:
        match event:
            case sip.Registered():
                self._outbox.tell(Registered(str(self.uri)))
            case sip.RegistrationFailed(by=by, status=status):
                self.registration = None
                reason = NOT_ANSWERED.get(by) or reason_for_status(status)
                self._outbox.tell(RegistrationFailed(status, reason))
            case _:  # Unregistered
                self.registration = None
                self._outbox.tell(Unregistered(str(self.uri)))
