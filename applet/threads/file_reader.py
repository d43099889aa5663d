"""Reads the file that is to be played into a call, beside the media thread: a disk, or a drive at
the end of a network, may take its time."""

from __future__ import annotations

import threading

from applet.audio.wav import WavError, WavSource, file_name, read_wav
from applet.hints import TYPE_CHECKING
from applet.threads.media_inbox import FileRead

if TYPE_CHECKING:
    from collections.abc import Callable


def read_file(post: Callable[[FileRead], None], call: int, path: str, sample_rate: int) -> None:
    """Returns at once; `post` is called from another thread."""
    work = (post, call, path, sample_rate)
    threading.Thread(target=_read, args=work, name="file", daemon=True).start()


def _read(post: Callable[[FileRead], None], call: int, path: str, sample_rate: int) -> None:
    try:
        answer = FileRead(call, path, WavSource(read_wav(path), sample_rate), "")
    except (OSError, WavError) as error:
        mistake = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        answer = FileRead(call, path, None, f"{file_name(path)} {mistake}")
    post(answer)
