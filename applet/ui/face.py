"""What is inside the window: the call, its buttons, its meters, and what folds out.

Sentences and buttons keep their places whatever happens, so that nothing jumps under the pointer:
only keypad, volume and notes make the window longer.
"""

from __future__ import annotations

import time
import tkinter as tk
from tkinter import ttk

from applet.hints import TYPE_CHECKING
from applet.ui.keypad import KeypadPanel
from applet.ui.meter import Meter
from applet.ui.offer import OfferPanel
from applet.ui.pictures import Pictures
from applet.ui.round_button import RoundButton
from applet.ui.strings import Speaker, Word
from applet.ui.view import Act, Button, Request, View
from applet.ui.volume import VolumePanel

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.ui.theme import Theme

# Pixels at 96 dots per inch, like every length here.
WIDTH = 340
HEIGHT = 470
_MARGIN = 20
_FRAME = 70  # what the title bar and the system's task bar take from the screen's height
_MAIN, _TOGGLE, _MENU = 92, 50, 30
# A double click on the button must not call and cancel, nor hang up and call again.
_REST = 0.5  # seconds that the main button rests after it has changed its meaning


class Face:
    """Draws a `View`. `ask` gets the requests; `open_menu` opens the window's menu at a place."""

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        speaker: Speaker,
        ask: Callable[[Request], None],
        open_menu: Callable[[int, int], None],
    ) -> None:
        self._root = root
        self._theme = theme
        self._speaker = speaker
        self._ask = ask
        self._open_menu = open_menu
        self._pictures = Pictures(root)
        self._main_act: Act | None = None
        self._main_rests_until = 0.0
        self._keypad_open = self._volume_open = False
        self._shown: View | None = None
        px = theme.px
        self.body = ttk.Frame(root, padding=(px(_MARGIN), px(14), px(_MARGIN), px(18)))
        self.body.pack(fill="both", expand=True)
        self.body.columnconfigure(0, weight=1, minsize=px(WIDTH - 2 * _MARGIN))
        self.body.rowconfigure(5, weight=1)
        # Holds the window open while most of it is empty.
        ttk.Frame(self.body, height=px(HEIGHT - 32), width=1).grid(row=0, column=1, rowspan=6)
        self._make_sentences()
        self._make_main_buttons()
        self._make_call_panel()
        self._make_fold_outs()
        self._make_menu_button()
        root.bind("<Key>", self._key)
        self.main.focus_set()

    # --- making ------------------------------------------------------------------------------

    def _label(self, parent: tk.Misc, font: str, colour: str) -> ttk.Label:
        return ttk.Label(
            parent,
            font=self._theme.fonts[font],
            foreground=colour,
            anchor="center",
            justify="center",
            wraplength=self._theme.px(WIDTH - 2 * _MARGIN),
        )

    def _round(self, parent: tk.Misc, size: int, act: Act) -> RoundButton:
        return RoundButton(
            parent, self._theme, self._pictures, size, lambda: self._ask(Request(act))
        )

    def _make_menu_button(self) -> None:
        palette, px = self._theme.palette, self._theme.px
        self.menu = RoundButton(self.body, self._theme, self._pictures, _MENU, self._menu_pressed)
        self.menu.show("", "menu", palette.ground, palette.faint, True)
        # The list of devices is fresh by the time the menu opens.
        self.menu.bind("<Enter>", lambda _: self._ask(Request(Act.LIST_DEVICES)), add=True)
        self.menu.place(relx=1.0, rely=0.0, x=px(_MARGIN - 8), y=-px(6), anchor="ne")

    def _make_sentences(self) -> None:
        palette, px = self._theme.palette, self._theme.px
        self.who = self._label(self.body, "title", palette.ink)
        self.who.grid(row=0, column=0, sticky="ew", pady=(px(22), px(6)))
        sentences = ttk.Frame(self.body)
        sentences.columnconfigure(0, weight=1)
        sentences.grid(row=1, column=0, sticky="new")
        self.body.rowconfigure(1, minsize=px(84))
        self.headline = self._label(sentences, "text", palette.ink)
        self.headline.grid(row=0, column=0, sticky="ew")
        self.advice = self._label(sentences, "small", palette.faint)
        self.advice.grid(row=1, column=0, sticky="ew", pady=(px(4), 0))
        self.timer = self._label(self.body, "timer", palette.ink)
        self.timer.grid(row=2, column=0, sticky="ew")
        self.body.rowconfigure(2, minsize=px(46))

    def _make_main_buttons(self) -> None:
        self._choice = ttk.Frame(self.body)
        self._choice.grid(row=4, column=0)
        self.main = RoundButton(
            self._choice, self._theme, self._pictures, _MAIN, self._main_pressed
        )
        self.accept = self._round(self._choice, _MAIN - 16, Act.ACCEPT)
        self.reject = self._round(self._choice, _MAIN - 16, Act.REJECT)

    def _make_call_panel(self) -> None:
        px, palette = self._theme.px, self._theme.palette
        self.call_panel = ttk.Frame(self.body)
        self.call_panel.grid(row=5, column=0, sticky="sew")
        for column in range(3):
            self.call_panel.columnconfigure(column, weight=1, uniform="toggle")
        self.hold = self._round(self.call_panel, _TOGGLE, Act.HOLD)
        self.mute = self._round(self.call_panel, _TOGGLE, Act.MUTE)
        self.keypad_button = self._round(self.call_panel, _TOGGLE, Act.KEYPAD)
        for column, button in enumerate((self.hold, self.mute, self.keypad_button)):
            button.grid(row=0, column=column)
        meters = ttk.Frame(self.call_panel)
        meters.columnconfigure(2, weight=1)
        meters.grid(row=1, column=0, columnspan=3, sticky="ew", pady=(px(14), 0))
        self.microphone = self._make_meter(meters, 0, "microphone", Word.YOU)
        self.speaker = self._make_meter(meters, 1, "loudspeaker", Word.THEM)
        self._ink = palette.ink

    def _make_meter(self, parent: ttk.Frame, row: int, glyph: str, word: Word) -> Meter:
        px, faint = self._theme.px, self._theme.palette.faint
        picture = self._pictures.glyph(glyph, px(14), faint)
        ttk.Label(parent, image=picture).grid(row=row, column=0, padx=(0, px(6)))
        label = ttk.Label(
            parent,
            text=self._speaker.word(word),
            font=self._theme.fonts["label"],
            foreground=faint,
        )
        label.grid(row=row, column=1, sticky="w", padx=(0, px(8)), pady=px(2))
        meter = Meter(parent, self._theme)
        meter.grid(row=row, column=2, sticky="ew")
        return meter

    def _make_fold_outs(self) -> None:
        px, palette = self._theme.px, self._theme.palette
        self.keypad = KeypadPanel(
            self.body, self._theme, lambda key: self._ask(Request(Act.DIGIT, key))
        )
        self.volume = VolumePanel(self.body, self._theme, self._speaker, self._ask)
        self._address_panel = ttk.Frame(self.body)
        self._address_panel.columnconfigure(0, weight=1)
        hint = ttk.Label(
            self._address_panel,
            text=self._speaker.word(Word.ADDRESS_HINT),
            font=self._theme.fonts["label"],
            foreground=palette.faint,
        )
        hint.grid(row=0, column=0, sticky="w", pady=(0, px(3)))
        self.address = ttk.Entry(self._address_panel, font=self._theme.fonts["small"])
        self.address.grid(row=1, column=0, sticky="ew")
        self.address.bind("<Return>", lambda _: self._call_address())
        self.address.bind("<KP_Enter>", lambda _: self._call_address())
        self.call_address = ttk.Button(
            self._address_panel, text=self._speaker.word(Word.CALL), command=self._call_address
        )
        self.call_address.grid(row=1, column=1, padx=(px(6), 0))
        self.note = tk.Label(
            self.body,
            font=self._theme.fonts["label"],
            foreground=palette.ink,
            background=palette.note_ground,
            justify="left",
            anchor="w",
            wraplength=px(WIDTH - 2 * _MARGIN - 20),
            padx=px(10),
            pady=px(8),
        )
        self.show_log = ttk.Button(self.body, command=lambda: self._ask(Request(Act.SHOW_LOG)))
        self.offer = OfferPanel(self.body, self._theme, px(WIDTH - 2 * _MARGIN - 20), self._ask)

    # --- drawing -----------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """The meters move many times a second; all the rest is left alone while it is the same."""
        self.microphone.show(view.microphone)
        self.speaker.show(view.speaker)
        rest = view._replace(microphone=None, speaker=None, help=None)
        if rest != self._shown:
            self._show_rest(rest)
            self._shown = rest

    def _show_rest(self, view: View) -> None:
        self.who.configure(text=view.incoming.caller if view.incoming else view.who)
        self.headline.configure(text=view.headline, foreground=self._theme.tone(view.tone))
        self.advice.configure(text=view.advice)
        self.timer.configure(text=view.timer)
        self._show_main(view)
        in_call = view.main.act is Act.HANG_UP and view.incoming is None
        self._fold(self.call_panel, in_call, 5)
        self._toggle(self.hold, view.hold, "play" if view.hold.on else "pause")
        self._toggle(self.mute, view.mute, "microphone_off" if view.mute.on else "microphone")
        self._toggle(self.keypad_button, view.keypad_button, "keypad")
        self._fold(self.keypad, view.keypad is not None, 6)
        if view.keypad is not None:
            self.keypad.show(view.keypad.digits)
        self._fold(self.volume, view.volume is not None, 7)
        if view.volume is not None:
            self.volume.show(view.volume)
        self._fold(self._address_panel, view.address_field, 5)
        self._fold(self.note, bool(view.note), 9)
        self.note.configure(text=view.note)
        self._fold(self.show_log, bool(view.show_log), 10)
        self.show_log.configure(text=view.show_log)
        self._fold(self.offer, view.offer is not None, 11)
        if view.offer is not None:
            self.offer.show(view.offer)
        self._keypad_open = view.keypad is not None
        self._volume_open = view.volume is not None

    def _show_main(self, view: View) -> None:
        palette = self._theme.palette
        white = palette.on_colour
        act = Act.ACCEPT if view.incoming else view.main.act
        if view.incoming is not None:
            accept, reject = view.incoming.accept, view.incoming.reject
            self.accept.show(accept.label, "handset", palette.call, white, accept.enabled)
            self.reject.show(reject.label, "hang_up", palette.hang_up, white, reject.enabled)
        elif act is Act.CALL:
            self.main.show(view.main.label, "handset", palette.call, white, view.main.enabled)
        else:
            self.main.show(view.main.label, "hang_up", palette.hang_up, white, view.main.enabled)
        if act is not self._main_act:
            self._main_act = act
            self._main_rests_until = time.monotonic() + _REST
            self._lay_main(incoming=view.incoming is not None)

    def _lay_main(self, incoming: bool) -> None:
        for button in (self.main, self.accept, self.reject):
            button.pack_forget()
        if incoming:
            gap = self._theme.px(16)
            self.accept.pack(side="left", padx=gap)
            self.reject.pack(side="left", padx=gap)
            # On neither button: who is typing elsewhere must not answer by accident.
            self.body.focus_set()
        else:
            self.main.pack()
            self.main.focus_set()

    def _toggle(self, shown: RoundButton, button: Button, glyph: str) -> None:
        palette = self._theme.palette
        fill, ink = (palette.ink, palette.ground) if button.on else (palette.resting, palette.ink)
        shown.show(button.label, glyph, fill, ink, button.enabled)

    def _fold(self, panel: tk.Widget, out: bool, row: int) -> None:
        if out and not panel.grid_info():
            gap = self._theme.px(14)
            if panel is self.keypad and self._too_low_for(panel):
                panel.grid(row=0, column=2, rowspan=6, padx=(gap, 0))
            else:
                sticky = "" if panel is self.keypad else "sew"
                panel.grid(row=row, column=0, sticky=sticky, pady=(gap if row > 5 else 0, 0))
            self._root.after_idle(self._keep_on_screen)
        elif not out and panel.grid_info():
            if panel not in (self.note, self.show_log):
                self.main.focus_set()
            panel.grid_remove()

    def _too_low_for(self, panel: tk.Widget) -> bool:
        """Whether the screen has no room for `panel` below the rest."""
        needed = self._root.winfo_reqheight() + panel.winfo_reqheight()
        return needed > self._root.winfo_screenheight() - self._theme.px(_FRAME)

    def _keep_on_screen(self) -> None:
        """Move the window up or left if it has grown over the screen's edge."""
        self._root.update_idletasks()
        root, frame = self._root, self._theme.px(_FRAME)
        x, y = root.winfo_x(), root.winfo_y()
        fits_x = min(x, max(0, root.winfo_screenwidth() - root.winfo_reqwidth()))
        fits_y = min(y, max(0, root.winfo_screenheight() - root.winfo_reqheight() - frame))
        if (fits_x, fits_y) != (x, y) and root.winfo_viewable():
            root.geometry(f"+{fits_x}+{fits_y}")

    # --- clicks and keys ---------------------------------------------------------------------

    def rested(self) -> bool:
        """Whether the main button obeys again."""
        return time.monotonic() >= self._main_rests_until

    def _main_pressed(self) -> None:
        if self.rested() and self._main_act is not None:
            self._ask(Request(self._main_act))

    def _menu_pressed(self) -> None:
        self._open_menu(self.menu.winfo_rootx(), self.menu.winfo_rooty() + self.menu.winfo_height())

    def _call_address(self) -> None:
        self._ask(Request(Act.CALL_ADDRESS, self.address.get()))

    def _key(self, event: tk.Event[tk.Misc]) -> None:
        """Digits go to the other side; Escape folds in what was folded out, the last first."""
        if isinstance(event.widget, ttk.Entry) or event.widget.winfo_toplevel() is not self._root:
            return
        if event.keysym == "Escape":
            if self._keypad_open:
                self._ask(Request(Act.KEYPAD))
            elif self._volume_open:
                self._ask(Request(Act.VOLUME))
        elif event.char and event.char in "0123456789*#":
            self._ask(Request(Act.DIGIT, event.char))
