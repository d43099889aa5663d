"""PortAudio through PyAudio: which devices there are, and how one of them is opened.

The traps, and what is done about them: each device is listed once per host API, so one API is
listed; WASAPI opens only at its mixer's own rate, DirectSound and MME convert; MME cuts names at
31 characters; the list is frozen from `PyAudio()` to `terminate()`, so a `PortAudio` lives only as
long as its streams do. Every method may block: only the sound worker calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from applet.audio.stream import Format
from applet.enums import Enum
from applet.hints import Any, Protocol
from applet.value import NamedTuple

_PA_INT16 = 8
_WASAPI, _DIRECTSOUND, _MME = 13, 1, 2
_MME_NAME = 31
_USUAL_RATES = (48000, 44100, 16000, 8000)


class Direction(Enum):
    """The words of PortAudio's device records."""

    MICROPHONE = "Input"
    SPEAKER = "Output"


class Stream(Protocol):
    """An open stream of PyAudio."""

    def start_stream(self) -> None: ...
    def close(self) -> None: ...


class Opened(NamedTuple):
    """`name` is the device that was taken."""

    stream: Stream
    name: str


Callback = Callable[..., tuple[bytes | None, int]]
MakeFeed = Callable[[Format], Callback]
"""Makes the callback for the format in which a device could be opened."""


class _Device(NamedTuple):
    number: int
    name: str
    api: int
    channels: int
    rate: int


class PortAudio:
    """One look at the machine's devices. Raises OSError (also without any sound system)."""

    def __init__(self) -> None:
        try:
            import pyaudio  # 16 ms, and a library that a machine without sound may lack
        except ImportError as error:
            raise OSError(str(error)) from error
        self._pa: Any = pyaudio.PyAudio()
        self._apis = [
            self._pa.get_host_api_info_by_index(index)
            for index in range(self._pa.get_host_api_count())
        ]

    def close(self) -> None:
        """All streams must be closed before."""
        self._pa.terminate()

    def names(self, direction: Direction) -> tuple[str, ...]:
        """The devices of the host API that is tried first, each once."""
        for api in self._order():
            found = [device.name for device in self._devices(api, direction)]
            if found:
                return tuple(dict.fromkeys(found))
        return ()

    def open(self, direction: Direction, name: str, make: MakeFeed) -> Opened:
        """Open and start the device `name`, or the default one if `name` is empty or gone. Tries
        host APIs, rates and channels until one works. Raises OSError if none does."""
        failure = OSError("no device")
        for device, form in self._ways(direction, name):
            callback = make(form)
            try:
                return Opened(self._start(direction, device, form, callback), device.name)
            except (OSError, ValueError) as error:
                failure = OSError(str(error))
        raise failure

    def _start(
        self, direction: Direction, device: _Device, form: Format, callback: Callback
    ) -> Stream:
        side = direction.value.lower()
        stream: Stream = self._pa.open(
            rate=form.rate,
            channels=form.channels,
            format=_PA_INT16,
            frames_per_buffer=form.rate // 50,
            start=False,
            stream_callback=callback,
            **{side: True, f"{side}_device_index": device.number},
        )
        try:
            stream.start_stream()
        except OSError:
            stream.close()
            raise
        return stream

    def _ways(self, direction: Direction, name: str) -> Iterator[tuple[_Device, Format]]:
        """All ways to open the wanted device, then all to open the default one."""
        for wanted in dict.fromkeys((name, "")):
            for api in self._order():
                device = self._find(api, direction, wanted)
                if device is None:
                    continue
                rates = (device.rate,) if api["type"] == _WASAPI else (*_USUAL_RATES, device.rate)
                for rate in dict.fromkeys(rates):
                    for channels in range(1, min(2, device.channels) + 1):
                        yield device, Format(rate, channels)

    def _order(self) -> list[dict[str, Any]]:
        """On Windows the best first; elsewhere the system's own default, then the others."""
        best = (_WASAPI, _DIRECTSOUND, _MME)
        windows = [api for kind in best for api in self._apis if api["type"] == kind]
        if windows:
            return windows
        try:
            default = self._pa.get_default_host_api_info()["index"]
        except OSError:
            default = 0
        return sorted(self._apis, key=lambda api: bool(api["index"] != default))

    def _find(self, api: dict[str, Any], direction: Direction, name: str) -> _Device | None:
        devices = self._devices(api, direction)
        if not name:
            default = api[f"default{direction.value}Device"]
            return next((device for device in devices if device.number == default), None)
        known = name[:_MME_NAME] if api["type"] == _MME else name
        return next((device for device in devices if device.name == known), None)

    def _devices(self, api: dict[str, Any], direction: Direction) -> list[_Device]:
        found = []
        for number in range(api["deviceCount"]):
            info = self._pa.get_device_info_by_host_api_device_index(api["index"], number)
            channels = int(info[f"max{direction.value}Channels"])
            if channels > 0:
                rate = int(info["defaultSampleRate"])
                found.append(_Device(info["index"], info["name"], api["index"], channels, rate))
        return found
