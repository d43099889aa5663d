"""The real phone linphonec as a peer on loopback, driven by its command line."""

from pathlib import Path

from tests.support.ports import free_port, free_ports, is_bound
from tests.support.process import Program

# linphonec spins when its terminal goes away, so it never lives longer than this.
LONGEST_S = 120
# Name, rate, channels, and whether it is offered: only what both phones have.
CODECS = [("PCMU", 8000, 1, 1), ("PCMA", 8000, 1, 1), ("opus", 48000, 2, 0)]
CODECS += [("speex", 8000, 1, 0), ("speex", 16000, 1, 0), ("speex", 32000, 1, 0)]


class Linphone(Program):
    """`microphone` is played into the call; what it hears is recorded into `heard`.
    `session_expires` in seconds: it wants session timers (RFC 4028)."""

    def __init__(
        self, folder: Path, microphone: Path, *, answers: bool = True, session_expires: int = 0
    ) -> None:
        self.port = free_port()
        self.uri = f"sip:linphone@127.0.0.1:{self.port}"
        self.heard = folder / "heard.wav"
        (folder / ".local/share/linphone").mkdir(parents=True)
        self._configure(folder, session_expires)
        super().__init__(
            ["timeout", str(LONGEST_S), "linphonec", "-c", folder / "rc", *(["-a"] * answers)],
            folder=folder,
            variables={"HOME": str(folder)},
            without=("DISPLAY", "WAYLAND_DISPLAY", "PULSE_SERVER"),
        )
        self.send("soundcard use files")
        self.send(f"play {microphone}")
        self.send(f"record {self.heard}")
        self.wait_ready(lambda: is_bound(self.port), "linphone's SIP port")

    def _configure(self, folder: Path, session_expires: int) -> None:
        codecs = [
            f"[audio_codec_{number}]\nmime={name}\nrate={rate}\nchannels={channels}\nenabled={on}"
            for number, (name, rate, channels, on) in enumerate(CODECS)
        ]
        settings = [
            f"[sip]\nsip_port={self.port}\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0",
            "bind_address=127.0.0.1\nuse_info=0\nuse_rfc2833=1\ndefault_proxy=-1",
            f"contact=sip:linphone@127.0.0.1:{self.port}",
            f"session_expires_enabled={int(session_expires > 0)}",
            f"session_expires_value={session_expires}\nsession_expires_min_value=2",
            f"[rtp]\naudio_rtp_port={free_ports(4)}\nbind_address=127.0.0.1",
            "[net]\nmtu=1300\n[sound]\nechocancellation=0",
        ]
        (folder / "rc").write_text("\n".join(settings + codecs) + "\n")

    def _ask_to_end(self) -> None:
        if self.exit_code is None:
            self.send("quit")
