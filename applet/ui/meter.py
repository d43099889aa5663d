"""A level meter: how loud one direction is now."""

from __future__ import annotations

import tkinter as tk

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from applet.ui.theme import Theme

_LOUD = 0.9  # above it the bar warns: the other side hears distortion soon


class Meter(tk.Canvas):
    """A plain bar; None empties it."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        self._thick = theme.px(5)
        super().__init__(
            parent,
            height=self._thick + 2,
            width=theme.px(150),
            background=theme.palette.ground,
            highlightthickness=0,
            borderwidth=0,
        )
        self._theme = theme
        self._level: float | None = None
        self._track = self._line(theme.palette.track)
        self._bar = self._line(theme.palette.good)
        self.bind("<Configure>", lambda _: self._draw())

    def show(self, level: float | None) -> None:
        if level != self._level:
            self._level = level
            self._draw()

    def _line(self, colour: str) -> int:
        return self.create_line(0, 0, 0, 0, width=self._thick, capstyle="butt", fill=colour)

    def _draw(self) -> None:
        left, right, middle = 0, self.winfo_width(), self.winfo_height() / 2
        self.coords(self._track, left, middle, right, middle)
        level = self._level or 0.0
        palette = self._theme.palette
        self.itemconfigure(
            self._bar,
            state="normal" if level > 0 else "hidden",
            fill=palette.waiting if level > _LOUD else palette.good,
        )
        self.coords(self._bar, left, middle, left + (right - left) * level, middle)
