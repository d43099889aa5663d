"""The sound card, through PyAudio (PortAudio), which is imported when the first device opens."""

from collections.abc import Callable

from applet.audio.device import AudioReport, LiveDevice, SoundControl


class Sound(SoundControl):
    """The machine's sound: one worker that lists, opens, watches and closes, so that no driver
    ever makes a caller wait.

    `report` gets `DevicesListed` and `Trouble` (NO_MICROPHONE, NO_SPEAKER, DEVICE_LOST,
    MICROPHONE_SILENT; each once per call) in the worker's thread.
    """

    def __init__(self, microphone: str = "", speaker: str = "") -> None:
        self._wanted = (microphone, speaker)

    def device(self, call: int) -> LiveDevice:
        """The device of a call: the `DeviceFactory` of the applet."""
        raise ValueError(call)

    def report_to(self, report: Callable[[AudioReport], None]) -> None:
        """Called by MediaThread; one receiver."""

    def select(self, microphone: str, speaker: str) -> None:
        self._wanted = (microphone, speaker)

    def list(self) -> None:
        return

    def stop(self) -> None:
        return
