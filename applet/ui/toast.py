"""A note in the corner of the screen, where the system shows none of its own."""

from __future__ import annotations

import tkinter as tk

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.ui.theme import Theme

_SHOWN_FOR = 7000  # milliseconds
_WIDTH = 300
_FROM_THE_EDGE = 48  # so that task bars and trays stay free


class Toast:
    """One note at a time; a click calls `clicked` and takes it away."""

    def __init__(self, root: tk.Tk, theme: Theme, clicked: Callable[[], None]) -> None:
        self._root = root
        self._theme = theme
        self._clicked = clicked
        self.window: tk.Toplevel | None = None
        self._expiry = ""

    def show(self, title: str, text: str) -> None:
        self.close()
        theme, px = self._theme, self._theme.px
        palette = theme.palette
        window = tk.Toplevel(self._root, background=palette.accent, padx=px(1), pady=px(1))
        window.overrideredirect(True)
        window.attributes("-topmost", True)
        body = tk.Frame(window, background=palette.ground, padx=px(14), pady=px(12))
        body.pack(fill="both", expand=True)
        lines = ((title, "default_entry", palette.ink), (text, "small", palette.faint))
        for line, font, colour in lines:
            label = tk.Label(
                body,
                text=line,
                font=theme.fonts[font],
                foreground=colour,
                background=palette.ground,
                wraplength=px(_WIDTH),
                justify="left",
                anchor="w",
            )
            label.pack(fill="x")
            label.bind("<Button-1>", self._click)
        window.update_idletasks()
        x = window.winfo_screenwidth() - window.winfo_reqwidth() - px(16)
        y = window.winfo_screenheight() - window.winfo_reqheight() - px(_FROM_THE_EDGE)
        window.geometry(f"+{x}+{y}")
        self.window = window
        self._expiry = window.after(_SHOWN_FOR, self.close)

    def close(self) -> None:
        if self.window is not None:
            self.window.after_cancel(self._expiry)
            self.window.destroy()
            self.window = None

    def _click(self, _: tk.Event[tk.Misc]) -> None:
        self.close()
        self._clicked()
