"""Which devices the system prefers at this moment.

PortAudio's list is frozen while a stream is open, so plugging in a headset during a call would go
unseen. Windows' old multimedia interface tells it at any time and at no cost. On Linux nothing is
needed: the default device there is a name behind which PulseAudio or PipeWire moves the stream.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import ctypes

    _MAPPER = ctypes.c_void_p(-1)
    _PREFERRED_GET = 0x2015
    """DRVM_MAPPER_PREFERRED_GET."""

    class _Capabilities(ctypes.Structure):
        """WAVEOUTCAPSW and WAVEINCAPSW begin alike; room for the longer one."""

        _fields_ = (
            ("maker", ctypes.c_ushort),
            ("product", ctypes.c_ushort),
            ("version", ctypes.c_uint),
            ("name", ctypes.c_wchar * 32),
            ("rest", ctypes.c_uint * 8),
        )

    def preferred_devices() -> tuple[str, ...]:
        """Microphone and loudspeaker; changes when the person (or a plug) changes the default."""
        return (_preferred("In"), _preferred("Out"))

    def _preferred(side: str) -> str:
        number = ctypes.c_uint(0xFFFFFFFF)
        status = ctypes.c_uint(0)
        winmm = ctypes.windll.winmm
        message = getattr(winmm, f"wave{side}Message")
        if message(_MAPPER, _PREFERRED_GET, ctypes.byref(number), ctypes.byref(status)):
            return ""
        capabilities = _Capabilities()
        size = ctypes.sizeof(capabilities) - (0 if side == "Out" else 4)
        describe = getattr(winmm, f"wave{side}GetDevCapsW")
        if describe(ctypes.c_size_t(number.value), ctypes.byref(capabilities), size):
            return ""
        return str(capabilities.name)

else:

    def preferred_devices() -> tuple[str, ...]:
        """Nothing to watch here."""
        return ()
