"""The help window: the log, the connection in numbers, and what this program is."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from applet.hints import TYPE_CHECKING
from applet.ui.strings import Speaker, Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.ui.theme import Theme
    from applet.ui.view import HelpText

_COPIED_FOR = 2000  # milliseconds that the button says so


class HelpWindow:
    """`log_text` gives the whole log; `closed` is called when the person closes the window.
    `licences`: the terms of all parts of the program; empty: no tab for them."""

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        speaker: Speaker,
        log_text: Callable[[], str],
        licences: str,
        closed: Callable[[], None],
    ) -> None:
        self._theme = theme
        self._speaker = speaker
        self._log_text = log_text
        self._log_lines = -1
        self._checks = 0
        self._follow = True
        self._saying = ""
        self._rows: dict[ttk.Frame, tuple[tuple[str, str], ...]] = {}
        self.window = tk.Toplevel(root, background=theme.palette.ground)
        self.window.title(speaker.word(Word.HELP))
        self.window.geometry(f"{theme.px(620)}x{theme.px(440)}")
        self.window.protocol("WM_DELETE_WINDOW", closed)
        self.window.bind("<Escape>", lambda _: closed())
        self.tabs = ttk.Notebook(self.window)
        self.tabs.pack(fill="both", expand=True, padx=theme.px(10), pady=theme.px(10))
        self.log = self._log_tab()
        self._connection = self._tab(Word.CONNECTION_TAB)
        self._check = self._tab(Word.CHECK_TAB)
        about = self._tab(Word.ABOUT_TAB)
        self._about = ttk.Frame(about)
        self._about.pack(fill="x")
        self._notice = ttk.Label(
            about, font=theme.fonts["small"], wraplength=theme.px(560), justify="left"
        )
        self._notice.pack(fill="x", pady=theme.px(16))
        if licences:
            self._licences_tab(licences)
        self.tabs.focus_set()

    def show(self, text: HelpText) -> None:
        if text.log_lines != self._log_lines:
            self._log_lines = text.log_lines
            self._fill_log()
        if text.checks != self._checks:
            self._checks = text.checks
            self.tabs.select(self._check)  # type: ignore[no-untyped-call]
            self.window.lift()
        self._fill_rows(self._connection, text.connection)
        self._fill_rows(self._check, text.check)
        self._fill_rows(self._about, text.about)
        self._notice.configure(text=text.notice)

    def close(self) -> None:
        if self._saying:
            self.window.after_cancel(self._saying)
        self.window.destroy()

    def _tab(self, word: Word) -> ttk.Frame:
        frame = ttk.Frame(self.tabs, padding=self._theme.px(14))
        self.tabs.add(frame, text=self._speaker.word(word))
        return frame

    def _log_tab(self) -> tk.Text:
        frame = self._tab(Word.LOG_TAB)
        text = self._text(frame)
        text.bind("<Configure>", lambda _: self._see_newest())
        self.copy = ttk.Button(frame, text=self._speaker.word(Word.COPY), command=self._copy)
        self.copy.pack(side="bottom", anchor="e", pady=(self._theme.px(8), 0))
        self._pack_with_bar(text)
        return text

    def _licences_tab(self, licences: str) -> None:
        text = self._text(self._tab(Word.LICENCES_TAB))
        text.configure(state="normal")
        text.insert("1.0", licences)
        text.configure(state="disabled")
        self._pack_with_bar(text)

    def _text(self, frame: ttk.Frame) -> tk.Text:
        """Lines to read, in type of one width."""
        palette = self._theme.palette
        return tk.Text(
            frame,
            wrap="none",
            font=self._theme.fonts["log"],
            state="disabled",
            relief="flat",
            borderwidth=0,
            highlightthickness=1,
            highlightbackground=palette.track,
            highlightcolor=palette.accent,
            background=palette.ground,
            foreground=palette.ink,
            padx=self._theme.px(6),
            pady=self._theme.px(6),
            height=5,
        )

    @staticmethod
    def _pack_with_bar(text: tk.Text) -> None:
        bar = ttk.Scrollbar(text.master, command=text.yview)
        text.configure(yscrollcommand=bar.set)
        bar.pack(side="right", fill="y")
        text.pack(fill="both", expand=True)

    def _copy(self) -> None:
        self.window.clipboard_clear()
        self.window.clipboard_append(self._log_text())
        self._say_copied(True)

    def _say_copied(self, copied: bool) -> None:
        self.copy.configure(text=self._speaker.word(Word.COPIED if copied else Word.COPY))
        if self._saying:
            self.window.after_cancel(self._saying)
        self._saying = self.window.after(_COPIED_FOR, self._say_copied, False) if copied else ""

    def _fill_log(self) -> None:
        """The newest line stays in sight if it was."""
        if self.log.winfo_ismapped():
            self._follow = self.log.yview()[1] >= 1.0
        self.log.configure(state="normal")
        self.log.delete("1.0", "end")
        self.log.insert("end", self._log_text())
        self.log.configure(state="disabled")
        self._see_newest()

    def _see_newest(self) -> None:
        if self._follow:
            self.log.see("end")

    def _fill_rows(self, frame: ttk.Frame, rows: tuple[tuple[str, str], ...]) -> None:
        if self._rows.get(frame) == rows:
            return
        self._rows[frame] = rows
        for child in frame.winfo_children():
            child.destroy()
        shown = rows or ((self._speaker.word(Word.NO_CALL), ""),)
        for row, (label, value) in enumerate(shown):
            pad = (0, self._theme.px(6))
            ttk.Label(
                frame,
                text=label,
                font=self._theme.fonts["small"],
                foreground=self._theme.palette.faint,
            ).grid(row=row, column=0, sticky="w", pady=pad)
            ttk.Label(
                frame,
                text=value,
                font=self._theme.fonts["small"],
                wraplength=self._theme.px(360),
                justify="left",
            ).grid(row=row, column=1, sticky="w", padx=(self._theme.px(24), 0), pady=pad)
