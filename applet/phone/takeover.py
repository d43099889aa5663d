"""An INVITE with Replaces takes over a call of ours (RFC 3891): the attended transfer as its target
sees it, and pick-up.

It is let in only if its sender is entitled to the dialog (section 3). Nobody but its participants
and who they told knows the tags; besides that, the INVITE must come from where the old call comes
from, or from our own server, or name the other side of the old call as the one who sent it
(Referred-By, RFC 3892).
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.phone.messages import TransferChanged, TransferState
from applet.phone.transfer_in import take_place
from applet.sip.grammar import MessageError
from applet.sip.headers import NameAddr
from applet.sip.uri import SipUri

if TYPE_CHECKING:
    from applet.phone.call import Call
    from applet.phone.outbox import Outbox
    from applet.phone.servers import Servers
    from applet.sip.invite import InviteSession


class Takeover:
    """`new` is to be answered at once and then stands for `old`."""

    __slots__ = ("_outbox", "new", "old", "over")

    def __init__(self, old: Call, new: Call, outbox: Outbox) -> None:
        self.old = old
        self.new = new
        self.over = False
        self._outbox = outbox
        self._tell(TransferState.FOLLOWING)

    def settle(self, now: float) -> None:
        if self.new.talking:
            self.over = True
            take_place(self.old, self.new, now)
            self._tell(TransferState.DONE)
            self.old.pass_on(now)
        elif not self.new.live:
            self.over = True  # it could not be: the old call goes on
            self._tell(TransferState.FAILED)

    def _tell(self, state: TransferState) -> None:
        old, new = self.old.number, self.new
        self._outbox.tell(TransferChanged(old, state, new.peer, new.number))


def is_entitled(session: InviteSession, replaced: InviteSession, servers: Servers) -> bool:
    """Whether who sends `session`'s INVITE may take over `replaced`."""
    old, new = replaced.remote_address, session.remote_address
    assert old is not None and new is not None  # messages went to and fro
    if servers.include(new.host) or old.host == new.host:
        return True
    try:
        sent_by = NameAddr.parse(session.request.header("Referred-By") or "").uri
    except MessageError:
        return False
    participant = replaced.remote.uri
    return (
        isinstance(sent_by, SipUri)
        and isinstance(participant, SipUri)
        and (sent_by.user_unescaped, sent_by.host.lower())
        == (participant.user_unescaped, participant.host.lower())
    )
