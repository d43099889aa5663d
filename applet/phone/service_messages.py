"""The vocabulary of `phone.messages` for what goes on beside calls: transfer, text, waiting
messages. It imports nothing of ours either."""

from __future__ import annotations

from applet.enums import Enum
from applet.value import NamedTuple


class TransferState(Enum):
    """The value is the word of the headless protocol.

    They pass us on: ASKED (the person has to confirm the address) -> FOLLOWING (the new call is
    under way) -> DONE or FAILED. We pass them on: SENT -> ACCEPTED -> RINGING -> DONE or FAILED.
    """

    ASKED = "asked"
    FOLLOWING = "following"
    SENT = "sent"
    ACCEPTED = "accepted"
    RINGING = "ringing"
    DONE = "done"
    FAILED = "failed"


# --- commands


class Transfer(NamedTuple):
    """Pass the other side of `call` on to `target`, or to the other side of the call `other`."""

    call: int
    target: str = ""
    other: int = 0


class ConfirmTransfer(NamedTuple):
    """The answer to TransferState.ASKED."""

    call: int
    yes: bool


class SendMessage(NamedTuple):
    """Send `text` to `uri`; empty means the support desk. `confirmed` as in `Dial`."""

    uri: str
    text: str
    confirmed: bool = False


# --- events


class TransferChanged(NamedTuple):
    """`peer` is the URI of whoever the call goes to. `other`: the call that goes on in the place
    of `call`, from FOLLOWING on; 0 while there is none, or when we passed them on."""

    call: int
    state: TransferState
    peer: str
    other: int = 0


class MessagesWaiting(NamedTuple):
    """What the mailbox holds: messages not yet heard, and heard ones."""

    new: int
    old: int


class TextReceived(NamedTuple):
    """`sender`: display name, may be empty. `text` is fit to be shown."""

    sender: str
    sender_uri: str
    text: str
