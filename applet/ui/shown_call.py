"""One call as the screen knows it, and the one sentence that is true of it now."""

from __future__ import annotations

from applet.phone.messages import (
    CallState,
    CallStateChanged,
    HeldBy,
    HoldChanged,
    MediaChanged,
    Reason,
    Statistics,
)
from applet.ui.strings import Say, Sentence, Speaker
from applet.ui.view import Icon, Tone
from applet.value import NamedTuple

_TALKING = (CallState.CONNECTED, CallState.ON_HOLD)
_ON_PURPOSE = (
    Reason.NONE,
    Reason.HUNG_UP_HERE,
    Reason.HUNG_UP_THERE,
    Reason.CANCELLED_HERE,
    Reason.CALLER_GAVE_UP,
    Reason.ANSWERED_ELSEWHERE,
    Reason.REJECTED_HERE,
    Reason.TRANSFERRED,
)
_BY_THE_PERSON = (Reason.HUNG_UP_HERE, Reason.CANCELLED_HERE, Reason.REJECTED_HERE)


class Shown(NamedTuple):
    """What a state looks like."""

    sentence: Sentence
    tone: Tone
    icon: Icon


class ShownCall:
    """`number` is the phone's own for this call, 0 until the phone has named it."""

    __slots__ = (
        "accepted",
        "address",
        "asked_about",
        "connected_at",
        "digits",
        "ending",
        "file",
        "held_by",
        "hold_pending",
        "hold_trouble",
        "levels",
        "media",
        "muted",
        "number",
        "outgoing",
        "passed_on",
        "queue",
        "state",
        "statistics",
        "who",
    )

    def __init__(self, number: int, who: str, address: str, outgoing: bool) -> None:
        self.number = number
        self.who = who
        self.address = address
        self.outgoing = outgoing
        self.state = CallState.DIALLING if outgoing else CallState.RINGING
        self.accepted = False
        self.asked_about = ""
        """The address that the other side wants to pass the person on to, to be confirmed."""
        self.passed_on = False
        self.queue: str | None = None
        """It waits in a queue, of which they say this."""
        self.ending = False
        self.connected_at: float | None = None
        self.held_by = HeldBy.NONE
        self.hold_pending = False
        self.hold_trouble: Reason | None = None
        self.muted = False
        self.levels: tuple[float, float] | None = None
        self.digits = ""
        self.file = ""
        self.media: MediaChanged | None = None
        self.statistics: Statistics | None = None

    @property
    def talking(self) -> bool:
        """Whether the call is answered and not over, held or not."""
        return self.state in _TALKING and not self.ending

    @property
    def coming_in(self) -> bool:
        """Whether it waits for the person to accept or reject it."""
        return not (self.outgoing or self.accepted or self.ending or self.state in _TALKING)

    @property
    def held_here(self) -> bool:
        return self.held_by in (HeldBy.US, HeldBy.BOTH)

    def change_state(self, event: CallStateChanged, now: float) -> None:
        self.state = event.state
        self.queue = event.said if event.reason is Reason.QUEUED else None
        if event.state in _TALKING and self.connected_at is None:
            self.connected_at = now

    def change_hold(self, event: HoldChanged) -> None:
        self.held_by = event.by
        self.hold_pending = event.pending
        if event.pending or not self.held_here:
            self.hold_trouble = None

    def heard_levels(self) -> tuple[float | None, float | None]:
        """How loud they hear the person and the person them, in dBFS; None: not at all."""
        if not self.talking or self.levels is None or self.held_here:
            return None, None
        microphone, speaker = self.levels
        return None if self.muted else microphone, speaker

    def talked(self, now: float) -> str:
        """How long they have talked, like `3:07`; empty before the answer."""
        if self.connected_at is None:
            return ""
        minutes, seconds = divmod(max(0, int(now - self.connected_at)), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

    def shown(self, speaker: Speaker) -> Shown:
        """The sentence that is true now; what matters more to the person comes first."""

        def looks(say: Say | Reason, tone: Tone, icon: Icon) -> Shown:
            detail = link_address(self.asked_about) or file_name(self.file)
            said = self.queue or ""
            return Shown(speaker.say(say, self.who, detail=detail, said=said), tone, icon)

        if self.ending:
            return looks(Say.ENDING, Tone.PLAIN, Icon.DIALLING)
        if self.coming_in:
            return looks(Say.INCOMING, Tone.WAITING, Icon.RINGING)
        if not self.talking:
            return looks(*self._before_the_answer())
        if self.asked_about:
            return looks(Say.TRANSFER_ASKED, Tone.WAITING, Icon.RINGING)
        if self.passed_on:
            return looks(Say.TRANSFERRING, Tone.WAITING, Icon.DIALLING)
        if self.hold_trouble:
            return looks(self.hold_trouble, Tone.BAD, Icon.ON_HOLD)
        if self.hold_pending:
            pending = Say.HOLDING if self.held_here else Say.RESUMING
            return looks(pending, Tone.WAITING, Icon.ON_HOLD)
        if self.held_by is not HeldBy.NONE:
            return looks(_HELD[self.held_by], Tone.WAITING, Icon.ON_HOLD)
        if self.muted:
            return looks(Say.MUTED, Tone.WAITING, Icon.MUTED)
        if self.file:
            return looks(Say.PLAYING, Tone.GOOD, Icon.CONNECTED)
        return looks(Say.CONNECTED, Tone.GOOD, Icon.CONNECTED)

    def _before_the_answer(self) -> tuple[Say | Reason, Tone, Icon]:
        if not self.outgoing:
            return Say.ANSWERING, Tone.PLAIN, Icon.DIALLING
        if self.queue is not None:
            return Reason.QUEUED, Tone.WAITING, Icon.RINGING
        if self.state is CallState.RINGING:
            return Say.RINGING, Tone.PLAIN, Icon.RINGING
        if self.state is CallState.EARLY:
            return Say.EARLY, Tone.PLAIN, Icon.RINGING
        return Say.DIALLING, Tone.PLAIN, Icon.DIALLING


_HELD = {
    HeldBy.US: Say.HELD_BY_US,
    HeldBy.THEM: Say.HELD_BY_THEM,
    HeldBy.BOTH: Say.HELD_BY_BOTH,
}


def how_it_ended(
    call: ShownCall, reason: Reason, speaker: Speaker, now: float, said: str, retry_after: int
) -> Shown:
    """What stays on the screen after the call."""
    talked = call.talked(now)
    sentence = speaker.say(reason, call.who, talked=talked, said=said, retry_after=retry_after)
    if reason in _ON_PURPOSE:
        return Shown(sentence, Tone.PLAIN, Icon.IDLE)
    return Shown(sentence, Tone.BAD, Icon.TROUBLE)


def ended_by_itself(reason: Reason) -> bool:
    """Whether the person may not know yet that the call is over."""
    return reason not in _BY_THE_PERSON


def plain_address(uri: str) -> str:
    """A SIP URI as one would write it on paper: `sip:bob@example.com;lr` is bob@example.com."""
    scheme, colon, rest = uri.strip("<> ").partition(":")
    known = colon and scheme.lower() in ("sip", "sips", "tel")
    return (rest if known else uri).partition(";")[0]


def link_address(link: str) -> str:
    """All of a link but its scheme: whatever is cut off could hide where it really leads."""
    return link.partition(":")[2]


def file_name(path: str) -> str:
    """The last part of a path of either kind of system."""
    return path.replace("\\", "/").rpartition("/")[2]
