"""From the presenter's list of entries to a Tk menu."""

from __future__ import annotations

import tkinter as tk
from functools import partial

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.hints import Literal
    from applet.ui.theme import Theme
    from applet.ui.view import Entry, Request


def tk_menu(
    parent: tk.Misc, theme: Theme, entries: tuple[Entry, ...], ask: Callable[[Request], None]
) -> tk.Menu:
    """A menu that asks for what is chosen. The default entry is bold."""
    palette = theme.palette
    menu = tk.Menu(
        parent,
        tearoff=False,
        font=theme.fonts["small"],
        foreground=palette.ink,
        disabledforeground=palette.off_ink,
        background=palette.ground,
        activebackground=palette.accent,
        activeforeground="white",
        selectcolor=palette.ink,
        relief="solid",
        borderwidth=1,
        activeborderwidth=0,
    )
    ticks = []
    for entry in entries:
        state: Literal["normal", "disabled"] = "normal" if entry.enabled else "disabled"
        chosen = partial(ask, entry.request) if entry.request else ""
        if not entry.label:
            menu.add_separator()
        elif entry.submenu:
            submenu = tk_menu(menu, theme, entry.submenu, ask)
            menu.add_cascade(label=entry.label, menu=submenu, state=state)
        elif entry.checked is not None:
            ticks.append(tk.BooleanVar(menu, entry.checked))
            menu.add_checkbutton(label=entry.label, variable=ticks[-1], command=chosen, state=state)
        else:
            menu.add_command(label=entry.label, command=chosen, state=state)
        if entry.default:
            menu.entryconfigure("end", font=theme.fonts["default_entry"])
    # Tk knows its variables by name only: without this they would be gone before the menu opens.
    menu.ticks = ticks  # type: ignore[attr-defined]
    return menu
