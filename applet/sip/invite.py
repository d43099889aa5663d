"""A session set up by INVITE (RFC 3261 sections 13, 14, 15), in both roles."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from applet.address import Address

if TYPE_CHECKING:
    from applet.sip.headers import NameAddr
    from applet.sip.message import Request


class SessionState(Enum):
    IDLE = "idle"  # the host's name is being looked up
    CALLING = "calling"  # INVITE sent, nothing heard
    PROCEEDING = "proceeding"  # they know (or: we know) of the INVITE, no dialog yet
    EARLY = "early"  # an early dialog: 180, 183
    CONFIRMED = "confirmed"  # 2xx
    CANCELLING = "cancelling"  # hung up before the final answer
    TERMINATING = "terminating"  # BYE is under way
    ENDED = "ended"


class OfferState(Enum):
    """Whose offer is open (RFC 3264 section 4)."""

    STABLE = "stable"
    LOCAL_OFFER = "local_offer"
    REMOTE_OFFER = "remote_offer"


class InviteSession:
    """One call's signalling; made by `Endpoint.invite` or told by `IncomingInvite`.

    Verbs raise `LocalProtocolError` in a state in which they make no sense, except `hang_up`,
    which is right in every state.
    """

    id: int
    state: SessionState
    offer_state: OfferState
    outgoing: bool
    call_id: str
    request: Request  # the INVITE that began it, ours or theirs
    local: NameAddr
    remote: NameAddr

    @property
    def remote_address(self) -> Address | None:
        """Where the signalling goes to or came from, as far as it is known."""

    @property
    def can_reinvite(self) -> bool:
        """Confirmed, and no INVITE is open in either direction (RFC 3261 section 14.1)."""

    def ring(self, now: float) -> None:
        """Send 180 (incoming, before the answer)."""

    def progress(self, status: int, body: bytes | None, now: float) -> None:
        """Send another provisional response, 101-199, with a body for early media."""

    def answer(self, body: bytes, now: float) -> None:
        """Send 200 with our answer (or our offer, if the INVITE had none)."""

    def reject(
        self,
        status: int,
        now: float,
        reason: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Refuse an incoming call with 300-699. `SessionEnded` follows."""

    def hang_up(self, now: float) -> None:
        """CANCEL, BYE or 603, as the state wants; `SessionEnded` follows at once."""

    def acknowledge(self, body: bytes | None, now: float) -> None:
        """Send the ACK with our answer, after our offerless INVITE or re-INVITE was answered."""

    def reinvite(self, body: bytes | None, now: float) -> None:
        """Offer anew inside the session (None: ask for their offer)."""

    def answer_reinvite(self, body: bytes, now: float) -> None:
        """200 to their re-INVITE, with our answer, or our offer if it had none."""

    def reject_reinvite(
        self, status: int, now: float, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Refuse their re-INVITE; the session goes on as before."""
