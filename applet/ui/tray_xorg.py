"""The tray icon as a plain X window: for desktops without GObject introspection.

pystray's xorg backend has no menu and never hears of clicks, because its window does not select
them. Ours does; a right click asks the window to post the menu at the pointer, as a Tk menu.
"""

from __future__ import annotations

import contextlib
import time

import PIL.Image
from pystray._xorg import Icon
from Xlib import X, error

from applet.hints import TYPE_CHECKING
from applet.ui.tray_linux import find_tray
from applet.ui.view import Act, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from applet.hints import Any

_GRAIN = 0.05  # seconds between two looks for events
_USUAL_GROUND = (238, 238, 238)


class XorgIcon(Icon):  # type: ignore[misc]
    ask: Callable[[Request], None]
    _icon_data: Any

    def __init__(self, name: str, icon: Any, title: str, menu: Any) -> None:
        self._over = False
        self._taken_in = False
        super().__init__(name, icon, title.encode("latin-1", "replace").decode("latin-1"), menu)
        self._window.change_attributes(
            event_mask=X.ExposureMask
            | X.StructureNotifyMask
            | X.ButtonPressMask
            | X.ButtonReleaseMask
        )
        # So that clearing the window shows the tray; a tray of another depth cannot.
        self._window.change_attributes(
            background_pixmap=X.ParentRelative, onerror=error.CatchError(error.BadMatch)
        )
        self._message_handlers[X.ButtonRelease] = self._on_button_release
        self._message_handlers[X.ReparentNotify] = self._on_reparent
        self._display.flush()
        self.title = title

    def __del__(self) -> None:
        with contextlib.suppress(error.ConnectionClosedError):  # the screen went before us
            super().__del__()

    def docked(self) -> bool:
        """Whether the tray has taken our window in, not only heard that it should."""
        return self._taken_in

    def can_notify(self) -> bool:
        return False

    def menu_changed(self) -> None:
        """Nothing to do: the window builds it when it opens."""

    def look_after(self) -> None:
        """Dock again when the tray has come back."""
        if not self.docked() and find_tray() is not None:
            self.visible = False
            self.visible = True

    def _events(self) -> Iterator[Any]:
        """Looks for events in place of waiting in python-xlib: a thread that waits there misses
        those which another thread reads while it sends."""
        while not self._over:
            if self._display.pending_events():
                yield self._display.next_event()
            else:
                time.sleep(_GRAIN)

    def _stop(self) -> None:
        super()._stop()
        self._over = True

    def _on_reparent(self, event: Any) -> None:
        if event.window == self._window:
            self._taken_in = event.parent != self._display.screen().root

    def _update_icon(self) -> None:
        """Draw only: pystray would ask to be docked again, and some trays then drop the icon."""
        self._icon_data = None
        self._draw()
        self._icon_valid = True

    def _update_title(self) -> None:
        """In UTF-8: the older property that pystray sets knows Latin-1 only."""
        utf8, name = map(self._display.intern_atom, ("UTF8_STRING", "_NET_WM_NAME"))
        self._window.change_property(name, utf8, 8, self.title.encode())
        self._display.flush()

    def _on_button_press(self, event: Any) -> None:
        if event.detail == 3:
            self.ask(Request(Act.LIST_DEVICES))
        else:
            super()._on_button_press(event)

    def _on_button_release(self, event: Any) -> None:
        """Not before: while the button is down, the pointer is ours and no menu can have it."""
        if event.detail == 3:
            self.ask(Request(Act.TRAY_MENU, f"{event.root_x},{event.root_y}"))

    def _assert_icon_data(self, width: int, height: int) -> None:
        """The picture on the tray's own colour: X windows of this kind have no transparency."""
        if self._icon_data and self._icon_data.size == (width, height):
            return
        side = max(1, min(width, height))
        ground: Any = PIL.Image.new("RGB", (width, height), self._ground())
        picture = self._icon.resize((side, side), PIL.Image.Resampling.HAMMING)
        ground.paste(picture, ((width - side) // 2, (height - side) // 2), picture)
        ground.tostring = ground.tobytes  # python-xlib still calls it so
        self._icon_data = ground

    def _ground(self) -> tuple[int, int, int]:
        """The colour of the tray behind the icon, as it is on the screen now."""
        try:
            self._window.clear_area()
            pixel = self._window.get_image(0, 0, 1, 1, X.ZPixmap, 0xFFFFFFFF).data
        except (error.BadMatch, error.BadDrawable):
            return _USUAL_GROUND  # not on the screen yet
        return pixel[2], pixel[1], pixel[0]
