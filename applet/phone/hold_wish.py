"""What our hold wants a description to say, in a way that the server takes.

`Hold` is the state; here is its wording: a style out of `HoldMemory`, another one when it is
refused, and none of them for a desk that holds with music.
"""

from __future__ import annotations

from applet.phone.hold import Hold, HoldInput, HoldMemory, HoldState, HoldStyle
from applet.sdp.offer_answer import Direction

_STYLED = {
    HoldStyle.INACTIVE: (Direction.INACTIVE, False),
    HoldStyle.SENDONLY: (Direction.SENDONLY, False),
    HoldStyle.ZERO_ADDRESS: (Direction.SENDRECV, True),
}


class HoldWish:
    """`state` is our hold of one call."""

    __slots__ = ("_memory", "_refused", "_style", "_with_music", "state")

    def __init__(self, memory: HoldMemory) -> None:
        self.state = Hold()
        self._memory = memory
        self._style = HoldStyle.INACTIVE
        self._refused: list[HoldStyle] = []
        self._with_music = False

    @property
    def silences(self) -> bool:
        """Whether microphone and loudspeaker have to be silent."""
        return self.state.silent and not self._with_music

    @property
    def words(self) -> tuple[Direction, bool]:
        """The direction to offer, and whether to hide our address behind 0.0.0.0."""
        if not self.state.wanted:
            return Direction.SENDRECV, False
        return (Direction.SENDONLY, False) if self._with_music else _STYLED[self._style]

    def hold(self, with_music: bool, server: str) -> bool:
        """Hold was pressed; False if that changes nothing."""
        if not self.state.feed(HoldInput.HOLD):
            return False
        self._with_music = with_music
        self._style = self._memory.style(server)
        self._refused.clear()
        return True

    def resume(self) -> bool:
        return self.state.feed(HoldInput.RESUME)

    def accepted(self, server: str) -> None:
        if self.state.wanted and not self._with_music:
            self._memory.worked(server, self._style)
        self.state.feed(HoldInput.ACCEPTED)

    def try_another(self, ipv6: bool) -> bool:
        """A hold was refused: whether there is another way to say it."""
        if self.state.state is not HoldState.HOLDING or self._with_music:
            return False
        self._refused.append(self._style)
        style = HoldStyle.after(self._refused, ipv6)
        if style is not None:
            self._style = style
        return style is not None
