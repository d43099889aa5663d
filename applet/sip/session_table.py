"""The states of an INVITE session (RFC 3261 sections 9, 13 and 15), as a table for both roles.

    caller   Idle -> Calling -> Proceeding -> Early -> Confirmed -> Terminating -> Ended
                          \\___________|__________/
                                 Cancelling -> Ended
    called             Proceeding -> Early -> Confirmed -> Terminating -> Ended

Idle lasts while the host's name is looked up. Proceeding: they know of our INVITE (100), or we
have theirs. Early: 101-199 with a tag, an early dialog. Confirmed: 2xx. Cancelling: hung up before
the final answer; what follows is no longer told to anybody. Terminating: BYE waits for its answer
(or, for the called side, for the ACK that must come before it, section 15).

A pair that is missing is ignored if it comes from the network, and a `LocalProtocolError` if it
is a verb of ours.
"""

from __future__ import annotations

from applet.enums import Enum


class SessionState(Enum):
    IDLE = "idle"
    CALLING = "calling"
    PROCEEDING = "proceeding"
    EARLY = "early"
    CONFIRMED = "confirmed"
    CANCELLING = "cancelling"
    TERMINATING = "terminating"
    ENDED = "ended"


class OfferState(Enum):
    """Whose offer is open (RFC 3264 section 4): a new one may be made in Stable only."""

    STABLE = "stable"
    LOCAL_OFFER = "local_offer"
    REMOTE_OFFER = "remote_offer"


class Step(Enum):
    """What moves a session. SENT, EARLY, ACCEPTED and REFUSED mean the same in both roles: the
    INVITE, 101-199, 2xx and 300-699 (or none at all) went one way or the other."""

    SENT = "INVITE sent"
    TRYING = "100"
    EARLY = "101-199"
    ACCEPTED = "2xx"
    REFUSED = "300-699, CANCEL or no answer"
    GIVE_UP = "hung up before the answer"
    BYE = "BYE sent, or waiting for ACK"
    OVER = "BYE received, or ours answered"


_S, _E = SessionState, Step

NEXT: dict[tuple[SessionState, Step], SessionState] = {
    (_S.IDLE, _E.SENT): _S.CALLING,
    (_S.IDLE, _E.REFUSED): _S.ENDED,
    (_S.CALLING, _E.TRYING): _S.PROCEEDING,
    (_S.CALLING, _E.EARLY): _S.EARLY,
    (_S.CALLING, _E.ACCEPTED): _S.CONFIRMED,
    (_S.CALLING, _E.REFUSED): _S.ENDED,
    (_S.CALLING, _E.GIVE_UP): _S.CANCELLING,
    (_S.PROCEEDING, _E.EARLY): _S.EARLY,
    (_S.PROCEEDING, _E.ACCEPTED): _S.CONFIRMED,
    (_S.PROCEEDING, _E.REFUSED): _S.ENDED,
    (_S.PROCEEDING, _E.GIVE_UP): _S.CANCELLING,
    (_S.EARLY, _E.EARLY): _S.EARLY,
    (_S.EARLY, _E.ACCEPTED): _S.CONFIRMED,
    (_S.EARLY, _E.REFUSED): _S.ENDED,
    (_S.EARLY, _E.GIVE_UP): _S.CANCELLING,
    (_S.EARLY, _E.OVER): _S.ENDED,
    (_S.CONFIRMED, _E.BYE): _S.TERMINATING,
    (_S.CONFIRMED, _E.OVER): _S.ENDED,
    (_S.CANCELLING, _E.ACCEPTED): _S.ENDED,
    (_S.CANCELLING, _E.REFUSED): _S.ENDED,
    (_S.TERMINATING, _E.OVER): _S.ENDED,
}
