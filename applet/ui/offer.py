"""The question whether to keep the program on this computer, below everything else."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from applet.hints import TYPE_CHECKING
from applet.ui.view import AUTOSTART, Act, Offer, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.ui.theme import Theme


class OfferPanel(ttk.Frame):
    """Blocks nothing: it stays until it is answered."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, width: int, ask: Callable[[Request], None]
    ) -> None:
        """`width`: in pixels, that a line of the question may have."""
        px = theme.px
        super().__init__(parent)
        self._ask = ask
        ttk.Separator(self).grid(row=0, column=0, columnspan=2, sticky="ew", pady=(0, px(8)))
        self.columnconfigure(1, weight=1)
        self._text = ttk.Label(
            self, font=theme.fonts["label"], justify="left", anchor="w", wraplength=width
        )
        self._text.grid(row=1, column=0, columnspan=2, sticky="w")
        self._autostart = tk.BooleanVar(self, False)
        self.autostart = ttk.Checkbutton(self, variable=self._autostart)
        self.autostart.grid(row=2, column=0, columnspan=2, sticky="w", pady=px(6))
        self.keep = ttk.Button(self, command=self._keep)
        self.keep.grid(row=3, column=0, sticky="w")
        self.not_now = ttk.Button(self, command=lambda: ask(Request(Act.NOT_NOW)))
        self.not_now.grid(row=3, column=1, sticky="w", padx=px(8))

    def show(self, offer: Offer) -> None:
        self._text.configure(text=offer.text)
        self.autostart.configure(text=offer.autostart)
        self.keep.configure(text=offer.keep)
        self.not_now.configure(text=offer.not_now)

    def _keep(self) -> None:
        self._ask(Request(Act.KEEP, AUTOSTART if self._autostart.get() else ""))
