"""The tray icon: pystray on threads of its own, whatever the system has for a tray.

The `tray` thread finds a tray and runs pystray's loop; a second one, pystray's set-up thread,
serves the orders of the window, because drawing an icon may wait for the system's shell. Callbacks
only put a request on the window's queue; nothing here touches Tk.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue

from applet.hints import TYPE_CHECKING, Any
from applet.redaction import redacted_traceback
from applet.ui.files import ICONS
from applet.ui.view import Act, Entry, Icon, Notify, Request, TrayView

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

    from applet.brand import Brand

PATIENCE = 60.0  # seconds that we wait for a tray: at log-on it may come after us
_MISSING_AFTER = 3.0  # seconds until the window is told that there is none
_RETRY = 0.5
_LOOK = 0.05  # seconds between two looks whether the tray has taken the icon
_ASK_AGAIN = 3.0
_LOOK_AFTER = 2.0  # seconds between two looks whether the tray has come back
_STOP_WITHIN = 2.0


def start_tray(brand: Brand, ask: Callable[[Request], None]) -> Tray:
    """The icon at once; until the window shows its view, the call is the whole menu."""
    tray = Tray(brand.product, ICONS, Path(brand.icon) if brand.icon else None, ask)
    call = Entry(brand.texts.call, Request(Act.CALL))
    tray.show(TrayView(Icon.IDLE, brand.product, (call,)))
    tray.start()
    return tray


class Tray:
    """`ask` is called on the tray's threads: it must only put the request on a queue.
    `Act.TRAY_MISSING` is asked when there is no tray after a few seconds, `Act.TRAY_READY` as
    soon as the icon is there. `own_picture`: the brand's, for the idle state."""

    def __init__(
        self, product: str, icons: Path, own_picture: Path | None, ask: Callable[[Request], None]
    ) -> None:
        self._product = product
        self._icons = icons
        self._own_picture = own_picture
        self._ask = ask
        self._orders: SimpleQueue[TrayView | Notify | None] = SimpleQueue()
        self._pictures: dict[Icon, Image] = {}
        self._view = TrayView(Icon.IDLE, product, ())
        self._thread = threading.Thread(target=self._run, name="tray", daemon=True)
        self._stopping = threading.Event()
        self.notifies = False

    def start(self) -> None:
        self._thread.start()

    def show(self, view: TrayView) -> None:
        """Never waits."""
        self._orders.put(view)

    def notify(self, title: str, text: str) -> None:
        """Never waits. Only where `notifies` is true is anything seen."""
        self._orders.put(Notify(title, text))

    def stop(self) -> None:
        """Take the icon away; waits two seconds at most."""
        self._stopping.set()
        self._orders.put(None)
        if self._thread.is_alive():
            self._thread.join(_STOP_WITHIN)

    # --- the tray thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._wait_and_run()
        except Exception as error:
            self._ask(Request(Act.TRAY_MISSING, redacted_traceback(error)))

    def _wait_and_run(self) -> None:
        started = time.monotonic()
        told = False
        while not self._stopping.is_set() and time.monotonic() - started < PATIENCE:
            make = _find_tray()
            if make is not None:
                self._latest_view(wait=False)
                letters = filter(str.isalnum, self._product.encode("ascii", "ignore").decode())
                icon = make(
                    "".join(letters) or "Phone",
                    self._picture(self._view.icon),
                    self._view.tooltip,
                    _menu(lambda: self._view.menu, self._ask),
                )
                icon.ask = self._ask
                icon.stopping = self._stopping
                icon.run(setup=self._serve)
                return
            if not told and time.monotonic() - started >= _MISSING_AFTER:
                told = True
                self._ask(Request(Act.TRAY_MISSING))
            self._stopping.wait(_RETRY)

    # --- pystray's set-up thread -------------------------------------------------------------

    def _serve(self, icon: Any) -> None:
        try:
            self._dock(icon)
            self.notifies = icon.can_notify()
            while not self._stopping.is_set():
                self._obey_or_tell(icon)
            icon.visible = False
        except Exception as error:
            self._ask(Request(Act.TRAY_MISSING, redacted_traceback(error)))
        finally:
            icon.stop()

    def _dock(self, icon: Any) -> None:
        """Ask the tray for a place, again and again: at log-on it may not listen yet."""
        started = asked = time.monotonic()
        icon.visible = True
        while not icon.docked() and not self._stopping.wait(_LOOK):
            now = time.monotonic()
            if now >= started + PATIENCE:
                self._ask(Request(Act.TRAY_MISSING))
                return
            if now >= asked + _ASK_AGAIN:
                asked = now
                icon.visible = False
                icon.visible = True
        self._ask(Request(Act.TRAY_READY))

    def _obey_or_tell(self, icon: Any) -> None:
        """One picture that cannot be drawn does not take the icon with it."""
        try:
            self._obey(icon)
        except Exception as error:
            self._ask(Request(Act.FAILED, redacted_traceback(error)))

    def _obey(self, icon: Any) -> None:
        before = self._view
        notes = self._latest_view(wait=True)
        after = self._view
        if after.icon is not before.icon:
            icon.icon = self._picture(after.icon)
        if after.tooltip != before.tooltip:
            icon.title = after.tooltip
        if after.menu != before.menu:
            icon.menu_changed()
        for note in notes:
            if self.notifies:
                icon.notify(note.text, note.title)
        icon.look_after()

    def _latest_view(self, wait: bool) -> list[Notify]:
        """Take all orders; of the views only the last one counts."""
        notes: list[Notify] = []
        try:
            order = self._orders.get(timeout=_LOOK_AFTER) if wait else self._orders.get_nowait()
            while True:
                if isinstance(order, Notify):
                    notes.append(order)
                elif order is not None:
                    self._view = order
                order = self._orders.get_nowait()
        except Empty:
            return notes

    def _picture(self, icon: Icon) -> Image:
        if icon not in self._pictures:
            from PIL import Image

            path = self._icons / f"{icon.value}.png"
            if icon is Icon.IDLE and self._own_picture is not None:
                path = self._own_picture
            self._pictures[icon] = Image.open(path).convert("RGBA")
        return self._pictures[icon]


def _find_tray() -> Callable[..., Any] | None:
    """The icon class for the tray there is now, or None."""
    if sys.platform == "win32":
        from applet.ui.tray_win32 import Win32Icon

        return Win32Icon
    from applet.ui.tray_linux import find_tray

    return find_tray()


def _menu(entries: Callable[[], tuple[Entry, ...]], ask: Callable[[Request], None]) -> Any:
    """A pystray menu whose lines are asked for each time that it is built."""
    import pystray

    def lines(entries: tuple[Entry, ...]) -> tuple[Any, ...]:
        return tuple(map(line, entries))

    def line(entry: Entry) -> Any:
        if not entry.label:
            return pystray.Menu.SEPARATOR
        action: Any = lambda *_: ask(entry.request) if entry.request else None  # noqa: E731
        if entry.submenu:
            action = pystray.Menu(*lines(entry.submenu))
        return pystray.MenuItem(
            entry.label.replace("&", "&&") if sys.platform == "win32" else entry.label,
            action,
            checked=None if entry.checked is None else lambda _: bool(entry.checked),
            default=entry.default,
            enabled=entry.enabled,
        )

    return pystray.Menu(lambda: lines(entries()))
