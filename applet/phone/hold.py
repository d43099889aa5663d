"""Our own hold as a table; the other side's hold is independent of it (RFC 3264 section 8.4).

    Active --hold--> Holding --accepted--> Held --resume--> Resuming --accepted--> Active

Silence does not wait for the network: microphone and loudspeaker are silent in every state but
Active. A refused hold stays Held, so that nobody is heard by surprise, until the person resumes;
a refused resume goes back to Held. A pair missing from the table changes nothing.
"""

from enum import Enum


class HoldState(Enum):
    ACTIVE = "active"
    HOLDING = "holding"
    HELD = "held"
    RESUMING = "resuming"


class HoldInput(Enum):
    HOLD = "hold"
    RESUME = "resume"
    ACCEPTED = "accepted"
    REFUSED = "refused"


_TABLE = {
    (HoldState.ACTIVE, HoldInput.HOLD): HoldState.HOLDING,
    (HoldState.HOLDING, HoldInput.ACCEPTED): HoldState.HELD,
    (HoldState.HOLDING, HoldInput.REFUSED): HoldState.HELD,
    (HoldState.HOLDING, HoldInput.RESUME): HoldState.RESUMING,
    (HoldState.HELD, HoldInput.RESUME): HoldState.RESUMING,
    (HoldState.RESUMING, HoldInput.ACCEPTED): HoldState.ACTIVE,
    (HoldState.RESUMING, HoldInput.REFUSED): HoldState.HELD,
    (HoldState.RESUMING, HoldInput.HOLD): HoldState.HOLDING,
}


class Hold:
    """Our hold of one call."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = HoldState.ACTIVE

    def feed(self, given: HoldInput) -> bool:
        """Move along the table; False if nothing changed."""
        after = _TABLE.get((self.state, given))
        if after is None:
            return False
        self.state = after
        return True

    @property
    def wanted(self) -> bool:
        """Whether the person wants the call held."""
        return self.state in (HoldState.HOLDING, HoldState.HELD)

    @property
    def silent(self) -> bool:
        """Whether microphone and loudspeaker must be silent."""
        return self.state is not HoldState.ACTIVE

    @property
    def pending(self) -> bool:
        """Whether the other side has still to agree."""
        return self.state in (HoldState.HOLDING, HoldState.RESUMING)
