"""Quick looks at an X display, for measuring when something appears."""

from typing import Any

from Xlib import X, display
from Xlib.error import BadWindow

_DEPTH = 3  # a window lies in its frame


class Screen:
    def __init__(self, name: str) -> None:
        self._display = display.Display(name)
        self._root = self._display.screen().root
        self._panel = self._find(self._root, "panel", _DEPTH)

    def tray_icons(self) -> int:
        """Icons are square and as high as the tray, which is as wide as they are."""
        assert self._panel is not None, "there is no tray"
        panel = self._panel.get_geometry()
        return round(int(panel.width) / int(panel.height))

    def shows(self, title: str) -> bool:
        """Whether a window with this title can be seen."""
        try:
            window = self._find(self._root, title, _DEPTH)
            return window is not None and window.get_attributes().map_state == X.IsViewable
        except BadWindow:
            return False  # one has gone while we looked: look again

    def _find(self, parent: Any, title: str, depth: int) -> Any:
        for child in parent.query_tree().children:
            if child.get_wm_name() == title:
                return child
            found = self._find(child, title, depth - 1) if depth else None
            if found is not None:
                return found
        return None
