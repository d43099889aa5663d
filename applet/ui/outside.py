"""What the window needs of the program around it, and knows nothing about."""

from __future__ import annotations

from queue import SimpleQueue

from applet.hints import TYPE_CHECKING
from applet.redaction import redacted_traceback
from applet.ui.view import Act, Request
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Outside(NamedTuple):
    """Those that the window knows nothing of. `requests`: a queue that any thread may fill.
    `failed`: an unexpected error in the part that is named, for the log and, by `Act.FAILED`, for
    the person. `keep` keeps the program on this computer (autostart or not), on a thread of its
    own, and puts `Act.KEPT` or `Act.NOT_KEPT` on the queue. None of them waits."""

    requests: SimpleQueue[Request]
    failed: Callable[[str, BaseException], None]
    keep: Callable[[bool], None]


def nobody_outside() -> Outside:
    """For a window that stands alone."""
    requests: SimpleQueue[Request] = SimpleQueue()

    def failed(where: str, error: BaseException) -> None:
        requests.put(Request(Act.FAILED, redacted_traceback(error)))

    return Outside(requests, failed, lambda autostart: None)
