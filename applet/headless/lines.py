"""The line protocol: one command a line in, one JSON object a line out."""

from __future__ import annotations

import json

from applet.hints import TYPE_CHECKING
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    Command,
    ConfirmTransfer,
    Dial,
    DigitReceived,
    Event,
    HangUp,
    Hold,
    HoldChanged,
    IncomingCall,
    MediaChanged,
    MessagesWaiting,
    Mute,
    NatFound,
    NotUnderstood,
    Quit,
    Reason,
    Redirected,
    Register,
    Registered,
    RegistrationFailed,
    Reinvite,
    Reject,
    RequestStatistics,
    Resume,
    SendDigits,
    SendMessage,
    Statistics,
    TextReceived,
    Transfer,
    TransferChanged,
    Trouble,
    Unregister,
    Unregistered,
    Update,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = {
    "who": "the other side",
    "Who": "The other side",
    "desk": "the support desk",
    "product": "this phone",
    "talked": "",
}


class LineError(ValueError):
    """A line that is no command; `str()` is one plain line."""


def parse_line(line: str) -> Command | None:
    """The command of one line of stdin; None for an empty one. Raises LineError.

    Where a call id may follow and does not, the command means the newest call (id 0).
    """
    words = line.split()
    if not words:
        return None
    verb, rest = words[0], words[1:]
    try:
        command = _message(line) if verb == "message" else _parse(verb, rest)
    except (IndexError, ValueError) as error:
        raise LineError(f"{line.strip()!r}: wrong words after {verb}") from error
    if command is None:
        raise LineError(f"{verb!r} is no command")
    return command


_SIMPLE: dict[str, Command] = {"register": Register(), "unregister": Unregister(), "quit": Quit()}
_OF_A_CALL: dict[str, Callable[[int], Command]] = {
    "hold": Hold,
    "resume": Resume,
    "reinvite": Reinvite,
    "update": Update,
    "hangup": HangUp,
    "stats": RequestStatistics,
}


def _parse(verb: str, rest: list[str]) -> Command | None:
    if verb in _SIMPLE:
        return _SIMPLE[verb]
    if verb in _OF_A_CALL:
        return _OF_A_CALL[verb](_call(rest))
    match verb:
        case "call":
            return Dial(rest[0], confirmed=True)
        case "answer":
            status, call = _status_and_call(rest, 200)
            return Answer(call, status)
        case "reject":
            status, call = _status_and_call(rest, 486)
            return Reject(call, status)
        case "dtmf":
            return SendDigits(_call(rest[1:]), rest[0])
        case "mute":
            return Mute(_call(rest[1:]), ("off", "on").index(rest[0]) == 1)
        case "transfer":
            return _transfer(rest[0], _call(rest[1:]))
    return None


def _transfer(target: str, call: int) -> Command:
    """`yes` and `no` answer the event `transfer` with the state `asked`."""
    if target in ("yes", "no"):
        return ConfirmTransfer(call, target == "yes")
    if target.isdecimal():
        return Transfer(call, other=int(target))
    return Transfer(call, target)


def _message(line: str) -> Command:
    """`message URI TEXT`, the text as it stands."""
    _, uri, text = line.split(maxsplit=2)
    return SendMessage(uri, text.rstrip("\r\n"), confirmed=True)


def _call(rest: list[str]) -> int:
    return int(rest[0]) if rest else 0


def _status_and_call(rest: list[str], default: int) -> tuple[int, int]:
    """`[CODE] [ID]`; a number below 100 is an id."""
    numbers = [int(word) for word in rest[:2]]
    if numbers and numbers[0] >= 100:
        return numbers[0], numbers[1] if len(numbers) > 1 else 0
    return default, numbers[0] if numbers else 0


def to_json(event: Event) -> str | None:
    """The line that tells of `event`, or None where the protocol has no word for it."""
    fields = _fields(event)
    return None if fields is None else json.dumps(fields)


def _fields(event: Event) -> dict[str, object] | None:
    match event:
        case CallStateChanged():
            return {
                "ev": "state",
                "id": event.call,
                "state": event.state.value,
                "code": event.code,
                "text": _state_text(event),
            }
        case IncomingCall():
            return {
                "ev": "incoming",
                "id": event.call,
                "from": event.caller_uri,
                "to": event.called,
            }
        case Redirected():
            return {"ev": "redirected", "id": event.call, "to": event.uri}
        case MediaChanged():
            return {
                "ev": "media",
                "id": event.call,
                "codec": event.codec,
                "direction": event.direction,
                "local": event.local,
                "remote": event.remote,
                "srtp": event.srtp,
            }
        case HoldChanged(pending=False):
            return {"ev": "hold", "id": event.call, "by": event.by.value}
        case DigitReceived():
            return {"ev": "dtmf", "id": event.call, "digit": event.digit}
        case Statistics():
            return _statistics(event)
        case TransferChanged():
            return _transfer_changed(event)
    return _beside_calls(event)


def _state_text(event: CallStateChanged) -> str:
    """Why it ended, or that it waits in a queue, with the other side's own words."""
    if event.state is not CallState.ENDED and event.reason is Reason.NONE:
        return ""
    said = f" They say: “{event.said}”" if event.said else ""
    return f"{reason_text(event.reason)}{said}"


def _transfer_changed(event: TransferChanged) -> dict[str, object]:
    """`to` is whoever the call goes to, `as` the id under which it goes on if it does here (0: it
    does not)."""
    return {
        "ev": "transfer",
        "id": event.call,
        "state": event.state.value,
        "to": event.peer,
        "as": event.other,
    }


def _beside_calls(event: Event) -> dict[str, object] | None:
    match event:
        case Registered():
            return {"ev": "registered", "text": f"registered at {event.registrar}"}
        case Unregistered():
            return {"ev": "unregistered", "text": f"no longer registered at {event.registrar}"}
        case RegistrationFailed():
            return {"ev": "register_failed", "text": reason_text(event.reason)}
        case NatFound():
            return {"ev": "nat", "way": event.way, "proof": event.proof}
        case Trouble():
            return {"ev": "error", "text": reason_text(event.reason, event.detail)}
        case NotUnderstood():
            return {"ev": "error", "text": event.text}
        case TextReceived():
            return {"ev": "message", "from": event.sender_uri, "text": event.text}
        case MessagesWaiting():
            return {"ev": "mwi", "new": event.new, "old": event.old}
    return None


def ready_json(address: str, ready_ms: int) -> str:
    return json.dumps({"ev": "ready", "addr": address, "ready_ms": ready_ms})


def reason_text(reason: Reason, detail: str = "") -> str:
    """The plain sentence for `reason`, without a brand's names."""
    from applet.ui.strings import ENGLISH  # here: 2 ms of the start, and only bad news has words

    return ENGLISH.sentences[reason].headline.format(**_NAMES, detail=detail or "this")


def _statistics(event: Statistics) -> dict[str, object]:
    return {
        "ev": "stats",
        "id": event.call,
        "rx": event.received,
        "tx": event.sent,
        "lost": event.lost,
        "late": event.late,
        "jitter_ms": round(event.jitter_ms, 1),
        "delay_ms": round(event.delay_ms, 1),
        "mos": round(event.mos, 2),
    }
