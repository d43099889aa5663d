"""The keys of a telephone, for the menus of the other side."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from tkinter import ttk

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.ui.theme import Theme

KEYS = "123456789*0#"


class KeypadPanel(ttk.Frame):
    """`pressed` gets the key. What has been sent stands above the keys."""

    def __init__(self, parent: tk.Misc, theme: Theme, pressed: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._sent = ttk.Label(self, anchor="center", font=theme.fonts["title"])
        self._sent.grid(row=0, column=0, columnspan=3, sticky="ew", pady=(0, theme.px(4)))
        self.buttons: dict[str, ttk.Button] = {}
        for place, key in enumerate(KEYS):
            button = ttk.Button(
                self, text=key, width=5, style="Key.TButton", command=partial(pressed, key)
            )
            button.grid(
                row=1 + place // 3,
                column=place % 3,
                padx=theme.px(3),
                pady=theme.px(3),
                ipady=theme.px(1),
            )
            self.buttons[key] = button

    def show(self, digits: str) -> None:
        self._sent.configure(text=digits or " ")
