"""The tray icon (pystray)."""

from collections.abc import Callable
from pathlib import Path

from applet.ui.view import Request, TrayView


class Tray:
    """Owns pystray's icon on threads of its own. `ask` is called on them: it must only put the
    request on a queue. `Act.TRAY_READY` or `Act.TRAY_MISSING` is asked once after `start`."""

    def __init__(self, product: str, icons: Path, ask: Callable[[Request], None]) -> None: ...

    def start(self) -> None: ...

    def show(self, view: TrayView) -> None:
        """Never blocks; only the latest counts."""

    def notify(self, title: str, text: str) -> None: ...

    def stop(self) -> None: ...
