"""The real phone baresip as a peer on loopback, driven by its ctrl_tcp module."""

import json
import socket
import threading
from pathlib import Path

from tests.support.ports import free_port, free_ports
from tests.support.process import Program, wait_until

MODULES = "/usr/lib/baresip/modules"


class Baresip(Program):
    """`microphone` is played into the call (it hangs up at the end of the file, so give it a long
    one); both directions are recorded. `peer` is the address it calls from and is called as."""

    def __init__(
        self,
        folder: Path,
        microphone: Path,
        *,
        answers: bool = True,
        user: str = "baresip",
        port: int = 0,
        pem: Path | None = None,
        one_port: bool = False,
        ice: bool = False,
    ) -> None:
        """`pem`: a certificate and its key in one file; with it the port above speaks TLS.
        `one_port`: offer one for sound and reports (rtcp-mux); its messages are shown.
        `ice`: it offers ICE."""
        self.folder = folder
        self.port = port or free_ports(2)
        self.uri = f"sip:{user}@127.0.0.1:{self.port}"
        self._pem = pem
        self._one_port = one_port
        self._ice = ice
        self.events: list[dict[str, object]] = []
        self._taken = 0
        control = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._configure(microphone, control, "auto" if answers else "manual")
        shown = ["-s"] if one_port else []
        super().__init__(["baresip", *shown, "-f", folder], folder=folder)
        self._control = socket.socket()
        self.wait_ready(lambda: self._control.connect_ex(("127.0.0.1", control)) == 0, "ctrl_tcp")
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _configure(self, microphone: Path, control: int, answer_mode: str) -> None:
        modules = ("g711.so", "aufile.so", "sndfile.so", "aubridge.so")
        applications = ("account.so", "menu.so", "ctrl_tcp.so")
        rtp = free_ports(40)
        settings = [
            "poll_method epoll",
            f"sip_listen 127.0.0.1:{self.port}",
            "net_interface 127.0.0.1",
            f"audio_source aufile,{microphone}",
            "audio_player aubridge,unheard",
            "audio_alert aubridge,unheard",
            f"rtp_ports {rtp}-{rtp + 39}",
            f"snd_path {self.folder}",
            f"ctrl_tcp_listen 127.0.0.1:{control}",
            f"module_path {MODULES}",
            *([f"sip_certificate {self._pem}"] if self._pem else []),
            *(["rtcp_mux yes"] if self._one_port else []),
            *(f"module {name}" for name in (*modules, *(["ice.so"] if self._ice else []))),
            *(f"module_app {name}" for name in applications),
        ]
        (self.folder / "config").write_text("\n".join(settings) + "\n")
        account = f"<{self.uri}>;regint=0;answermode={answer_mode};audio_codecs=PCMU,PCMA"
        traversal = ";medianat=ice" if self._ice else ""
        (self.folder / "accounts").write_text(f"{account}{traversal}\n")
        (self.folder / "contacts").touch()

    def command(self, name: str, parameters: str = "") -> None:
        """One of the commands of baresip's menu: dial, accept, hangup, hold, resume, ..."""
        message = json.dumps({"command": name, "params": parameters}).encode()
        self._control.sendall(b"%d:%s," % (len(message), message))

    def wait_for(self, kind: str, timeout_s: float = 10, **fields: object) -> dict[str, object]:
        """The next event of this type, such as CALL_ESTABLISHED, behind the one taken last."""
        found: list[int] = []

        def look() -> bool:
            wanted = {"type": kind, **fields}
            for index in range(self._taken, len(self.events)):
                if wanted.items() <= self.events[index].items():
                    found.append(index)
                    return True
            return False

        wait_until(look, timeout_s, f"baresip's {kind} {fields}", self.transcript)
        self._taken = found[0] + 1
        return self.events[found[0]]

    def heard(self) -> Path:
        """The recording of what came in; complete once the call has ended."""
        return self._recording("dec")

    def transcript(self, most: int = 60) -> str:
        return f"{super().transcript(most)}\n{self.events}"

    def _recording(self, direction: str) -> Path:
        found = sorted(self.folder.glob(f"dump-*-{direction}.wav"))
        assert found, f"baresip recorded nothing\n{self.transcript()}"
        return found[-1]

    def stop(self, timeout_s: float = 3) -> None:
        super().stop(timeout_s)
        self._listener.join(5)
        self._control.close()

    def took(self, lines: list[str], line: str) -> None:
        if line and "audio=" not in line:  # its display of the bit rate, several times a second
            super().took(lines, line)

    def _listen(self) -> None:
        """Take netstrings from the control connection until it closes."""
        waiting = b""
        while data := _received(self._control):
            waiting += data
            while b":" in waiting:
                length, _, rest = waiting.partition(b":")
                if len(rest) <= int(length):
                    break
                message = json.loads(rest[: int(length)])
                waiting = rest[int(length) + 1 :]
                if message.get("event"):
                    self.events.append(message)


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:  # it went away without a farewell
        return b""
