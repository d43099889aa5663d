"""Our own hold as a table; the other side's hold is independent of it (RFC 3264 section 8.4).

    Active --hold--> Holding --accepted--> Held --resume--> Resuming --accepted--> Active

Silence does not wait for the network: microphone and loudspeaker are silent in every state but
Active. A refused hold stays Held, so that nobody is heard by surprise, until the person resumes;
a refused resume goes back to Held. A pair missing from the table changes nothing.

How it is said differs from server to server: `HoldStyle` has the ways in the order in which they
are tried, and `HoldMemory` what a server has taken before.
"""

from __future__ import annotations

from collections import OrderedDict

from applet.enums import Enum

_SERVERS = 64


class HoldStyle(Enum):
    """In every one of them the microphone is silent. The last is RFC 2543's and has no meaning in
    IPv6."""

    INACTIVE = "inactive"
    SENDONLY = "sendonly"
    ZERO_ADDRESS = "0.0.0.0"

    @staticmethod
    def after(refused: list[HoldStyle], ipv6: bool) -> HoldStyle | None:
        """What to try when these were refused; None: there is nothing left."""
        for style in HoldStyle:
            if style not in refused and not (ipv6 and style is HoldStyle.ZERO_ADDRESS):
                return style
        return None


class HoldMemory:
    """Which style each server (a domain or an address) has taken: of the 64 that were used last."""

    __slots__ = ("_styles",)

    def __init__(self) -> None:
        self._styles: OrderedDict[str, HoldStyle] = OrderedDict()

    def style(self, server: str) -> HoldStyle:
        return self._styles.get(server, HoldStyle.INACTIVE)

    def worked(self, server: str, style: HoldStyle) -> None:
        self._styles[server] = style
        self._styles.move_to_end(server)
        if len(self._styles) > _SERVERS:
            self._styles.popitem(last=False)


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
