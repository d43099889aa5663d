"""The four transactions as tables (RFC 3261 section 17 with figures 5-8, corrected by RFC 6026).

Theory of operation. A transaction is one request with its responses, on one hop. It hides the
losses of the network from the user above it (the UAC or UAS core): it repeats what it sent until
it is answered, and absorbs what the other side repeats. Each of the four is a table
`(state, input) -> (next state, actions)` that reads like the RFC's figure, and a list of the
timers that run in each state. Entering a state stops the timers that do not run in it and starts
those that do and were not running. That is all; `transaction` carries the actions out.

A pair that is not in the table changes nothing: what the network sends out of turn is ignored.
If it came from our own user (a second final response), it is a `LocalProtocolError`.

    INVITE client, figure 5 and RFC 6026       other client, figure 6
    Calling -> Proceeding -> Accepted (2xx)    Trying -> Proceeding -> Completed
                          -> Completed (else)
    INVITE server, figure 7 and RFC 6026       other server, figure 8
    Proceeding -> Accepted (2xx)               Trying -> Proceeding -> Completed
               -> Completed -> Confirmed (else)

On a reliable transport nothing is repeated (A, E, G) and nothing needs absorbing (D, I, J, K are
zero: such a state is left as soon as it is entered). B, F and H are the 64*T1 after which the
other side counts as gone; L and M keep an accepted INVITE for 64*T1, so that repeated INVITEs
and repeated or forked 2xx find their transaction (RFC 6026 section 7).
"""

from __future__ import annotations

from applet.enums import Enum
from applet.sip.timers import T1, T2, T4


class State(Enum):
    CALLING = "Calling"
    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    ACCEPTED = "Accepted"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    TERMINATED = "Terminated"


class Input(Enum):
    """What can happen: a message from the network (responses, at a server: from our user), a
    timer, or the transport's word that nothing can be sent."""

    REQUEST = "request again"
    ACK = "ACK"
    R1XX = "1xx"
    R2XX = "2xx"
    R3XX = "300-699"
    TIMER_100 = "100"
    TIMER_A = "A"
    TIMER_B = "B"
    TIMER_D = "D"
    TIMER_E = "E"
    TIMER_F = "F"
    TIMER_G = "G"
    TIMER_H = "H"
    TIMER_I = "I"
    TIMER_J = "J"
    TIMER_K = "K"
    TIMER_L = "L"
    TIMER_M = "M"
    ERROR = "transport error"


class Action(Enum):
    SEND = "send the request, or the newest response"
    SEND_100 = "send 100"
    SEND_ACK = "send ACK"
    PASS = "pass to the user"
    TIMEOUT = "tell the user: timeout"
    FAILURE = "tell the user: transport error"


_S, _I, _A = State, Input, Action
Table = dict[tuple[State, Input], tuple[State, tuple[Action, ...]]]
StateTimers = dict[State, tuple[Input, ...]]

INVITE_CLIENT: Table = {
    (_S.CALLING, _I.TIMER_A): (_S.CALLING, (_A.SEND,)),
    (_S.CALLING, _I.TIMER_B): (_S.TERMINATED, (_A.TIMEOUT,)),
    (_S.CALLING, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.CALLING, _I.R1XX): (_S.PROCEEDING, (_A.PASS,)),
    (_S.CALLING, _I.R2XX): (_S.ACCEPTED, (_A.PASS,)),
    (_S.CALLING, _I.R3XX): (_S.COMPLETED, (_A.SEND_ACK, _A.PASS)),
    (_S.PROCEEDING, _I.R1XX): (_S.PROCEEDING, (_A.PASS,)),
    (_S.PROCEEDING, _I.R2XX): (_S.ACCEPTED, (_A.PASS,)),
    (_S.PROCEEDING, _I.R3XX): (_S.COMPLETED, (_A.SEND_ACK, _A.PASS)),
    (_S.ACCEPTED, _I.R2XX): (_S.ACCEPTED, (_A.PASS,)),
    (_S.ACCEPTED, _I.TIMER_M): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.R3XX): (_S.COMPLETED, (_A.SEND_ACK,)),
    (_S.COMPLETED, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.COMPLETED, _I.TIMER_D): (_S.TERMINATED, ()),
}
INVITE_CLIENT_TIMERS: StateTimers = {
    _S.CALLING: (_I.TIMER_A, _I.TIMER_B),
    _S.ACCEPTED: (_I.TIMER_M,),
    _S.COMPLETED: (_I.TIMER_D,),
}

OTHER_CLIENT: Table = {
    (_S.TRYING, _I.TIMER_E): (_S.TRYING, (_A.SEND,)),
    (_S.TRYING, _I.TIMER_F): (_S.TERMINATED, (_A.TIMEOUT,)),
    (_S.TRYING, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.TRYING, _I.R1XX): (_S.PROCEEDING, (_A.PASS,)),
    (_S.TRYING, _I.R2XX): (_S.COMPLETED, (_A.PASS,)),
    (_S.TRYING, _I.R3XX): (_S.COMPLETED, (_A.PASS,)),
    (_S.PROCEEDING, _I.TIMER_E): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.TIMER_F): (_S.TERMINATED, (_A.TIMEOUT,)),
    (_S.PROCEEDING, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.PROCEEDING, _I.R1XX): (_S.PROCEEDING, (_A.PASS,)),
    (_S.PROCEEDING, _I.R2XX): (_S.COMPLETED, (_A.PASS,)),
    (_S.PROCEEDING, _I.R3XX): (_S.COMPLETED, (_A.PASS,)),
    (_S.COMPLETED, _I.TIMER_K): (_S.TERMINATED, ()),
}
OTHER_CLIENT_TIMERS: StateTimers = {
    _S.TRYING: (_I.TIMER_E, _I.TIMER_F),
    _S.PROCEEDING: (_I.TIMER_E, _I.TIMER_F),
    _S.COMPLETED: (_I.TIMER_K,),
}

# RFC 6026 section 7.1: a transport error never ends an INVITE server transaction, so that
# repeated INVITEs are not taken for new ones; the user is told and the timers end it. That the
# ACK to a refusal never came (timer H) is not told: the user has done with that INVITE.
INVITE_SERVER: Table = {
    (_S.PROCEEDING, _I.REQUEST): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.TIMER_100): (_S.PROCEEDING, (_A.SEND_100,)),
    (_S.PROCEEDING, _I.R1XX): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.R2XX): (_S.ACCEPTED, (_A.SEND,)),
    (_S.PROCEEDING, _I.R3XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _I.ERROR): (_S.PROCEEDING, (_A.FAILURE,)),
    (_S.ACCEPTED, _I.REQUEST): (_S.ACCEPTED, ()),
    (_S.ACCEPTED, _I.ACK): (_S.ACCEPTED, (_A.PASS,)),
    (_S.ACCEPTED, _I.R2XX): (_S.ACCEPTED, (_A.SEND,)),
    (_S.ACCEPTED, _I.ERROR): (_S.ACCEPTED, (_A.FAILURE,)),
    (_S.ACCEPTED, _I.TIMER_L): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.REQUEST): (_S.COMPLETED, (_A.SEND,)),
    (_S.COMPLETED, _I.TIMER_G): (_S.COMPLETED, (_A.SEND,)),
    (_S.COMPLETED, _I.ERROR): (_S.COMPLETED, (_A.FAILURE,)),
    (_S.COMPLETED, _I.TIMER_H): (_S.TERMINATED, ()),
    (_S.COMPLETED, _I.ACK): (_S.CONFIRMED, ()),
    (_S.CONFIRMED, _I.TIMER_I): (_S.TERMINATED, ()),
}
INVITE_SERVER_TIMERS: StateTimers = {
    _S.PROCEEDING: (_I.TIMER_100,),
    _S.ACCEPTED: (_I.TIMER_L,),
    _S.COMPLETED: (_I.TIMER_G, _I.TIMER_H),
    _S.CONFIRMED: (_I.TIMER_I,),
}

OTHER_SERVER: Table = {
    (_S.TRYING, _I.R1XX): (_S.PROCEEDING, (_A.SEND,)),
    (_S.TRYING, _I.R2XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.TRYING, _I.R3XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _I.REQUEST): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.R1XX): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _I.R2XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _I.R3XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.COMPLETED, _I.REQUEST): (_S.COMPLETED, (_A.SEND,)),
    (_S.COMPLETED, _I.ERROR): (_S.TERMINATED, (_A.FAILURE,)),
    (_S.COMPLETED, _I.TIMER_J): (_S.TERMINATED, ()),
}
OTHER_SERVER_TIMERS: StateTimers = {_S.COMPLETED: (_I.TIMER_J,)}

DURATION = {
    _I.TIMER_100: 0.2,  # section 17.2.1: unless the user answers within 200 ms
    _I.TIMER_A: T1,
    _I.TIMER_B: 64 * T1,
    _I.TIMER_D: 64 * T1,
    _I.TIMER_E: T1,
    _I.TIMER_F: 64 * T1,
    _I.TIMER_G: T1,
    _I.TIMER_H: 64 * T1,
    _I.TIMER_I: T4,
    _I.TIMER_J: 64 * T1,
    _I.TIMER_K: T4,
    _I.TIMER_L: 64 * T1,
    _I.TIMER_M: 64 * T1,
}
LONGEST = {_I.TIMER_A: 64 * T1, _I.TIMER_E: T2, _I.TIMER_G: T2}
"""The timers that start again, with twice the interval each time, and where that stops."""
ZERO_IF_RELIABLE = frozenset({_I.TIMER_D, _I.TIMER_I, _I.TIMER_J, _I.TIMER_K})

INVITE_CLIENT_TABLES = (INVITE_CLIENT, INVITE_CLIENT_TIMERS)
OTHER_CLIENT_TABLES = (OTHER_CLIENT, OTHER_CLIENT_TIMERS)
INVITE_SERVER_TABLES = (INVITE_SERVER, INVITE_SERVER_TIMERS)
OTHER_SERVER_TABLES = (OTHER_SERVER, OTHER_SERVER_TIMERS)
