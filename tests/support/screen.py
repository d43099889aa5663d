"""Quick looks at an X display, for measuring when something appears."""

from typing import Any

from Xlib import X, display


class Screen:
    def __init__(self, name: str) -> None:
        self._display = display.Display(name)
        self._root = self._display.screen().root
        self._panel = self._find(self._root, "panel")

    def tray_icons(self) -> int:
        """Icons are square and as high as the tray, which is as wide as they are."""
        assert self._panel is not None, "there is no tray"
        panel = self._panel.get_geometry()
        return round(int(panel.width) / int(panel.height))

    def shows(self, title: str) -> bool:
        """Whether a window with this title can be seen."""
        window = self._find(self._root, title)
        return window is not None and window.get_attributes().map_state == X.IsViewable

    def _find(self, parent: Any, title: str, depth: int = 3) -> Any:
        for child in parent.query_tree().children:
            if self._title(child) == title:
                return child
            found = self._find(child, title, depth - 1) if depth else None
            if found is not None:
                return found
        return None

    def _title(self, window: Any) -> str:
        from Xlib.error import BadWindow

        try:
            return str(window.get_wm_name())
        except BadWindow:
            return ""
