"""Which tray this Linux desktop has, and the pystray backend that fits it.

Status notifiers (KDE, GNOME with an extension) want appindicator; a tray of the older kind
(XEmbed) takes GTK's icon, or without GObject introspection a plain X window. `PYSTRAY_BACKEND`
overrides the choice.
"""

from __future__ import annotations

import importlib
import os

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.hints import Any

_STATUS_NOTIFIERS = "org.kde.StatusNotifierWatcher"
_NOTIFICATIONS = "org.freedesktop.Notifications"


def find_tray() -> Callable[..., Any] | None:
    """The icon class for the tray there is now, or None."""
    backend = os.environ.get("PYSTRAY_BACKEND") or _best_backend()
    if not backend:
        return None
    # pystray chooses when it is imported.
    os.environ["PYSTRAY_BACKEND"] = backend
    if backend == "xorg":
        return importlib.import_module("applet.ui.tray_xorg").XorgIcon  # type: ignore[no-any-return]
    module = importlib.import_module("applet.ui.tray_gtk")
    return module.icon_class(backend)  # type: ignore[no-any-return]


def _best_backend() -> str:
    embedding = _embeds()
    if not _gtk_usable():
        return "xorg" if embedding else ""
    if _on_the_bus(_STATUS_NOTIFIERS) and _has_indicators():
        return "appindicator"
    return "gtk" if embedding else ""


def notifications_shown() -> bool:
    """Whether somebody on the session bus shows notifications."""
    return _on_the_bus(_NOTIFICATIONS)


def _embeds() -> bool:
    """Whether somebody owns the tray's selection (XEmbed system tray protocol)."""
    from Xlib import X, display, error

    try:
        connection = display.Display()
    except (error.DisplayError, OSError):
        return False
    try:
        tray = connection.intern_atom(f"_NET_SYSTEM_TRAY_S{connection.get_default_screen()}")
        return bool(connection.get_selection_owner(tray) != X.NONE)
    finally:
        connection.close()


def _gtk_usable() -> bool:
    """Whether GTK 3 and a session bus are there: pystray's GTK icon needs both."""
    try:
        import gi

        gi.require_version("Gtk", "3.0")
        from gi.repository import Gio, GLib, Gtk
    except (ImportError, ValueError):
        return False
    try:
        Gio.bus_get_sync(Gio.BusType.SESSION, None)
    except GLib.Error:
        return False
    return bool(Gtk.init_check()[0])


def _has_indicators() -> bool:
    import gi

    for name in ("AppIndicator3", "AyatanaAppIndicator3"):
        try:
            gi.require_version(name, "0.1")
        except ValueError:
            continue
        return True
    return False


def _on_the_bus(name: str) -> bool:
    """Whether `name` has an owner on the session bus, or would be started when asked."""
    from gi.repository import Gio, GLib

    def ask(method: str, argument: Any, answer: str) -> Any:
        return bus.call_sync(
            "org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus",
            method,
            argument,
            GLib.VariantType(answer),
            Gio.DBusCallFlags.NONE,
            1000,
            None,
        ).unpack()[0]

    try:
        bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        if ask("NameHasOwner", GLib.Variant("(s)", (name,)), "(b)"):
            return True
        return name in ask("ListActivatableNames", None, "(as)")
    except GLib.Error:
        return False
