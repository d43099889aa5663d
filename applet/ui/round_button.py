"""A round button with a label under it, for mouse and keyboard."""

from __future__ import annotations

import tkinter as tk

from applet.hints import TYPE_CHECKING
from applet.ui.pictures import Disc, Pictures

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.ui.theme import Theme


class RoundButton(tk.Label):
    """`fill` and `ink` colour it while it can be used. `pressed` is called by a click that begins
    and ends on it, by Enter and by Space; Tab reaches it while it is enabled."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        pictures: Pictures,
        size: int,
        pressed: Callable[[], None],
    ) -> None:
        super().__init__(
            parent,
            compound="top",
            background=theme.palette.ground,
            font=theme.fonts["text" if size > 70 else "label"],
            borderwidth=0,
            highlightthickness=0,
            pady=0,
        )
        self._theme = theme
        self._pictures = pictures
        self._size = theme.px(size)
        self._pressed = pressed
        self._glyph, self._fill, self._ink = "handset", theme.palette.resting, theme.palette.ink
        self._enabled = False
        self._over = self._down = False
        for event in ("<Enter>", "<Leave>", "<ButtonPress-1>", "<ButtonRelease-1>"):
            self.bind(event, self._pointer)
        for event in ("<FocusIn>", "<FocusOut>"):
            self.bind(event, lambda _: self._draw())
        for event in ("<Return>", "<KP_Enter>", "<space>"):
            self.bind(event, self._key)

    def show(self, label: str, glyph: str, fill: str, ink: str, enabled: bool) -> None:
        look = (label, glyph, fill, ink, enabled)
        if look != (self.cget("text"), self._glyph, self._fill, self._ink, self._enabled):
            self._glyph, self._fill, self._ink, self._enabled = glyph, fill, ink, enabled
            self.configure(text=label, takefocus=enabled, cursor="hand2" if enabled else "")
            self._draw()

    def invoke(self) -> None:
        """Press it, if it is enabled."""
        if self._enabled:
            self._pressed()

    def _pointer(self, event: tk.Event[tk.Misc]) -> None:
        if event.type is tk.EventType.ButtonPress:
            self._down = True
        elif event.type is tk.EventType.ButtonRelease:
            # Where it was let go, for a window manager may take the pointer away for a moment.
            inside = 0 <= event.x < self.winfo_width() and 0 <= event.y < self.winfo_height()
            clicked = self._down and inside
            self._down = False
            if clicked:
                self.invoke()
        else:
            self._over = event.type is tk.EventType.Enter
        if self.winfo_exists():
            self._draw()

    def _key(self, _: tk.Event[tk.Misc]) -> str:
        self.invoke()
        return "break"

    def _draw(self) -> None:
        palette = self._theme.palette
        fill, ink = (self._fill, self._ink) if self._enabled else (palette.off, palette.off_ink)
        if self._enabled and (self._over or self._down):
            fill = self._shaded(fill, 0.22 if self._down and self._over else 0.10)
        focused = self._enabled and self._theme.by_keyboard and self.focus_get() is self
        ring = palette.accent if focused else ""
        disc = Disc(self._glyph, self._size, fill, ink, ring)
        self.configure(
            image=self._pictures.disc(disc),
            foreground=palette.ink if self._enabled else palette.off_ink,
        )

    def _shaded(self, colour: str, share: float) -> str:
        """`colour`, nearer to the window's ink."""
        here = self.winfo_rgb(colour)
        there = self.winfo_rgb(self._theme.palette.ink)
        mixed = (round(a + (b - a) * share) >> 8 for a, b in zip(here, there, strict=True))
        return "#{:02x}{:02x}{:02x}".format(*mixed)
