"""The tray icon by GTK or by status notifier (appindicator), as pystray draws them.

Both live on the thread that runs pystray's loop; what other threads ask for, pystray hands over
by GLib's idle queue.
"""

from __future__ import annotations

import importlib

from applet.hints import TYPE_CHECKING
from applet.ui.tray_linux import notifications_shown
from applet.ui.view import Act, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.hints import Any


def icon_class(backend: str) -> Callable[..., Any]:
    """Our class over pystray's `backend`: "gtk" or "appindicator"."""
    base: Any = importlib.import_module(f"pystray._{backend}").Icon
    return _gtk_icon(base) if backend == "gtk" else _indicator_icon(base)


def _indicator_icon(base: Any) -> Callable[..., Any]:
    class IndicatorIcon(base):  # type: ignore[misc]
        ask: Callable[[Request], None]

        def docked(self) -> bool:
            return True  # the watcher was there when this backend was chosen

        def can_notify(self) -> bool:
            return notifications_shown()

        def menu_changed(self) -> None:
            self.update_menu()  # the desktop draws the menu from a copy

        def look_after(self) -> None:
            """Nothing to do: the watcher tells the indicator."""

    return IndicatorIcon


def _gtk_icon(base: Any) -> Callable[..., Any]:
    class GtkIcon(base):  # type: ignore[misc]
        ask: Callable[[Request], None]

        def docked(self) -> bool:
            return bool(self._status_icon.is_embedded())

        def can_notify(self) -> bool:
            return notifications_shown()

        def menu_changed(self) -> None:
            """Nothing to do: the menu is built when it opens."""

        def look_after(self) -> None:
            """Nothing to do: GTK docks again by itself when the tray has come back."""

        def _update_menu(self) -> None:
            """Not while it may be open."""

        def _update_title(self) -> None:
            from gi.repository import GLib

            GLib.idle_add(self._set_title)

        def _set_title(self) -> bool:
            self._status_icon.set_title(self.title)
            self._status_icon.set_tooltip_text(self.title)
            return False

        def _show(self) -> None:
            super()._show()
            self._update_title()

        def _on_status_icon_popup_menu(self, *event: Any) -> None:
            self.ask(Request(Act.LIST_DEVICES))
            self._menu_handle = self._create_menu(self.menu)
            super()._on_status_icon_popup_menu(*event)

    return GtkIcon
