"""What the person sees and may do, as a pure function of what has happened.

Events, requests and `now` go in; a `View`, the tray's menu, commands and effects come out.
"""

from applet.brand import Brand
from applet.phone.messages import Command, Event
from applet.settings import Settings
from applet.ui.view import Effect, Entry, Request, TrayView, View


class Presenter:
    """`report` at the start: settings file was damaged and is now called so."""

    def __init__(
        self, brand: Brand, settings: Settings = Settings(), damaged_settings: str = ""
    ) -> None: ...

    def handle(self, event: Event, now: float) -> None: ...

    def ask(self, request: Request, now: float) -> None: ...

    def handle_timers(self, now: float) -> None: ...

    def commands(self) -> list[Command]: ...

    def effects(self) -> list[Effect]: ...

    def view(self) -> View: ...

    def tray(self) -> TrayView: ...

    def window_menu(self) -> tuple[Entry, ...]: ...

    def log_text(self) -> str: ...
