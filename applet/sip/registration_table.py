"""The states of a registration (RFC 3261 section 10.2, RFC 5626 section 4.5), as a table.

    Unregistered -> Registering -> Registered <-> Refreshing
                        |   ^          |             |
                        v   |          v             v
                       Waiting <-- flow lost      Waiting
    and from everywhere Unregistering -> Unregistered

Entering a state does its work: Registering and Refreshing send REGISTER, Registered sets the time
of the next one, Waiting that of another attempt, Unregistering takes the binding away. A pair that
is missing changes nothing.
"""

from __future__ import annotations

from applet.enums import Enum


class RegistrationState(Enum):
    UNREGISTERED = "unregistered"
    REGISTERING = "registering"
    REGISTERED = "registered"
    REFRESHING = "refreshing"
    WAITING = "waiting"
    UNREGISTERING = "unregistering"


class Step(Enum):
    WANTED = "it is wanted, or wanted now"
    GRANTED = "2xx"
    FAILED = "a refusal, or no answer"
    DUE = "the time has come"
    FLOW_LOST = "the connection it went over is gone"
    UNWANTED = "it is not wanted any more"


_S, _T = RegistrationState, Step

NEXT: dict[tuple[RegistrationState, Step], RegistrationState] = {
    (_S.UNREGISTERED, _T.WANTED): _S.REGISTERING,
    (_S.REGISTERING, _T.GRANTED): _S.REGISTERED,
    (_S.REGISTERING, _T.FAILED): _S.WAITING,
    (_S.REGISTERED, _T.DUE): _S.REFRESHING,
    (_S.REGISTERED, _T.WANTED): _S.REFRESHING,
    (_S.REGISTERED, _T.FLOW_LOST): _S.WAITING,
    (_S.REGISTERED, _T.UNWANTED): _S.UNREGISTERING,
    (_S.REFRESHING, _T.GRANTED): _S.REGISTERED,
    (_S.REFRESHING, _T.FAILED): _S.WAITING,
    (_S.WAITING, _T.DUE): _S.REGISTERING,
    (_S.WAITING, _T.WANTED): _S.REGISTERING,
    (_S.WAITING, _T.UNWANTED): _S.UNREGISTERING,
    (_S.UNREGISTERING, _T.GRANTED): _S.UNREGISTERED,
    (_S.UNREGISTERING, _T.FAILED): _S.UNREGISTERED,
}
