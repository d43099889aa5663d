"""What is told of the way that calls take: each change once, and what a running call uses."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.nat.strategy import Way, plan, why
from applet.phone.messages import NatFound, NetworkChecked, Reason, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.nat.knowledge import Knowledge
    from applet.phone.outbox import Outbox


class WayNews:
    """Of one network, until `forget`. `in_call`: whether the person talks to somebody."""

    __slots__ = ("_in_call", "_looked", "_mode", "_outbox", "_told")

    def __init__(self, mode: str, outbox: Outbox, in_call: Callable[[], bool]) -> None:
        self._mode = mode
        self._outbox = outbox
        self._in_call = in_call
        self._told = ""
        self._looked = False

    def forget(self) -> None:
        """Another network."""
        self._told = ""
        self._looked = False

    def found(self, name: str, proof: str) -> None:
        """How the sound goes from now on."""
        self._told = name
        self._outbox.tell(NatFound(name, proof))

    def uses(self, known: Knowledge, way: Way) -> None:
        """A call goes this way."""
        if way.name != self._told:
            self.found(way.name, why(known, way, self._mode))

    def looked(self, known: Knowledge) -> None:
        """Enough is known to choose a way, or to choose another one. A running call goes as it was
        told; the next one tells what is better."""
        if not self._looked and known.asked.stun and known.mapped is None:
            self._outbox.tell(Trouble(0, Reason.STUN_FAILED, ""))
        self._looked = True
        chosen = plan(known, self._mode)
        if not self._told or (chosen.ways[0].name != self._told and not self._in_call()):
            self.found(chosen.ways[0].name, chosen.proof)

    def all(self, known: Knowledge) -> None:
        """All that is known, for who asks."""
        from applet.nat.report import findings

        complete = known.server_is_near or self._mode == "none" or known.complete
        self._outbox.tell(NetworkChecked(complete, findings(known, plan(known, self._mode))))
